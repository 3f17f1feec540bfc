import fc from 'fast-check';
import type { ActiveRun, DispatchedRun, Engine, IntakeEvent } from '../../../lib/engine';
import { openSqliteStore, type Store, verifyAudit } from '../../../lib/store';
import { startEngine, until } from '../../support/engine';

const MINUTE = 60_000;

/** A host with a flow that reads the version of its event; its store outlives it. */
class World {
  now = '2026-01-05T10:00:00.000Z';
  engine!: Engine;
  /** What the flow has done, in order. */
  readonly applied: { record: string; version: number | null; catchUp: boolean }[] = [];
  /** Events whose run fails, once each. */
  readonly failing = new Set<string>();
  /** While set, runs do not come to their end. */
  hold: Promise<void> | null = null;

  private constructor(readonly store: Store) {}

  static async start(): Promise<World> {
    const world = new World(await openSqliteStore(':memory:'));
    await world.startHost();
    return world;
  }

  private async startHost(): Promise<void> {
    const options = { store: this.store, now: () => this.now, scanMs: 5, graceMs: 0 };
    this.engine = (await startEngine(options)).engine;
    const { engine } = this;
    engine.registerSource('source', 3, (run) => {
      const active = engine.activeRun(run.id);
      if (active !== undefined) void this.flow(engine, active, run);
    });
  }

  private async flow(engine: Engine, active: ActiveRun, run: DispatchedRun): Promise<void> {
    engine.messageEntered(active);
    await this.hold;
    if (this.failing.delete(run.event.id)) {
      engine.errorRaised(active, { node: { id: 'n', name: 'Node' }, message: 'refused', code: null });
    } else {
      const { record, version } = run.event.data as { record: string; version?: number };
      this.applied.push({ record, version: version ?? null, catchUp: run.catchUp });
    }
    engine.messageLeft(active);
  }

  async crash(): Promise<void> {
    await this.engine.stop();
    await this.startHost();
  }

  async stop(): Promise<void> {
    await this.engine.stop();
    expect(await verifyAudit(this.store)).toBeNull();
    await this.store.close();
  }

  later(ms: number): void {
    this.now = new Date(Date.parse(this.now) + ms).toISOString();
  }

  deliver(...events: Partial<IntakeEvent & { record: string }>[]) {
    return this.engine.accept({
      sourceNode: 'source',
      system: 'crm',
      instance: 'org',
      source: '/q2c/test/crm',
      events: events.map(({ record = 'A', ...event }) => ({
        id: `${record}${event.version}`,
        type: 'q2c.opportunity.won.v1',
        time: this.now,
        subject: { entity: 'opportunity', type: 'Opportunity', id: record },
        title: `Deal ${record}`,
        data: { record, ...(event.version === undefined ? {} : { version: event.version }) },
        ...event,
      })),
    });
  }

  versions(...versions: number[]) {
    return this.deliver(...versions.map((version) => ({ version })));
  }

  async dispositions(): Promise<string> {
    const rows = await this.store.db.selectFrom('event').select(['event_id', 'disposition']).execute();
    return rows
      .map((row) => `${row.event_id} ${row.disposition}`)
      .sort()
      .join(', ');
  }

  async runs(): Promise<string[]> {
    const rows = await this.store.db.selectFrom('run').select('state').orderBy('seq').execute();
    return rows.map(({ state }) => state);
  }

  async taken() {
    const row = await this.store.db.selectFrom('aggregate').select(['taken', 'applied']).executeTakeFirst();
    return [row?.taken, row?.applied];
  }

  cases() {
    return this.store.db.selectFrom('exception_case').select(['code', 'state', 'message']).execute();
  }

  /** Nobody works on anything, and nothing is about to be. */
  async quiet(): Promise<void> {
    await until('the runs to end', async () => {
      const states = await this.runs();
      return !states.some((state) => state === 'queued' || state === 'running');
    });
  }

  get order(): (number | null)[] {
    return this.applied.map(({ version }) => version);
  }
}

let world: World;
beforeEach(async () => {
  world = await World.start();
});
afterEach(() => world.stop());

test('versions are applied in their order, whatever order they come in', async () => {
  expect(await world.versions(1, 3, 2, 5, 4)).toEqual({ accepted: 3, duplicates: 0, stale: 0, parked: 2 });
  await world.quiet();
  expect(world.order).toEqual([1, 2, 3, 4, 5]);
  expect(await world.dispositions()).toBe('A1 applied, A2 applied, A3 applied, A4 applied, A5 applied');
  expect(await world.taken()).toEqual([5, 5]);
});

test('an older version, or another event with the same, is recorded and does nothing', async () => {
  await world.versions(1, 2);
  await world.quiet();
  expect(await world.deliver({ version: 1, id: 'again' }, { version: 2 })).toEqual({
    accepted: 0,
    duplicates: 1,
    stale: 1,
    parked: 0,
  });
  expect(await world.deliver({ version: 4 }, { version: 4, id: 'again 4' })).toMatchObject({
    parked: 1,
    stale: 1,
  });
  await world.quiet();
  expect(world.order).toEqual([1, 2]);
  expect(await world.runs()).toEqual(['completed', 'completed', 'parked']);
});

test('a change behind a missing one is parked with a case, until the missing one comes', async () => {
  await world.versions(1);
  await world.versions(3);
  await world.versions(4);
  await world.quiet();
  expect(await world.runs()).toEqual(['completed', 'parked', 'parked']);
  expect(await world.dispositions()).toBe('A1 applied, A3 parked, A4 parked');
  expect(await world.cases()).toEqual([
    { code: 'SEQUENCE_GAP', state: 'open', message: 'A change of Deal A is missing; waiting for it.' },
  ]);
  await world.versions(2);
  await world.quiet();
  expect(world.order).toEqual([1, 2, 3, 4]);
  expect(await world.cases()).toMatchObject([{ state: 'resolved' }]);
});

test('closing one gap leaves the case of the next one open', async () => {
  await world.versions(2, 4, 1);
  await world.quiet();
  expect(world.order).toEqual([1, 2]);
  expect(await world.cases()).toMatchObject([{ code: 'SEQUENCE_GAP', state: 'open' }]);
  await world.versions(3);
  await world.quiet();
  expect(world.order).toEqual([1, 2, 3, 4]);
  expect(await world.cases()).toMatchObject([{ state: 'resolved' }]);
});

test('what is missing too long is caught up from the master, once, at the latest version', async () => {
  await world.versions(1);
  await world.versions(3, 5);
  await world.quiet();
  world.later(14 * MINUTE);
  await world.deliver({ record: 'B', version: 1 });
  await until('B', () => world.applied.some(({ record }) => record === 'B'));
  expect(world.order).toEqual([1, 1]);
  world.later(MINUTE);
  await until('the catch-up', () => world.applied.length === 3);
  expect(world.applied[2]).toEqual({ record: 'A', version: 5, catchUp: true });
  await world.quiet();
  expect((await world.runs()).sort()).toEqual(['completed', 'completed', 'completed', 'superseded']);
  expect(await world.dispositions()).toBe('A1 applied, A3 stale, A5 applied, B1 applied');
  expect(await world.cases()).toMatchObject([{ code: 'SEQUENCE_GAP', state: 'resolved' }]);

  expect(await world.versions(2, 4, 6)).toMatchObject({ accepted: 1, stale: 2 });
  await world.quiet();
  expect(world.applied[3]).toEqual({ record: 'A', version: 6, catchUp: false });
});

test('a catch-up that fails leaves the gap open until it comes through', async () => {
  await world.versions(2);
  world.failing.add('A2');
  world.later(15 * MINUTE);
  await until('the failure', async () => (await world.runs()).join() === 'failed');
  expect((await world.cases()).map(({ code, state }) => `${code} ${state}`).sort()).toEqual([
    'NODE_FAILED open',
    'SEQUENCE_GAP open',
  ]);
  expect(await world.dispositions()).toBe('A2 case');
  const run = await world.store.db.selectFrom('run').select('id').executeTakeFirstOrThrow();
  await world.engine.retryRun(run.id, 'mia');
  await until('through', async () => (await world.runs()).join() === 'completed');
  expect(world.applied).toEqual([{ record: 'A', version: 2, catchUp: true }]);
  expect(await world.cases()).toMatchObject([{ state: 'resolved' }, { state: 'resolved' }]);
  expect(await world.taken()).toEqual([2, 2]);
});

test('a version that fails does not hold up the next one, which supersedes it', async () => {
  world.failing.add('A1');
  await world.versions(1);
  await world.quiet();
  expect([await world.dispositions(), await world.taken()]).toEqual(['A1 case', [1, 0]]);
  await world.versions(2);
  await world.quiet();
  expect(await world.runs()).toEqual(['superseded', 'completed']);
  expect([await world.dispositions(), await world.taken()]).toEqual(['A1 applied, A2 applied', [2, 2]]);
});

test('a run that came through on retry has its version applied', async () => {
  world.failing.add('A1');
  await world.versions(1);
  await world.quiet();
  const run = await world.store.db.selectFrom('run').select('id').executeTakeFirstOrThrow();
  await world.engine.retryRun(run.id, 'mia');
  await until('through', async () => (await world.runs()).join() === 'completed');
  expect([await world.dispositions(), await world.taken()]).toEqual(['A1 applied', [1, 1]]);
});

test('what is parked or under way when the host dies goes on', async () => {
  const held = Promise.withResolvers<void>();
  world.hold = held.promise;
  await world.versions(1, 3);
  await until('the first', async () => (await world.runs())[0] === 'running');
  await world.crash();
  world.hold = null;
  await world.versions(2);
  await world.quiet();
  held.resolve();
  expect(await world.runs()).toEqual(['completed', 'completed', 'completed']);
  expect(await world.taken()).toEqual([3, 3]);
});

test('events without version go in order of arrival, as ever', async () => {
  await world.deliver({ id: 'x' }, { id: 'y' }, { id: 'x' });
  await world.quiet();
  expect(await world.runs()).toEqual(['completed', 'completed']);
  expect(await world.dispositions()).toBe('x applied, y applied');
  expect(await world.taken()).toEqual([undefined, undefined]);
});

describe('states with a stamp in place of a version', () => {
  const at = (minute: number) => `2026-01-05T09:0${minute}:00.000Z`;

  test('an older one that comes after a newer one is stale', async () => {
    await world.deliver({ id: 'new', stamp: at(2) });
    await world.quiet();
    expect(await world.deliver({ id: 'old', stamp: at(1) })).toMatchObject({ accepted: 0, stale: 1 });
    expect(await world.dispositions()).toBe('new applied, old stale');
    expect(await world.runs()).toEqual(['completed']);
  });

  test('also within one batch; but not of another record, of the same moment, or without a stamp', async () => {
    const intake = await world.deliver(
      { id: 'new', stamp: at(2) },
      { id: 'old', stamp: at(1) },
      { id: 'same', stamp: at(2) },
      { id: 'other', stamp: at(1), record: 'B' },
      { id: 'none' },
    );
    expect(intake).toEqual({ accepted: 4, duplicates: 0, stale: 1, parked: 0 });
    await world.quiet();
    // A stale state does not make the next one stale.
    expect(await world.deliver({ id: 'newer', stamp: at(3) })).toMatchObject({ accepted: 1 });
    await world.quiet();
  });
});

test('a state that returns after another one is news, once; an echo of the present one is not', async () => {
  const at = (minute: number) => `2026-01-05T09:0${minute}:00.000Z`;
  const deliver = async (id: string, minute: number) => {
    const { accepted } = await world.deliver({ id, stamp: at(minute) });
    await world.quiet();
    return accepted;
  };
  // 100, its echo, 200, 100 again, read again, its echo, 200 again.
  const deliveries = [
    ['100', 1],
    ['100', 2],
    ['200', 3],
    ['100', 4],
    ['100', 4],
    ['100', 5],
    ['200', 6],
  ] as const;
  const accepted: number[] = [];
  for (const [id, minute] of deliveries) accepted.push(await deliver(id, minute));
  expect(accepted).toEqual([1, 0, 1, 1, 0, 0, 1]);
  expect(await world.runs()).toHaveLength(4);
});

/** Deliveries of the versions of some records in any order, some of them never, some again, and a host that dies. */
const delivery = fc.record({
  record: fc.constantFrom('A', 'B'),
  version: fc.integer({ min: 1, max: 6 }),
  /** Another event may carry the same version. */
  copy: fc.constantFrom('', '', '', ' copy'),
  fails: fc.boolean(),
  crash: fc.integer({ min: 0, max: 5 }).map((dice) => dice === 0),
});

test('each event ends as exactly one of applied, stale or case; versions only grow; repeating changes nothing', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(delivery, { maxLength: 25 }), async (deliveries) => {
      const local = await World.start();
      try {
        const events = deliveries.map(({ record, version, copy }) => ({
          record,
          version,
          id: `${record}${version}${copy}`,
        }));
        for (const [index, event] of events.entries()) {
          if (deliveries[index]?.fails) local.failing.add(event.id);
          await local.deliver(event);
          if (deliveries[index]?.crash) await local.crash();
        }
        await local.quiet();
        local.later(15 * MINUTE);
        await until('gaps to be caught up', async () => !(await local.runs()).includes('parked'));
        await local.quiet();
        await judge(local, events);

        const before = [await local.dispositions(), await local.runs(), local.applied.length];
        expect(await local.deliver(...events)).toMatchObject({ accepted: 0, stale: 0, parked: 0 });
        await local.quiet();
        expect([await local.dispositions(), await local.runs(), local.applied.length]).toEqual(before);
      } finally {
        await local.stop();
      }
    }),
    { numRuns: 60 },
  );
}, 120_000);

async function judge(
  local: World,
  delivered: { record: string; version: number; id: string }[],
): Promise<void> {
  const { db } = local.store;
  const events = await db
    .selectFrom('event')
    .innerJoin('aggregate', (join) =>
      join.onRef('aggregate.source', '=', 'event.source').onRef('aggregate.subject', '=', 'event.subject'),
    )
    .select(['event_id', 'version', 'disposition', 'duplicates', 'taken', 'applied'])
    .execute();
  const ids = new Set(delivered.map(({ id }) => id));
  expect(events.map(({ event_id }) => event_id).sort()).toEqual([...ids].sort());
  expect(events.reduce((sum, { duplicates }) => sum + duplicates, 0)).toBe(delivered.length - ids.size);
  for (const { event_id, version, disposition, taken, applied } of events) {
    expect(`${event_id} ${disposition}`).toMatch(/ (applied|stale|case)$/);
    expect(Number(version)).toBeLessThanOrEqual(taken);
    // Only what failed after the last version that came through is left to somebody.
    if (disposition === 'applied') expect(Number(version)).toBeLessThanOrEqual(applied);
    if (disposition === 'case') expect(Number(version)).toBeGreaterThan(applied);
  }
  for (const record of ['A', 'B']) {
    const versions = local.applied.filter((each) => each.record === record).map(({ version }) => version);
    expect(versions).toEqual(versions.toSorted((a, b) => Number(a) - Number(b)));
  }
  const failed = await db.selectFrom('run').select('correlation_id').where('state', '=', 'failed').execute();
  const open = await db.selectFrom('exception_case').selectAll().where('state', '=', 'open').execute();
  // Runs of one record that fail for the same reason share a case.
  const owned = open.map(({ correlation_id }) => correlation_id);
  for (const { correlation_id } of failed) expect(owned).toContain(correlation_id);
  if (failed.length === 0) expect(open).toEqual([]);
}
