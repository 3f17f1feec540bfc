import type { Engine } from '../../lib/engine';
import { businessEvent, newId } from '../../lib/model';
import type { Q2cMessage } from '../../nodes/_shared/message';
import { defaults } from '../../nodes/q2c-subscribe/types';
import { until } from '../support/engine';
import { created, provisioned } from '../support/events';
import { Canvas, type FlowNode, store } from './canvas';

const subscribe: FlowNode = { id: 'subscribe', type: 'q2c-subscribe', ...defaults, store: 'store' };

let canvas: Canvas;
let engine: Engine;
let arrived: Q2cMessage[];
afterEach(() => canvas.close());

async function load(nodes: FlowNode[], configs?: FlowNode[]): Promise<void> {
  canvas = await Canvas.load(nodes, configs ?? [store]);
  arrived = [];
  canvas.node('end').on('input', (msg: Q2cMessage) => arrived.push(msg));
  engine = await canvas.engine();
}

test('an announced event starts a run with its record, its thread and itself', async () => {
  await load([subscribe]);
  const event = provisioned();
  await engine.announce(event);
  await until('the message', () => arrived.length === 1);
  const { type, source, id, subject, time, data, correlationid } = event;
  expect(arrived[0]).toMatchObject({
    topic: type,
    payload: { project: data.project },
    event: { id, type, source, subject, time, data },
    q2c: { correlationId: correlationid, event: { id, source } },
  });
  await until('the run to end', async () => (await canvas.runs())[0]?.state === 'completed');
  expect(await canvas.runs()).toMatchObject([{ title: 'Project 1', correlationId: correlationid }]);
  await until('the status', () => canvas.statuses.get('subscribe') === '1 accepted');
});

test('every subscription that wants the event gets it, once, though it is announced again', async () => {
  const eventType = 'q2c.customer.created.v1';
  const customers = { ...subscribe, id: 'customers', eventType, z: 'tab', x: 0, y: 0, wires: [['end']] };
  await load([subscribe], [store, customers]);
  const [project, customer] = [provisioned(), created()];
  for (const event of [project, customer, project]) await engine.announce(event);
  await until('three runs', async () => {
    const runs = await canvas.runs();
    return runs.length === 3 && runs.every(({ state }) => state === 'completed');
  });
  const runs = engine.store.db.selectFrom('run').select(['source_node', 'title']).orderBy('source_node');
  expect(new Set(await runs.execute())).toEqual(
    new Set([
      { source_node: 'customers', title: 'ACME GmbH' },
      { source_node: 'subscribe', title: 'ACME GmbH' },
      { source_node: 'subscribe', title: 'Project 1' },
    ]),
  );
});

test('what was announced while the flow was away starts its run when it is back', async () => {
  await load([subscribe], [{ ...store, path: 'kept.db' }]);
  const path = `${canvas.userDir}/quote-to-cash/kept.db`;
  await canvas.close();
  await load([{ id: 'other', type: 'q2c-announce', store: 'store', eventType: '' }], [{ ...store, path }]);
  await engine.announce(provisioned());
  await canvas.close();
  await load([subscribe], [{ ...store, path }]);
  await until('the message', () => arrived.length === 1);
});

test('the deal document has the parts that the type says the event carries', async () => {
  await load([subscribe]);
  const contract = { id: newId('contract'), externalRefs: [], number: 'C-1' };
  const line = { id: newId('billingScheduleLine'), externalRefs: [] };
  await engine.announce(
    businessEvent('q2c.billing_schedule.created.v1', {
      tenant: 'main',
      component: 'test',
      correlationId: contract.id,
      data: { contract, billingSchedule: [line], changed: [], customer: 'not a record' },
    }),
  );
  await until('the message', () => arrived.length === 1);
  expect(arrived[0]?.payload).toEqual({ contract, billingSchedule: [line] });
});

test('records of a kind of which a deal has many stand in a list', async () => {
  await load([subscribe]);
  const invoice = { id: newId('invoice'), externalRefs: [], number: 'R-7' };
  const about = { tenant: 'main', component: 'test', correlationId: invoice.id };
  await engine.announce(businessEvent('q2c.invoice.posted.v1', { ...about, data: { invoice, changed: [] } }));
  await until('the message', () => arrived.length === 1);
  expect(arrived[0]?.payload).toEqual({ invoices: [invoice] });
  await until('the run', async () => (await canvas.runs())[0]?.title === 'R-7');
});

test.each([
  ['a type that is gone', { eventType: 'q2c.deal.forgotten.v1' }],
  ['no store', { store: '' }],
  ['a broker that is gone', { broker: 'gone' }],
])('%s is a mistake that the node shows', async (_, changes) => {
  await load([{ ...subscribe, ...changes }]);
  await until('the status', () => canvas.statuses.get('subscribe') === 'not set up');
});
