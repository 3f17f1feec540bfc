import { wholeNumberVariableOrEmpty } from '../_shared/editor/validators';
import { warnOfFlow } from '../_shared/editor/warnings';
import { defaults, type JoinProperties } from './types';

RED.nodes.registerType<JoinProperties>('q2c-join', {
  category: 'q2c_process',
  color: '#B39FCB',
  icon: 'q2c-join.svg',
  inputs: 1,
  outputs: 1,
  defaults: {
    name: { value: defaults.name },
    store: { value: defaults.store, type: 'q2c-store', required: true },
    branches: { value: defaults.branches, validate: wholeNumberVariableOrEmpty },
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
    return this.name || this._('label');
  },
  labelStyle() {
    return this.name ? 'node_label_italic' : '';
  },
  oneditprepare() {
    warnOfFlow(this);
  },
});
