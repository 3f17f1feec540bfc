import { prepareTest } from '../_shared/editor/connection-test';
import { markUnsetCredentials } from '../_shared/editor/credentials';
import { fillDefaults } from '../_shared/editor/defaults';
import { daysOrEmpty, oneOf, shortName, wholeNumberOrVariable } from '../_shared/editor/validators';
import { offerVariables } from '../_shared/editor/variables';
import { warnOfStore } from '../_shared/editor/warnings';
import { defaults, type StoreProperties } from './types';

fillDefaults(['q2c-store']);

/** Only asked of a store on PostgreSQL. */
function onPostgres(validator: Validator<unknown>): Validator<StoreProperties> {
  return function (value, options) {
    return formValue(this, 'kind') !== 'postgres' || validator.call(this, value, options);
  };
}

/** What the open form says, else what is saved: the editor validates with the saved values of other fields. */
function formValue(node: EditorNode & StoreProperties, property: 'kind' | 'address'): string {
  const field = $(`#node-config-input-${property}`);
  return field.data('q2cNode') === node.id ? String(field.val()) : node[property];
}

function showFields(node: EditorNode & StoreProperties): void {
  const onServer = formValue(node, 'kind') === 'postgres';
  const byUrl = formValue(node, 'address') === 'url';
  $('#q2c-sqlite').toggle(!onServer);
  $('#q2c-postgres').toggle(onServer);
  $('#q2c-by-url').toggle(byUrl);
  $('#q2c-by-fields').toggle(!byUrl);
}

RED.nodes.registerType<StoreProperties>('q2c-store', {
  category: 'config',
  color: '#A6BBCF',
  icon: 'q2c-store.svg',
  defaults: {
    name: { value: defaults.name },
    kind: { value: defaults.kind, validate: oneOf(['sqlite', 'postgres']) },
    path: { value: defaults.path },
    tenant: { value: defaults.tenant, validate: shortName },
    address: { value: defaults.address, validate: oneOf(['fields', 'url']) },
    host: { value: defaults.host },
    port: { value: defaults.port, validate: onPostgres(wholeNumberOrVariable) },
    database: { value: defaults.database },
    user: { value: defaults.user },
    tls: { value: defaults.tls, validate: oneOf(['verify', 'encrypt', 'off']) },
    ca: { value: defaults.ca },
    schema: { value: defaults.schema },
    poolSize: { value: defaults.poolSize, validate: onPostgres(wholeNumberOrVariable) },
    leaseSeconds: { value: defaults.leaseSeconds, validate: onPostgres(wholeNumberOrVariable) },
    gapSeconds: { value: defaults.gapSeconds, validate: wholeNumberOrVariable },
    financialDays: { value: defaults.financialDays, validate: daysOrEmpty(400) },
    otherDays: { value: defaults.otherDays, validate: daysOrEmpty(1) },
    caseDays: { value: defaults.caseDays, validate: daysOrEmpty(1) },
    outboxDays: { value: defaults.outboxDays, validate: daysOrEmpty(1) },
    lookups: { value: defaults.lookups },
  },
  credentials: {
    url: { type: 'password' },
    password: { type: 'password' },
  },
  paletteLabel() {
    return this._('label');
  },
  label() {
    return this.name || this._('label');
  },
  oneditprepare() {
    $('#node-config-input-kind, #node-config-input-address')
      .data('q2cNode', this.id)
      .on('change', () => showFields(this));
    showFields(this);
    offerVariables(this);
    markUnsetCredentials(this);
    prepareTest(this);
    warnOfStore(this);
  },
});
