import { fillPicker } from '../_shared/editor/picker';
import { oneOf } from '../_shared/editor/validators';
import { warnOfFlow } from '../_shared/editor/warnings';
import { defaults, guarantees, type OnceProperties, scopes } from './types';

RED.nodes.registerType<OnceProperties>('q2c-once', {
  category: 'q2c_process',
  color: '#B39FCB',
  icon: 'q2c-once.svg',
  inputs: 1,
  outputs: 2,
  defaults: {
    name: { value: defaults.name },
    store: { value: defaults.store, type: 'q2c-store', required: true },
    scope: { value: defaults.scope, validate: oneOf(scopes) },
    key: { value: defaults.key },
    keyType: { value: defaults.keyType },
    guarantee: { value: defaults.guarantee, validate: oneOf(guarantees) },
  },
  paletteLabel() {
    return this._('label');
  },
  inputLabels() {
    return this._('input');
  },
  outputLabels(index) {
    return this._(index === 0 ? 'output.first' : 'output.repeated');
  },
  label() {
    return this.name || this._('label');
  },
  labelStyle() {
    return this.name ? 'node_label_italic' : '';
  },
  oneditprepare() {
    warnOfFlow(this);
    const choices = (key: string, values: readonly string[]) =>
      values.map((value) => ({ value, label: this._(`${key}.${value}`) }));
    const scope = $('#node-input-scope');
    fillPicker(scope, choices('scope', scopes), this.scope);
    fillPicker($('#node-input-guarantee'), choices('guarantee', guarantees), this.guarantee);
    $('#node-input-key').typedInput({
      default: 'msg',
      types: ['msg', 'jsonata', 'str', 'env'],
      typeField: '#node-input-keyType',
    });
    scope.on('change', () => {
      $('#q2c-once-key').toggle(scope.val() === 'key');
    });
    scope.trigger('change');
  },
});
