import { fillPicker } from '../_shared/editor/picker';
import { oneOf } from '../_shared/editor/validators';
import { warnOfFlow } from '../_shared/editor/warnings';
import { partsOf, stages } from '../q2c-mapping/types';
import { defaults, type MapProperties } from './types';

/** Names of the systems of the stages; they are the same in every language. */
const systems: Record<string, string> = {
  salesforce: 'Salesforce',
  netsuite: 'NetSuite',
  kantata: 'Kantata',
};

RED.nodes.registerType<MapProperties>('q2c-map', {
  category: 'q2c_process',
  color: '#B39FCB',
  icon: 'q2c-map.svg',
  inputs: 1,
  outputs: 1,
  defaults: {
    name: { value: defaults.name },
    store: { value: defaults.store, type: 'q2c-store', required: true },
    mapping: { value: defaults.mapping, type: 'q2c-mapping', required: true },
    firm: { value: defaults.firm, type: 'q2c-firm', required: false },
    stage: { value: defaults.stage, validate: oneOf(stages) },
  },
  paletteLabel() {
    return this._('label');
  },
  inputLabels() {
    return this._('input');
  },
  outputLabels() {
    return this._('output');
  },
  label() {
    return this.name || this._('nodeLabel', { stage: stageLabel(this, this.stage) });
  },
  labelStyle() {
    return this.name ? 'node_label_italic' : '';
  },
  oneditprepare() {
    warnOfFlow(this);
    const choices = stages.map((value) => ({ value, label: stageLabel(this, value) }));
    fillPicker($('#node-input-stage'), choices, this.stage);
  },
});

function stageLabel(node: EditorNode, stage: string): string {
  const { system, direction } = partsOf(stage);
  return node._(`stage.${direction}`, { system: systems[system] ?? system });
}
