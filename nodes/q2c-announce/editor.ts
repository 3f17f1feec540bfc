import { businessEventTypes } from '../../lib/model';
import { eventChoices, shortEventName } from '../_shared/editor/event-types';
import { fillPicker } from '../_shared/editor/picker';
import { oneOf } from '../_shared/editor/validators';
import { warnOfFlow } from '../_shared/editor/warnings';
import { type AnnounceProperties, defaults } from './types';

RED.nodes.registerType<AnnounceProperties>('q2c-announce', {
  category: 'q2c_process',
  color: '#B39FCB',
  icon: 'q2c-announce.svg',
  inputs: 1,
  outputs: 1,
  defaults: {
    name: { value: defaults.name },
    store: { value: defaults.store, type: 'q2c-store', required: true },
    eventType: { value: defaults.eventType, validate: oneOf(businessEventTypes) },
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
    const event = shortEventName(this.eventType);
    return this.name || this._(event === '' ? 'label' : 'nodeLabel', { event });
  },
  labelStyle() {
    return this.name ? 'node_label_italic' : '';
  },
  oneditprepare() {
    warnOfFlow(this);
    const none = { value: '', label: this._('common.choose') };
    fillPicker($('#node-input-eventType'), [none, ...eventChoices()], this.eventType);
  },
});
