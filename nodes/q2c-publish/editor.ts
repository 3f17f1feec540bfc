import { businessEventTypes } from '../../lib/model';
import { eventChoices, shortEventName } from '../_shared/editor/event-types';
import { fillPicker } from '../_shared/editor/picker';
import { oneOf } from '../_shared/editor/validators';
import { warnOfFlow } from '../_shared/editor/warnings';
import { defaults, type PublishProperties } from './types';

RED.nodes.registerType<PublishProperties>('q2c-publish', {
  category: 'q2c_process',
  color: '#B39FCB',
  icon: 'q2c-publish.svg',
  inputs: 1,
  outputs: 1,
  defaults: {
    name: { value: defaults.name },
    store: { value: defaults.store, type: 'q2c-store', required: true },
    broker: { value: defaults.broker, type: 'q2c-broker', required: true },
    eventType: { value: defaults.eventType, validate: oneOf(['', ...businessEventTypes]) },
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
    const ofRun = { value: '', label: this._('eventOfRun') };
    fillPicker($('#node-input-eventType'), [ofRun, ...eventChoices()], this.eventType);
  },
});
