import { warnOfFlow } from '../_shared/editor/warnings';
import { type CheckProperties, defaults } from './types';

RED.nodes.registerType<CheckProperties>('q2c-check', {
  category: 'q2c_process',
  color: '#B39FCB',
  icon: 'q2c-check.svg',
  inputs: 1,
  outputs: 1,
  defaults: {
    name: { value: defaults.name },
    store: { value: defaults.store, type: 'q2c-store', required: true },
    firm: { value: defaults.firm, type: 'q2c-firm', required: true },
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
