import { readTable, writeTable } from '../../../../lib/mapping/csv';
import { byId, download, element, fillSelect, upload } from './dom';
import type { MappingState } from './state';

/** Lines that are drawn at once; further ones when the user scrolls to the end. */
const PAGE = 200;

/** Lookup tables of one layer and system, edited in place. */
export function prepareTables(state: MappingState): void {
  const layer = byId<HTMLSelectElement>('q2c-table-layer');
  const system = byId<HTMLSelectElement>('q2c-table-system');
  const table = byId<HTMLSelectElement>('q2c-table-name');
  const body = byId('q2c-table-entries');
  const box = byId('q2c-table-box');
  const { text, catalogue } = state;
  let pairs: [string, string][] = [];
  let drawn = 0;

  const systems = new Map(catalogue.stages.map(({ system: value, label }) => [value, label]));
  fillSelect(
    system,
    [...systems].map(([value, label]) => ({ value, label })),
    'netsuite',
  );

  const tables = () => {
    const { tables: all } = state.layer(layer.value);
    all[system.value] ??= {};
    return all[system.value] as Record<string, Record<string, string>>;
  };

  const offer = () => {
    const known = Object.entries(catalogue.tables[system.value] ?? {});
    const own = state.set.layers.flatMap((each) => Object.keys(each.tables[system.value] ?? {}));
    const names = [...new Set([...known.map(([name]) => name), ...own])];
    fillSelect(
      table,
      names.map((name) => {
        const count = Object.keys(state.layer(layer.value).tables[system.value]?.[name] ?? {}).length;
        return { value: name, label: `${name} (${count})` };
      }),
    );
    byId('q2c-table-help').textContent = text('tableKeys', {
      keys: catalogue.tables[system.value]?.[table.value] ?? text('anyKeys'),
    });
  };

  const store = () => {
    const entries = Object.fromEntries(pairs.filter(([key, value]) => key !== '' && value !== ''));
    const own = tables();
    if (Object.keys(entries).length > 0) own[table.value] = entries;
    else delete own[table.value];
    if (Object.keys(own).length === 0) delete state.layer(layer.value).tables[system.value];
    state.changed(false);
    mark();
  };

  /** Keys that stand twice, of which only one can count. */
  const mark = () => {
    const counts = new Map<string, number>();
    for (const [key] of pairs) counts.set(key, (counts.get(key) ?? 0) + 1);
    for (const row of body.querySelectorAll('tr')) {
      const key = pairs[Number(row.dataset.line)]?.[0] ?? '';
      row.querySelector('input')?.classList.toggle('input-error', key !== '' && (counts.get(key) ?? 0) > 1);
    }
  };

  const rowOf = (at: number): HTMLElement => {
    const cells = [0, 1].map((column) => {
      const field = element('input', {
        type: 'text',
        'aria-label': text(column === 0 ? 'tableValue' : 'tableTarget'),
      });
      field.value = pairs[at]?.[column] ?? '';
      field.oninput = () => {
        const pair = pairs[at];
        if (pair) pair[column] = field.value.trim();
        store();
      };
      return element('td', {}, field);
    });
    const remove = element(
      'button',
      { type: 'button', class: 'red-ui-button red-ui-button-small', title: text('remove') },
      element('i', { class: 'fa fa-times' }),
    );
    remove.onclick = () => {
      pairs.splice(at, 1);
      store();
      draw();
    };
    return element('tr', { 'data-line': String(at) }, ...cells, element('td', {}, remove));
  };

  const drawMore = () => {
    const end = Math.min(pairs.length, drawn + PAGE);
    for (; drawn < end; drawn++) body.append(rowOf(drawn));
  };

  const draw = () => {
    body.replaceChildren();
    drawn = 0;
    drawMore();
    mark();
  };

  const load = () => {
    offer();
    pairs = Object.entries(state.layer(layer.value).tables[system.value]?.[table.value] ?? {});
    draw();
    tell('');
  };

  const tell = (message: string) => {
    byId('q2c-table-problem').textContent = message;
  };

  byId('q2c-table-add').onclick = () => {
    while (drawn < pairs.length) drawMore();
    pairs.push(['', '']);
    drawMore();
    body.lastElementChild?.querySelector('input')?.focus();
  };
  byId('q2c-table-new').onclick = () => {
    const name = byId<HTMLInputElement>('q2c-table-newname').value.trim();
    if (name === '') return;
    table.append(element('option', { value: name }, name));
    table.value = name;
    pairs = Object.entries(state.layer(layer.value).tables[system.value]?.[name] ?? {});
    draw();
    byId('q2c-table-add').click();
  };
  byId('q2c-table-export').onclick = () =>
    download(`${system.value}-${table.value}.csv`, writeTable(Object.fromEntries(pairs)), 'text/csv');
  byId('q2c-table-import').onclick = () =>
    upload(byId<HTMLInputElement>('q2c-table-file'), (content) => {
      const { entries, problems } = readTable(content);
      const wrong = problems.filter(({ code }) => code !== 'duplicate');
      if (wrong.length > 0) {
        const told = wrong.slice(0, 3).map(({ line, code, key }) => text(`csv.${code}`, { line, key }));
        tell(`${text('csv.refused')} ${told.join(' ')}`);
        return;
      }
      pairs = Object.entries({ ...Object.fromEntries(pairs), ...entries });
      store();
      draw();
      tell(text('csv.imported', { count: Object.keys(entries).length }));
    });
  box.onscroll = () => {
    if (box.scrollTop + box.clientHeight > box.scrollHeight - 200) drawMore();
  };
  // Rows of inputs: Tab goes through them, Enter in the last one adds another.
  body.onkeydown = (event) => {
    const row = (event.target as HTMLElement).closest('tr');
    if (event.key !== 'Enter' || row === null) return;
    event.preventDefault();
    if (row.nextElementSibling) row.nextElementSibling.querySelector('input')?.focus();
    else byId('q2c-table-add').click();
  };
  for (const select of [layer, system, table]) select.onchange = load;
  state.onChange(() => {
    fillSelect(layer, state.layerChoices(), layer.value || state.set.layers.at(-1)?.name);
    load();
  });
}
