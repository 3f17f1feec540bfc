import type { JsonObject } from '../../../../lib/model';
import { manifest } from '../../../../lib/systems/salesforce/manifest';
import { type FakeOrg, fakeOrg, ROOT, refusal } from './fake-org';

let org: FakeOrg;
beforeEach(async () => {
  org = await fakeOrg();
});
afterEach(() => org.close());

const KEY = 'Q2C_External_Id__c';

function describe_(
  object: string,
  change: (described: { fields: JsonObject[] } & JsonObject) => void = () => {},
): JsonObject {
  const fields: JsonObject[] = manifest.customFields
    .filter((field) => field.object === object)
    .map(({ name }) => ({ name, externalId: name === KEY, unique: name === KEY }));
  const described = {
    queryable: true,
    createable: true,
    updateable: true,
    fields: [...fields, { name: 'CurrencyIsoCode' }],
  };
  change(described);
  return described;
}

function answerWith(objects: Record<string, JsonObject | null> = {}) {
  org.answer = (_request, { pathname }) => {
    if (pathname === '/services/data/') return [200, [{ version: '65.0' }, { version: '66.0' }]];
    if (pathname === `${ROOT}/`) return [200, {}];
    const object = /sobjects\/(\w+)\/describe/.exec(pathname)?.[1] ?? '';
    const described = object in objects ? objects[object] : describe_(object);
    return described ? [200, described] : [404, refusal('NOT_FOUND')];
  };
}

const problems = async () =>
  (await org.client.test()).filter(({ ok }) => !ok).map(({ id, message }) => ({ id, message }));

test('an org that is set up passes every check', async () => {
  answerWith();
  const checks = await org.client.test();
  expect(checks.map(({ id, ok }) => [id, ok])).toEqual([
    ['host', true],
    ['login', true],
    ['object:Opportunity', true],
    ['object:Account', true],
    ['object:Contact', true],
    ['object:Contract', true],
    ['object:OpportunityLineItem', true],
    ['object:OpportunityLineItemSchedule', true],
  ]);
});

test('missing fields and rights are named with what to do', async () => {
  answerWith({
    Account: describe_('Account', (described) => {
      described.fields = described.fields.filter(
        ({ name }) => name !== 'Q2C_Tax_Status__c' && name !== 'CurrencyIsoCode',
      );
      described.createable = false;
    }),
    Opportunity: describe_('Opportunity', ({ fields }) => {
      for (const field of fields) field.unique = false;
    }),
    Contract: null,
    OpportunityLineItemSchedule: null,
  });
  expect(await problems()).toEqual([
    { id: 'object:Opportunity', message: `Mark Opportunity.${KEY} as External ID and as Unique.` },
    {
      id: 'object:Account',
      message:
        'The integration user may not create Account records. Account has no CurrencyIsoCode: switch on multiple currencies in Company Information. ' +
        'Create the field Q2C_Tax_Status__c, Picklist: registered, not_registered, exempt (tax status; empty = unknown), on Account and give the integration user access to it.',
    },
    {
      id: 'object:Contract',
      message: 'The integration user cannot see Contract: give its permission set access to the object.',
    },
    {
      id: 'object:OpportunityLineItemSchedule',
      message: 'Switch on revenue schedules in Product Schedule Settings.',
    },
  ]);
});

test('the external id field of the connection is the one that is looked for', async () => {
  await org.close();
  org = await fakeOrg({ values: { externalIdField: 'ERP_Key__c' } });
  answerWith();
  expect((await problems()).map(({ message }) => message.match(/Create the field (\w+)/)?.[1])).toEqual(
    Array(4).fill('ERP_Key__c'),
  );
});

test('a version the org does not offer', async () => {
  await org.close();
  org = await fakeOrg({ values: { apiVersion: '99.0' } });
  answerWith();
  expect(await problems()).toEqual([
    {
      id: 'host',
      message:
        'This org does not offer API version 99.0; its latest is 66.0. Change the API version of the connection.',
    },
  ]);
});

test('wrong credentials end the checks at the login', async () => {
  answerWith();
  org.token = () => [400, { error: 'invalid_client', error_description: 'invalid client credentials' }];
  expect(await problems()).toEqual([
    { id: 'login', message: 'the login was refused: invalid client credentials' },
  ]);
});

test('a host that is not there never throws', async () => {
  await org.server.close();
  expect(await problems()).toMatchObject([{ id: 'host', message: 'the host refused the connection' }]);
  await org.client.close();
  expect(await problems()).toMatchObject([{ id: 'host', message: 'the connection was closed by us' }]);
});
