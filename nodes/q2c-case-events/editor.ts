import { roles } from '../../lib/model';
import { fillPicker } from '../_shared/editor/picker';
import { oneOf } from '../_shared/editor/validators';
import { type CaseEventsProperties, defaults, happenings, severities } from './types';

RED.nodes.registerType<CaseEventsProperties>('q2c-case-events', {
  category: 'q2c_process',
  color: '#D99292',
  icon: 'q2c-case-events.svg',
  inputs: 0,
  outputs: 1,
  defaults: {
    name: { value: defaults.name },
    store: { value: defaults.store, type: 'q2c-store', required: true },
    happening: { value: defaults.happening, validate: oneOf(['', ...happenings]) },
    ownerRole: { value: defaults.ownerRole, validate: oneOf(['', ...roles]) },
    severity: { value: defaults.severity, validate: oneOf(severities) },
  },
  paletteLabel() {
    return this._('label');
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
    const choice = (group: string) => (value: string) => ({ value, label: this._(`${group}.${value}`) });
    const everything = { value: '', label: this._('everything') };
    const everyRole = { value: '', label: this._('everyRole') };
    fillPicker(
      $('#node-input-happening'),
      [everything, ...happenings.map(choice('happening'))],
      this.happening,
    );
    fillPicker($('#node-input-ownerRole'), [everyRole, ...roles.map(choice('role'))], this.ownerRole);
    fillPicker($('#node-input-severity'), severities.map(choice('severity')), this.severity);
  },
});
