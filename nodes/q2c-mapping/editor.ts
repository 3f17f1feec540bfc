import { byId, whileOpen } from '../_shared/editor/mapping/dom';
import { prepareLayers } from '../_shared/editor/mapping/layers';
import { prepareRules } from '../_shared/editor/mapping/rules';
import { MappingState, readSet } from '../_shared/editor/mapping/state';
import { prepareTables } from '../_shared/editor/mapping/tables';
import { prepareTabs } from '../_shared/editor/mapping/tabs';
import { prepareTryOut } from '../_shared/editor/mapping/try-out';
import { prepareVersions } from '../_shared/editor/mapping/versions';
import { isVariable } from '../_shared/editor/variables';
import type { MappingCatalogue } from './replies';
import { defaults, type MappingProperties } from './types';

RED.nodes.registerType<MappingProperties>('q2c-mapping', {
  category: 'config',
  color: '#B39FCB',
  icon: 'q2c-mapping.svg',
  defaults: {
    name: { value: defaults.name },
    data: {
      value: defaults.data,
      validate(value, _options) {
        return isVariable(value) || readSet(value) !== null || this._('problem.set');
      },
    },
  },
  paletteLabel() {
    return this._('label');
  },
  label() {
    return this.name || this._('label');
  },
  oneditprepare() {
    prepareTabs('q2c-mapping-tabs');
    const data = this.data;
    $.ajax({ url: 'q2c/mapping/catalogue' })
      .done(whileOpen((catalogue: MappingCatalogue) => fill(this, data, catalogue)))
      .fail(({ status }) => $('#q2c-mapping-problem').text(this._('problem.host', { status })));
  },
});

/** Fills the form. The field keeps its text until something is changed: looking is no change. */
function fill(node: EditorNode, data: string, catalogue: MappingCatalogue): void {
  const field = byId<HTMLInputElement>('node-config-input-data');
  const read = readSet(data);
  const saved = read ?? readSet(defaults.data);
  if (saved === null) throw new Error('the default of q2c-mapping is no mapping set');
  if (read === null) $('#q2c-mapping-problem').text(node._('problem.set'));
  const text: EditorNode['_'] = (key, values) => node._(key, values);
  const state = new MappingState(structuredClone(saved), catalogue, text, (json) => {
    $(field).val(json).trigger('change');
    field.dispatchEvent(new Event('q2c-changed'));
  });
  const label = byId<HTMLInputElement>('q2c-mapping-label');
  label.oninput = () => {
    state.set.label = label.value;
    state.changed(false);
  };
  state.onChange(() => {
    label.value = state.set.label;
  });
  prepareRules(state);
  prepareTables(state);
  prepareLayers(state);
  prepareTryOut(state, () => JSON.stringify(state.set));
  prepareVersions(state, node.id, saved);
}
