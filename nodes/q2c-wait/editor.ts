import { businessEventTypes } from '../../lib/model';
import { fillPicker } from '../_shared/editor/picker';
import { oneOf } from '../_shared/editor/validators';
import { warnOfFlow } from '../_shared/editor/warnings';
import { defaults, earlierEvents, modes, orders, timeoutActions, type WaitProperties } from './types';

RED.nodes.registerType<WaitProperties>('q2c-wait', {
  category: 'q2c_process',
  color: '#B39FCB',
  icon: 'q2c-wait.svg',
  inputs: 1,
  outputs: 2,
  defaults: {
    name: { value: defaults.name },
    store: { value: defaults.store, type: 'q2c-store', required: true },
    mode: { value: defaults.mode, validate: oneOf(modes) },
    event: { value: defaults.event, validate: oneOf(['', ...businessEventTypes]) },
    topic: { value: defaults.topic },
    topicType: { value: defaults.topicType },
    key: { value: defaults.key, required: true },
    keyType: { value: defaults.keyType },
    timeout: { value: defaults.timeout },
    timeoutType: { value: defaults.timeoutType },
    onTimeout: { value: defaults.onTimeout, validate: oneOf(timeoutActions) },
    earlier: { value: defaults.earlier, validate: oneOf(earlierEvents) },
    order: { value: defaults.order, validate: oneOf(orders) },
    field: { value: defaults.field },
    outputs: { value: defaults.outputs },
  },
  paletteLabel() {
    return this._('label');
  },
  inputLabels() {
    return this._('input');
  },
  outputLabels(index) {
    if (this.mode === 'notify') return this._('output.notified');
    return this._(index === 0 ? 'output.event' : 'output.timeout');
  },
  label() {
    const event = shortName(this.event) || (this.topicType === 'str' ? this.topic : '');
    if (this.name || event !== '') return this.name || this._(`nodeLabel.${this.mode}`, { event });
    return this._(this.mode === 'notify' ? 'mode.notify' : 'label');
  },
  labelStyle() {
    return this.name ? 'node_label_italic' : '';
  },
  oneditprepare() {
    warnOfFlow(this);
    const choices = (key: string, values: readonly string[]) =>
      values.map((value) => ({ value, label: this._(`${key}.${value}`) }));
    const events = businessEventTypes.map((value) => ({ value, label: shortName(value) }));
    fillPicker($('#node-input-mode'), choices('mode', modes), this.mode);
    fillPicker($('#node-input-event'), [{ value: '', label: this._('ownName') }, ...events], this.event);
    fillPicker($('#node-input-onTimeout'), choices('onTimeout', timeoutActions), this.onTimeout);
    fillPicker($('#node-input-earlier'), choices('earlier', earlierEvents), this.earlier);
    fillPicker($('#node-input-order'), choices('order', orders), this.order);
    for (const name of ['topic', 'key', 'timeout']) {
      $(`#node-input-${name}`).typedInput({
        default: name === 'timeout' ? 'str' : 'msg',
        types: ['str', 'msg', 'jsonata', 'env'],
        typeField: `#node-input-${name}Type`,
      });
    }
    const selects = $('#node-input-mode, #node-input-event, #node-input-onTimeout');
    selects.on('change', show);
    show();
  },
});

/** Only what the choices made so far call for; a message has a second way on only if the time may be over. */
function show(): void {
  const isWaiting = $('#node-input-mode').val() === 'wait';
  const sendsOn = $('#node-input-onTimeout').val() === 'send';
  $('.q2c-wait-only').toggle(isWaiting);
  $('#q2c-wait-topic').toggle($('#node-input-event').val() === '');
  $('#node-input-outputs').val(isWaiting && sendsOn ? 2 : 1);
}

/** `q2c.contract.activated.v1` → `contract.activated`. */
function shortName(eventType: string): string {
  return eventType.replace(/^q2c\.|\.v\d+$/g, '');
}
