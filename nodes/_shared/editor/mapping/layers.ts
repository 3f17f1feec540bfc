import type { Layer } from '../../../../lib/mapping/schema';
import { byId, element } from './dom';
import type { MappingState } from './state';

/** The layers with their scopes, from the most general to the most particular, and what must be conserved. */
export function prepareLayers(state: MappingState): void {
  const body = byId('q2c-layers');
  const { text } = state;

  const field = (value: string, label: string, set: (value: string) => void) => {
    const made = element('input', { type: 'text', 'aria-label': label });
    made.value = value;
    made.onchange = () => {
      set(made.value.trim());
      state.changed();
    };
    return element('td', {}, made);
  };

  const button = (icon: string, title: string, act: () => void) => {
    const made = element(
      'button',
      { type: 'button', class: 'red-ui-button red-ui-button-small', title },
      element('i', { class: `fa ${icon}` }),
    );
    made.onclick = () => {
      act();
      state.changed();
    };
    return made;
  };

  const limit = (layer: Layer, name: 'legalEntity' | 'region', value: string) => {
    const { [name]: _, ...others } = layer.scope ?? {};
    const scope = value === '' ? others : { ...others, [name]: value };
    if (Object.keys(scope).length > 0) layer.scope = scope;
    else delete layer.scope;
  };

  const row = (layer: Layer, at: number) => {
    const { layers } = state.set;
    const up = button('fa-arrow-up', text('earlier'), () => {
      if (at > 0) layers.splice(at - 1, 2, layer, layers[at - 1] as Layer);
    });
    up.disabled = at === 0;
    const remove = button('fa-times', text('remove'), () => layers.splice(at, 1));
    remove.disabled = layers.length === 1;
    return element(
      'tr',
      {},
      field(layer.name, text('layerName'), (value) => {
        layer.name = uniqueName(state, value || text('newLayer'), layer);
      }),
      field(layer.scope?.legalEntity ?? '', text('legalEntity'), (value) =>
        limit(layer, 'legalEntity', value),
      ),
      field(layer.scope?.region ?? '', text('region'), (value) => limit(layer, 'region', value)),
      element('td', {}, String(layer.rules.length)),
      element('td', {}, up, remove),
    );
  };

  const conserved = () => {
    const holder = state.set.layers[0];
    const declared = holder?.conserves ?? ['line_sums', 'tax_groups', 'quantities'];
    for (const box of document.querySelectorAll<HTMLInputElement>('[data-q2c-measure]')) {
      const measure = box.dataset.q2cMeasure as 'line_sums' | 'tax_groups' | 'quantities';
      box.checked = declared.includes(measure);
      box.onchange = () => {
        if (holder === undefined) return;
        const rest = declared.filter((each) => each !== measure);
        holder.conserves = box.checked ? [...rest, measure] : rest;
        state.changed();
      };
    }
  };

  byId('q2c-layer-add').onclick = () => {
    state.set.layers.push({ name: uniqueName(state, text('newLayer')), rules: [], tables: {} });
    state.changed();
    body.lastElementChild?.querySelector('input')?.focus();
  };
  state.onChange(() => {
    body.replaceChildren(...state.set.layers.map(row));
    conserved();
  });
}

function uniqueName(state: MappingState, wanted: string, own?: Layer): string {
  const taken = new Set(state.set.layers.filter((layer) => layer !== own).map(({ name }) => name));
  let name = wanted;
  for (let number = 2; taken.has(name); number++) name = `${wanted} ${number}`;
  return name;
}
