import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import mqtt, { type MqttClient } from 'mqtt';
import { checkBroker, Publisher, Subscriber, sharedFilter, topicFilter } from '../../../lib/events';
import type { BrokerSettings } from '../../../lib/events/broker';
import { topicOf } from '../../../lib/events/topics';
import { type BusinessEvent, newId } from '../../../lib/model';
import { openSqliteStore, putIntoOutbox, type Store, waitingDeliveries } from '../../../lib/store';
import { until } from '../../support/engine';
import { provisioned } from '../../support/events';
import { Authority, Mosquitto, mosquittoProgram } from '../../support/mosquitto';

/** Publisher and subscriber with MQTT 5 against a broker that others have written. */

if (mosquittoProgram === null) {
  process.stderr.write(
    'Mosquitto is not installed, so its tests are skipped: set Q2C_MOSQUITTO to its path.\n',
  );
}

(mosquittoProgram === null ? describe.skip : describe)('with Mosquitto', () => {
  let broker: Mosquitto | undefined;
  let store: Store;
  const running: { stop(): Promise<void> }[] = [];
  const programs: MqttClient[] = [];

  beforeEach(async () => {
    store = await openSqliteStore(':memory:');
  });
  afterEach(async () => {
    for (const each of running.splice(0)) await each.stop();
    for (const client of programs.splice(0)) client.end(true);
    await broker?.remove();
    broker = undefined;
    await store.close();
  });

  async function startBroker(options?: Parameters<typeof Mosquitto.start>[0]): Promise<Mosquitto> {
    broker = await Mosquitto.start(options);
    return broker;
  }

  function startPublisher(settings: BrokerSettings) {
    const seen = { ups: 0, downs: [] as Error[], failures: [] as Error[] };
    const publisher = new Publisher({
      ...{ store, settings, clientId: 'publisher', tenant: 'main', receiver: 'broker' },
      up: () => seen.ups++,
      down: (error) => seen.downs.push(error),
      onFailure: (error) => seen.failures.push(error),
    });
    running.push(publisher);
    publisher.start();
    return Object.assign(seen, { publisher });
  }

  async function startSubscriber(settings: BrokerSettings, { clientId = 'subscriber', group = '' } = {}) {
    const seen = { ups: 0, downs: 0, ids: [] as string[] };
    const filter = topicFilter('main');
    const subscriber = new Subscriber({
      ...{ store, settings, clientId, expirySeconds: 3600, nodeId: 'node' },
      filter: group === '' ? filter : sharedFilter(group, filter),
      accept: async ({ id }) => {
        seen.ids.push(id);
      },
      up: () => seen.ups++,
      down: () => seen.downs++,
      onRejected: (reason) => expect(reason).toBe('nothing is rejected'),
      onFailure: (error) => expect(error).toBeNull(),
    });
    running.push(subscriber);
    subscriber.start();
    await until('the subscription', () => seen.ups > 0);
    return Object.assign(seen, { subscriber });
  }

  const announce = (...events: BusinessEvent[]) =>
    store.write(async (tx) => {
      for (const event of events) await putIntoOutbox(tx, event, new Date().toISOString(), 'broker');
    });
  const waitingCount = async () => (await waitingDeliveries(store.db, 'broker', 1000)).length;
  const idsOf = (events: readonly BusinessEvent[]) => events.map(({ id }) => id);
  const versions = (count: number, project = newId('project')) =>
    Array.from({ length: count }, (_, index) => provisioned(project, index + 1));

  /** Another program publishes. */
  async function publish({ url }: BrokerSettings, ...events: BusinessEvent[]): Promise<void> {
    const client = await mqtt.connectAsync(url, { protocolVersion: 5, reconnectPeriod: 0 });
    programs.push(client);
    for (const event of events) {
      await client.publishAsync(topicOf('main', event.type, event.subject), JSON.stringify(event), {
        qos: 1,
      });
    }
    await client.endAsync();
  }

  test('events go out and come in, in the order of their record, and the test of the connection passes', async () => {
    const { settings } = await startBroker();
    const { ids } = await startSubscriber(settings);
    const events = versions(200);
    await announce(...events);
    const { failures } = startPublisher(settings);
    await until('all events', () => ids.length === events.length);
    expect(ids).toEqual(idsOf(events));
    await until('the acknowledgements', async () => (await waitingCount()) === 0);
    expect(failures).toEqual([]);
    const checks = await checkBroker(settings, topicFilter('main'), 3600);
    expect(checks.map(({ id, ok }) => [id, ok])).toEqual([
      ['connect', true],
      ['subscribe', true],
      ['shared', true],
      ['session', true],
    ]);
  });

  test('the session waits for a subscriber that is away, over a restart of the broker', async () => {
    const { settings } = await startBroker();
    const first = await startSubscriber(settings);
    await first.subscriber.stop();
    const events = versions(30);
    await publish(settings, ...events.slice(0, 15));
    await broker?.stop();
    await broker?.start();
    await publish(settings, ...events.slice(15));
    const second = await startSubscriber(settings);
    await until('all events', () => second.ids.length === events.length);
    expect(second.ids).toEqual(idsOf(events));
    expect(first.ids).toEqual([]);
  });

  test('while the broker restarts events wait; afterwards all arrive, in order', async () => {
    const { settings } = await startBroker();
    const subscriber = await startSubscriber(settings);
    const publisher = startPublisher(settings);
    const project = newId('project');
    const events = versions(40, project);
    await announce(...events.slice(0, 20));
    publisher.publisher.wake();
    await until('some events', () => subscriber.ids.length > 0);
    await broker?.stop();
    await until('the loss', () => publisher.downs.length > 0 && subscriber.downs > 0);
    await announce(...events.slice(20));
    expect(await waitingCount()).toBeGreaterThanOrEqual(20);
    await broker?.start();
    await until('the last event', () => subscriber.ids.includes(events.at(-1)?.id ?? ''), 30_000);
    await until('the acknowledgements', async () => (await waitingCount()) === 0);
    // What was on its way when the broker stopped may come twice; nothing is missing or out of order.
    expect([...new Set(subscriber.ids)]).toEqual(idsOf(events));
    expect(publisher.downs[0]).toMatchObject({ code: 'BROKER_UNAVAILABLE' });
    expect(publisher.failures).toEqual([]);
  }, 60_000);

  test('hosts of one group share the events; those told while one is away are lost to nobody', async () => {
    const { settings } = await startBroker();
    const group = 'group';
    const one = await startSubscriber(settings, { clientId: 'host-a', group });
    const two = await startSubscriber(settings, { clientId: 'host-b', group });
    const together = versions(20);
    await publish(settings, ...together);
    await until('all events', () => one.ids.length + two.ids.length === together.length);
    expect(new Set([...one.ids, ...two.ids])).toEqual(new Set(idsOf(together)));
    expect(Math.min(one.ids.length, two.ids.length)).toBeGreaterThan(0);

    await one.subscriber.stop();
    const alone = versions(20);
    await publish(settings, ...alone);
    const back = await startSubscriber(settings, { clientId: 'host-a', group });
    const arrived = () => [...two.ids, ...back.ids].filter((id) => idsOf(alone).includes(id));
    await until('the others', () => new Set(arrived()).size === alone.length);
    expect(arrived()).toHaveLength(alone.length);
  });

  test('a user signs in with the password; a wrong one is named and not repeated', async () => {
    const { settings } = await startBroker({ user: { name: 'q2c', password: 'right-secret' } });
    const signedIn = { ...settings, username: 'q2c', password: 'right-secret' };
    const { ids } = await startSubscriber(signedIn);
    const event = provisioned();
    await announce(event);
    startPublisher(signedIn);
    await until('the event', () => ids.length > 0);
    expect(ids).toEqual([event.id]);

    for (const wrong of [{ username: 'q2c', password: 'wrong-secret' }, {}]) {
      const [check] = await checkBroker({ ...settings, ...wrong }, topicFilter('main'), 0);
      expect(check).toMatchObject({
        ok: false,
        message: expect.stringMatching(/password is wrong|no right/),
      });
      expect(check?.message).not.toContain('secret');
    }
    const seen = startPublisher({ ...settings, username: 'q2c', password: 'wrong-secret' });
    await until('the refusal', () => seen.downs.length > 0);
    expect(seen.downs[0]).toMatchObject({ code: 'BROKER_REFUSED' });
  });

  test('TLS with an authority of one’s own; another authority or name is no secure connection', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'q2c-authority-'));
    try {
      const authority = new Authority(folder, 'ours');
      const { settings } = await startBroker({ authority });
      const trusted = { ...settings, tls: { ca: authority.certificate } };
      const { ids } = await startSubscriber(trusted);
      const event = provisioned();
      await announce(event);
      startPublisher(trusted);
      await until('the event', () => ids.length > 0);
      expect(ids).toEqual([event.id]);

      const byAddress = settings.url.replace('localhost', '127.0.0.1');
      const distrusted: [BrokerSettings, RegExp][] = [
        [{ ...settings, tls: { ca: new Authority(folder, 'other').certificate } }, /certificate/],
        [settings, /certificate/],
        [{ ...trusted, url: byAddress }, /not in the cert's list/],
      ];
      for (const [attempt, reason] of distrusted) {
        const seen = startPublisher(attempt);
        await until('the refusal', () => seen.downs.length > 0);
        expect(seen.downs[0]).toMatchObject({
          code: 'BROKER_TLS_FAILED',
          message: expect.stringMatching(reason),
        });
        expect(seen.ups).toBe(0);
      }
      // Without TLS there is nothing to say to it.
      const [check] = await checkBroker(
        { ...settings, url: settings.url.replace('mqtts', 'mqtt') },
        'q2c/#',
        0,
      );
      expect(check).toMatchObject({ ok: false });
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
