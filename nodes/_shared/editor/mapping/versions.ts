import { type Change, diffMappings } from '../../../../lib/mapping/diff';
import type { MappingSet } from '../../../../lib/mapping/schema';
import type { UsedVersion } from '../../../q2c-mapping/replies';
import { byId, download, element, fillSelect, upload } from './dom';
import { type MappingState, readSet } from './state';

interface Compared {
  label: string;
  set: MappingSet;
}

/** Compares the set with how it was, with versions that were used and with files; import and export as JSON. */
export function prepareVersions(state: MappingState, nodeId: string, saved: MappingSet): void {
  const against = byId<HTMLSelectElement>('q2c-versions-against');
  const { text } = state;
  const known: Compared[] = [{ label: text('asSaved'), set: saved }];

  const offer = (chosen = against.value) =>
    fillSelect(
      against,
      known.map(({ label }, at) => ({ value: String(at), label })),
      chosen,
    );

  const compare = () => {
    const before = known[Number(against.value)]?.set ?? saved;
    const changes = diffMappings(before, state.set);
    byId('q2c-versions-none').hidden = changes.length > 0;
    byId('q2c-versions-changes').replaceChildren(...changes.slice(0, 1000).map(row));
    byId('q2c-versions-count').textContent =
      changes.length === 0 ? '' : text('changes', { count: changes.length });
  };

  const row = ({ kind, what, layer, name, before, after }: Change) =>
    element(
      'tr',
      {},
      element('td', {}, text(`change.${kind}`)),
      element('td', {}, [text(`changed.${what}`), layer, name].filter(Boolean).join(' · ')),
      element('td', {}, before ?? ''),
      element('td', {}, after ?? ''),
    );

  $.ajax({ url: 'q2c/mapping/versions', data: { set: nodeId } }).done((versions: UsedVersion[]) => {
    for (const { version, content, firstUsedAt } of versions) {
      const set = readSet(content);
      if (set)
        known.push({
          label: text('usedSince', { version, at: new Date(firstUsedAt).toLocaleString() }),
          set,
        });
    }
    offer();
  });
  against.onchange = compare;
  byId('q2c-versions-export').onclick = () =>
    download(
      `mapping-${state.set.label || 'set'}.json`,
      `${JSON.stringify(state.set, null, 2)}\n`,
      'application/json',
    );
  byId('q2c-versions-import').onclick = () =>
    upload(byId<HTMLInputElement>('q2c-versions-file'), (content, name) => {
      const set = readSet(content);
      byId('q2c-versions-problem').textContent = set === null ? text('notAMapping', { name }) : '';
      if (set === null) return;
      known.push({ label: text('beforeImport', { name }), set: structuredClone(state.set) });
      offer(String(known.length - 1));
      state.replace(set);
    });
  byId('q2c-versions-restore').onclick = () => {
    const before = known[Number(against.value)]?.set;
    if (before) state.replace(structuredClone(before));
  };
  offer();
  state.onChange(compare);
  byId('node-config-input-data').addEventListener('q2c-changed', compare);
}
