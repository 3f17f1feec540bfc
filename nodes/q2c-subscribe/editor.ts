import { businessEventTypes } from '../../lib/model';
import { eventChoices, shortEventName } from '../_shared/editor/event-types';
import { fillPicker } from '../_shared/editor/picker';
import { groupOrEmpty, oneOf, topicFilterOrEmpty, wholeNumber } from '../_shared/editor/validators';
import { warnOfFlow } from '../_shared/editor/warnings';
import { defaults, type SubscribeProperties } from './types';

RED.nodes.registerType<SubscribeProperties>('q2c-subscribe', {
  category: 'q2c_process',
  color: '#B39FCB',
  icon: 'q2c-subscribe.svg',
  inputs: 0,
  outputs: 1,
  defaults: {
    name: { value: defaults.name },
    store: { value: defaults.store, type: 'q2c-store', required: true },
    broker: { value: defaults.broker, type: 'q2c-broker', required: false },
    eventType: { value: defaults.eventType, validate: oneOf(['', ...businessEventTypes]) },
    topic: { value: defaults.topic, validate: topicFilterOrEmpty },
    group: { value: defaults.group, validate: groupOrEmpty },
    concurrency: { value: defaults.concurrency, validate: wholeNumber },
  },
  paletteLabel() {
    return this._('label');
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
    const every = { value: '', label: this._('everyEvent') };
    fillPicker($('#node-input-eventType'), [every, ...eventChoices()], this.eventType);
    const broker = $('#node-input-broker');
    const showBrokerFields = () => $('#q2c-with-broker').toggle(hasBroker(String(broker.val())));
    broker.on('change', showBrokerFields);
    showBrokerFields();
  },
});

/** The editor's value for no configuration node is `_ADD_`, or empty. */
const hasBroker = (id: string): boolean => id !== '' && id !== '_ADD_';
