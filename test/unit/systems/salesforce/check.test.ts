import type { JsonObject } from '../../../../lib/model';
import { manifest } from '../../../../lib/systems/salesforce/manifest';
import { type FakeOrg, fakeOrg, ROOT, refusal } from './fake-org';

let org: FakeOrg;
beforeEach(async () => {
  org = await fakeOrg();
});
afterEach(() => org.close());

const KEY = 'Q2C_External_Id__c';
const DESCRIBED_AS = {
  text: 'string',
  picklist: 'picklist',
  number: 'double',
  currency: 'currency',
  percent: 'percent',
};

type Described = { fields: JsonObject[] } & JsonObject;

function described(object: string, change: (found: Described) => void = () => {}): JsonObject {
  const fields = manifest.customFields
    .filter((field) => field.object === object)
    .map(({ name, type }): JsonObject => {
      const isKey = type.kind === 'text' && type.key === true;
      const length = type.kind === 'text' ? type.length : 0;
      const rights = { createable: true, updateable: true };
      return { name, type: DESCRIBED_AS[type.kind], length, externalId: isKey, unique: isKey, ...rights };
    });
  const found = {
    queryable: true,
    createable: true,
    updateable: true,
    fields: [...fields, { name: 'CurrencyIsoCode' }],
  };
  change(found);
  return found;
}

const changed = (found: Described, name: string, values: JsonObject) => {
  found.fields = found.fields.map((field) => (field.name === name ? { ...field, ...values } : field));
};

let usage = '';

function answerWith(objects: Record<string, JsonObject | null> = {}, root: number = 200) {
  org.answer = (_request, { pathname }) => {
    if (pathname === '/services/data/') return [200, [{ version: '65.0' }, { version: '66.0' }]];
    if (pathname === `${ROOT}/`) {
      const body = root === 200 ? {} : refusal('API_DISABLED_FOR_ORG', 'The REST API is not enabled');
      return [root, body, { 'sforce-limit-info': usage }];
    }
    const object = /sobjects\/(\w+)\/describe/.exec(pathname)?.[1] ?? '';
    const answer = object in objects ? objects[object] : described(object);
    return answer ? [200, answer] : [404, refusal('NOT_FOUND')];
  };
}

/** Lines that failed, with what was found. */
const problems = async () =>
  (await org.client.test())
    .filter(({ state }) => state === 'failed')
    .map(({ id, findings }) => [id, ...findings.map(({ key }) => key)]);

beforeEach(() => {
  usage = 'api-usage=25/15000';
});

test('an org that is set up passes every check', async () => {
  answerWith();
  const checks = await org.client.test();
  const objects = manifest.access.flatMap(({ object }) =>
    manifest.customFields.some((field) => field.object === object)
      ? [`object:${object}`, `fields:${object}`]
      : [`object:${object}`],
  );
  expect(checks.map(({ id, state }) => [id, state])).toEqual(
    ['host', 'clock', 'version', 'login', 'api', ...objects, 'limits'].map((id) => [id, 'ok']),
  );
  expect(checks.at(-1)?.message).toBe('14975 of 15000 calls of the last 24 hours are left.');
});

test('missing rights, features and fields are told one by one', async () => {
  answerWith({
    Account: described('Account', (found) => {
      found.fields = found.fields.filter(
        ({ name }) => name !== 'Q2C_Tax_Status__c' && name !== 'CurrencyIsoCode',
      );
      found.createable = false;
      changed(found, 'Q2C_Customer_Number__c', { updateable: false });
      changed(found, 'Q2C_Tax_Registration__c', { length: 20 });
    }),
    Opportunity: described('Opportunity', (found) => {
      changed(found, KEY, { unique: false });
      changed(found, 'Q2C_Status__c', { type: 'boolean' });
    }),
    Contract: null,
    OpportunityLineItemSchedule: null,
  });
  expect(await problems()).toEqual([
    ['fields:Opportunity', 'FIELD_NOT_KEY', 'FIELD_TYPE'],
    ['object:Account', 'RIGHT_CREATE', 'FEATURE_OFF'],
    ['fields:Account', 'FIELD_SHORT', 'FIELD_MISSING', 'FIELD_READ_ONLY'],
    ['object:Contract', 'OBJECT_HIDDEN'],
    ['object:OpportunityLineItemSchedule', 'FEATURE_OFF'],
  ]);
  const lines = await org.client.test();
  const line = (id: string) => lines.find((check) => check.id === id);
  expect(line('object:Account')).toMatchObject({
    message:
      'The user may not create Account. Account lacks what the feature “Company Information > Activate Multiple Currencies” brings.',
    advice:
      'Give the right to create: Permission set > Object Settings > Accounts. Switch the feature on, or give the user access to it.',
  });
  expect(line('fields:Account')?.advice).toContain(
    'Create it as Picklist: registered, not_registered, exempt and give the user access to it.',
  );
  expect(line('fields:Contract')).toMatchObject({ state: 'unchecked' });
});

test('what only one event needs does not fail the connection', async () => {
  answerWith({ Quote: null });
  expect(await problems()).toEqual([]);
  const quote = (await org.client.test()).find(({ id }) => id === 'object:Quote');
  expect(quote).toMatchObject({ state: 'unchecked' });
  expect(quote?.message).toContain('Needed for “Quote accepted” only.');
});

test('the external id field of the connection is the one that is looked for', async () => {
  await org.close();
  org = await fakeOrg({ values: { externalIdField: 'ERP_Key__c' } });
  answerWith();
  const missing = (await org.client.test()).flatMap(({ findings }) =>
    findings.filter(({ key }) => key === 'FIELD_MISSING').map(({ values }) => values),
  );
  expect(missing).toEqual(
    ['Opportunity', 'Account', 'Contact', 'Contract'].map((object) => ({
      object,
      field: 'ERP_Key__c',
      type: 'Text(80), External ID, Unique',
    })),
  );
});

test('a version the org does not offer', async () => {
  await org.close();
  org = await fakeOrg({ values: { apiVersion: '99.0' } });
  answerWith();
  const checks = await org.client.test();
  expect(checks.find(({ id }) => id === 'version')).toMatchObject({
    message: 'The org does not offer version 99.0; its latest is 66.0.',
    advice: 'Change the API version of the connection.',
  });
  expect(checks.find(({ id }) => id === 'login')).toMatchObject({ state: 'unchecked' });
});

test.each([
  ['invalid_client', 'invalid client credentials', 'SECRET_WRONG'],
  ['invalid_client_id', 'client identifier invalid', 'CLIENT_WRONG'],
  ['inactive_user', 'user inactive', 'USER_BLOCKED'],
  ['invalid_grant', "user hasn't approved this consumer", 'USER_NOT_APPROVED'],
  ['invalid_grant', 'audience is invalid', 'ACCOUNT_WRONG'],
  ['invalid_grant', 'no client credentials user enabled', 'FLOW_OFF'],
  ['invalid_grant', 'invalid assertion', 'KEY_WRONG'],
  ['invalid_grant', 'assertion is expired or its lifetime is too long', 'TIME_REFUSED'],
  ['unsupported_grant_type', 'grant type not supported', 'FLOW_OFF'],
  ['server_error', 'something else', 'LOGIN_REFUSED'],
])('the login that is refused with %s, "%s" is told as %s', async (error, error_description, key) => {
  answerWith();
  org.token = () => [400, { error, error_description }];
  expect(await problems()).toEqual([['login', key]]);
});

test('a login by an earlier token does not hide that the secret is wrong by now', async () => {
  answerWith();
  expect(await problems()).toEqual([]);
  org.token = () => [400, { error: 'invalid_client', error_description: 'invalid client credentials' }];
  expect(await problems()).toEqual([['login', 'SECRET_WRONG']]);
});

test('a user without access to the API', async () => {
  answerWith({}, 403);
  expect(await problems()).toEqual([['api', 'API_OFF']]);
});

test.each([
  ['api-usage=14000/15000', 'failed', 'CALLS_FEW'],
  ['', 'unchecked', 'LIMIT_UNTOLD'],
])('calls that are left, told by "%s"', async (header, state, key) => {
  usage = header;
  answerWith();
  const limits = (await org.client.test()).at(-1);
  expect(limits).toMatchObject({ id: 'limits', state, findings: [{ key }] });
});

test('a host that is not there, or answers something else, never throws', async () => {
  org.answer = () => [200, '<html>Sign in to the guest network</html>'];
  expect(await problems()).toEqual([['version', 'NOT_THE_API']]);
  await org.server.close();
  expect(await problems()).toEqual([['host', 'HOST_REFUSED']]);
  await org.client.close();
  expect(await problems()).toEqual([['host', 'LOST']]);
});

test('no secret is in what a test says', async () => {
  answerWith();
  org.token = () => [400, { error: 'invalid_client', error_description: 'secret-value is wrong' }];
  expect(JSON.stringify(await org.client.test())).not.toContain('secret-value');
});
