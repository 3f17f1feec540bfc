import type { FieldSpec } from './types';

/** Setting of systems whose changes are found by modification stamp. Manifests take it from this file, without the kit. */
export const pollOverlapSetting: FieldSpec = {
  id: 'pollOverlapMinutes',
  label: 'Polling overlap (minutes)',
  help: 'How far each poll looks back behind the last change it has seen, for changes that were saved late.',
  type: 'number',
  default: '5',
  required: true,
};

/** Minutes to look back; the default for what is no number. */
export function pollOverlapMinutes(settings: Readonly<Record<string, string>>): number {
  const minutes = Number(settings[pollOverlapSetting.id]);
  return Number.isFinite(minutes) && minutes >= 0 ? minutes : Number(pollOverlapSetting.default);
}
