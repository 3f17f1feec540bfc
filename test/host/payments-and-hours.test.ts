import { Broker } from '../support/broker';
import { exampleFlow } from '../support/examples';
import { Host } from '../support/host';
import { until } from '../support/until';
import { Simulator, type SystemName } from '../support/vendors';
import { World } from '../support/world';

/** The example flow about what people do in the ERP and the PSA, as it is imported; only its broker is another. */

let broker: Broker;
let world: World;

beforeAll(async () => {
  broker = await Broker.start('mqtt5');
  const flow = exampleFlow('Payments and hours');
  for (const node of flow) {
    if (node.type.endsWith('-events')) {
      node.interval = node.event === 'invoice-status-changed' ? '3600' : '0.2';
    }
    if (node.type === 'q2c-broker') node.url = broker.url;
  }
  const simulator = await Simulator.start();
  world = new World(simulator, await Host.start({ env: { Q2C_SIMULATOR_URL: simulator.url }, flow }));
  // A source tells what happens after its first look.
  await simulator.looked('netsuite', '/suiteql');
  await simulator.looked('kantata', '/timesheet_submissions');
  // The vendors stamp changes in whole seconds: those of the first look's second count as earlier than it.
  const second = () => Math.floor(Date.now() / 1000);
  const first = second();
  await until('the next second', () => second() > first);
}, 120_000);

afterAll(async () => {
  await world?.stop();
  await broker?.kill();
});

const byHand = async (system: SystemName, type: string, data: Record<string, unknown>): Promise<string> =>
  (await world.simulator.create(system, type, data)).id;

/** Hours of a person on a project, approved. */
async function approveHours(project: string, date: string, rate: { rate_in_cents?: number }): Promise<void> {
  const work = { workspace_id: Number(project), user_id: 5 };
  const entry = await byHand('kantata', 'time_entries', {
    ...{ ...work, ...rate },
    date_performed: date,
    time_in_minutes: 90,
  });
  const timesheet = { ...work, title: `Hours of ${date}`, line_item_ids: [Number(entry)] };
  const id = await byHand('kantata', 'timesheet_submissions', timesheet);
  await world.simulator.patch('kantata', 'timesheet_submissions', id, { status: 'approved' });
}

test('a payment is told over the broker, hours with a rate pass, hours without one become a case', async () => {
  const listener = await broker.connect();
  const topics: string[] = [];
  listener.on('message', (topic) => topics.push(topic));
  await listener.subscribeAsync('q2c/#');

  const customer = await byHand('netsuite', 'customer', {
    companyName: 'Nordwind GmbH',
    subsidiary: { id: '2' },
    currency: { id: '4' },
  });
  const invoice = await byHand('netsuite', 'invoice', {
    entity: { id: customer },
    item: { items: [{ item: { id: '101' }, quantity: 1, rate: 1000, amount: 1000 }] },
  });
  await byHand('netsuite', 'customerPayment', { createdFrom: invoice });
  const project = await byHand('kantata', 'workspaces', {
    title: 'Rollout',
    creator_role: 'maven',
    currency: 'EUR',
    participations: [{ user_id: 5 }],
  });
  await approveHours(project, '2026-01-07', { rate_in_cents: 15_000 });
  await approveHours(project, '2026-01-08', {});

  // With the rates, which are read after each deploy; invoices are another test's.
  const runs = await world.settled(4);
  expect(runs.map(({ state }) => state).sort()).toEqual(['completed', 'completed', 'completed', 'failed']);
  await until('the payment at the broker', () => topics.length > 0, 30_000, 20);
  expect(topics).toEqual([expect.stringMatching(/^q2c\/main\/payment\/received\//)]);
  const cases = await world.openCases();
  expect(cases).toEqual([
    expect.objectContaining({
      code: 'RATE_MISSING',
      message: 'Approved hours of 2026-01-08 have no rate and cannot be billed.',
    }),
  ]);
  await listener.endAsync();
}, 120_000);
