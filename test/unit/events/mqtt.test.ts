import type { IPublishPacket, MqttClient } from 'mqtt';
import {
  checkBroker,
  Publisher,
  type PublisherOptions,
  Subscriber,
  type SubscriberOptions,
  sharedFilter,
  topicFilter,
} from '../../../lib/events';
import { topicOf } from '../../../lib/events/topics';
import { type BusinessEvent, newId } from '../../../lib/model';
import { openSqliteStore, putIntoOutbox, type Store, waitingDeliveries } from '../../../lib/store';
import { Broker, type BrokerKind } from '../../support/broker';
import { until } from '../../support/engine';
import { provisioned } from '../../support/events';

/** Publisher and subscriber against broker processes: Aedes with MQTT 3.1.1, one with MQTT 5. */

let broker: Broker;
let store: Store;
const running: { stop(): Promise<void> }[] = [];
const clients: MqttClient[] = [];

beforeEach(async () => {
  store = await openSqliteStore(':memory:');
});

afterEach(async () => {
  for (const each of running.splice(0)) await each.stop();
  for (const client of clients.splice(0)) client.end(true);
  await broker?.kill();
  await store.close();
});

const settings = () => ({ url: broker.url, protocolVersion: broker.protocolVersion });
const announce = (...events: BusinessEvent[]) =>
  store.write(async (tx) => {
    for (const event of events) await putIntoOutbox(tx, event, new Date().toISOString(), 'broker');
  });
const waitingCount = async () => (await waitingDeliveries(store.db, 'broker', 1000)).length;

function startPublisher(options: Partial<PublisherOptions> = {}) {
  const seen = { ups: 0, downs: [] as Error[], failures: [] as Error[] };
  const publisher = new Publisher({
    store,
    settings: settings(),
    clientId: 'publisher',
    tenant: 'main',
    receiver: 'broker',
    up: () => seen.ups++,
    down: (error) => seen.downs.push(error),
    onFailure: (error) => seen.failures.push(error),
    ...options,
  });
  running.push(publisher);
  publisher.start();
  return Object.assign(seen, { publisher });
}

function makeSubscriber(options: Partial<SubscriberOptions> = {}) {
  const seen = { ups: 0, accepted: [] as BusinessEvent[], rejected: [] as string[], failures: [] as Error[] };
  const subscriber = new Subscriber({
    store,
    settings: settings(),
    clientId: 'subscriber',
    expirySeconds: 3600,
    nodeId: 'node',
    filter: topicFilter('main'),
    accept: async (event) => {
      seen.accepted.push(event);
    },
    up: () => seen.ups++,
    down: () => undefined,
    onRejected: (reason) => seen.rejected.push(reason),
    onFailure: (error) => seen.failures.push(error),
    ...options,
  });
  running.push(subscriber);
  return Object.assign(seen, { subscriber });
}

async function startSubscriber(options: Partial<SubscriberOptions> = {}) {
  const seen = makeSubscriber(options);
  seen.subscriber.start();
  await until('the subscription', () => seen.ups > 0);
  return seen;
}

/** Another program that listens and publishes. */
async function program(): Promise<{ client: MqttClient; topics: string[]; ids: string[] }> {
  const client = await broker.connect();
  clients.push(client);
  const heard = { client, topics: [] as string[], ids: [] as string[] };
  client.on('message', (topic, payload) => {
    heard.topics.push(topic);
    heard.ids.push((JSON.parse(payload.toString()) as BusinessEvent).id);
  });
  await client.subscribeAsync('q2c/#', { qos: 1 });
  return heard;
}

const idsOf = (events: readonly BusinessEvent[]) => events.map(({ id }) => id);
const publish = (client: MqttClient, event: BusinessEvent) =>
  client.publishAsync(topicOf('main', event.type, event.subject), JSON.stringify(event), { qos: 1 });

describe.each<BrokerKind>(['aedes', 'mqtt5'])('with %s', (kind) => {
  beforeEach(async () => {
    broker = await Broker.start(kind);
  });

  test('events are published in order, under their topics, and marked after the acknowledgement', async () => {
    const { topics, ids } = await program();
    const project = newId('project');
    const events = Array.from({ length: 50 }, (_, index) => provisioned(project, index + 1));
    await announce(...events);
    startPublisher();
    await until('all to be acknowledged', async () => (await waitingCount()) === 0);
    await until('all to be heard', () => ids.length === events.length);
    expect(ids).toEqual(idsOf(events));
    expect(new Set(topics)).toEqual(new Set([`q2c/main/project/provisioned/${project}`]));
  });

  test('while the broker is dead events wait; none is lost or out of order', async () => {
    const seen = startPublisher();
    await until('the connection', () => seen.ups === 1);
    await broker.kill();
    await until('the loss', () => seen.downs.length > 0);
    const project = newId('project');
    const events = Array.from({ length: 20 }, (_, index) => provisioned(project, index + 1));
    await announce(...events);
    seen.publisher.wake();
    await until('another attempt', () => seen.downs.length > 1, 10_000);
    expect(await waitingCount()).toBe(events.length);

    await broker.start();
    const { ids } = await program();
    // The first ones may be published before the listener has subscribed, but not this one.
    const last = provisioned(project, events.length + 1);
    await announce(last);
    await until('the last event', () => ids.includes(last.id), 30_000);
    await until('all to be acknowledged', async () => (await waitingCount()) === 0);
    const all = idsOf([...events, last]);
    expect(ids).toEqual(all.slice(-ids.length));
    expect((await broker.status()).published).toBe(all.length);
    expect(seen.downs[0]).toMatchObject({ code: 'BROKER_UNAVAILABLE' });
  }, 60_000);

  test('a subscriber that was killed finds everything when it is back, in order', async () => {
    const first = await startSubscriber();
    await first.subscriber.stop();
    const { client } = await program();
    const project = newId('project');
    const events = Array.from({ length: 30 }, (_, index) => provisioned(project, index + 1));
    for (const event of events) await publish(client, event);
    const second = await startSubscriber();
    await until('all events', () => second.accepted.length === events.length);
    expect(idsOf(second.accepted)).toEqual(idsOf(events));
    expect(first.accepted).toEqual([]);
  });

  test('nothing is acknowledged before it is stored: it comes again on the next connection', async () => {
    const never = Promise.withResolvers<void>();
    const begun: string[] = [];
    const first = await startSubscriber({
      accept: async ({ id }) => {
        begun.push(id);
        await never.promise;
      },
    });
    const { client } = await program();
    const events = [provisioned(), provisioned()];
    for (const event of events) await publish(client, event);
    await until('the first event', () => begun.length > 0);
    await first.subscriber.stop();
    expect(begun).toEqual([events[0]?.id]);
    const second = await startSubscriber();
    await until('both events', () => second.accepted.length === 2);
    expect(idsOf(second.accepted)).toEqual(idsOf(events));
  });

  test('a store that fails for a moment delays an event and loses none', async () => {
    let broken = true;
    const accepted: string[] = [];
    const seen = await startSubscriber({
      accept: async ({ id }) => {
        if (broken) throw new Error('disk full');
        accepted.push(id);
      },
    });
    const { client } = await program();
    const events = [provisioned(), provisioned()];
    for (const event of events) await publish(client, event);
    await until('the failure', () => seen.failures.length > 0);
    broken = false;
    await until('both events', () => accepted.length === 2);
    expect(accepted).toEqual(idsOf(events));
  });

  test('what is no business event is recorded with the reason, once, and the next one passes', async () => {
    const seen = await startSubscriber();
    const { client } = await program();
    const topic = 'q2c/main/project/provisioned/x';
    const bad = ['{', '[]', JSON.stringify({ ...provisioned(), subject: '4711' })];
    client.removeAllListeners('message');
    for (const payload of [...bad, '{']) await client.publishAsync(topic, payload, { qos: 1 });
    const good = provisioned();
    await publish(client, good);
    await until('the good one', () => seen.accepted.length === 1);
    expect(idsOf(seen.accepted)).toEqual([good.id]);
    const rows = await store.db.selectFrom('rejected_event').selectAll().orderBy('seq').execute();
    expect(rows.map(({ payload, arrivals }) => [payload, arrivals])).toEqual([
      ['{', 2],
      ['[]', 1],
      [bad[2], 1],
    ]);
    expect(rows.map(({ reason }) => reason)).toEqual([
      expect.stringMatching(/not JSON/),
      expect.stringMatching(/not the JSON object/),
      expect.stringMatching(/subject: is not a canonical id/),
    ]);
    expect(seen.rejected).toHaveLength(4);
  });

  test('a subscription that was changed no longer brings what it brought before', async () => {
    const first = await startSubscriber({ filter: 'q2c/other/#' });
    await first.subscriber.stop();
    const second = await startSubscriber();
    const { client } = await program();
    await client.publishAsync('q2c/other/project/provisioned/x', JSON.stringify(provisioned()), { qos: 1 });
    const event = provisioned();
    await publish(client, event);
    await until('the event', () => second.accepted.length > 0);
    expect(idsOf(second.accepted)).toEqual([event.id]);
  });

  test('a subscriber that leaves is kept nothing', async () => {
    const first = await startSubscriber();
    await first.subscriber.leave();
    const { client } = await program();
    await publish(client, provisioned());
    const second = await startSubscriber();
    const event = provisioned();
    await publish(client, event);
    await until('the event', () => second.accepted.length > 0);
    expect(idsOf(second.accepted)).toEqual([event.id]);
  });

  test('the test of the connection says what it found', async () => {
    const checks = await checkBroker(settings(), topicFilter('main'), 3600);
    expect(checks.every(({ ok }) => ok)).toBe(true);
    await until('the client to leave', async () => (await broker.status()).clients.length === 0);
    const { url } = broker;
    await broker.kill();
    expect(await checkBroker({ ...settings(), url }, topicFilter('main'), 3600)).toEqual([
      expect.objectContaining({
        id: 'connect',
        ok: false,
        message: expect.stringContaining('cannot be reached'),
      }),
    ]);
  });
});

describe('with MQTT 5', () => {
  beforeEach(async () => {
    broker = await Broker.start('mqtt5');
  });

  test('a message says what it is outside of its payload', async () => {
    const { client } = await program();
    const event = provisioned();
    await announce(event);
    const message = new Promise<IPublishPacket>((resolve) => {
      client.once('message', (_topic, _payload, packet) => resolve(packet));
    });
    startPublisher();
    expect((await message).properties).toMatchObject({
      contentType: 'application/cloudevents+json; charset=utf-8',
      payloadFormatIndicator: true,
      userProperties: { specversion: '1.0', id: event.id, type: event.type, subject: event.subject },
    });
  });

  test('a broker that dies before it acknowledges gets the event again, with the same id', async () => {
    await broker.obey({ silent: true });
    const seen = startPublisher();
    const event = provisioned();
    await announce(event);
    seen.publisher.wake();
    await until('the event', async () => (await broker.status()).published === 1);
    expect(await waitingCount()).toBe(1);
    await broker.kill();
    await broker.start();
    const { ids } = await program();
    await until('the acknowledgement', async () => (await waitingCount()) === 0, 10_000);
    await until('the event', () => ids.length > 0);
    expect(ids).toEqual([event.id]);
    expect(seen.failures).toEqual([]);
  });

  test('an event that the broker refuses waits, says why, and stops no other', async () => {
    const refused = provisioned();
    await broker.obey({ refuse: { topic: refused.subject, code: 135 } });
    const { ids } = await program();
    const other = provisioned();
    await announce(refused, other);
    const seen = startPublisher();
    await until('the other one', () => ids.length === 1);
    await until('the refusal', () => seen.failures.length > 0);
    expect(ids).toEqual([other.id]);
    expect(seen.failures[0]).toMatchObject({
      code: 'BROKER_REFUSED',
      message: expect.stringContaining('no right'),
    });
    await broker.obey({ refuse: null });
    await until('the refused one', async () => (await waitingCount()) === 0, 10_000);
    await until('it to be heard', () => ids.length === 2);
    expect(ids).toEqual([other.id, refused.id]);
  }, 20_000);

  test('hosts of one group share the events, each going to one of them', async () => {
    const filter = sharedFilter('group', topicFilter('main'));
    const hosts = [
      await startSubscriber({ filter, clientId: 'host-a' }),
      await startSubscriber({ filter, clientId: 'host-b' }),
    ];
    const { client } = await program();
    const events = Array.from({ length: 20 }, () => provisioned());
    for (const event of events) await publish(client, event);
    await until('all events', () => hosts.flatMap(({ accepted }) => accepted).length === events.length);
    expect(new Set(hosts.flatMap(({ accepted }) => idsOf(accepted)))).toEqual(new Set(idsOf(events)));
    expect(hosts.every(({ accepted }) => accepted.length > 0)).toBe(true);
  });

  test('events in binary mode are accepted too', async () => {
    const seen = await startSubscriber();
    const { client } = await program();
    client.removeAllListeners('message');
    const { data, datacontenttype: _, ...attributes } = provisioned();
    await client.publishAsync('q2c/main/project/provisioned/x', JSON.stringify(data), {
      qos: 1,
      properties: { contentType: 'application/json', userProperties: { ...attributes } },
    });
    await until('the event', () => seen.accepted.length === 1);
    expect(seen.accepted[0]).toMatchObject({ id: attributes.id, data });
  });

  test('a wrong password is named, and tried again until somebody corrects it', async () => {
    await broker.obey({ passwords: { q2c: 'right' } });
    const wrong = { ...settings(), username: 'q2c', password: 'wrong' };
    expect(await checkBroker(wrong, topicFilter('main'), 0)).toEqual([
      expect.objectContaining({
        ok: false,
        message: expect.stringContaining('user name or password is wrong'),
      }),
    ]);
    const seen = startPublisher({ settings: wrong });
    await until('the refusal', () => seen.downs.length > 0);
    expect(seen.downs[0]).toMatchObject({ code: 'BROKER_REFUSED' });
    expect(seen.downs[0]?.message).not.toContain("wrong'");
    await broker.obey({ passwords: null });
    await until('the connection', () => seen.ups === 1, 10_000);
  }, 20_000);

  test('a second client with the same id is reported as such', async () => {
    const seen = startPublisher();
    await until('the connection', () => seen.ups === 1);
    clients.push(await broker.connect('publisher'));
    await until('the loss', () => seen.downs.length > 0);
    expect(seen.downs[0]?.message).toContain('same client id');
  });

  test('an address that cannot be used says how to write it, without repeating it', async () => {
    for (const url of ['broker', 'http://broker', 'mqtt://user:secret@broker']) {
      const [check] = await checkBroker({ url, protocolVersion: 5 }, 'q2c/#', 0);
      expect(check).toMatchObject({ ok: false, message: expect.not.stringContaining('secret') });
    }
  });
});
