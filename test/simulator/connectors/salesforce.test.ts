import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  type CanonicalId,
  type DealDocument,
  type JsonObject,
  type JsonValue,
  newId,
} from '../../../lib/model';
import { checkReadiness, parseFirm } from '../../../lib/rules';
import {
  type CallContext,
  type Limits,
  MappingError,
  memoryTokens,
  type Operation,
  type OperationResult,
  type ReadContext,
  type SourceEvent,
} from '../../../lib/systems/kit';
import { system } from '../../../lib/systems/salesforce';
import type { SalesforceClient } from '../../../lib/systems/salesforce/client';
import type { Fault } from '../../../simulator/kit/types';
import { system as simulated } from '../../../simulator/salesforce';
import { Vendor } from './vendor';

/** The connector against the simulated org: what both sides wrote from the vendor's documents must fit together. */

let vendor: Vendor;
let client: SalesforceClient;
let calls: { method: string; path: string; status: number | null }[];

beforeAll(async () => {
  vendor = await Vendor.start(simulated);
});

beforeEach(async () => {
  await vendor.reset();
  client = await connect();
});

afterEach(async () => {
  await client.close();
  await vendor.expectFaultsFired();
});

afterAll(() => vendor.close());

async function connect(auth = 'client-credentials', limits: Partial<Limits> = {}): Promise<SalesforceClient> {
  const { credentials: values } = await vendor.account(auth);
  calls = [];
  return system.createClient(
    { environment: 'simulator', auth, values, limits },
    {
      tokens: memoryTokens(),
      log: () => {},
      onCall: ({ method, path }) => ({ ended: (status) => calls.push({ method, path, status }) }),
    },
  );
}

const fault = (settings: Omit<Fault, 'id'>) => vendor.fault(settings);

interface ClosedDeal {
  key: string;
  opportunityId: string;
  name: string;
}

const closeDeals = (count: number) => vendor.control<ClosedDeal[]>('deals/close', 'POST', { count });

const recordsOf = (type: string, filter?: Record<string, string>) => vendor.records(type, filter);
const recordOf = (type: string, id: string) => vendor.record(type, id);
const patchAsPerson = (type: string, id: string, data: JsonObject) => vendor.change(type, id, data);

// ---------------------------------------------------------------- steps as the engine runs them

/** Cross-references that the store would keep, by `type id`. */
let known: Map<string, CanonicalId>;
beforeEach(() => {
  known = new Map();
});

function operationOf(entity: string, verb: string): Operation<SalesforceClient> {
  const operation = system.operations.find((each) => each.entity === entity && each.verb === verb);
  if (!operation) throw new Error(`no operation ${entity}.${verb}`);
  return operation;
}

function contextOf(deal: DealDocument, parameters: Record<string, string>): ReadContext {
  return {
    deal,
    parameters,
    system: 'salesforce',
    instance: client.instance,
    settings: client.settings,
    lookup: (table, key) => {
      throw new MappingError('MANDATORY_FIELD_MISSING', `no ${table} for ${key}`);
    },
    lookupOptional: () => undefined,
    refId: (entity, type, what) => {
      const found = entity?.externalRefs?.find((ref) => ref.system === 'salesforce' && ref.type === type);
      if (!found) throw new MappingError('MANDATORY_FIELD_MISSING', `${what} is not in Salesforce yet`);
      return found.id;
    },
    idOf: (_entity, type, id) => {
      const found = known.get(`${type} ${id}`);
      if (!found) throw new Error(`${type} ${id} was not announced`);
      return found;
    },
  };
}

const callContext = (): CallContext => ({
  idempotencyKey: 'k',
  attempt: 1,
  signal: new AbortController().signal,
});

/** All items of an operation; the results in order. */
async function run(
  entity: string,
  verb: string,
  deal: DealDocument,
  parameters: Record<string, string> = {},
): Promise<OperationResult[]> {
  const operation = operationOf(entity, verb);
  const context = contextOf(deal, parameters);
  const results: OperationResult[] = [];
  for (const item of operation.select(deal, parameters)) {
    const reply = await operation.call(client, operation.toSystem(item, context), callContext());
    for (const { entity: name, type, id, claims } of operation.references?.(reply) ?? []) {
      const key = `${type} ${id}`;
      known.set(key, known.get(key) ?? claims ?? newId(name));
    }
    results.push(operation.fromSystem(reply, item, context));
  }
  return results;
}

async function readDeal(opportunityId: string): Promise<DealDocument> {
  const id = known.get(`Opportunity ${opportunityId}`) ?? newId('opportunity');
  known.set(`Opportunity ${opportunityId}`, id);
  const ref = {
    system: 'salesforce',
    instance: client.instance,
    type: 'Opportunity',
    id: opportunityId,
    role: 'master' as const,
  };
  const [result] = await run('deal', 'read', { opportunity: { id, externalRefs: [ref] } });
  return { ...result?.merge };
}

// ---------------------------------------------------------------- reading

test.each(['client-credentials', 'jwt-bearer'])('the connection check passes with %s', async (auth) => {
  await client.close();
  client = await connect(auth);
  const checks = await client.test();
  expect(checks.filter(({ ok }) => !ok)).toEqual([]);
});

test('every seeded deal that is won is read whole, in one call, and is ready to be provisioned', async () => {
  const firmFile = join(__dirname, '../../../nodes/q2c-firm/default-firm.json');
  const firm = parseFirm(readFileSync(firmFile, 'utf8'));
  const deals = await closeDeals(24);
  await client.query('SELECT Id FROM User LIMIT 1');
  calls.length = 0;
  const models = new Set<string>();
  const currencies = new Set<string>();
  for (const { opportunityId, name } of deals) {
    const deal = await readDeal(opportunityId);
    expect(deal.opportunity).toMatchObject({ name, stage: 'won' });
    expect(deal.contacts?.length).toBeGreaterThan(0);
    expect(deal.contract).toMatchObject({ status: 'active', customerId: deal.customer?.id });
    const readiness = checkReadiness(deal, firm);
    expect(readiness.ready ? [] : readiness.issues).toEqual([]);
    for (const line of deal.quote?.lines ?? []) models.add(line.commercialModel);
    currencies.add(deal.opportunity?.amount?.currency ?? '');
  }
  expect([...models].sort()).toEqual([
    'cost_plus',
    'fixed_fee',
    'milestone',
    'retainer',
    'time_and_materials',
    'usage',
  ]);
  expect([...currencies].sort()).toEqual(['EUR', 'GBP', 'USD']);
  expect(calls).toHaveLength(deals.length);
});

test('a partial page is completed, whether of the deal or of a query', async () => {
  const [deal] = await closeDeals(1);
  const whole = await readDeal(deal?.opportunityId ?? '');
  await fault({ kind: 'partial-page', match: { path: '/composite' } });
  expect(await readDeal(deal?.opportunityId ?? '')).toEqual(whole);
  await fault({ kind: 'partial-page', match: { path: '/query' } });
  const [result] = await run('records', 'query', {}, { soql: 'SELECT Id, Name FROM Account ORDER BY Id' });
  expect(result?.rows).toHaveLength((await recordsOf('Account')).length);
  expect(calls.filter(({ path }) => path.includes('/query/01g')).length).toBeGreaterThan(0);
});

test('names with quotes, emoji and right-to-left text come through queries', async () => {
  const [account] = await recordsOf('Account');
  const name = `O'Neill \\ "Söhne" 🚀 شركة`;
  await patchAsPerson('Account', account?.id ?? '', { Name: name });
  const soql = `SELECT Id, Name FROM Account WHERE Name = '${name.replace(/[\\']/g, '\\$&')}'`;
  expect((await run('records', 'query', {}, { soql }))[0]?.rows).toEqual([{ Id: account?.id, Name: name }]);
});

test('an expired session is renewed once; the call goes through', async () => {
  const [deal] = await closeDeals(1);
  await client.query('SELECT Id FROM User LIMIT 1');
  calls.length = 0;
  await fault({ kind: 'expire-token', match: { path: '/composite' } });
  await expect(readDeal(deal?.opportunityId ?? '')).resolves.toMatchObject({ opportunity: { stage: 'won' } });
  expect(calls.map(({ path, status }) => [path.split('/').at(-1), status])).toEqual([
    ['composite', 401],
    ['token', 200],
    ['composite', 200],
  ]);
});

// ---------------------------------------------------------------- writing

function newCustomer(): NonNullable<DealDocument['customer']> {
  return {
    id: newId('customer'),
    externalRefs: [],
    legalName: 'Nordlicht & Söhne GmbH',
    country: 'DE',
    billingAddress: {
      lines: ['Hafenstr. 1', 'Hinterhaus'],
      city: 'Kiel',
      postalCode: '24103',
      country: 'DE',
    },
    taxProfile: { status: 'registered', registrationNumber: 'DE136695976' },
    defaultCurrency: 'EUR',
    paymentTerms: 'net_30',
    number: 'C-77',
  };
}

const withRef = <T extends { externalRefs: unknown[] }>(
  entity: T,
  result: OperationResult | undefined,
): T => ({
  ...entity,
  externalRefs: (result?.refs ?? []).map(({ ref }) => ref),
});

test('account and contacts are created once and updated after that', async () => {
  const customer = newCustomer();
  const [created] = await run('customer', 'upsert', { customer });
  expect(created?.evidence).toMatchObject({ created: true });
  const [again] = await run('customer', 'upsert', { customer: { ...customer, paymentTerms: 'net_60' } });
  expect(again?.evidence).toEqual({ id: created?.evidence?.id, created: false });
  const accounts = await recordsOf('Account', { Q2C_External_Id__c: customer.id });
  expect(accounts.map(({ data }) => data)).toMatchObject([
    {
      Name: customer.legalName,
      BillingCountry: 'DE',
      Q2C_Payment_Terms__c: 'net_60',
      Q2C_Customer_Number__c: 'C-77',
    },
  ]);

  const contacts = ['Ada', 'Grace'].map((firstName) => ({
    id: newId('contact'),
    externalRefs: [],
    name: `${firstName} O'Hara`,
    firstName,
    lastName: "O'Hara",
    email: `${firstName.toLowerCase()}@nordlicht.example`,
    roles: ['billing' as const],
  }));
  const deal = { customer: withRef(customer, created), contacts };
  await run('contact', 'upsert', deal);
  await run('contact', 'upsert', deal);
  const people = await recordsOf('Contact', { AccountId: String(created?.evidence?.id) });
  expect(people.map(({ data }) => [data.FirstName, data.Q2C_Role__c])).toEqual([
    ['Ada', 'billing'],
    ['Grace', 'billing'],
  ]);
});

test('an account that was read is written by its id: no second account', async () => {
  const [won] = await closeDeals(1);
  const { customer } = await readDeal(won?.opportunityId ?? '');
  const before = await recordsOf('Account');
  if (!customer) throw new Error('no customer');
  await run('customer', 'upsert', { customer });
  const after = await recordsOf('Account');
  expect(after).toHaveLength(before.length);
  const [account] = await recordsOf('Account', { Q2C_External_Id__c: customer.id });
  const former = before.find(({ id }) => id === account?.id);
  const {
    Q2C_External_Id__c: _id,
    LastModifiedById: _by,
    Q2C_Tax_Status__c: _tax,
    ...rest
  } = account?.data ?? {};
  expect(former?.data).toMatchObject(rest);
});

test('an account that a person has made gets our id, unless it carries another one', async () => {
  const operation = operationOf('customer', 'upsert');
  const customer = newCustomer();
  const wire = operation.toSystem(customer, contextOf({ customer }, {}));
  const [account] = await recordsOf('Account');
  const accountId = account?.id ?? '';
  const idOf = async () =>
    (await recordsOf('Account')).find(({ id }) => id === accountId)?.data.Q2C_External_Id__c ?? null;

  expect(
    await operation.adopt?.(client, accountId, wire, { ...callContext(), lookOnly: true }),
  ).toMatchObject({
    id: accountId,
    created: false,
  });
  expect(await idOf()).toBeNull();
  await operation.adopt?.(client, accountId, wire, callContext());
  expect(await operation.adopt?.(client, accountId, wire, callContext())).toMatchObject({ id: accountId });
  expect(await idOf()).toBe(customer.id);

  const other = newCustomer();
  const others = operation.toSystem(other, contextOf({ customer: other }, {}));
  await expect(operation.adopt?.(client, accountId, others, callContext())).rejects.toMatchObject({
    kind: 'rejected',
    reason: expect.stringContaining(customer.id),
  });
  expect(await operation.adopt?.(client, '001000000000ZZZ', wire, callContext())).toBeNull();
});

describe.each(['commit-then-drop', 'commit-then-timeout'] as const)('%s', (kind) => {
  beforeEach(async () => {
    await client.close();
    client = await connect('client-credentials', { timeoutMs: 400 });
    await client.query('SELECT Id FROM User LIMIT 1');
  });

  test('an upsert has an open outcome, the probe finds it, the undo removes it', async () => {
    const operation = operationOf('customer', 'upsert');
    const customer = newCustomer();
    const wire = operation.toSystem(customer, contextOf({ customer }, {}));
    expect(await operation.probe?.(client, wire, callContext())).toBeNull();
    await fault({ kind, match: { method: 'PATCH', path: '/sobjects/Account' } });
    await expect(operation.call(client, wire, callContext())).rejects.toMatchObject({
      kind: 'unknown',
      code: 'OUTCOME_UNKNOWN',
    });
    const reply = await operation.probe?.(client, wire, callContext());
    expect(reply).toMatchObject({ created: true });
    expect(await recordsOf('Account', { Q2C_External_Id__c: customer.id })).toHaveLength(1);
    await operation.compensate?.(client, wire, reply, callContext());
    expect(await recordsOf('Account', { Q2C_External_Id__c: customer.id })).toEqual([]);
    await operation.compensate?.(client, wire, reply, callContext());
  });

  test('the report to the opportunity has an open outcome, the probe sees that it was written', async () => {
    const [won] = await closeDeals(1);
    const deal = await readDeal(won?.opportunityId ?? '');
    const operation = operationOf('opportunity', 'update');
    const context = contextOf(deal, { status: 'Waiting for finance' });
    const wire = operation.toSystem(deal.opportunity ?? { id: '' }, context);
    expect(await operation.probe?.(client, wire, callContext())).toBeNull();
    await fault({ kind, match: { path: '/composite' } });
    await expect(operation.call(client, wire, callContext())).rejects.toMatchObject({ kind: 'unknown' });
    expect(await operation.probe?.(client, wire, callContext())).toMatchObject({ updated: [{}, {}, {}] });
  });

  test('a read is simply repeated', async () => {
    const [won] = await closeDeals(1);
    await fault({ kind, match: { path: '/composite' } });
    await expect(readDeal(won?.opportunityId ?? '')).rejects.toMatchObject({ kind: 'transient' });
    await expect(readDeal(won?.opportunityId ?? '')).resolves.toMatchObject({
      opportunity: { stage: 'won' },
    });
  });
});

test.each([
  [
    'UNABLE_TO_LOCK_ROW',
    { kind: 'status', status: 400 },
    { kind: 'transient', vendorCode: 'UNABLE_TO_LOCK_ROW' },
  ],
  ['daily limit', { kind: 'rate-limit' }, { kind: 'rate_limited', vendorCode: 'REQUEST_LIMIT_EXCEEDED' }],
  ['server busy', { kind: 'status', status: 503 }, { kind: 'unknown', vendorCode: 'SERVER_UNAVAILABLE' }],
  ['proxy page', { kind: 'status', status: 502 }, { kind: 'unknown', vendorCode: null }],
  ['reset', { kind: 'reset' }, { kind: 'unknown', status: null }],
] as const)('a write that meets %s', async (_name, settings, expected) => {
  await client.query('SELECT Id FROM User LIMIT 1');
  await fault({ ...settings, match: { method: 'PATCH' } });
  await expect(run('customer', 'upsert', { customer: newCustomer() })).rejects.toMatchObject(expected);
});

test('the platform names what is wrong with a value', async () => {
  const tooLong = { ...newCustomer(), legalName: 'x'.repeat(256) };
  await expect(run('customer', 'upsert', { customer: tooLong })).rejects.toMatchObject({
    kind: 'rejected',
    vendorCode: 'STRING_TOO_LONG',
  });
  const { legalName: _name, ...nameless } = newCustomer();
  await expect(run('customer', 'upsert', { customer: nameless })).rejects.toMatchObject({
    code: 'MANDATORY_FIELD_MISSING',
  });
});

// ---------------------------------------------------------------- events

async function poll(id: string, cursor: JsonValue | null = null, pageSize = 5) {
  const source = system.events.find((each) => each.id === id);
  if (!source) throw new Error(`no event source ${id}`);
  const events: SourceEvent[] = [];
  let position = cursor;
  for (let more = true; more; ) {
    const result = await source.poll(client, position, {
      settings: client.settings,
      pageSize,
      startAt: '2020-01-01T00:00:00.000Z',
      signal: new AbortController().signal,
    });
    events.push(...result.events);
    position = result.cursor;
    more = result.more;
  }
  return { events, cursor: position, ids: events.map((event) => event.id) };
}

test('won deals are found once each, over several pages; our report back is no news, a change by a person is', async () => {
  const before = await poll('opportunity-won');
  const deals = await closeDeals(12);
  const first = await poll('opportunity-won', before.cursor);
  const subjects = first.events.map(({ subject }) => subject.id);
  expect(subjects.sort()).toEqual(deals.map(({ opportunityId }) => opportunityId).sort());
  expect(first.events[0]).toMatchObject({ type: 'q2c.opportunity.won.v1', data: { stage: 'won' } });

  const [won] = deals;
  const deal = await readDeal(won?.opportunityId ?? '');
  const project = { id: newId('project'), externalRefs: [], code: 'PRJ-1' };
  const customer = deal.customer && { ...deal.customer, number: 'C-1' };
  await run(
    'opportunity',
    'update',
    { ...deal, customer, project },
    { status: 'Provisioned: project {projectNumber}' },
  );
  expect((await recordOf('Opportunity', won?.opportunityId ?? '')).data).toMatchObject({
    Q2C_External_Id__c: deal.opportunity?.id,
    Q2C_Status__c: 'Provisioned: project PRJ-1',
    Q2C_Project_Number__c: 'PRJ-1',
  });
  const account = deal.customer?.externalRefs[0]?.id ?? '';
  expect((await recordOf('Account', account)).data).toMatchObject({
    Q2C_External_Id__c: deal.customer?.id,
    Q2C_Customer_Number__c: 'C-1',
  });

  const second = await poll('opportunity-won', first.cursor);
  expect(second.ids.filter((id) => !first.ids.includes(id))).toEqual([]);
  await patchAsPerson('Opportunity', won?.opportunityId ?? '', { CloseDate: '2027-01-31' });
  const third = await poll('opportunity-won', second.cursor);
  const news = third.events.filter(({ id }) => !first.ids.includes(id));
  expect(news).toMatchObject([{ subject: { id: won?.opportunityId, claims: deal.opportunity?.id } }]);
});

test('a canonical id that the org carries is claimed when the deal is read again', async () => {
  const [won] = await closeDeals(1);
  const deal = await readDeal(won?.opportunityId ?? '');
  await run('opportunity', 'update', deal, { status: 'Seen' });
  known.clear();
  known.set(`Opportunity ${won?.opportunityId}`, deal.opportunity?.id ?? '');
  const again = await readDeal(won?.opportunityId ?? '');
  expect([again.opportunity?.id, again.customer?.id, again.contract?.id]).toEqual([
    deal.opportunity?.id,
    deal.customer?.id,
    deal.contract?.id,
  ]);
});

test('an activated contract is told of its opportunity, once', async () => {
  const start = await poll('contract-activated');
  const deals = await closeDeals(3);
  const first = await poll('contract-activated', start.cursor);
  expect([...new Set(first.ids)]).toHaveLength(3);
  expect(new Set(first.events.map(({ subject }) => subject.id))).toEqual(
    new Set(deals.map(({ opportunityId }) => opportunityId)),
  );
  const second = await poll('contract-activated', first.cursor);
  expect(second.ids.filter((id) => !first.ids.includes(id))).toEqual([]);
});

test('an accepted quote is told of its opportunity', async () => {
  const [won] = await closeDeals(1);
  const start = await poll('quote-accepted');
  const quote = await vendor.create('Quote', {
    Name: 'Offer 1',
    OpportunityId: won?.opportunityId,
    Status: 'Presented',
  });
  expect((await poll('quote-accepted', start.cursor)).events).toEqual([]);
  await patchAsPerson('Quote', quote.id, { Status: 'Accepted' });
  expect((await poll('quote-accepted', start.cursor)).events).toMatchObject([
    { type: 'q2c.quote.accepted.v1', subject: { type: 'Opportunity', id: won?.opportunityId } },
  ]);
});
