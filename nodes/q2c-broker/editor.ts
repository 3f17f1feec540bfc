import { prepareTest } from '../_shared/editor/connection-test';
import { markUnsetCredentials } from '../_shared/editor/credentials';
import { fillPicker } from '../_shared/editor/picker';
import { brokerUrl, oneOf, wholeNumber } from '../_shared/editor/validators';
import { offerVariables } from '../_shared/editor/variables';
import { type BrokerProperties, defaults, protocolVersions } from './types';

RED.nodes.registerType<BrokerProperties>('q2c-broker', {
  category: 'config',
  color: '#A6BBCF',
  icon: 'q2c-broker.svg',
  defaults: {
    name: { value: defaults.name },
    store: { value: defaults.store, type: 'q2c-store', required: true },
    url: { value: defaults.url, validate: brokerUrl },
    protocolVersion: { value: defaults.protocolVersion, validate: oneOf(protocolVersions) },
    tls: { value: defaults.tls, type: 'tls-config', required: false },
    clientId: { value: defaults.clientId },
    keepHours: { value: defaults.keepHours, validate: wholeNumber },
    announced: { value: defaults.announced },
  },
  credentials: {
    user: { type: 'text' },
    password: { type: 'password' },
  },
  paletteLabel() {
    return this._('label');
  },
  label() {
    return this.name || this.url || this._('label');
  },
  oneditprepare() {
    const versions = protocolVersions.map((value) => ({ value, label: this._(`version.${value}`) }));
    fillPicker($('#node-config-input-protocolVersion'), versions, this.protocolVersion);
    offerVariables(this);
    markUnsetCredentials(this);
    prepareTest(this);
  },
});
