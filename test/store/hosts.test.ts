import { randomUUID } from 'node:crypto';
import type { DispatchedRun, IntakeBatch, StepReply } from '../../lib/engine';
import { claimRuns } from '../../lib/engine/runs';
import { newId } from '../../lib/model';
import { type Store, verifyAudit } from '../../lib/store';
import { FakeVendor, startEngine, type TestEngine, until } from '../support/engine';
import { openTestPostgres } from '../support/stores';

/** Several engines on one PostgreSQL store, as several Node-RED hosts would be. */

const LEASE_MS = 600;

let schema: string;
let hosts: Host[];
/** Reads the store whatever becomes of the hosts. */
let store: Store;

beforeEach(async () => {
  schema = randomUUID();
  hosts = [];
  store = await openTestPostgres(schema);
});
afterEach(async () => {
  await Promise.all(hosts.map((host) => host.stop()));
  await store.close();
});

type Work = (run: DispatchedRun, host: Host) => Promise<unknown>;

/** An engine with a flow of one node. */
class Host {
  readonly runs: DispatchedRun[] = [];
  private isGone = false;

  private constructor(
    private readonly test: TestEngine,
    readonly log: string[],
  ) {}

  static async start(work: Work, { concurrency = 4, leaseMs = LEASE_MS } = {}) {
    const log: string[] = [];
    const test = await startEngine({
      store: await openTestPostgres(schema),
      leaseMs,
      stopAfterMs: 50,
      log: (_, message) => log.push(message),
    });
    const host = new Host(test, log);
    hosts.push(host);
    host.engine.registerSource('source', concurrency, (run) => {
      const active = host.engine.activeRun(run.id);
      if (active === undefined) throw new Error('not under way');
      host.runs.push(run);
      host.engine.messageEntered(active);
      work(run, host).then(
        () => host.engine.messageLeft(active),
        (error: Error & { code?: string }) => {
          host.log.push(error.code ?? error.message);
          host.engine.messageLeft(active);
        },
      );
    });
    return host;
  }

  get engine() {
    return this.test.engine;
  }

  async kill() {
    this.isGone = true;
    await this.test.kill();
  }

  async stop() {
    if (this.isGone) return;
    this.isGone = true;
    await this.test.stop();
  }
}

const batch = (ids: string[], record = (id: string) => id, cursor = 'c1'): IntakeBatch => ({
  sourceNode: 'source',
  system: 'crm',
  instance: 'org',
  source: '/q2c/test/crm',
  cursor,
  events: ids.map((id) => ({
    id,
    type: 'q2c.opportunity.won.v1',
    time: '2026-01-05T10:00:00.000Z',
    subject: { entity: 'opportunity', type: 'Opportunity', id: record(id) },
    title: `Deal ${id}`,
    data: {},
  })),
});

const statesOf = async () =>
  (await store.db.selectFrom('run').select('state').orderBy('seq').execute()).map(({ state }) => state);
const allCompleted = async () => (await statesOf()).every((state) => state === 'completed');
const numbers = (count: number) => Array.from({ length: count }, (_, index) => `e${index}`);

test('each run goes to one host, in order of its key, and never two of a key at once', async () => {
  const underWay = new Set<string>();
  const clashes: string[] = [];
  const order = new Map<string, string[]>();
  const work: Work = async (run) => {
    if (underWay.has(run.orderingKey)) clashes.push(run.id);
    underWay.add(run.orderingKey);
    order.set(run.orderingKey, [...(order.get(run.orderingKey) ?? []), run.event.id]);
    await new Promise((resolve) => setTimeout(resolve, 10 + Math.random() * 10));
    underWay.delete(run.orderingKey);
  };
  const [one, two] = [await Host.start(work), await Host.start(work)];
  // 120 changes of 12 records.
  await one.engine.accept(batch(numbers(120), (id) => `R${Number(id.slice(1)) % 12}`));
  await until(
    'all ended',
    async () => (await statesOf()).length === 120 && (await allCompleted()),
    20_000,
    50,
  );
  expect(clashes).toEqual([]);
  expect([...one.runs, ...two.runs].map(({ id }) => id)).toHaveLength(120);
  expect(Math.min(one.runs.length, two.runs.length)).toBeGreaterThan(10);
  for (const ids of order.values()) {
    expect(ids).toEqual([...ids].sort((a, b) => Number(a.slice(1)) - Number(b.slice(1))));
  }
});

test('a run that is queued again is not claimed beside a later one of its key that is just being claimed', async () => {
  const host = await Host.start(async () => undefined, { concurrency: 0 });
  await host.engine.accept(batch(['e1', 'e2'], () => 'A'));
  const [first] = await store.db.selectFrom('run').select('id').orderBy('seq').execute();
  const setFirst = (state: 'failed' | 'queued') =>
    store.write(async (tx) => {
      await tx
        .updateTable('run')
        .set({ state })
        .where('id', '=', first?.id ?? '')
        .execute();
    });
  await setFirst('failed');

  const other = await openTestPostgres(schema);
  let claimed = 0;
  let isDecided = false;
  const claiming = other.write(async (tx) => {
    claimed = (await claimRuns(tx, 'source', 9, { owner: 'other', until: other.now() }, other.now())).length;
    await until('the other host to have looked', () => isDecided);
  });
  await until('the claim', () => claimed === 1);
  await setFirst('queued');
  const here = await store.write((tx) =>
    claimRuns(tx, 'source', 9, { owner: 'here', until: store.now() }, store.now()),
  );
  isDecided = true;
  await claiming;
  await other.close();
  expect(here).toEqual([]);
  const running = await store.db.selectFrom('run').select('id').where('state', '=', 'running').execute();
  expect(running).toHaveLength(1);
});

test('the runs of a dead host go to another one when its lease has ended, and its call is probed for', async () => {
  const vendor = new FakeVendor();
  const customer = newId('customer');
  let isWritten = false;
  const dead = await Host.start((run, host) => {
    vendor.script = [
      (write) => {
        write();
        isWritten = true;
        return new Promise(() => undefined);
      },
    ];
    return host.engine.step(run.id, vendor.step({ canonicalId: customer }));
  });
  await dead.engine.accept(batch(['e1']));
  await until('the call', () => isWritten);
  await dead.kill();
  const diedAt = Date.now();

  const origins: string[] = [];
  const alive = await Host.start(async (run, host) => {
    origins.push((await host.engine.step(run.id, vendor.step({ canonicalId: customer }))).origin);
  });
  expect(alive.runs).toEqual([]);
  await until('the end', async () => (await statesOf()).join() === 'completed');
  expect(origins).toEqual(['probe']);
  expect([vendor.calls, vendor.records.size]).toEqual([1, 1]);
  expect(Date.now() - diedAt).toBeLessThan(LEASE_MS + 3_000);
  expect(alive.log).toContain('Took over 1 runs of a host that is gone');
});

test('a host that keeps its lease keeps its runs, however long they take', async () => {
  let finish = () => {};
  const one = await Host.start(() => new Promise<void>((resolve) => (finish = resolve)));
  const two = await Host.start(async () => undefined);
  await one.engine.accept(batch(['e1']));
  await until('dispatch', () => one.runs.length + two.runs.length > 0);
  if (two.runs.length > 0) return;
  const until2 = async () =>
    (await store.db.selectFrom('run').select('lease_until').executeTakeFirstOrThrow()).lease_until ?? '';
  const first = await until2();
  await until('three renewals', async () => Date.parse(await until2()) > Date.parse(first) + LEASE_MS);
  expect(two.runs).toEqual([]);
  finish();
  await until('the end', allCompleted);
});

test('a host that is stopped gives its runs to the others at once', async () => {
  const one = await Host.start(
    (run, host) =>
      host.engine.step(
        run.id,
        new FakeVendor().step({
          call: (_wire, { signal }) =>
            new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason))),
        }),
      ),
    { leaseMs: 60_000 },
  );
  await one.engine.accept(batch(['e1']));
  await until('dispatch', () => one.runs.length === 1);
  const two = await Host.start(async () => undefined, { leaseMs: 60_000 });
  await one.stop();
  await until('take-over', () => two.runs.length === 1);
  await until('the end', allCompleted);
});

test('a host that lost its lease writes no more for the run, and its message ends quietly', async () => {
  const vendor = new FakeVendor();
  const customer = newId('customer');
  let answer = () => {};
  const slow = await Host.start((run, host) =>
    host.engine.step(
      run.id,
      vendor.step({
        canonicalId: customer,
        call: () =>
          new Promise((resolve) => {
            answer = () => resolve(vendor.reply('late'));
          }),
      }),
    ),
  );
  await slow.engine.accept(batch(['e1']));
  await until(
    'the call',
    async () => (await store.db.selectFrom('step').select('seq').execute()).length === 1,
  );
  // Another host has taken over, as it would after a pause of this one.
  await store.write(async (tx) => {
    await tx.updateTable('run').set({ lease_owner: 'another host' }).execute();
  });
  answer();
  await until('the message to end', () => slow.log.length > 0);
  expect(slow.log).toEqual(['RUN_TAKEN_OVER']);
  expect(slow.engine.activeRun(slow.runs[0]?.id ?? '')).toBeUndefined();
  expect(await store.db.selectFrom('step').select('state').execute()).toEqual([{ state: 'intent' }]);
  expect(await store.db.selectFrom('run').select(['state', 'lease_owner']).execute()).toEqual([
    { state: 'running', lease_owner: 'another host' },
  ]);
  expect(await store.db.selectFrom('exception_case').select('id').execute()).toEqual([]);
});

test('a host that cannot reach the store any more breaks off before the others take over', async () => {
  const vendor = new FakeVendor();
  const customer = newId('customer');
  let isAborted = false;
  const cut = await Host.start((run, host) =>
    host.engine.step(
      run.id,
      vendor.step({
        canonicalId: customer,
        call: (_wire, { signal }) =>
          new Promise((_, reject) =>
            signal.addEventListener('abort', () => {
              isAborted = true;
              reject(signal.reason);
            }),
          ),
      }),
    ),
  );
  await cut.engine.accept(batch(['e1']));
  await until(
    'the call',
    async () => (await store.db.selectFrom('step').select('seq').execute()).length === 1,
  );
  const leaseUntil = async () =>
    (await store.db.selectFrom('run').select('lease_until').executeTakeFirstOrThrow()).lease_until ?? '';
  await cut.kill();
  await until('it to break off', () => isAborted);
  expect(store.now() < (await leaseUntil())).toBe(true);
});

test('two deals of one customer on two hosts take turns at it', async () => {
  const vendor = new FakeVendor();
  const customer = newId('customer');
  let callsUnderWay = 0;
  let most = 0;
  const work: Work = (run, host) =>
    host.engine.step(
      run.id,
      vendor.step({
        canonicalId: customer,
        // Different content, as two deals may see the customer.
        businessVersion: run.id,
        wire: { deal: run.id },
        call: async () => {
          callsUnderWay++;
          most = Math.max(most, callsUnderWay);
          await new Promise((resolve) => setTimeout(resolve, 60));
          callsUnderWay--;
          return vendor.reply('v1');
        },
      }),
    );
  const one = await Host.start(work, { concurrency: 1 });
  const two = await Host.start(work, { concurrency: 1 });
  await one.engine.accept(batch(numbers(10)));
  await until(
    'all ended',
    async () => (await statesOf()).length === 10 && (await allCompleted()),
    15_000,
    20,
  );
  expect(most).toBe(1);
  expect(Math.min(one.runs.length, two.runs.length)).toBeGreaterThan(0);
});

test('a run that was taken over with a call under way does not hold up another one of the same customer', async () => {
  const vendor = new FakeVendor();
  const customer = newId('customer');
  const stepOf = (run: DispatchedRun, call?: () => Promise<StepReply>) =>
    vendor.step({
      canonicalId: customer,
      businessVersion: run.id,
      wire: { deal: run.id },
      ...(call && { call }),
    });
  let isWritten = false;
  const dead = await Host.start((run, host) => {
    const call = (): Promise<StepReply> => {
      isWritten = true;
      return new Promise(() => undefined);
    };
    return host.engine.step(run.id, stepOf(run, call));
  });
  await dead.engine.accept(batch(['e1']));
  await until('the call', () => isWritten);
  await dead.kill();

  // The one that was taken over comes to the customer when the other one has the turn.
  let begun: () => void = () => undefined;
  const otherHasBegun = new Promise<void>((resolve) => {
    begun = resolve;
  });
  const alive = await Host.start(async (run, host) => {
    if (run.title.endsWith('e1')) await otherHasBegun;
    const done = host.engine.step(run.id, stepOf(run));
    begun();
    await done;
  });
  await until('the take-over', () => alive.runs.length === 1);
  await alive.engine.accept(batch(['e2']));
  await until('both to end', async () => (await statesOf()).join() === 'completed,completed');
});

test('the same content from two hosts at once is written once', async () => {
  const vendor = new FakeVendor();
  const customer = newId('customer');
  const origins: string[] = [];
  const work: Work = async (run, host) => {
    const { origin } = await host.engine.step(run.id, vendor.step({ canonicalId: customer }));
    origins.push(origin);
  };
  const [one] = await Promise.all([Host.start(work), Host.start(work)]);
  await one.engine.accept(batch(numbers(12)));
  await until(
    'all ended',
    async () => (await statesOf()).length === 12 && (await allCompleted()),
    15_000,
    20,
  );
  expect(vendor.calls).toBe(1);
  expect(origins.sort()).toEqual(['call', ...Array.from({ length: 11 }, () => 'earlier_run')]);
  expect(await verifyAudit(store)).toBeNull();
});

describe('polling', () => {
  const role = '/q2c/test/crm';

  test('is one host’s at a time; another one follows when it leaves or dies', async () => {
    const [one, two, three] = [
      await Host.start(async () => undefined),
      await Host.start(async () => undefined),
      await Host.start(async () => undefined),
    ];
    const leads = (await Promise.all([one, two].map((host) => host.engine.lead(role)))).filter(Boolean);
    expect(leads).toHaveLength(1);
    const [leader, standby] = (await one.engine.lead(role)) ? [one, two] : [two, one];
    // The heartbeat keeps it.
    await until('a renewal', async () => {
      const row = await store.db.selectFrom('lease').selectAll().executeTakeFirstOrThrow();
      return Date.parse(row.until) > Date.now() + LEASE_MS / 2;
    });
    expect(await standby.engine.lead(role)).toBe(false);
    await leader.engine.stopLeading(role);
    expect(await standby.engine.lead(role)).toBe(true);
    await standby.kill();
    expect(await three.engine.lead(role)).toBe(false);
    await until('the lease to end', () => three.engine.lead(role), LEASE_MS + 3_000, 20);
  });

  test('by a host that lost the role is refused, so that the cursor does not go back', async () => {
    const [old, present] = [await Host.start(async () => undefined), await Host.start(async () => undefined)];
    expect(await old.engine.lead(role)).toBe(true);
    await store.write(async (tx) => {
      await tx.updateTable('lease').set({ until: '2020-01-01T00:00:00.000Z' }).execute();
    });
    expect(await present.engine.lead(role)).toBe(true);
    await present.engine.accept(batch(['e2'], (id) => id, 'c2'));
    await expect(old.engine.accept(batch(['e1'], (id) => id, 'c1'))).rejects.toMatchObject({
      code: 'LEASE_LOST',
    });
    expect(await present.engine.cursor(role)).toBe('c2');
  });
});

test('hosts share the rate of a connection', async () => {
  const [one, two] = [await Host.start(async () => undefined), await Host.start(async () => undefined)];
  // Ten a second: a burst of ten, then one every 100 ms, whoever asks.
  const waits: (number | null)[] = [];
  for (let call = 0; call < 15; call++) {
    waits.push(await (call % 2 === 0 ? one : two).engine.reserveCall('crm', 10));
  }
  const numbers = waits.map(Number);
  expect(waits).not.toContain(null);
  expect(numbers.slice(0, 10)).toEqual(Array.from({ length: 10 }, () => 0));
  const startedAt = numbers.findIndex((wait) => wait > 0);
  // Time passes meanwhile, and gives calls back.
  expect(startedAt).toBeLessThan(15);
  expect(Math.max(...numbers)).toBeLessThanOrEqual(500);
  expect(await one.engine.reserveCall('another', 10)).toBe(0);
});

describe('a retry of many runs', () => {
  const author = { actor: 'kim', reason: 'ERP is back' };

  async function failed(count: number): Promise<void> {
    const host = await Host.start(async () => undefined, { concurrency: 0 });
    await host.engine.accept(batch(numbers(count)));
    await host.stop();
    await store.write((tx) => tx.updateTable('run').set({ state: 'failed' }).execute());
  }

  test('goes on at another host when the one that began it is dead', async () => {
    await failed(8);
    const one = await Host.start(async () => undefined);
    const id = await one.engine.repairs.bulkRetries.start({}, author, { atOnce: 1 });
    await until('the first run', async () => (await statesOf()).includes('completed'));
    await one.kill();
    expect((await statesOf()).filter((state) => state === 'failed').length).toBeGreaterThan(0);
    const two = await Host.start(async () => undefined);
    const { bulkJobs } = two.engine.repairs;
    await until('its end', async () => (await bulkJobs.find(id)).endedAt !== null, 15_000, 20);
    expect((await bulkJobs.find(id)).progress).toMatchObject({ total: 8, completed: 8 });
    const runs = await store.db.selectFrom('run').select('attempt').execute();
    expect(runs.map(({ attempt }) => attempt)).toEqual(runs.map(() => 2));
  }, 30_000);

  test('is cancelled by a host that does not work on it', async () => {
    await failed(4);
    const gate = Promise.withResolvers<void>();
    const [one, two] = [await Host.start(() => gate.promise), await Host.start(() => gate.promise)];
    const id = await one.engine.repairs.bulkRetries.start({}, author, { atOnce: 1 });
    await until('a run to be under way', async () => (await statesOf()).includes('running'));
    await two.engine.repairs.bulkJobs.cancel(id, 'lee');
    gate.resolve();
    const { bulkJobs } = two.engine.repairs;
    await until('its end', async () => (await bulkJobs.find(id)).endedAt !== null, 10_000, 20);
    expect(await bulkJobs.find(id)).toMatchObject({
      isCancelled: true,
      progress: { total: 4, completed: 1, underWay: 0 },
    });
    expect((await statesOf()).sort()).toEqual(['completed', 'failed', 'failed', 'failed']);
  }, 20_000);
});

test('a host whose clock is ten minutes off neither loses its runs nor takes those of others', async () => {
  const realNow = Date.now;
  const shift = 10 * 60_000;
  const RealDate = Date;
  // The wall clock of this process, not that of the database.
  class ShiftedDate extends RealDate {
    constructor(...values: [] | [string | number]) {
      super(...((values.length === 0 ? [realNow() + shift] : values) as [number]));
    }
    static override now = () => realNow() + shift;
  }
  globalThis.Date = ShiftedDate as DateConstructor;
  try {
    let finish = () => {};
    const one = await Host.start(() => new Promise<void>((resolve) => (finish = resolve)));
    await one.engine.accept(batch(['e1']));
    await until('dispatch', () => one.runs.length === 1);
    const row = await store.db
      .selectFrom('run')
      .select(['lease_until', 'created_at'])
      .executeTakeFirstOrThrow();
    expect(Math.abs(Date.parse(row.created_at) - realNow())).toBeLessThan(2_000);
    expect(Date.parse(row.lease_until ?? '') - realNow()).toBeLessThan(LEASE_MS + 1_000);
    const two = await Host.start(async () => undefined);
    await until('renewals', async () => {
      const later = await store.db.selectFrom('run').select('lease_until').executeTakeFirstOrThrow();
      return Date.parse(later.lease_until ?? '') > Date.parse(row.lease_until ?? '') + LEASE_MS;
    });
    expect(two.runs).toEqual([]);
    finish();
    await until('the end', allCompleted);
  } finally {
    globalThis.Date = RealDate;
  }
});
