import type { DealDocument, Draft, Invoice, JsonObject } from '../../../lib/model';
import {
  type ConnectionConfig,
  memoryTokens,
  type OperationResult,
  SystemError,
} from '../../../lib/systems/kit';
import { system } from '../../../lib/systems/netsuite';
import { createNetSuiteClient, type NetSuiteClient } from '../../../lib/systems/netsuite/client';
import { mergeResults } from '../../../nodes/_shared/merge-result';
import type { Fault } from '../../../simulator/kit/types';
import { system as netsuite } from '../../../simulator/netsuite';
import { contextOf, fixedBid, id, workedExample } from '../../unit/systems/netsuite/support';
import { Vendor } from './vendor';

const signal = new AbortController().signal;
const callContext = { idempotencyKey: 'k', attempt: 1, signal };

let vendor: Vendor;
let client: NetSuiteClient;

beforeAll(async () => {
  vendor = await Vendor.start(netsuite);
});

beforeEach(async () => {
  await vendor.reset();
  client = await connect('tba');
});

afterEach(async () => {
  await client.close();
  await vendor.expectFaultsFired();
});

afterAll(() => vendor.close());

/** A client of the simulated account; a reset makes other credentials. */
async function connect(auth: string, change: Partial<ConnectionConfig> = {}): Promise<NetSuiteClient> {
  const { url, credentials } = await vendor.account(auth);
  return createNetSuiteClient(
    {
      environment: 'simulator',
      auth,
      ...change,
      values: { ...credentials, baseUrl: url, ...change.values },
      limits: { timeoutMs: 2000, ...change.limits },
    },
    { log: () => {}, tokens: memoryTokens() },
  );
}

const fault = (settings: Omit<Fault, 'id'>) => vendor.fault(settings);

const recordsOf = (type: string) => vendor.records(type);

const ours = async (type: string) =>
  (await recordsOf(type)).filter(({ data }) => String(data.externalId).startsWith('q2c:'));

const byHand = (type: string, data: JsonObject) => vendor.create(type, data);
const changeByHand = (type: string, recordId: string, data: JsonObject) =>
  vendor.change(type, recordId, data);

const operationOf = (entity: string, verb: string) => {
  const operation = system.operations.find((each) => each.entity === entity && each.verb === verb);
  if (!operation) throw new Error(`no operation ${entity}.${verb}`);
  return operation;
};

interface Step {
  wire: unknown;
  reply: unknown;
  result: OperationResult;
}

/** One step as the engine runs it: after an unknown outcome it looks before it calls again. */
async function stepOf(
  entity: string,
  verb: string,
  item: { id: string },
  deal: DealDocument,
  own = client,
): Promise<Step> {
  const operation = operationOf(entity, verb);
  const context = contextOf(deal, { ...own.settings });
  const wire = operation.toSystem(item, context);
  let uncertain = false;
  for (let attempt = 1; ; attempt += 1) {
    try {
      const found = uncertain ? ((await operation.probe?.(own, wire, callContext)) ?? null) : null;
      uncertain = false;
      const reply = found ?? (await operation.call(own, wire, callContext));
      return { wire, reply, result: operation.fromSystem(reply, item, context) };
    } catch (error) {
      if (!(error instanceof SystemError) || attempt === 8) throw error;
      if (!['transient', 'rate_limited', 'unknown'].includes(error.kind)) throw error;
      uncertain ||= error.kind === 'unknown';
    }
  }
}

/** An operation over all its items; the deal with what came back. */
async function run<D extends DealDocument>(
  deal: D,
  entity: string,
  verb: string,
  own = client,
): Promise<D & DealDocument> {
  let result: DealDocument = deal;
  for (const item of operationOf(entity, verb).select(deal, {})) {
    result = mergeResults(result, [(await stepOf(entity, verb, item, result, own)).result]);
  }
  return result as D & DealDocument;
}

const PROVISIONING = [
  ['customer', 'upsert'],
  ['contact', 'upsert'],
  ['project', 'upsert'],
  ['task', 'upsert'],
  ['billingSchedule', 'create'],
  ['salesOrder', 'create'],
] as const;

async function provision<D extends DealDocument>(deal: D, own = client): Promise<D> {
  let result = deal;
  for (const [entity, verb] of PROVISIONING) result = await run(result, entity, verb, own);
  return result;
}

const COUNTED = ['customer', 'contact', 'job', 'projectTask', 'billingSchedule', 'salesOrder', 'charge'];

async function counts(): Promise<Record<string, number>> {
  const entries = COUNTED.map(async (type) => [type, (await ours(type)).length] as const);
  return Object.fromEntries(await Promise.all(entries));
}

async function failureOf(work: Promise<unknown>): Promise<SystemError> {
  const error = await work.catch((reason: unknown) => reason);
  if (error instanceof SystemError) return error;
  throw new Error(`expected a SystemError, got ${JSON.stringify(error)}`);
}

describe('a deal', () => {
  test('of a fixed bid becomes customer, contact, project, tasks, milestone schedule and order', async () => {
    const deal = await provision(fixedBid());
    expect(await counts()).toEqual({
      customer: 1,
      contact: 1,
      job: 1,
      projectTask: 1,
      billingSchedule: 1,
      salesOrder: 1,
      charge: 0,
    });
    const [job] = await ours('job');
    const [schedule] = await ours('billingSchedule');
    const [order] = await ours('salesOrder');
    expect(job?.data).toMatchObject({
      jobBillingType: 'FBM',
      jobPrice: 150000,
      subsidiary: '2',
      currency: '4',
    });
    expect(schedule?.data).toMatchObject({
      scheduleType: 'FBM',
      project: job?.id,
      milestone: [{ milestoneAmount: 30 }, { milestoneAmount: 50 }, { milestoneAmount: 20 }],
    });
    expect(order?.data).toMatchObject({
      otherRefNum: 'PO-4711',
      total: 150000,
      item: [{ amount: 150000, job: job?.id, billingSchedule: schedule?.id }],
    });
    expect(deal.customer.number).toMatch(/^CUST/);
    expect(deal.project.number).toBe('P-C-2026-0001');
  });

  test('that also bills hours has dated instalments on a charge-based project', async () => {
    await provision(workedExample());
    const [job] = await ours('job');
    expect(job?.data.jobBillingType).toBe('CB');
    const schedules = await ours('billingSchedule');
    expect(schedules.map(({ data }) => data.scheduleType)).toEqual(['STD', 'STD']);
    const [order] = await ours('salesOrder');
    expect(order?.data).toMatchObject({ total: 180000, item: [{ amount: 150000 }, { amount: 30000 }] });
  });

  test('provisioned twice is there once, unchanged', async () => {
    await provision(fixedBid());
    await provision(fixedBid());
    expect(await counts()).toMatchObject({
      customer: 1,
      job: 1,
      billingSchedule: 1,
      salesOrder: 1,
      projectTask: 1,
    });
    const [order] = await ours('salesOrder');
    expect(order?.data).toMatchObject({ total: 150000, item: [{ amount: 150000 }] });
    expect(order?.data.item).toHaveLength(1);
    const [schedule] = await ours('billingSchedule');
    expect(schedule?.data.milestone).toHaveLength(3);
    const [customer] = await ours('customer');
    expect(customer?.data.addressBook).toHaveLength(1);
  });

  test('can bill its milestones by charges instead', async () => {
    let deal = await run(await run(workedExample(), 'customer', 'upsert'), 'project', 'upsert');
    deal = await run(deal, 'charge', 'create');
    const charges = await ours('charge');
    expect(charges.map(({ data }) => [data.amount, data.stage])).toEqual([
      [45000, 'HOLD_FOR_BILLING'],
      [75000, 'HOLD_FOR_BILLING'],
      [30000, 'HOLD_FOR_BILLING'],
    ]);
    expect(deal.milestones[0]?.externalRefs).toMatchObject([{ type: 'charge' }]);
  });

  test('writes a task below its parent, whatever the order', async () => {
    const deal = await run(await run(fixedBid(), 'customer', 'upsert'), 'project', 'upsert');
    const [parent] = deal.tasks;
    if (!parent) throw new Error('the example has a task');
    const child = { ...parent, id: id('task', 2), parentId: parent.id, name: 'Design' };
    const early = stepOf('task', 'upsert', child, deal);
    await Promise.all([early, stepOf('task', 'upsert', parent, deal)]);
    const tasks = await ours('projectTask');
    const design = tasks.find(({ data }) => data.title === 'Design');
    expect(design?.data.parent).toBe(tasks.find(({ data }) => data.title === 'Rollout')?.id);
  });
});

describe('lost replies', () => {
  const writes = ['customer', 'contact', 'job', 'projectTask', 'billingSchedule', 'salesOrder'];

  const putsOf = async (type: string) => {
    const { requests } = await vendor.control<{ requests: { method: string; path: string }[] }>(
      'netsuite/requests',
    );
    return requests.filter(({ method, path }) => method === 'PUT' && path.includes(`/${type}/`)).length;
  };

  test.each(writes)('%s: what was committed is found, not written twice', async (type) => {
    await fault({ kind: 'commit-then-drop', match: { method: 'PUT', path: `/record/v1/${type}/` } });
    const deal = await provision(fixedBid());
    expect(await counts()).toMatchObject({
      customer: 1,
      contact: 1,
      job: 1,
      projectTask: 1,
      billingSchedule: 1,
      salesOrder: 1,
    });
    expect(await putsOf(type)).toBe(1);
    const [order] = await ours('salesOrder');
    expect(deal.contract.externalRefs).toMatchObject([{ type: 'salesOrder', id: order?.id }]);
  });

  test.each(['reset', 'commit-then-timeout'] as const)('%s of a charge leaves one', async (kind) => {
    const deal = await run(await run(workedExample(), 'customer', 'upsert'), 'project', 'upsert');
    await client.close();
    client = await connect('tba', { limits: { timeoutMs: 300 } });
    await fault({ kind, match: { method: 'PUT', path: '/charge/' } });
    await run(deal, 'charge', 'create');
    expect(await ours('charge')).toHaveLength(3);
  });

  test('of the adoption of a customer', async () => {
    const [known] = await recordsOf('customer');
    const deal = dealOf(known?.data ?? {});
    await fault({ kind: 'commit-then-drop', match: { method: 'PATCH', path: '/customer/' } });
    await run(deal, 'customer', 'upsert');
    expect(await ours('customer')).toHaveLength(1);
  });

  test('of an adoption that something in between has answered: it is not done, and is repeated', async () => {
    const [known] = await recordsOf('customer');
    const deal = dealOf(known?.data ?? {});
    const operation = operationOf('customer', 'upsert');
    const wire = operation.toSystem(deal.customer, contextOf(deal));
    const upsert = async () => operation.call(client, wire, callContext);
    await fault({ kind: 'intercept', mode: 'empty', match: { method: 'PATCH', path: '/customer/' } });
    expect(await failureOf(upsert())).toMatchObject({ code: 'SCHEMA_CHANGED' });
    expect(await ours('customer')).toEqual([]);
    expect(await upsert()).toMatchObject({ id: known?.id });
    expect(await ours('customer')).toMatchObject([{ id: known?.id }]);
  });

  test('of queries are read again', async () => {
    await fault({ kind: 'commit-then-drop', match: { method: 'POST', path: 'suiteql' } });
    expect((await failureOf(client.query('SELECT id FROM currency'))).kind).toBe('transient');
  });

  test.each([
    ['customer', 'customer'],
    ['project', 'job'],
  ])('a read that is refused after the write of a %s does not deny the write', async (entity, type) => {
    const deal = await run(fixedBid(), 'customer', entity === 'customer' ? 'find' : 'upsert');
    const operation = operationOf(entity, 'upsert');
    const wire = operation.toSystem(deal[entity as 'customer' | 'project'], contextOf(deal));
    await fault({ kind: 'status', status: 400, match: { method: 'GET', path: `/${type}/` } });
    expect(await failureOf(Promise.resolve(operation.call(client, wire, callContext)))).toMatchObject({
      kind: 'unknown',
      status: 400,
    });
    const [written] = await ours(type);
    expect(await operation.probe?.(client, wire, callContext)).toMatchObject({ id: written?.id });
  });

  test('a server error after a write leaves the outcome open, after a read it does not', async () => {
    await fault({ kind: 'status', status: 500, match: { method: 'PUT' } });
    const deal = await run(fixedBid(), 'customer', 'upsert');
    expect(await ours('customer')).toHaveLength(1);
    await fault({ kind: 'status', status: 503, match: { method: 'POST', path: 'suiteql' } });
    expect(
      (await failureOf(operationOf('customer', 'find').call(client, findWire(deal), callContext))).kind,
    ).toBe('transient');
  });
});

const findWire = (deal: ReturnType<typeof fixedBid>) =>
  operationOf('customer', 'find').toSystem(deal.customer, contextOf(deal));

/** A deal whose customer is the one that stands in NetSuite already. */
function dealOf(record: JsonObject, change: JsonObject = {}): ReturnType<typeof fixedBid> {
  const deal = fixedBid();
  const [book] = record.addressBook as {
    addressBookAddress: { zip: string; city: string; country: string };
  }[];
  const { zip = '', city = '', country = '' } = book?.addressBookAddress ?? {};
  const customer = {
    ...deal.customer,
    legalName: String(record.companyName),
    country,
    billingAddress: { lines: ['x'], city, postalCode: zip, country },
    taxProfile: { registrationNumber: String(record.vatRegNumber), status: 'registered' as const },
    ...change,
  };
  return { ...deal, customer };
}

describe('customers that are there already', () => {
  test('are adopted by their tax registration, and keep what finance entered', async () => {
    const [known] = await recordsOf('customer');
    if (!known) throw new Error('the account has customers');
    const before = (await recordsOf('customer')).length;
    const deal = await run(dealOf(known.data, { legalName: 'Another spelling' }), 'customer', 'upsert');
    expect(deal.customer).toMatchObject({
      number: known.data.entityId,
      externalRefs: [{ type: 'customer', id: known.id }],
    });
    const after = await recordsOf('customer');
    expect(after).toHaveLength(before);
    expect(after.find((each) => each.id === known.id)?.data).toEqual({
      ...known.data,
      externalId: `q2c:${id('customer')}`,
    });
  });

  test('are adopted by name, country and postal code when no tax number is known', async () => {
    const [known] = await recordsOf('customer');
    if (!known) throw new Error('the account has customers');
    const deal = dealOf(known.data, {
      legalName: String(known.data.companyName).toUpperCase(),
      taxProfile: { status: 'unknown' },
    });
    const found = await run(deal, 'customer', 'find');
    expect(found.customer.externalRefs).toMatchObject([{ id: known.id }]);
    expect(await ours('customer')).toHaveLength(0);
    await run(deal, 'customer', 'upsert');
    expect(await ours('customer')).toMatchObject([{ id: known.id }]);
  });

  test('are not found when there is none', async () => {
    const deal = fixedBid();
    expect((await run(deal, 'customer', 'find')).customer).toEqual(deal.customer);
  });

  test('keep the key of another integration', async () => {
    const [known] = await recordsOf('customer');
    if (!known) throw new Error('the account has customers');
    await changeByHand('customer', known.id, { externalId: 'boomi-1' });
    const deal = await run(dealOf(known.data), 'customer', 'upsert');
    expect(deal.customer.externalRefs).toMatchObject([{ id: known.id }]);
    expect((await recordsOf('customer')).find((each) => each.id === known.id)?.data.externalId).toBe(
      'boomi-1',
    );
  });

  test('are a case when they are linked to another customer of the deals', async () => {
    const deal = await run(fixedBid(), 'customer', 'upsert');
    const twin = { ...deal, customer: { ...deal.customer, id: id('customer', 2), externalRefs: [] } };
    const error = await failureOf(run(twin, 'customer', 'upsert'));
    expect(error).toMatchObject({ kind: 'rejected', code: 'DUPLICATE_SUSPECTED' });
    expect(error.reason).toContain(deal.customer.number ?? '?');
    expect(await ours('customer')).toHaveLength(1);
  });

  test('stay inactive when finance made them so', async () => {
    const deal = await run(fixedBid(), 'customer', 'upsert');
    const [record] = await ours('customer');
    await changeByHand('customer', record?.id ?? '', { isInactive: true });
    expect((await failureOf(run(deal, 'customer', 'upsert'))).reason).toContain('is inactive');
  });

  test('two contacts with one e-mail address are a case', async () => {
    const deal = await run(await run(fixedBid(), 'customer', 'upsert'), 'contact', 'upsert');
    const [contact] = deal.contacts;
    if (!contact) throw new Error('the example has a contact');
    const second = {
      ...contact,
      id: id('contact', 2),
      firstName: 'Bo',
      email: 'ADA@nordwind.example',
      externalRefs: [],
    };
    const error = await failureOf(stepOf('contact', 'upsert', second, deal));
    expect(error.code).toBe('DUPLICATE_SUSPECTED');
    expect(error.reason).not.toContain('ADA@');
    expect(await ours('contact')).toHaveLength(1);
  });
});

describe('refusals', () => {
  test('a name that is too long is refused in the words of NetSuite, and nothing is written', async () => {
    const deal = fixedBid();
    const long = { ...deal, customer: { ...deal.customer, legalName: 'N'.repeat(255) } };
    const error = await failureOf(run(long, 'customer', 'upsert'));
    expect(error).toMatchObject({ kind: 'rejected', code: 'TARGET_REJECTED', status: 400 });
    expect(error.reason).toMatch(/83/);
    expect(await ours('customer')).toHaveLength(0);
  });

  test('names of any script are kept', async () => {
    const deal = fixedBid();
    const legalName = `O'Neil "& Söhne" 🚀 عميل`;
    await run({ ...deal, customer: { ...deal.customer, legalName } }, 'customer', 'upsert');
    expect((await ours('customer'))[0]?.data.companyName).toBe(legalName);
    await run({ ...deal, customer: { ...deal.customer, legalName } }, 'customer', 'upsert');
    expect(await ours('customer')).toHaveLength(1);
  });

  test('a field that the account does not have is refused, not dropped', async () => {
    const own = await connect('tba', { values: { customerTaxField: 'taxIdNumber' } });
    const deal = fixedBid();
    const { body } = operationOf('customer', 'upsert').toSystem(
      deal.customer,
      contextOf(deal, { ...own.settings }),
    );
    const error = await failureOf(own.records.upsert('customer', 'q2c:x', body, { signal }));
    expect(error).toMatchObject({ kind: 'rejected', vendorCode: 'INVALID_CONTENT' });
    expect(error.reason).toContain('taxIdNumber');
    await own.close();
  });

  test("a customer's own script says why", async () => {
    await byHand('userEventScript', { recordType: 'job', message: 'Projects need a cost centre.' });
    const deal = await run(fixedBid(), 'customer', 'upsert');
    expect((await failureOf(run(deal, 'project', 'upsert'))).reason).toContain(
      'Projects need a cost centre.',
    );
  });
});

describe('login and limits', () => {
  test('an expired token is renewed under way', async () => {
    const own = await connect('oauth2-certificate');
    const deal = await run(fixedBid(), 'customer', 'upsert', own);
    await fault({ kind: 'expire-token', match: { path: '/job/' } });
    await run(deal, 'project', 'upsert', own);
    expect(await ours('job')).toHaveLength(1);
    await own.close();
  });

  test('429 is not processed and retried later', async () => {
    await fault({ kind: 'rate-limit', match: { method: 'PUT' } });
    const deal = fixedBid();
    const wire = operationOf('customer', 'upsert').toSystem(deal.customer, contextOf(deal));
    expect(await failureOf(operationOf('customer', 'upsert').call(client, wire, callContext))).toMatchObject({
      kind: 'rate_limited',
      code: 'RATE_LIMITED',
    });
    expect(await ours('customer')).toHaveLength(0);
    await run(deal, 'customer', 'upsert');
    expect(await ours('customer')).toHaveLength(1);
  });

  test('two connections together stay below the limit of the account', async () => {
    const own = await connect('oauth2-certificate');
    await fault({ kind: 'latency', ms: 20, times: 40, match: { path: 'suiteql' } });
    const queries = Array.from({ length: 40 }, (_, index) =>
      (index % 2 ? own : client).query('SELECT id FROM currency'),
    );
    await Promise.all(queries);
    await own.close();
  });

  test('an account with less room than the connection answers 429', async () => {
    await changeByHand('account', '1', { concurrencyLimit: 1 });
    await fault({ kind: 'latency', ms: 50, times: 4, match: { path: 'suiteql' } });
    const results = await Promise.allSettled(
      Array.from({ length: 4 }, () => client.query('SELECT id FROM currency')),
    );
    const refused = results.flatMap((result) => (result.status === 'rejected' ? [result.reason] : []));
    expect(refused.length).toBeGreaterThan(0);
    expect(refused.every(({ kind }) => kind === 'rate_limited')).toBe(true);
  });
});

describe('reading', () => {
  test('SuiteQL reads all pages, also when one is short', async () => {
    const sql = 'SELECT id, symbol FROM currency ORDER BY id';
    const whole = await client.query(sql);
    expect(whole.length).toBeGreaterThan(2);
    await fault({ kind: 'partial-page', match: { path: 'suiteql' } });
    expect(await client.query(sql)).toEqual(whole);
    expect(await client.query('SELECT id, symbol FROM currency WHERE id > :last ORDER BY id')).toEqual(whole);
  });

  test('a query that is wrong says why', async () => {
    const error = await failureOf(client.query('SELECT nonsense FROM customer'));
    expect(error.kind).toBe('rejected');
    expect(error.reason).toContain('nonsense');
  });

  test('records.query answers the rows', async () => {
    const operation = operationOf('records', 'query');
    const parameters = { query: 'SELECT id FROM currency ORDER BY id' };
    const context = { ...contextOf({}), parameters };
    const [item] = operation.select({}, parameters);
    const reply = await operation.call(client, operation.toSystem(item, context), callContext);
    expect(operation.fromSystem(reply, item, context).rows).toEqual(await client.query(parameters.query));
    expect(() => operation.toSystem(item, contextOf({}))).toThrow(
      expect.objectContaining({ code: 'MANDATORY_FIELD_MISSING' }),
    );
  });

  test('invoices and payments come back with status and balance', async () => {
    const deal = await provision(fixedBid());
    const [order] = await ours('salesOrder');
    const [schedule] = await ours('billingSchedule');
    expect((await run(deal, 'invoice', 'read')).invoices).toEqual([]);
    await changeByHand('salesOrder', order?.id ?? '', { orderStatus: 'B' });
    await changeByHand('billingSchedule', schedule?.id ?? '', {
      milestone: { items: [{ milestoneId: 1, milestoneCompleted: true }] },
    });
    const invoice = await byHand('invoice', { createdFrom: order?.id });
    const open = await run(deal, 'invoice', 'read');
    expect(open.invoices).toMatchObject([
      {
        type: 'invoice',
        currency: 'EUR',
        totals: { net: '45000', tax: '0', gross: '45000', payable: '45000' },
        documentStatus: 'posted',
        settlementStatus: 'open',
        customerId: deal.customer.id,
        contractId: deal.contract.id,
        externalRefs: [{ type: 'invoice', id: invoice.id, role: 'master' }],
      },
    ]);

    await byHand('customerPayment', {
      createdFrom: invoice.id,
      payment: 30000,
      apply: { items: [{ doc: { id: invoice.id }, amount: 30000 }] },
    });
    const paid = await run(await run(deal, 'invoice', 'read'), 'payment', 'read');
    const [first] = paid.invoices as Draft<Invoice>[];
    expect(first?.settlementStatus).toBe('partially_paid');
    expect(paid.payments).toMatchObject([
      {
        amount: { amount: '30000', currency: 'EUR' },
        unapplied: { amount: '0', currency: 'EUR' },
        status: 'applied',
        allocations: [{ invoiceId: first?.id, amount: { amount: '30000', currency: 'EUR' } }],
      },
    ]);
  });

  test('an invoice of the project alone is found too', async () => {
    const deal = await run(await run(workedExample(), 'customer', 'upsert'), 'project', 'upsert');
    const charged = await run(deal, 'charge', 'create');
    const [charge] = await ours('charge');
    await changeByHand('charge', charge?.id ?? '', { stage: 'READY_FOR_BILLING' });
    const [job] = await ours('job');
    const invoice = await byHand('invoice', { billTo: job?.id });
    expect((await run(charged, 'invoice', 'read')).invoices).toMatchObject([
      { externalRefs: [{ id: invoice.id }], totals: { gross: '45000' } },
    ]);
  });
});

describe('adopting what a person has made', () => {
  /** What the deal's records would be sent as, before any of them is there. */
  async function wireOf(entity: string, deal: DealDocument) {
    const operation = operationOf(entity, 'upsert');
    const [item] = operation.select(deal, {});
    if (item === undefined) throw new Error(`no ${entity}`);
    return { operation, wire: operation.toSystem(item, contextOf(deal, { ...client.settings })) };
  }

  const jobData = async (entityId: string) => ({
    companyName: 'By hand',
    entityId,
    parent: (await ours('customer'))[0]?.id,
    subsidiary: '2',
    projectExpenseType: '-2',
  });

  test('a project gets our key, once looked at and once taken; the next upsert writes to it', async () => {
    const deal = await run(fixedBid(), 'customer', 'upsert');
    const { operation, wire } = await wireOf('project', deal);
    const { id: jobId } = await byHand('job', await jobData('P-1'));
    const keyOf = async () => (await vendor.record('job', jobId)).data.externalId ?? null;

    const look = { ...callContext, lookOnly: true } as const;
    expect(await operation.adopt?.(client, jobId, wire, look)).toEqual({ id: jobId, number: 'P-1' });
    expect(await keyOf()).toBeNull();
    for (let times = 0; times < 2; times++) {
      expect(await operation.adopt?.(client, jobId, wire, callContext)).toEqual({ id: jobId, number: 'P-1' });
    }
    expect(await keyOf()).toBe((wire as { externalId: string }).externalId);
    await run(deal, 'project', 'upsert');
    expect((await ours('job')).map((job) => job.id)).toEqual([jobId]);
  });

  test('a customer gets our key, and comes with its number', async () => {
    const { operation, wire } = await wireOf('customer', fixedBid());
    const { id: customerId } = await byHand('customer', { companyName: 'By hand', subsidiary: '2' });
    const found = await operation.adopt?.(client, customerId, wire, callContext);
    expect(found).toEqual({ id: customerId, number: expect.stringMatching(/^CUST/) });
  });

  test('not what is not there, nor what carries the key of another', async () => {
    const deal = await run(fixedBid(), 'customer', 'upsert');
    const { operation, wire } = await wireOf('project', deal);
    expect(await operation.adopt?.(client, '999999', wire, callContext)).toBeNull();
    const { id: jobId } = await byHand('job', { ...(await jobData('P-2')), externalId: 'boomi-1' });
    const refused = await failureOf(Promise.resolve(operation.adopt?.(client, jobId, wire, callContext)));
    expect(refused).toMatchObject({ kind: 'rejected', reason: expect.stringContaining('boomi-1') });
  });

  test('a look for a customer under its natural key does not claim it', async () => {
    const { operation, wire } = await wireOf('customer', fixedBid());
    const { name, taxNumber } = (wire as { keys: { name: string; taxNumber: string } }).keys;
    const { id: customerId } = await byHand('customer', {
      companyName: name,
      subsidiary: '2',
      vatRegNumber: taxNumber,
    });
    const keyOf = async () => (await vendor.record('customer', customerId)).data.externalId ?? null;
    const look = { ...callContext, lookOnly: true } as const;
    expect(await operation.probe?.(client, wire, look)).toMatchObject({ id: customerId });
    expect(await keyOf()).toBeNull();
    await operation.probe?.(client, wire, callContext);
    expect(await keyOf()).not.toBeNull();
  });
});

describe('undoing', () => {
  test('removes what was created, last first, and keeps customer and contact', async () => {
    const deal = await provision(fixedBid());
    for (const [entity, verb] of PROVISIONING.toReversed()) {
      const operation = operationOf(entity, verb);
      for (const item of operation.select(deal, {})) {
        const { wire, reply } = await stepOf(entity, verb, item, deal);
        const effect = entity === 'customer' || entity === 'contact' ? 'kept' : 'removed';
        expect(await operation.compensate?.(client, wire, reply, callContext)).toBe(effect);
        expect(await operation.compensate?.(client, wire, reply, callContext)).toBe(effect);
      }
    }
    expect(await counts()).toMatchObject({
      customer: 1,
      contact: 1,
      job: 0,
      projectTask: 0,
      billingSchedule: 0,
      salesOrder: 0,
    });
  });

  test('a project that other records hold becomes inactive', async () => {
    const deal = await run(await run(fixedBid(), 'customer', 'upsert'), 'project', 'upsert');
    const { wire, reply } = await stepOf('project', 'upsert', deal.project, deal);
    await run(deal, 'task', 'upsert');
    const undo = operationOf('project', 'upsert').compensate?.(client, wire, reply, callContext);
    expect(await undo).toBe('inactive');
    expect((await ours('job'))[0]?.data.isInactive).toBe(true);
  });

  test('an invoiced order is left to a person', async () => {
    const deal = await provision(fixedBid());
    const { wire, reply } = await stepOf('salesOrder', 'create', deal.contract, deal);
    const [order] = await ours('salesOrder');
    const [schedule] = await ours('billingSchedule');
    await changeByHand('salesOrder', order?.id ?? '', { orderStatus: 'B' });
    await changeByHand('billingSchedule', schedule?.id ?? '', {
      milestone: { items: [{ milestoneId: 1, milestoneCompleted: true }] },
    });
    await byHand('invoice', { createdFrom: order?.id });
    const undo = operationOf('salesOrder', 'create').compensate?.(client, wire, reply, callContext);
    expect((await failureOf(Promise.resolve(undo))).kind).toBe('rejected');
    expect(await ours('salesOrder')).toHaveLength(1);
  });
});
