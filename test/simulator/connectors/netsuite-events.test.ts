import type { DispatchedRun, Engine } from '../../../lib/engine';
import type { JsonObject } from '../../../lib/model';
import { memoryTokens } from '../../../lib/systems/kit';
import { system } from '../../../lib/systems/netsuite';
import { createNetSuiteClient, type NetSuiteClient } from '../../../lib/systems/netsuite/client';
import { invoiceStatusChanged } from '../../../lib/systems/netsuite/events/invoice-status-changed';
import { paymentReceived } from '../../../lib/systems/netsuite/events/payment-received';
import type { Q2cMessage } from '../../../nodes/_shared/message';
import { messageOf } from '../../../nodes/_system/events/message';
import type { Fault } from '../../../simulator/kit/types';
import { system as simulated } from '../../../simulator/netsuite';
import { startEngine, until } from '../../support/engine';
import { Polling } from './event-polling';
import { Vendor } from './vendor';

/** Invoices and payments that people enter in NetSuite, as events in the store. */

const signal = new AbortController().signal;
const START = Date.now() - (Date.now() % 1000);

let clock = START;
let vendor: Vendor;
let client: NetSuiteClient;
let engine: Engine;
let stop: () => Promise<void>;
let dispatched: DispatchedRun[];
let invoices: Polling<NetSuiteClient>;
let payments: Polling<NetSuiteClient>;
let customer: string;

beforeAll(async () => {
  vendor = await Vendor.start(simulated, { clock: () => clock });
});

beforeEach(async () => {
  clock = START;
  await vendor.reset();
  client = await connect();
  ({ engine, stop } = await startEngine());
  dispatched = [];
  engine.registerSource('events', 1000, (run) => dispatched.push(run));
  const startAt = new Date(START).toISOString();
  invoices = new Polling(engine, () => client, invoiceStatusChanged, startAt);
  payments = new Polling(engine, () => client, paymentReceived, startAt);
  customer = await byHand('customer', {
    companyName: 'Nordwind GmbH',
    subsidiary: { id: '2' },
    currency: { id: '4' },
  });
});

afterEach(async () => {
  await Promise.all([client.close(), stop()]);
  await vendor.expectFaultsFired();
});

afterAll(() => vendor.close());

async function connect(): Promise<NetSuiteClient> {
  const { url, credentials } = await vendor.account('tba');
  return createNetSuiteClient(
    { environment: 'simulator', auth: 'tba', values: { ...credentials, baseUrl: url } },
    { log: () => {}, tokens: memoryTokens() },
  );
}

const fault = (settings: Omit<Fault, 'id'>) => vendor.fault(settings);

/** What a person does on the screens, a second after the last thing he did. */
async function byHand(type: string, data: JsonObject): Promise<string> {
  clock += 1000;
  return (await vendor.create(type, data)).id;
}

async function changeByHand(type: string, id: string, data: JsonObject): Promise<void> {
  clock += 1000;
  await vendor.change(type, id, data);
}

const invoiceOf = (amount: number, more: JsonObject = {}) => ({
  entity: { id: customer },
  item: { items: [{ item: { id: '101' }, quantity: 1, rate: amount, amount }] },
  ...more,
});

const payBy = (invoice: string, amount: number) =>
  byHand('customerPayment', {
    createdFrom: invoice,
    payment: amount,
    apply: { items: [{ doc: { id: invoice }, amount }] },
  });

/** The messages that the engine has sent into the flow, once there are as many. */
async function messages(count: number): Promise<Q2cMessage[]> {
  await until(`${count} messages`, () => dispatched.length >= count);
  return dispatched.map(messageOf);
}

describe('invoice status changed', () => {
  test('an invoice that a person posts is one event, however often it is looked for', async () => {
    expect(await invoices.news()).toBe(0);
    const id = await byHand('invoice', invoiceOf(1000));
    const { events } = await invoices.poll();
    expect(events).toMatchObject([
      {
        type: 'q2c.invoice.status_changed.v1',
        time: new Date(clock).toISOString(),
        subject: { entity: 'invoice', type: 'invoice', id, claims: null },
        data: {
          type: 'invoice',
          number: 'INV1001',
          currency: 'EUR',
          totals: { net: '1000', gross: '1000' },
          documentStatus: 'posted',
          settlementStatus: 'open',
        },
      },
    ]);
    expect([await invoices.news(), await invoices.news()]).toEqual([0, 0]);
    expect(await payments.news()).toBe(0);
    expect(await messages(1)).toEqual([
      expect.objectContaining({
        topic: 'q2c.invoice.status_changed.v1',
        payload: {
          invoices: [
            expect.objectContaining({
              id: expect.stringMatching(/^inv_/),
              settlementStatus: 'open',
              externalRefs: [
                { system: 'netsuite', instance: client.instance, type: 'invoice', id, role: 'master' },
              ],
            }),
          ],
        },
      }),
    ]);
    expect(dispatched[0]?.title).toBe('INV1001');
  });

  test('is told at each step of the settlement, also when a state returns', async () => {
    const states: string[] = [];
    const poll = async () => {
      const { events } = await invoices.poll();
      states.push(events.map(({ data }) => String(data.settlementStatus)).join());
    };
    const id = await byHand('invoice', invoiceOf(1000));
    await poll();
    await payBy(id, 400);
    await poll();
    const rest = await payBy(id, 600);
    await poll();
    clock += 1000;
    await client.records.remove('customerPayment', rest, signal);
    await poll();
    await poll();
    await payBy(id, 600);
    await poll();
    expect(states).toEqual(['open', 'partially_paid', 'paid', 'partially_paid', '', 'paid']);
    expect(await engine.cursor('invoice-status-changed')).toMatchObject({
      told: [[id, expect.any(String)]],
    });
  });

  test('two changes within one stamp are both told', async () => {
    const id = await byHand('invoice', invoiceOf(1000));
    expect(await invoices.news()).toBe(1);
    clock -= 1000;
    await payBy(id, 1000);
    expect(await invoices.news()).toBe(1);
  });

  test('our own writes and what is not status are no news', async () => {
    const id = await byHand('invoice', invoiceOf(1000));
    expect(await invoices.news()).toBe(1);
    clock += 1000;
    await client.records.update('invoice', id, { externalId: 'q2c:inv_01KASY4Q8G3M6Z0V5T9R2B0001' }, signal);
    await client.records.update('customer', customer, { url: 'https://nordwind.example' }, signal);
    expect(await invoices.news()).toBe(0);
    await changeByHand('invoice', id, { memo: 'sent again' });
    expect(await invoices.news()).toBe(0);
    // By now the id is ours: the event carries it.
    await payBy(id, 1000);
    expect((await invoices.poll()).events).toMatchObject([
      { subject: { claims: 'inv_01KASY4Q8G3M6Z0V5T9R2B0001' } },
    ]);
  });

  test('names the order and the project that it bills', async () => {
    const job = await byHand('job', {
      companyName: 'Rollout',
      entityId: 'P-1',
      parent: { id: customer },
      subsidiary: { id: '2' },
      currency: { id: '4' },
      jobBillingType: { id: 'CB' },
      projectExpenseType: { id: '-2' },
    });
    const order = await byHand('salesOrder', {
      ...invoiceOf(500),
      orderStatus: { id: 'B' },
      tranDate: new Date(clock).toISOString().slice(0, 10),
    });
    await byHand('invoice', { createdFrom: order });
    await byHand('invoice', { ...invoiceOf(700), entity: { id: job } });
    const { events } = await invoices.poll();
    expect(events.map(({ references }) => references)).toEqual([
      [{ entity: 'contract', type: 'salesOrder', id: order }],
      [{ entity: 'project', type: 'job', id: job }],
    ]);
    const [ofOrder, ofProject] = (await messages(2)).map(({ payload }) => payload);
    const contract = await engine.identify('netsuite', client.instance, [
      { entity: 'contract', type: 'salesOrder', id: order },
    ]);
    expect(ofOrder).toMatchObject({
      invoices: [{ contractId: contract[0] }],
      contract: { id: contract[0], externalRefs: [{ type: 'salesOrder', id: order }] },
    });
    expect(ofProject).toMatchObject({
      invoices: [{ totals: { gross: '700' } }],
      project: { id: expect.stringMatching(/^prj_/), externalRefs: [{ type: 'job', id: job }] },
    });
  });

  test.each([1, 4, 7])('a bulk within one second is read in pages of %i, each once', async (pageSize) => {
    const ids: string[] = [];
    for (let n = 1; n <= 9; n++) {
      clock -= n > 1 ? 1000 : 0;
      ids.push(await byHand('invoice', invoiceOf(n)));
    }
    invoices.pageSize = pageSize;
    const { events, accepted } = await invoices.poll();
    expect(new Set(events.map(({ time }) => time)).size).toBe(1);
    expect(events.map(({ subject }) => subject.id)).toEqual(ids);
    expect(accepted).toBe(9);
    expect(await invoices.news()).toBe(0);
  });

  test('a page that comes short is read on behind its last row', async () => {
    const ids: string[] = [];
    for (let n = 1; n <= 5; n++) ids.push(await byHand('invoice', invoiceOf(n)));
    await fault({ kind: 'partial-page', match: { path: 'suiteql' } });
    expect((await invoices.poll()).events.map(({ subject }) => subject.id)).toEqual(ids);
  });

  test('a failed poll tells nothing and loses nothing', async () => {
    await byHand('invoice', invoiceOf(1000));
    await fault({ kind: 'status', status: 500, match: { path: '/record/v1/invoice' }, times: 1 });
    await expect(invoices.poll()).rejects.toMatchObject({ kind: 'transient' });
    expect(await invoices.news()).toBe(1);
  });

  test('what was posted before the start is left alone', async () => {
    await byHand('invoice', invoiceOf(1000));
    clock += 5000;
    const later = new Date(clock).toISOString();
    const source = new Polling(engine, () => client, invoiceStatusChanged, later);
    expect(await source.news()).toBe(0);
    await byHand('invoice', invoiceOf(2000));
    expect(await source.news()).toBe(1);
  });
});

describe('payment received', () => {
  test('comes once, with the invoices that it settles', async () => {
    const first = await byHand('invoice', invoiceOf(1000));
    const second = await byHand('invoice', invoiceOf(500));
    await invoices.poll();
    const id = await byHand('customerPayment', {
      customer: { id: customer },
      payment: 1300,
      apply: {
        items: [
          { doc: { id: first }, amount: 1000 },
          { doc: { id: second }, amount: 200 },
        ],
      },
    });
    expect(await payments.news()).toBe(1);
    expect([await payments.news(), await payments.news()]).toEqual([0, 0]);
    const message = (await messages(3)).find(({ topic }) => topic === 'q2c.payment.received.v1');
    const payload = message?.payload as { invoices: { id: string }[] };
    const money = (amount: string) => ({ amount, currency: 'EUR' });
    expect(payload).toMatchObject({
      payments: [
        {
          id: expect.stringMatching(/^pay_/),
          externalRefs: [{ type: 'customerPayment', id, role: 'master' }],
          amount: money('1300'),
          unapplied: money('100'),
          status: 'partially_applied',
          allocations: [
            { invoiceId: payload.invoices[0]?.id, amount: money('1000') },
            { invoiceId: payload.invoices[1]?.id, amount: money('200') },
          ],
        },
      ],
      invoices: [{ externalRefs: [{ id: first }] }, { externalRefs: [{ id: second }] }],
    });
    // Both invoices are settled further, which is news of them and not of the payment.
    expect(await invoices.news()).toBe(2);
  });

  test('a deposit is no news, another amount is', async () => {
    const id = await byHand('customerPayment', { customer: { id: customer }, payment: 300 });
    expect(await payments.news()).toBe(1);
    await changeByHand('customerPayment', id, { undepFunds: false, memo: 'in the bank' });
    expect(await payments.news()).toBe(0);
    await changeByHand('customerPayment', id, { payment: 350 });
    expect((await payments.poll()).events).toMatchObject([{ data: { amount: { amount: '350' } } }]);
  });
});

test('every event of the manifest has its source', () => {
  expect(system.events.map(({ id }) => id)).toEqual(Object.keys(system.manifest.events));
});
