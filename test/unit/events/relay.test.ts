import { Relay, type RelayOptions } from '../../../lib/events/relay';
import { type BusinessEvent, newId, Q2cError } from '../../../lib/model';
import {
  openSqliteStore,
  putIntoOutbox,
  registerReceiver,
  removeReceiver,
  type Store,
  waitingDeliveries,
} from '../../../lib/store';
import { until } from '../../support/engine';
import { created, provisioned } from '../../support/events';

let store: Store;
const relays: Relay[] = [];

beforeEach(async () => {
  store = await openSqliteStore(':memory:');
});

afterEach(async () => {
  for (const relay of relays.splice(0)) await relay.stop();
  await store.close();
});

const AT = '2026-01-01T00:00:00.000Z';
const LATER = '2026-01-02T00:00:00.000Z';
const register = (id: string, eventType: string | null = null, at = AT) =>
  store.write((tx) => registerReceiver(tx, { id, eventType }, at));
const announce = (event: BusinessEvent, receiver?: string, at = AT) =>
  store.write((tx) => putIntoOutbox(tx, event, at, receiver));
const waiting = async (receiver: string) =>
  (await waitingDeliveries(store.db, receiver, 1000)).map(({ event }) => event.id);
const outbox = () => store.db.selectFrom('outbox').select(['event_id', 'sent_at']).orderBy('seq').execute();

/** A receiver that remembers what it got. */
function startRelay(receiver: string, options: Partial<RelayOptions> = {}) {
  const received: BusinessEvent[] = [];
  const failures: Error[] = [];
  const relay = new Relay({
    store,
    receiver,
    send: async (event) => {
      received.push(event);
    },
    onFailure: (error) => failures.push(error),
    ...options,
  });
  relays.push(relay);
  relay.start();
  return { relay, received, failures };
}

describe('the outbox', () => {
  test('tells everyone registered, and those who want one type only that', async () => {
    await register('broker');
    await register('customers', 'q2c.customer.created.v1');
    const [project, customer] = [provisioned(), created()];
    await announce(project);
    await announce(customer);
    expect(await waiting('broker')).toEqual([project.id, customer.id]);
    expect(await waiting('customers')).toEqual([customer.id]);
  });

  test('tells an event once, also when it is announced again', async () => {
    await register('broker');
    const event = provisioned();
    await announce(event);
    await announce(event);
    expect(await waiting('broker')).toEqual([event.id]);
    expect(await outbox()).toHaveLength(1);
  });

  test('tells one receiver only when one is named, and the others when it is announced to all afterwards', async () => {
    await register('other');
    const event = provisioned();
    await announce(event, 'broker');
    expect([await waiting('broker'), await waiting('other')]).toEqual([[event.id], []]);
    await announce(event);
    expect([await waiting('broker'), await waiting('other')]).toEqual([[event.id], [event.id]]);
  });

  test('does not bring a new receiver what was told before it came, though a run is repeated', async () => {
    const event = provisioned();
    await announce(event);
    await register('late', null, LATER);
    await announce(event, undefined, LATER);
    expect(await waiting('late')).toEqual([]);
  });

  test('keeps what waits for a receiver that has left, and adds nothing', async () => {
    await register('broker');
    const event = provisioned();
    await announce(event);
    await store.write((tx) => removeReceiver(tx, 'broker'));
    await announce(provisioned());
    expect(await waiting('broker')).toEqual([event.id]);
  });

  test('knows of each event since when nobody waits for it', async () => {
    await announce(provisioned());
    expect(await outbox()).toEqual([expect.objectContaining({ sent_at: AT })]);
    await register('one');
    await register('two');
    const event = provisioned();
    await announce(event);
    const sentAt = async () => (await outbox()).find(({ event_id }) => event_id === event.id)?.sent_at;
    expect(await sentAt()).toBeNull();
    startRelay('one');
    await until('the first receiver', async () => (await waiting('one')).length === 0);
    expect(await sentAt()).toBeNull();
    startRelay('two');
    await until('the second receiver', async () => (await sentAt()) !== null);
  });
});

describe('a relay', () => {
  test('hands on what waits and what comes, in order per record, and marks it', async () => {
    await register('broker');
    const ids = [newId('project'), newId('project'), newId('project')];
    const events = Array.from({ length: 300 }, (_, index) => provisioned(ids[index % 3], index + 1));
    for (const event of events.slice(0, 290)) await announce(event);
    const { relay, received } = startRelay('broker');
    for (const event of events.slice(290)) {
      await announce(event);
      relay.wake();
    }
    await until('all events to be marked', async () => (await waiting('broker')).length === 0);
    for (const id of ids) {
      const of = (list: BusinessEvent[]) =>
        list.filter(({ subject }) => subject === id).map((each) => each.id);
      expect(of(received)).toEqual(of(events));
    }
    expect(received).toHaveLength(300);
  });

  test('sends the next event of a record only when the receiver has the one before', async () => {
    await register('broker');
    const id = newId('project');
    const other = created();
    for (const event of [provisioned(id, 1), provisioned(id, 2), other]) await announce(event);
    const first = Promise.withResolvers<void>();
    const begun: string[] = [];
    startRelay('broker', {
      send: async (event) => {
        begun.push(event.subject);
        if (begun.filter((subject) => subject === id).length === 1 && event.subject === id)
          await first.promise;
      },
    });
    await until('the other record', async () => (await waiting('broker')).length === 2);
    expect(begun.toSorted()).toEqual([id, other.subject].toSorted());
    first.resolve();
    await until('both', async () => (await waiting('broker')).length === 0);
    expect(begun.filter((subject) => subject === id)).toHaveLength(2);
  });

  test('holds a record whose event is refused, and lets all others pass', async () => {
    await register('broker');
    const bad = newId('project');
    const held = Array.from({ length: 400 }, (_, index) => provisioned(bad, index + 1));
    for (const event of held) await announce(event);
    const others = Array.from({ length: 5 }, () => created());
    for (const event of others) await announce(event);
    let allowed = false;
    const received: string[] = [];
    const { failures } = startRelay('broker', {
      send: async ({ id, subject }) => {
        if (subject === bad && !allowed) throw new Q2cError('BROKER_REFUSED', 'The broker refused.');
        received.push(id);
      },
    });
    await until('the other records', async () => received.length === others.length);
    expect(failures.length).toBeGreaterThan(0);
    allowed = true;
    await until('the held record', async () => (await waiting('broker')).length === 0, 20_000);
    expect(received.slice(others.length)).toEqual(held.map(({ id }) => id));
  }, 30_000);

  test('goes on with what was not marked when it starts again, with the same ids', async () => {
    await register('broker');
    const event = provisioned();
    await announce(event);
    const reached = Promise.withResolvers<void>();
    const connection = Promise.withResolvers<void>();
    const first = startRelay('broker', {
      send: async () => {
        reached.resolve();
        await connection.promise;
      },
    });
    await reached.promise;
    const stopped = first.relay.stop();
    connection.reject(new Q2cError('BROKER_UNAVAILABLE', 'The connection ended.'));
    await stopped;
    expect(await waiting('broker')).toEqual([event.id]);
    const second = startRelay('broker');
    await until('the event', async () => (await waiting('broker')).length === 0);
    expect(second.received).toEqual([event]);
    expect(first.failures).toEqual([]);
  });

  test('leaves the work to the host that has the lease', async () => {
    await register('broker');
    let ours = false;
    let asked = 0;
    const { received, relay } = startRelay('broker', {
      acquire: async () => {
        asked++;
        return ours;
      },
    });
    await announce(provisioned());
    relay.wake();
    await until('to be asked again', async () => {
      relay.wake();
      return asked >= 3;
    });
    expect(received).toEqual([]);
    ours = true;
    relay.wake();
    await until('the event', async () => (await waiting('broker')).length === 0);
  });

  test('goes on when the store could not be read for a moment', async () => {
    await register('broker');
    let broken = true;
    const { failures } = startRelay('broker', {
      acquire: async () => {
        if (broken) throw new Error('disk gone');
        return true;
      },
    });
    await announce(provisioned());
    await until('the failure', async () => failures.length > 0);
    broken = false;
    await until('the event', async () => (await waiting('broker')).length === 0);
    expect(failures[0]?.message).toBe('disk gone');
  });
});
