import type { KpiFigures } from './api/types';
import { t } from './i18n';
import { formatDuration, formatNumber, formatPercent } from './i18n/format';

/** Key figures as the overview shows them. */

type Kind = 'duration' | 'share' | 'count';

export interface Kpi {
  id: keyof typeof t.kpi;
  kind: Kind;
  /** Null where nothing was measured. */
  value(figures: KpiFigures): number | null;
  /** What else is to be known of it. */
  note(figures: KpiFigures): string;
}

const p95 = ({ p95Ms, count }: KpiFigures['projectSetup']): string =>
  p95Ms === null ? '' : t.overview.p95(formatDuration(p95Ms), formatNumber(count));

export const kpis: readonly Kpi[] = [
  {
    id: 'setup',
    kind: 'duration',
    value: ({ projectSetup }) => projectSetup.medianMs,
    note: ({ projectSetup }) => p95(projectSetup),
  },
  {
    id: 'success',
    kind: 'share',
    value: ({ writes }) => writes.success,
    note: ({ writes }) => t.overview.share(formatNumber(writes.confirmed), formatNumber(writes.attempted)),
  },
  {
    id: 'latency',
    kind: 'duration',
    value: ({ writes }) => writes.latency.medianMs,
    note: ({ writes }) => p95(writes.latency),
  },
  {
    id: 'duplicates',
    kind: 'count',
    value: ({ duplicatesPrevented: { events, lostReplies, earlierRuns, naturalKeys } }) =>
      events + lostReplies + earlierRuns + naturalKeys,
    note: ({ duplicatesPrevented: { events, lostReplies } }) =>
      t.overview.duplicates(formatNumber(events), formatNumber(lostReplies)),
  },
  {
    id: 'opened',
    kind: 'count',
    value: ({ exceptions }) => exceptions.opened,
    note: ({ exceptions }) => t.overview.resolved(formatNumber(exceptions.resolved)),
  },
  {
    id: 'repair',
    kind: 'duration',
    value: ({ exceptions }) => exceptions.timeToResolve.medianMs,
    note: ({ exceptions }) => p95(exceptions.timeToResolve),
  },
];

export function formatKpi(kind: Kind, value: number | null): string {
  if (value === null) return '–';
  if (kind === 'duration') return formatDuration(value);
  return kind === 'share' ? formatPercent(value) : formatNumber(value);
}
