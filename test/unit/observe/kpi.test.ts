import fc from 'fast-check';
import { businessEvent, type CanonicalId, newId } from '../../../lib/model';
import { countWork, openExceptions, workList } from '../../../lib/observe/kpi/open';
import { type KpiFigures, type KpiGroup, kpiReport } from '../../../lib/observe/kpi/report';
import { rounded } from '../../../lib/observe/kpi/samples';
import { countedUntil, updateKpis } from '../../../lib/observe/kpi/update';
import { type Zones, zoneIn } from '../../../lib/observe/kpi/zones';
import { type CaseState, putIntoOutbox, type StepState, type Store, seal } from '../../../lib/store';
import { openTestStore, testedKind } from '../../support/stores';

/** Far apart, so that one instant is often of two days. */
const ZONES: Zones = {
  firm: 'Asia/Kolkata',
  legalEntities: { len_a: 'Pacific/Auckland', len_b: 'America/Los_Angeles' },
};
const zoneOf = zoneIn(ZONES);

const START = Date.UTC(2026, 2, 20);
const at = (minutes: number) => new Date(START + minutes * 60_000 + minutes).toISOString();
const ALL = { from: '2026-01-01', to: '2026-12-31' };

/** Rows as the engine leaves them, a deal, a run and a case at a time. */
class World {
  readonly runs: { id: string; seq: number; eventSeq: number; correlationId: CanonicalId }[] = [];
  readonly cases: CanonicalId[] = [];

  constructor(readonly store: Store) {}

  async acceptDeal(minutes: number, lag: number): Promise<void> {
    const correlationId = newId('opportunity');
    await this.store.write(async (tx) => {
      const key = { source: 's', event_id: correlationId };
      const { seq: eventSeq } = await tx
        .insertInto('event')
        .values({
          ...key,
          type: 'q2c.opportunity.won.v1',
          subject: correlationId,
          time: at(minutes - lag),
          received_at: at(minutes),
          data: seal(tx, 'event', 'data', key, '{}'),
          duplicates: 0,
        })
        .returning('seq')
        .executeTakeFirstOrThrow();
      const id = `run_${correlationId}`;
      const { seq } = await tx
        .insertInto('run')
        .values({
          id,
          event_seq: eventSeq,
          source_node: 'n',
          ordering_key: correlationId,
          correlation_id: correlationId,
          title: 'Deal',
          state: 'running',
          attempt: 1,
          created_at: at(minutes),
        })
        .returning('seq')
        .executeTakeFirstOrThrow();
      this.runs.push({ id, seq, eventSeq, correlationId });
    });
  }

  /** Places in `runs`. */
  async underWay(): Promise<number[]> {
    const rows = await this.store.db.selectFrom('run').select('id').where('ended_at', 'is', null).execute();
    return rows.map(({ id }) => this.runs.findIndex((run) => run.id === id));
  }

  async endRun(which: number, minutes: number, failed: boolean, legalEntity: string | null): Promise<void> {
    const run = this.runs.at(which);
    if (run === undefined) return;
    await this.store.write((tx) =>
      tx
        .updateTable('run')
        .set({ state: failed ? 'failed' : 'completed', ended_at: at(minutes), legal_entity: legalEntity })
        .where('id', '=', run.id)
        .execute(),
    );
  }

  /** A step of a run that is under way: it ends later than its step. */
  async step(
    which: number,
    minutes: number,
    write: { operation: string; state: StepState; origin: 'call' | 'probe' | 'earlier_run'; undoes: boolean },
  ): Promise<void> {
    const run = this.runs.at(which);
    if (run === undefined) return;
    const key = `${run.id}:${Math.random()}`;
    await this.store.write(async (tx) => {
      await tx.updateTable('run').set({ ended_at: null }).where('id', '=', run.id).execute();
      await tx
        .insertInto('step')
        .values({
          key,
          run_id: run.id,
          run_attempt: 1,
          node_id: 'n',
          node_name: 'N',
          system: 'erp',
          instance: 'i',
          operation: write.operation,
          canonical_id: run.correlationId,
          fingerprint: 'f',
          idempotency_key: 'k',
          state: write.state,
          calls: 1,
          probes: 0,
          origin: write.origin,
          wire: seal(tx, 'step', 'wire', { key }, '{}'),
          started_at: at(minutes),
          ended_at: write.state === 'intent' ? null : at(minutes),
          undoes: write.undoes ? 'other' : null,
        })
        .execute();
    });
  }

  /** What a probe of another run finds out about calls of this one, without this one. */
  async settleUnknown(which: number, minutes: number): Promise<void> {
    const run = this.runs.at(which);
    if (run === undefined) return;
    await this.store.write((tx) =>
      tx
        .updateTable('step')
        .set({ state: 'confirmed', origin: 'probe', ended_at: at(minutes) })
        .where('run_id', '=', run.id)
        .where('state', '=', 'unknown')
        .execute(),
    );
  }

  async duplicate(which: number): Promise<void> {
    const run = this.runs.at(which);
    if (run === undefined) return;
    await this.store.write((tx) =>
      tx
        .updateTable('event')
        .set((row) => ({ duplicates: row('duplicates', '+', 1), recount: 1 }))
        .where('seq', '=', run.eventSeq)
        .execute(),
    );
  }

  async openCase(which: number, minutes: number, code: string): Promise<void> {
    const run = this.runs.at(which);
    if (run === undefined) return;
    const id = newId('exceptionCase');
    const row = { id };
    await this.store.write((tx) =>
      tx
        .insertInto('exception_case')
        .values({
          id,
          dedupe_key: id,
          code,
          message: seal(tx, 'exception_case', 'message', row, 'm'),
          owner_role: 'finance_ops',
          severity: 'error',
          state: 'open',
          correlation_id: run.correlationId,
          subject: run.correlationId,
          run_id: run.id,
          run_attempt: 1,
          node_id: 'n',
          node_name: 'N',
          amount_at_risk: '100.10',
          currency: 'EUR',
          detail: seal(tx, 'exception_case', 'detail', row, '{}'),
          occurrences: 1,
          reopened: 0,
          opened_at: at(minutes),
          updated_at: at(minutes),
        })
        .execute(),
    );
    this.cases.push(id);
  }

  async moveCase(which: number, minutes: number, state: CaseState): Promise<void> {
    const id = this.cases.at(which);
    if (id === undefined) return;
    const resolved_at = state === 'resolved' ? at(minutes) : null;
    await this.store.write((tx) =>
      tx
        .updateTable('exception_case')
        .set({ state, resolved_at, updated_at: at(minutes) })
        .where('id', '=', id)
        .execute(),
    );
  }

  async provision(which: number, minutes: number): Promise<void> {
    const run = this.runs.at(which);
    if (run === undefined) return;
    const event = businessEvent('q2c.project.provisioned.v1', {
      tenant: 't',
      component: 'flow',
      correlationId: run.correlationId,
      time: at(minutes),
      data: { project: { id: newId('project'), externalRefs: [], name: 'P' }, changed: [] },
    });
    await this.store.write((tx) => putIntoOutbox(tx, event, at(minutes)));
  }
}

// ------------------------------------------------------------------ the same from all rows, the plain way

interface Counted {
  day: string;
  legalEntity: string;
  tier: string;
  system: string;
  subject: string;
  kpi: string;
  ms?: number;
}

const dayOf = (instant: string, legalEntity: string | null) =>
  new Intl.DateTimeFormat('en-CA', { timeZone: zoneOf(legalEntity) }).format(new Date(instant));
const TIERS: Record<string, string> = { customer: 'T1', project: 'T2', opportunity: 'T2' };
const ms = (from: string, to: string) => Math.max(0, Date.parse(to) - Date.parse(from));

async function bruteForce({ db }: Store): Promise<Counted[]> {
  const counted: Counted[] = [];
  const runs = await db.selectFrom('run').selectAll().orderBy('seq').execute();
  const events = await db.selectFrom('event').selectAll().execute();
  for (const run of runs.filter(({ ended_at }) => ended_at !== null)) {
    const event = events.find(({ seq }) => seq === run.event_seq);
    const base = { legalEntity: run.legal_entity ?? '', tier: 'T2', system: '', subject: '' };
    for (let times = 0; event && times < event.duplicates; times++) {
      counted.push({
        ...base,
        day: dayOf(event.received_at, run.legal_entity),
        kpi: 'events',
        subject: 'event',
      });
    }
    const steps = await db.selectFrom('step').selectAll().where('run_id', '=', run.id).execute();
    for (const step of steps) {
      if (step.undoes || step.operation.endsWith('.find') || step.state === 'intent') continue;
      const endedAt = step.ended_at ?? '';
      const write = {
        ...base,
        day: dayOf(endedAt, run.legal_entity),
        tier: TIERS[step.operation.split('.')[0] ?? ''] ?? '',
        system: 'erp',
        subject: step.operation,
      };
      counted.push({ ...write, kpi: 'attempted' });
      if (step.state !== 'confirmed' && step.state !== 'undone') continue;
      counted.push({ ...write, kpi: 'confirmed', ms: ms(event?.time ?? '', endedAt) });
      if (step.origin === 'probe') counted.push({ ...write, kpi: 'lostReplies', subject: 'lost_reply' });
      if (step.origin === 'earlier_run')
        counted.push({ ...write, kpi: 'earlierRuns', subject: 'earlier_run' });
    }
  }
  for (const each of await db.selectFrom('exception_case').selectAll().execute()) {
    const legal = runs.find(({ id }) => id === each.run_id)?.legal_entity ?? null;
    const base = { legalEntity: legal ?? '', tier: 'T2', system: '', subject: each.code };
    counted.push({ ...base, day: dayOf(each.opened_at, legal), kpi: 'opened' });
    if (each.code === 'DUPLICATE_SUSPECTED') {
      counted.push({
        ...base,
        day: dayOf(each.opened_at, legal),
        kpi: 'naturalKeys',
        subject: 'natural_key',
      });
    }
    if (each.state !== 'resolved' || each.resolved_at === null) continue;
    const took = ms(each.opened_at, each.resolved_at);
    counted.push({ ...base, day: dayOf(each.resolved_at, legal), kpi: 'resolved', ms: took });
  }
  const seen = new Set<string>();
  for (const { envelope } of await db.selectFrom('outbox').selectAll().orderBy('seq').execute()) {
    const { correlationid, time } = JSON.parse(String(envelope)) as { correlationid: string; time: string };
    if (seen.has(correlationid)) continue;
    seen.add(correlationid);
    const run = runs.find(({ correlation_id }) => correlation_id === correlationid);
    const base = { legalEntity: run?.legal_entity ?? '', tier: 'T2', system: '', subject: '' };
    const took = ms(run?.created_at ?? '', time);
    counted.push({ ...base, day: dayOf(time, run?.legal_entity ?? null), kpi: 'setup', ms: took });
  }
  return counted;
}

function figuresOf(all: Counted[], group: string | null): KpiFigures {
  const of = (kpi: string) => all.filter((each) => each.kpi === kpi);
  const durations = (kpi: string) => {
    const exact = of(kpi).map((each) => each.ms ?? 0);
    const sorted = exact.map(rounded).sort((a, b) => a - b);
    if (sorted.length === 0) return { count: 0, meanMs: null, medianMs: null, p95Ms: null };
    return {
      count: sorted.length,
      meanMs: exact.reduce((sum, each) => sum + each, 0) / exact.length,
      medianMs: sorted[Math.ceil(sorted.length * 0.5) - 1] ?? null,
      p95Ms: sorted[Math.ceil(sorted.length * 0.95) - 1] ?? null,
    };
  };
  const attempted = of('attempted').length;
  const confirmed = of('confirmed').length;
  return {
    group,
    projectSetup: durations('setup'),
    writes: {
      attempted,
      confirmed,
      success: attempted === 0 ? null : confirmed / attempted,
      latency: durations('confirmed'),
    },
    duplicatesPrevented: {
      events: of('events').length,
      lostReplies: of('lostReplies').length,
      earlierRuns: of('earlierRuns').length,
      naturalKeys: of('naturalKeys').length,
    },
    exceptions: {
      opened: of('opened').length,
      resolved: of('resolved').length,
      timeToResolve: durations('resolved'),
    },
  };
}

function grouped(all: Counted[], by: KpiGroup): KpiFigures[] {
  const groups = [...new Set(all.map((each) => each[by]))].sort((a, b) => (a < b ? -1 : 1));
  return groups.map((group) =>
    figuresOf(
      all.filter((each) => each[by] === group),
      group,
    ),
  );
}

// ------------------------------------------------------------------ the test

/** One of the latest, counted from the end: much happens to each, and then no more. */
const which = fc.integer({ min: -3, max: -1 });
const legalEntity = fc.constantFrom(null, 'len_a', 'len_b');
const write = fc.record({
  operation: fc.constantFrom('customer.upsert', 'project.create', 'customer.find'),
  state: fc.oneof(
    fc.constantFrom<StepState>('confirmed', 'unknown'),
    fc.constantFrom<StepState>('undone', 'rejected', 'failed', 'skipped', 'intent'),
  ),
  origin: fc.constantFrom('call' as const, 'probe' as const, 'earlier_run' as const),
  undoes: fc.nat(9).map((digit) => digit === 0),
});
type Deed = (world: World, minutes: number) => Promise<unknown>;
const deed: fc.Arbitrary<{ name: string; later: number; act: Deed }> = fc
  .oneof(
    fc.nat(5000).map((lag) => named('accept', (world, now) => world.acceptDeal(now, lag))),
    fc.tuple(which, write).map(([run, step]) => named('step', (world, now) => world.step(run, now, step))),
    fc
      .tuple(which, fc.boolean(), legalEntity)
      .map(([run, failed, legal]) => named('end', (world, now) => world.endRun(run, now, failed, legal))),
    which.map((run) => named('settle', (world, now) => world.settleUnknown(run, now))),
    which.map((run) => named('duplicate', (world) => world.duplicate(run))),
    fc
      .tuple(which, fc.constantFrom('CREDIT_HOLD', 'NODE_FAILED', 'DUPLICATE_SUSPECTED'))
      .map(([run, code]) => named('open', (world, now) => world.openCase(run, now, code))),
    fc
      .tuple(which, fc.constantFrom<CaseState>('resolved', 'open', 'waived', 'in_repair'))
      .map(([id, state]) => named(`case ${state}`, (world, now) => world.moveCase(id, now, state))),
    which.map((run) => named('provision', (world, now) => world.provision(run, now))),
    fc.constant(named('UPDATE', (world) => updateKpis(world.store, ZONES))),
  )
  .chain(({ name, act }) => fc.integer({ min: 1, max: 2000 }).map((later) => ({ name, later, act })));

function named(name: string, act: Deed) {
  return { name, act, toString: () => name };
}

test('key figures are what all rows give, whenever they are brought up to date', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(deed, { minLength: 30, maxLength: 120 }), async (deeds) => {
      const world = new World(await openTestStore());
      const { store } = world;
      try {
        let now = 0;
        for (const { act, later } of deeds) {
          now += later;
          await act(world, now);
        }
        // What is under way is not counted yet.
        for (const index of await world.underWay()) await world.endRun(index, ++now, false, 'len_a');
        await updateKpis(store, ZONES);
        const all = await bruteForce(store);
        expect(await kpiReport(store, ALL)).toEqual([figuresOf(all, null)]);
        for (const by of ['day', 'legalEntity', 'tier', 'system', 'subject'] as const) {
          expect(await kpiReport(store, ALL, by)).toEqual(grouped(all, by));
        }
        const [day] = all.map((each) => each.day).sort();
        if (day !== undefined) {
          const filter = { from: day, to: day, legalEntity: 'len_a' };
          const some = all.filter((each) => each.day === day && each.legalEntity === 'len_a');
          expect(await kpiReport(store, filter)).toEqual([figuresOf(some, null)]);
        }
      } finally {
        await store.close();
      }
    }),
    // A schema of its own for each run takes PostgreSQL longer than all the rest.
    { numRuns: testedKind() === 'sqlite' ? 100 : 10 },
  );
}, 120_000);

test('the end of a run tells of which legal entity a deal is that was set up long before', async () => {
  const world = new World(await openTestStore());
  const { store } = world;
  await world.acceptDeal(0, 0);
  await world.provision(0, 30);
  await updateKpis(store, ZONES);
  expect(await kpiReport(store, ALL, 'legalEntity')).toMatchObject([
    { group: '', projectSetup: { count: 1 } },
  ]);
  const others = Array.from({ length: 700 }, (_, index) => index + 1);
  await Promise.all(others.map(() => world.acceptDeal(31, 0)));
  await Promise.all(others.map((deal) => world.provision(deal, 32)));
  await updateKpis(store, ZONES);
  await world.endRun(0, 40, false, 'len_b');
  await updateKpis(store, ZONES);
  expect(await kpiReport(store, ALL, 'legalEntity')).toMatchObject([
    { group: '', projectSetup: { count: 700 } },
    { group: 'len_b', projectSetup: { count: 1, medianMs: rounded(30 * 60_000 + 30) } },
  ]);
  await store.close();
});

test('an update that is broken off is gone on with', async () => {
  const world = new World(await openTestStore());
  const { store } = world;
  const write = { operation: 'project.create', state: 'confirmed', origin: 'call', undoes: false } as const;
  for (let deal = 0; deal < 60; deal++) {
    await world.acceptDeal(deal, 0);
    await world.step(deal, deal, write);
    await world.endRun(deal, deal + 100, false, null);
  }
  const stopping = new AbortController();
  const stoppedAfterOne: Store['perform'] = (...call) => {
    stopping.abort();
    return store.perform(...call);
  };
  const stopAtFirst = { ...store, perform: stoppedAfterOne };
  await updateKpis(stopAtFirst, ZONES, stopping.signal);
  const attempted = async () => (await kpiReport(store, ALL))[0]?.writes.attempted;
  expect(await attempted()).toBeLessThan(60);
  expect(await countedUntil(store)).toBeNull();
  await updateKpis(store, ZONES);
  expect(await attempted()).toBe(60);
  expect(await countedUntil(store)).not.toBeNull();
  await store.close();
});

test('durations keep three digits', () => {
  expect([0, 7, 999, 1000, 1234, 98_765, 1_234_567, 999_999].map(rounded)).toEqual([
    0, 7, 999, 1000, 1230, 98_800, 1_230_000, 1_000_000,
  ]);
});

test('open exceptions are told by kind, system and legal entity, with the amounts at risk', async () => {
  const world = new World(await openTestStore());
  await world.acceptDeal(0, 0);
  await world.openCase(0, 1, 'CREDIT_HOLD');
  await world.openCase(0, 2, 'CREDIT_HOLD');
  await world.openCase(0, 3, 'NODE_FAILED');
  await world.moveCase(2, 4, 'resolved');
  await world.endRun(0, 5, true, 'len_a');
  const kind = { code: 'CREDIT_HOLD', ownerRole: 'finance_ops', system: '', legalEntity: 'len_a' };
  const open = [{ ...kind, count: 2, oldestAt: at(1), atRisk: { EUR: '200.20' } }];
  expect(await openExceptions(world.store)).toEqual(open);
  expect(await openExceptions(world.store, { legalEntity: 'len_a' })).toEqual(open);
  expect(await openExceptions(world.store, { legalEntity: 'len_b' })).toEqual([]);
  await world.store.close();
});

test('work lists: deals that wait for their project, and projects with nothing to bill by', async () => {
  const world = new World(await openTestStore());
  const { store } = world;
  const project = { operation: 'project.create', state: 'confirmed', origin: 'call', undoes: false } as const;
  const billing = { ...project, operation: 'billingSchedule.create' };
  for (let deal = 0; deal < 4; deal++) await world.acceptDeal(deal, 0);
  // 0 waits, 1 has failed, 2 has a project without billing, 3 has both.
  await world.endRun(1, 10, true, null);
  for (const deal of [2, 3]) {
    await world.step(deal, 10, project);
    await world.provision(deal, 11);
  }
  await world.step(3, 12, billing);
  for (const deal of [2, 3]) await world.endRun(deal, 13, deal === 2, null);
  await updateKpis(store, ZONES);

  const ids = world.runs.map(({ correlationId }) => correlationId);
  expect(await workList(store, 'awaiting_project', 10)).toEqual({
    total: 2,
    items: [
      { correlationId: ids[0], title: 'Deal', since: at(0), state: 'running' },
      { correlationId: ids[1], title: 'Deal', since: at(1), state: 'failed' },
    ],
    next: null,
  });
  const first = await workList(store, 'awaiting_project', 1);
  expect(first).toMatchObject({ total: 2, items: [{ correlationId: ids[0] }] });
  expect(await workList(store, 'awaiting_project', 1, first.next)).toMatchObject({
    items: [{ correlationId: ids[1] }],
    next: null,
  });
  expect(await countWork(store)).toEqual([
    { list: 'awaiting_project', total: 2 },
    { list: 'without_billing', total: 1 },
  ]);
  expect(await workList(store, 'without_billing', 10)).toMatchObject({
    total: 1,
    items: [{ correlationId: ids[2], state: 'failed' }],
  });
  await store.close();
});
