import type { Engine } from '../../lib/engine';
import type { Governance } from '../../lib/governance';
import type { StoreNode } from '../../nodes/_shared/input';
import type { Q2cMessage } from '../../nodes/_shared/message';
import { defaults as caseDefaults } from '../../nodes/q2c-case/types';
import { type CaseEventsProperties, defaults } from '../../nodes/q2c-case-events/types';
import { wonDeal } from '../support/deals';
import { until } from '../support/engine';
import { Canvas, type FlowNode, store } from './canvas';

const PLACE = { z: 'tab', x: 0, y: 0 };
const raise: FlowNode = {
  ...{ id: 'raise', type: 'q2c-case', ...caseDefaults, ...PLACE, wires: [] },
  ...{ store: 'store', code: 'CREDIT_HOLD' },
};
const kim = { name: 'kim', roles: 'all', mayApprove: true } as const;

let canvas: Canvas;
let engine: Engine;
let governance: Governance;
let arrived: Q2cMessage[];
afterEach(() => canvas.close());

async function load(
  properties: Partial<CaseEventsProperties> = {},
  { configs = [store, raise], behind = [] }: { configs?: FlowNode[]; behind?: FlowNode[] } = {},
): Promise<void> {
  const events = { id: 'events', type: 'q2c-case-events', ...defaults, store: 'store', ...properties };
  canvas = await Canvas.load([events, ...behind], configs);
  arrived = [];
  canvas.node('end').on('input', (msg: Q2cMessage) => arrived.push(msg));
  engine = await canvas.engine();
  governance = await canvas.node<StoreNode>('store').governance();
}

/** Something goes wrong with a deal. @returns the case */
async function stop(): Promise<string> {
  const known = (await canvas.cases()).length;
  canvas.node('raise').receive({ payload: wonDeal() });
  await until('the case', async () => (await canvas.cases()).length > known);
  return (await canvas.cases()).at(-1)?.id ?? '';
}
const told = (count: number) => until(`${count} messages`, () => arrived.length === count);

test('what happens to a case starts a run each, in order', async () => {
  await load();
  const id = await stop();
  await told(1);
  expect(arrived[0]).toMatchObject({
    topic: 'opened',
    payload: {
      id,
      code: 'CREDIT_HOLD',
      message: 'ACME GmbH is on credit hold; provisioning waits.',
      ownerRole: 'finance_ops',
      severity: 'error',
      status: 'open',
      amountAtRisk: { amount: '240000.00', currency: 'EUR' },
      slaDue: expect.stringMatching(/^\d{4}-/),
      happened: 'opened',
      by: 'engine',
    },
    event: { type: 'q2c.exception.opened.v1', subject: id },
  });
  await governance.assign(id, 'kim', kim);
  await told(2);
  await governance.act(id, { action: 'waive' }, 'agreed', kim).then(async (result) => {
    if (result.status !== 'pending_approval') return;
    await governance.approve(result.approval.id, '', { ...kim, name: 'lea' });
  });
  await told(3);
  expect(arrived.map(({ topic }) => topic)).toEqual(['opened', 'assigned', 'waived']);
  await until('the status', () => canvas.statuses.get('events') === '3 told');
});

test.each<[string, Partial<CaseEventsProperties>, string[]]>([
  ['one thing only', { happening: 'assigned' }, ['assigned']],
  ['cases of one role', { ownerRole: 'finance_ops' }, ['opened', 'assigned']],
  ['cases of another role', { ownerRole: 'sales_ops' }, []],
  ['milder cases too', { severity: 'error' }, ['opened', 'assigned']],
  ['worse cases only', { severity: 'critical' }, []],
])('it tells of %s', async (_, properties, expected) => {
  await load(properties);
  await governance.assign(await stop(), 'kim', kim);
  // Everything is either told or passed over when nothing waits for the node any more.
  await until('the deliveries', async () => {
    const rows = await engine.store.db.selectFrom('outbox_delivery').select('delivered_at').execute();
    return rows.every(({ delivered_at }) => delivered_at !== null);
  });
  await told(expected.length);
  expect(arrived.map(({ topic }) => topic)).toEqual(expected);
});

test('what happened while the flow was away is told when it is back', async () => {
  await load({}, { configs: [{ ...store, path: 'kept.db' }, raise] });
  const path = `${canvas.userDir}/quote-to-cash/kept.db`;
  const kept = { ...store, path };
  await canvas.close();
  canvas = await Canvas.load([raise], [kept]);
  const { q2c } = await canvas.stopped({ payload: wonDeal() });
  await until('the run to end', async () => (await canvas.runs())[0]?.state === 'failed');
  await canvas.close();
  await load({}, { configs: [kept, raise] });
  await told(1);
  expect(arrived[0]).toMatchObject({ topic: 'opened', payload: { runId: q2c?.run } });
});

test('a notification that fails is a case, but does not tell of itself', async () => {
  const failing = { id: 'mail', type: 'q2c-check', store: 'store', firm: '' };
  await load({}, { behind: [failing] });
  await stop();
  await until('the case of the notification', async () => (await canvas.cases()).length === 2);
  await until('every run to end', async () => (await canvas.runs()).every(({ state }) => state === 'failed'));
  await until('the deliveries', async () => {
    const rows = await engine.store.db.selectFrom('outbox_delivery').select('delivered_at').execute();
    return rows.length >= 2 && rows.every(({ delivered_at }) => delivered_at !== null);
  });
  expect(await canvas.runs()).toHaveLength(2);
});

test('without a store the form is to be filled in', async () => {
  await load({ store: '' });
  await until('the status', () => canvas.statuses.get('events') === 'not set up');
});
