import { exceptionCodes, roles } from '../../lib/model';
import { fillPicker } from '../_shared/editor/picker';
import { oneOf } from '../_shared/editor/validators';
import { warnOfFlow } from '../_shared/editor/warnings';
import { type CaseProperties, defaults, severities } from './types';

const codes = Object.keys(exceptionCodes);

RED.nodes.registerType<CaseProperties>('q2c-case', {
  category: 'q2c_process',
  color: '#D99292',
  icon: 'q2c-case.svg',
  inputs: 1,
  outputs: 0,
  defaults: {
    name: { value: defaults.name },
    store: { value: defaults.store, type: 'q2c-store', required: true },
    code: { value: defaults.code, validate: oneOf(codes) },
    ownerRole: { value: defaults.ownerRole, validate: oneOf(['', ...roles]) },
    severity: { value: defaults.severity, validate: oneOf(severities) },
    message: { value: defaults.message },
    messageType: { value: defaults.messageType },
  },
  paletteLabel() {
    return this._('label');
  },
  inputLabels() {
    return this._('input');
  },
  label() {
    return this.name || this._(codes.includes(this.code) ? `reason.${this.code}` : 'label');
  },
  labelStyle() {
    return this.name ? 'node_label_italic' : '';
  },
  oneditprepare() {
    warnOfFlow(this);
    const reason = (value: string) => ({ value, label: this._(`reason.${value}`) });
    const role = (value: string) => ({ value, label: this._(`role.${value}`) });
    const severity = (value: string) => ({ value, label: this._(`severity.${value}`) });
    const none = { value: '', label: this._('common.choose') };
    const byCode = { value: '', label: this._('ownerOfCode') };
    fillPicker($('#node-input-code'), [none, ...codes.map(reason)], this.code);
    fillPicker($('#node-input-ownerRole'), [byCode, ...roles.map(role)], this.ownerRole);
    fillPicker($('#node-input-severity'), severities.map(severity), this.severity);
    $('#node-input-message').typedInput({
      default: 'str',
      types: ['str', 'msg', 'jsonata', 'env'],
      typeField: '#node-input-messageType',
    });
  },
});
