import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ExampleWorld, withVariable } from '../support/example-world';
import { Host } from '../support/host';
import { Receiver } from '../support/receiver';
import { until } from '../support/until';
import { Simulator } from '../support/vendors';
import type { World } from '../support/world';
import { enterDeal, onlyCase, runOf } from './deals';

/** Template flows that reach beyond the pack, imported and run. Their comments promise what is judged here. */

jest.setTimeout(120_000);

let world: World;
afterEach(() => world?.stop());

async function play(...args: Parameters<typeof ExampleWorld.play>): Promise<ExampleWorld> {
  const played = await ExampleWorld.play(...args);
  world = played;
  return played;
}

test('Invoices to a CSV file: one line per change, with amounts as they are', async () => {
  const played = await play('Invoices to a CSV file');
  const { simulator } = played;
  // The vendor stamps changes in whole seconds: those of the first look's second count as earlier than it.
  const second = () => Math.floor(Date.now() / 1000);
  const first = second();
  await until('the next second', () => second() > first);
  const byHand = async (type: string, data: Record<string, unknown>) =>
    (await simulator.create('netsuite', type, data)).id;
  const customer = await byHand('customer', {
    companyName: 'Nordwind GmbH',
    subsidiary: { id: '2' },
    currency: { id: '4' },
  });
  const invoice = await byHand('invoice', {
    entity: { id: customer },
    item: { items: [{ item: { id: '101' }, quantity: 1, rate: 1234.5, amount: 1234.5 }] },
  });
  await played.shows('Written', 1);
  await byHand('customerPayment', { createdFrom: invoice });
  await played.shows('Written', 2);
  const lines = (await readFile(join(played.host.userDir, 'invoices.csv'), 'utf8')).trim().split(/\r?\n/);
  expect(lines).toEqual([
    expect.stringMatching(/^[^,]+,20\d\d-\d\d-\d\d,EUR,1234\.5\d?,open$/),
    expect.stringMatching(/^[^,]+,20\d\d-\d\d-\d\d,EUR,1234\.5\d?,paid$/),
  ]);
  expect(await played.openCases()).toEqual([]);
});

test('An own system within a run: a refused call waits, and is repeated to the same address', async () => {
  const archive = await Receiver.start();
  try {
    const change = withVariable('ARCHIVE_URL', `${archive.url}/deals`);
    const played = await play('An own system within a run', { change });
    const { simulator } = played;
    archive.status = 503;
    const deal = await enterDeal(simulator, 1);
    const run = await runOf(played, deal);
    expect(run.state).toBe('failed');
    expect(await onlyCase(played)).toMatchObject({
      code: 'NODE_FAILED',
      message: expect.stringContaining('The archive answered 503'),
    });

    archive.status = 204;
    await played.retry(run.id);
    await until('the retry', async () => (await played.run(run.id)).state === 'completed', 30_000, 50);
    expect(archive.received.map(({ name }) => name)).toEqual([deal.name, deal.name]);
    expect(new Set(archive.lines)).toEqual(new Set([`PUT /deals/${run.correlationId}`]));
    const { data } = await simulator.record('salesforce', 'Opportunity', deal.opportunityId);
    expect(data.Q2C_Status__c).toBe('Archived');
    expect(await played.openCases()).toEqual([]);
  } finally {
    await archive.stop();
  }
});

test('Customers from a web form: one customer for two forms, and a reason where NetSuite refuses', async () => {
  const { host, simulator } = await play('Customers from a web form');
  const form = {
    ...{ name: 'Nordwind GmbH', country: 'DE', street: 'Hauptstr. 1', city: 'Bonn', postalCode: '53111' },
    taxNumber: 'DE136695976',
  };
  const send = async (body: object) => {
    const response = await fetch(`${host.url}/customers`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    return { status: response.status, answer: await response.json() };
  };
  const before = (await simulator.records('netsuite', 'customer')).length;
  const [first, second] = [await send(form), await send(form)];
  expect(first).toEqual({ status: 201, answer: { number: expect.stringMatching(/\d/) } });
  expect(second).toEqual(first);
  expect(await simulator.records('netsuite', 'customer')).toHaveLength(before + 1);

  const refused = await send({ ...form, name: 'Südwind GmbH', taxNumber: 'DE129273398', country: 'XX' });
  expect(refused.status).toBe(202);
  expect(refused.answer).toMatchObject({ code: (await onlyCase(world)).code });
});

test('Several hosts on PostgreSQL: both work, and the one that is left finishes', async () => {
  const NAME = 'Several hosts on PostgreSQL';
  const simulator = await Simulator.start();
  const { hostname, port, username, password, pathname } = new URL(process.env.Q2C_TEST_DATABASE_URL ?? '');
  const start = async (name: string) => {
    const env = {
      ...{ Q2C_SIMULATOR_URL: simulator.url, Q2C_HOST_NAME: name },
      ...{ Q2C_PG_HOST: hostname, Q2C_PG_PORT: port, Q2C_PG_USER: username },
      Q2C_PG_DATABASE: pathname.slice(1),
    };
    const started = new ExampleWorld(simulator, await Host.start({ env }));
    await started.deployExample(NAME, (node) => {
      // The server of tests speaks without TLS, and a host that is gone is not waited for half a minute.
      if (node.type === 'q2c-store') {
        Object.assign(node, { tls: 'off', leaseSeconds: '3', credentials: { password } });
      }
    });
    return started;
  };
  const [first, second] = await Promise.all([start('first'), start('second')]);
  world = first;
  try {
    await simulator.fault('netsuite', { kind: 'latency', ms: 100 });
    await simulator.closeDeals(30);
    const SHOWN = 'Deals and their hosts';
    await first.shows(SHOWN, 3);
    expect(new Set(await second.shows(SHOWN, 3))).toEqual(new Set(['second']));
    await second.host.kill();
    const runs = await first.settled(30);
    expect(runs.map(({ state }) => state)).toEqual(Array(30).fill('completed'));
    expect(new Set(await first.shown(SHOWN))).toEqual(new Set(['first']));
    const customers = (await simulator.records('netsuite', 'customer')).map(({ data }) => data.companyName);
    expect(new Set(customers).size).toBe(customers.length);
  } finally {
    await second.host.dispose();
  }
});
