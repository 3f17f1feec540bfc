import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { topicOf } from '../../lib/events/topics';
import { Broker } from '../support/broker';
import { until } from '../support/engine';
import { created } from '../support/events';
import type { FlowNode } from '../support/host';
import { templateFlow, World } from '../support/world';

/** Events out of and into a real Node-RED, with a broker process that dies now and then. */

const STORE = 'q2c0000000000001';

let world: World;
let broker: Broker;

beforeEach(async () => {
  broker = await Broker.start('mqtt5');
  world = await World.start({ flow: flow() });
  await subscribed();
}, 120_000);

afterEach(async () => {
  await world?.stop();
  await broker?.kill();
});

/** Resolves when the broker knows of the subscription: what is published before is not for it. */
const subscribed = () => until('the subscription', async () => (await broker.status()).filters.length > 0);

/** The template flow, which announces each project it has provisioned, and what listens for that. */
function flow(): FlowNode[] {
  const template = templateFlow();
  const tab = template.find(({ type }) => type === 'tab')?.id;
  const subscribe = (id: string, changes: object): FlowNode => ({
    ...{ id, type: 'q2c-subscribe', z: tab, store: STORE, broker: '', eventType: '', topic: '', group: '' },
    ...{ concurrency: '8', x: 100, y: 1000, wires: [[`${id}-file`]] },
    ...changes,
  });
  const file = (id: string): FlowNode => ({
    ...{ id: `${id}-file`, type: 'file', z: tab, filename: `${id}.jsonl`, filenameType: 'str' },
    ...{ appendNewline: true, overwriteFile: 'false', x: 300, y: 1000, wires: [[]] },
  });
  return [
    ...template,
    {
      ...{ id: 'broker', type: 'q2c-broker', store: STORE, url: broker.url, protocolVersion: '5', tls: '' },
      ...{ clientId: '', keepHours: '1', announced: true },
    },
    subscribe('from-broker', { broker: 'broker' }),
    file('from-broker'),
    subscribe('from-store', { eventType: 'q2c.project.provisioned.v1' }),
    file('from-store'),
  ];
}

/** Ids of the projects that the flow behind a subscription has been told of. */
async function projectsTold(subscription: string): Promise<string[]> {
  const text = await readFile(join(world.host.userDir, `${subscription}.jsonl`), 'utf8').catch(() => '');
  const payloads = text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as { project?: { id: string } });
  return payloads.flatMap(({ project }) => (project === undefined ? [] : [project.id]));
}

const count = async (sql: string) => (await world.store.rows(sql)).length;

const waiting = () =>
  count("select 1 from outbox_delivery where receiver = 'broker' and delivered_at is null");

test('announced events reach the broker and other flows, once, whoever dies meanwhile', async () => {
  const { simulator } = world;
  await simulator.closeDeals(2);
  // A run for each deal, and one more of each subscription.
  await world.settled(6);
  expect(new Set(await projectsTold('from-broker'))).toEqual(new Set(await projectsTold('from-store')));
  expect(await projectsTold('from-broker')).toHaveLength(2);

  await broker.kill();
  await simulator.closeDeals(2);
  await world.settled(10);
  expect(await projectsTold('from-store')).toHaveLength(4);
  expect(await waiting()).toBe(2);
  await world.host.kill();
  await world.startHost();
  expect(await waiting()).toBe(2);

  await broker.start();
  await until('the events to be acknowledged', async () => (await waiting()) === 0, 60_000, 50);
  expect((await broker.status()).published).toBe(2);
  expect(new Set(await projectsTold('from-store')).size).toBe(4);
  expect(await projectsTold('from-store')).toHaveLength(4);
}, 180_000);

test('events of another program wait for a host that is away, start one run each, and bad ones are recorded', async () => {
  await world.host.stop();
  const program = await broker.connect();
  const event = created();
  const topic = topicOf('main', event.type, event.subject);
  await program.publishAsync(topic, '{', { qos: 1 });
  for (const _ of ['first', 'again']) await program.publishAsync(topic, JSON.stringify(event), { qos: 1 });
  await program.endAsync();

  await world.startHost();
  const [run] = await world.settled(1);
  expect(run).toMatchObject({ title: 'ACME GmbH', state: 'completed', correlationId: event.correlationid });
  await until('the repetition', async () => (await count('select 1 from event where duplicates = 1')) === 1);
  expect(await world.runs()).toHaveLength(1);
  expect(await world.store.rows('select topic, reason, payload from rejected_event')).toEqual([
    { topic, reason: expect.stringContaining('not JSON'), payload: '{' },
  ]);
  expect(await world.openCases()).toEqual([]);
}, 120_000);

test('the test of the connection answers in plain words', async () => {
  const check = async () => {
    const lines = await world.host.request('POST', '/q2c/connections/broker/test');
    return (lines as { check?: { id: string; ok: boolean } }[]).flatMap((line) => line.check ?? []);
  };
  expect((await check()).map(({ id, ok }) => [id, ok])).toEqual([
    ['connect', true],
    ['subscribe', true],
    ['shared', true],
    ['session', true],
  ]);
  await broker.kill();
  expect(await check()).toEqual([
    expect.objectContaining({ ok: false, message: expect.stringContaining('Check the address') }),
  ]);
}, 60_000);

test('a subscription that is deleted is kept nothing, neither by the broker nor by the store', async () => {
  await world.deploy(flow().filter(({ id }) => !/^from-/.test(id)));
  await world.simulator.closeDeals(1);
  await world.settled(1);
  await until('the event to be published', async () => (await waiting()) === 0);
  expect(await world.store.rows('select id from outbox_receiver')).toEqual([{ id: 'broker' }]);
  expect((await broker.status()).filters).toEqual([]);
  await world.deploy(flow());
  await subscribed();
  await world.simulator.closeDeals(1);
  await world.settled(4);
  expect(await projectsTold('from-broker')).toHaveLength(1);
  expect(await projectsTold('from-store')).toHaveLength(1);
}, 120_000);
