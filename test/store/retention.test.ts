import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { insertCorrection, keepDocument } from '../../lib/engine/correction-rows';
import { newId } from '../../lib/model';
import {
  type CaseState,
  openSqliteStore,
  type RunState,
  type StepState,
  type Store,
  seal,
  verifyAudit,
} from '../../lib/store';
import { claimTask, MaintenanceTask } from '../../lib/store/maintenance';
import { DEFAULT_RETENTION, retentionPolicy } from '../../lib/store/retention';
import { emptyReport, type SweepReport, sweep } from '../../lib/store/sweep';
import { until } from '../support/engine';

const now = '2026-06-01T00:00:00.000Z';
const daysAgo = (days: number) => new Date(Date.parse(now) - days * 86_400_000).toISOString();

let store: Store;
beforeEach(async () => {
  store = await openSqliteStore(':memory:');
});
afterEach(() => store.close());

interface Deal {
  days: number;
  operations?: string[];
  state?: RunState;
  steps?: StepState;
  retryAt?: string;
  deal?: string;
}

let count = 0;

/** A run of a deal that ended some days ago, with steps and its event. */
async function run({ days, operations = ['task.create'], deal = newId('opportunity'), ...rest }: Deal) {
  const id = `run_${++count}`;
  const at = daysAgo(days);
  await store.write(async (tx) => {
    const event = { source: '/q2c/crm', event_id: id };
    const inserted = await tx
      .insertInto('event')
      .values({
        ...event,
        type: 't',
        subject: deal,
        time: at,
        received_at: at,
        data: seal(tx, 'event', 'data', event, '{}'),
        duplicates: 0,
      })
      .returning('seq')
      .executeTakeFirstOrThrow();
    await tx
      .insertInto('run')
      .values({
        id,
        event_seq: inserted.seq,
        source_node: 'source',
        ordering_key: deal,
        correlation_id: deal,
        title: 'Deal',
        state: rest.state ?? 'completed',
        attempt: 1,
        retry_at: rest.retryAt ?? null,
        created_at: at,
        ended_at: at,
      })
      .execute();
    for (const operation of operations) {
      const key = `${id}:${operation}`;
      await tx
        .insertInto('step')
        .values({
          key,
          run_id: id,
          run_attempt: 1,
          node_id: 'n',
          node_name: 'N',
          system: 'erp',
          instance: 'main',
          operation,
          canonical_id: deal,
          fingerprint: 'f',
          idempotency_key: key,
          state: rest.steps ?? 'confirmed',
          calls: 1,
          probes: 0,
          wire: seal(tx, 'step', 'wire', { key }, '{}'),
          started_at: at,
          ended_at: at,
        })
        .execute();
    }
  });
  return { id, deal };
}

async function addCase(runId: string, deal: string, state: CaseState, days: number): Promise<void> {
  const id = newId('exceptionCase');
  const at = daysAgo(days);
  await store.write(async (tx) => {
    await tx
      .insertInto('exception_case')
      .values({
        id,
        dedupe_key: id,
        code: 'TARGET_REJECTED',
        message: seal(tx, 'exception_case', 'message', { id }, 'no'),
        owner_role: 'finance_ops',
        severity: 'high',
        state,
        correlation_id: deal,
        subject: deal,
        run_id: runId,
        run_attempt: 1,
        node_id: 'n',
        node_name: 'N',
        detail: seal(tx, 'exception_case', 'detail', { id }, '{}'),
        occurrences: 1,
        reopened: 0,
        opened_at: at,
        updated_at: at,
        resolved_at: state === 'resolved' ? at : null,
      })
      .execute();
    const line = { case_id: id, at, action: 'opened' };
    await tx
      .insertInto('case_history')
      .values({ ...line, actor: 'engine', detail: seal(tx, 'case_history', 'detail', line, '{}') })
      .execute();
    const approval = { id: `approval-${id}` };
    await tx
      .insertInto('case_approval')
      .values({
        ...approval,
        case_id: id,
        state: 'done',
        request: seal(tx, 'case_approval', 'request', approval, '{"action":"waive"}'),
        because: 'The case is about money.',
        policy_version: 'default',
        reason: 'small',
        requested_by: 'kim',
        requested_at: at,
        decided_by: 'lea',
        decided_at: at,
        note: null,
      })
      .execute();
  });
}

async function addOutbox(deal: string, createdDays: number, sentDays: number | null): Promise<string> {
  const event_id = `event-${++count}`;
  await store.write((tx) =>
    tx
      .insertInto('outbox')
      .values({
        event_id,
        type: 't',
        subject: newId('customer'),
        ordering_key: deal,
        envelope: seal(tx, 'outbox', 'envelope', { event_id }, JSON.stringify({ correlationid: deal })),
        created_at: daysAgo(createdDays),
        sent_at: sentDays === null ? null : daysAgo(sentDays),
      })
      .execute(),
  );
  return event_id;
}

const none: SweepReport = emptyReport();
const sweepNow = (policy = DEFAULT_RETENTION) => sweep(store, policy, { now });
const kept = async () =>
  (await store.db.selectFrom('run').select('id').orderBy('seq').execute()).map(({ id }) => id);

test('an old run goes with its steps and its event; a young one stays', async () => {
  await run({ days: 31, operations: ['task.create', 'contact.upsert', 'deal.read'] });
  const young = await run({ days: 29 });
  expect(await sweepNow()).toEqual({ ...none, run: 1, step: 3, event: 1 });
  expect(await kept()).toEqual([young.id]);
  expect(await store.db.selectFrom('event').select('event_id').execute()).toEqual([{ event_id: young.id }]);
  expect(await sweepNow()).toEqual(none);
});

test('what people have decided about a run goes with it', async () => {
  for (const days of [31, 29]) {
    const { id } = await run({ days, state: 'cancelled' });
    const by = { run_id: id, actor: 'kim', reason: 'agreed' };
    const step = { node_id: 'n', operation: 'task.create', canonical_id: 'tsk', external_id: null };
    await store.write(async (tx) => {
      await tx
        .insertInto('cancellation')
        .values({ ...by, requested_at: now, attempts: 0 })
        .execute();
      await tx
        .insertInto('step_decision')
        .values({ ...by, ...step, key: `${id}:d`, kind: 'skip', value: null, at: now })
        .execute();
      await keepDocument(tx, { id }, 'check', {}, now);
    });
  }
  const [young] = (await kept()).slice(-1);
  await sweepNow();
  for (const table of ['cancellation', 'step_decision', 'checked_document'] as const) {
    expect(await store.db.selectFrom(table).select('run_id').execute()).toEqual([{ run_id: young }]);
  }
});

test.each(['customer.upsert', 'salesOrder.create', 'billingSchedule.create', 'something.new'])(
  'the key of %s lives 400 days, and as long as something happens to its deal',
  async (operation) => {
    const { id, deal } = await run({ days: 399, operations: ['task.create', operation] });
    expect(await sweepNow()).toEqual(none);
    expect(await kept()).toEqual([id]);

    const age = (run: { id: string }, days: number) =>
      store.write((tx) =>
        tx
          .updateTable('run')
          .set({ created_at: daysAgo(days), ended_at: daysAgo(days) })
          .where('id', '=', run.id)
          .execute(),
      );
    await age({ id }, 900);
    await run({ days: 500, deal, operations: ['invoice.read'] });
    const last = await run({ days: 200, deal, operations: ['invoice.read'] });
    expect(await sweepNow()).toEqual({ ...none, run: 1, step: 1, event: 1 });
    expect(await kept()).toEqual([id, last.id]);
    expect(await sweepNow()).toEqual(none);

    await age(last, 401);
    expect(await sweepNow()).toEqual({ ...none, run: 2, step: 3, event: 2 });
  },
);

test.each<[string, Partial<Deal>]>([
  ['is queued', { state: 'queued' }],
  ['is running', { state: 'running' }],
  ['is tried again by itself', { state: 'failed', retryAt: '2026-06-01T01:00:00.000Z' }],
  ['has a call of unknown outcome', { steps: 'unknown' }],
  ['has a call that was never answered', { steps: 'intent' }],
])('a run stays, however old, when it %s', async (_, deal) => {
  await run({ days: 2000, ...deal });
  expect(await sweepNow()).toEqual(none);
});

test.each<CaseState>(['open', 'assigned', 'in_repair', 'ready_to_replay', 'replaying'])(
  'nothing of a deal goes while one of its cases is %s',
  async (state) => {
    const failed = await run({ days: 1000, state: 'failed' });
    await run({ days: 900, deal: failed.deal });
    await addCase(failed.id, failed.deal, state, 1000);
    await addOutbox(failed.deal, 1000, 1000);
    expect(await sweepNow()).toEqual(none);
    await store.write((tx) =>
      tx
        .updateTable('exception_case')
        .set({ state: 'waived', updated_at: daysAgo(401) })
        .execute(),
    );
    expect(await sweepNow()).toEqual({
      run: 2,
      step: 2,
      event: 2,
      exception_case: 1,
      case_history: 1,
      outbox: 1,
      rejected_event: 0,
    });
    expect(await store.db.selectFrom('case_approval').selectAll().execute()).toEqual([]);
  },
);

test('a settled case stays 400 days after it was settled', async () => {
  await addCase('run_x', newId('opportunity'), 'resolved', 399);
  expect(await sweepNow()).toEqual(none);
  expect(await sweepNow({ ...DEFAULT_RETENTION, caseDays: 300 })).toMatchObject({ exception_case: 1 });
});

test('an event waits in the outbox until it is sent, and then for its deal', async () => {
  const { deal } = await run({ days: 1, state: 'queued' });
  const told = await addOutbox(deal, 500, 499);
  const unsent = await addOutbox(newId('opportunity'), 500, null);
  const fresh = await addOutbox(newId('opportunity'), 500, 2);
  await addOutbox(newId('opportunity'), 500, 499);
  expect(await sweepNow()).toEqual({ ...none, outbox: 1 });
  const rest = await store.db.selectFrom('outbox').select('event_id').orderBy('seq').execute();
  expect(rest.map(({ event_id }) => event_id)).toEqual([told, unsent, fresh]);
});

test('an event that was handed on goes with its deliveries, a rejected one after it came last', async () => {
  const gone = await addOutbox(newId('opportunity'), 500, 499);
  const fresh = await addOutbox(newId('opportunity'), 500, 2);
  await store.write(async (tx) => {
    const rows = await tx.selectFrom('outbox').select(['seq', 'event_id']).execute();
    for (const { seq, event_id } of rows) {
      await tx
        .insertInto('outbox_delivery')
        .values({ receiver: event_id, outbox_seq: seq, delivered_at: daysAgo(499) })
        .execute();
    }
    for (const [digest, days] of [
      ['old', 31],
      ['young', 29],
    ] as const) {
      await tx
        .insertInto('rejected_event')
        .values({
          ...{ digest, node_id: 'n', topic: 't', reason: 'r', arrivals: 1, first_at: daysAgo(400) },
          last_at: daysAgo(days),
          payload: seal(tx, 'rejected_event', 'payload', { digest }, '{}'),
        })
        .execute();
    }
  });
  expect(await sweepNow()).toEqual({ ...none, outbox: 1, rejected_event: 1 });
  const deliveries = await store.db.selectFrom('outbox_delivery').select('receiver').execute();
  expect(deliveries).toEqual([{ receiver: fresh }]);
  expect(deliveries).not.toContainEqual({ receiver: gone });
  expect(await store.db.selectFrom('rejected_event').select('digest').execute()).toEqual([
    { digest: 'young' },
  ]);
});

test('retries of many runs are forgotten some time after their end', async () => {
  const ends = { old: daysAgo(31), young: daysAgo(29), unfinished: null };
  await store.write(async (tx) => {
    for (const [id, ended_at] of Object.entries(ends)) {
      const values = { filter: '{}', at_once: 2, actor: 'kim', reason: 'r', started_at: daysAgo(400) };
      await tx
        .insertInto('bulk_retry')
        .values({ id, ...values, state: 'running', ended_at })
        .execute();
      const retried = { bulk_retry: id, run_seq: 1, run_id: 'run_1', attempt: null };
      await tx
        .insertInto('bulk_retry_run')
        .values({ ...retried, state: 'passed_over' })
        .execute();
    }
  });
  expect(await sweepNow()).toEqual(none);
  const left = await store.db.selectFrom('bulk_retry').select('id').orderBy('id').execute();
  expect(left.map(({ id }) => id)).toEqual(['unfinished', 'young']);
  const runs = await store.db
    .selectFrom('bulk_retry_run')
    .select('bulk_retry')
    .orderBy('bulk_retry')
    .execute();
  expect(runs.map(({ bulk_retry }) => bulk_retry)).toEqual(['unfinished', 'young']);
});

test('what a run had kept while it waited goes with it; a key that passed once over all runs stays', async () => {
  const old = await run({ days: 31 });
  const young = await run({ days: 29 });
  await store.write(async (tx) => {
    for (const { id } of [old, young]) {
      const about = { run_id: id, node_id: 'n' };
      await tx
        .insertInto('suspension')
        .values({
          ...{
            ...about,
            place: id,
            node_name: 'N',
            event: 'approval',
            match_key: 'k',
            parent: 0,
            state: 'done',
          },
          ...{ holds_order: 1, on_timeout: 'send', about: '{}', created_at: daysAgo(31) },
        })
        .execute();
      for (const scope of [`run:${id}`, `key:${id}`]) {
        await tx
          .insertInto('passage')
          .values({ ...about, scope, state: 'passed', passed_at: daysAgo(31) })
          .execute();
      }
    }
  });
  await sweepNow();
  expect(await store.db.selectFrom('suspension').select('run_id').execute()).toEqual([{ run_id: young.id }]);
  const scopes = await store.db.selectFrom('passage').select('scope').orderBy('scope').execute();
  expect(scopes.map(({ scope }) => scope)).toEqual([`key:${old.id}`, `key:${young.id}`, `run:${young.id}`]);
});

test('what a deal is found by goes with its last run', async () => {
  const gone = await run({ days: 31 });
  const left = await run({ days: 31 });
  await run({ days: 29, deal: left.deal });
  await store.write(async (tx) => {
    for (const correlation_id of [gone.deal, left.deal]) {
      await tx
        .insertInto('deal_term')
        .values({ term: 'acme', correlation_id, kind: 'name', system: null })
        .execute();
      const about = { record: 'cus_1', caseId: 'exc_1', runId: left.id, actor: 'kim', reason: 'agreed' };
      const change = { path: 'legalName', before: 'ACME', after: 'ACME SE' };
      await insertCorrection(tx, correlation_id, {
        id: `cor_${correlation_id}`,
        ...about,
        ...change,
        at: now,
      });
    }
  });
  await sweepNow();
  for (const table of ['deal_term', 'record_correction'] as const) {
    expect(await store.db.selectFrom(table).select('correlation_id').execute()).toEqual([
      { correlation_id: left.deal },
    ]);
  }
});

test('stale events, which have no run, go by their age', async () => {
  for (const [event_id, days] of [
    ['old', 31],
    ['young', 29],
  ] as const) {
    const event = { source: '/q2c/crm', event_id };
    const at = daysAgo(days);
    await store.write((tx) =>
      tx
        .insertInto('event')
        .values({
          ...{ ...event, type: 't', subject: newId('opportunity'), time: at, received_at: at, duplicates: 0 },
          data: seal(tx, 'event', 'data', event, '{}'),
          disposition: 'stale',
        })
        .execute(),
    );
  }
  expect(await sweepNow()).toEqual({ ...none, event: 1 });
  expect(await store.db.selectFrom('event').select('event_id').execute()).toEqual([{ event_id: 'young' }]);
});

test('cross-references, natural keys, cursors and the audit stay; the audit tells what went', async () => {
  await run({ days: 5000 });
  await store.write(async (tx) => {
    const id = newId('customer');
    const created_at = daysAgo(5000);
    await tx
      .insertInto('xref')
      .values({
        ...{ system: 'erp', instance: 'main', type: 'customer', external_id: '1' },
        ...{ canonical_id: id, entity: 'customer', role: 'copy', created_at },
      })
      .execute();
    await tx
      .insertInto('natural_key')
      .values({ entity: 'customer', key: 'k', canonical_id: id, holder: 'ACME', created_at })
      .execute();
    await tx.insertInto('cursor').values({ source: 's', value: '1', updated_at: created_at }).execute();
  });
  await sweepNow();
  for (const table of ['xref', 'natural_key', 'cursor'] as const) {
    expect(await store.db.selectFrom(table).selectAll().execute()).toHaveLength(1);
  }
  const audit = await store.db.selectFrom('audit').select(['action', 'detail']).execute();
  expect(audit.map(({ action, detail }) => ({ action, ...JSON.parse(detail) }))).toEqual([
    {
      action: 'retention.swept',
      removed: { ...none, run: 1, step: 1, event: 1 },
      policy: DEFAULT_RETENTION,
    },
  ]);
  expect(await verifyAudit(store)).toBeNull();
  await sweepNow();
  expect(await store.db.selectFrom('audit').selectAll().execute()).toHaveLength(1);
});

test('kept for ever means for ever', async () => {
  const { id, deal } = await run({ days: 9000, operations: ['customer.upsert'] });
  await addOutbox(deal, 9000, 9000);
  await addCase(id, deal, 'resolved', 9000);
  const forever = retentionPolicy({ financialDays: 0, otherDays: 0, caseDays: 0, outboxDays: 0 });
  expect(await sweepNow(forever)).toEqual(none);
  expect(await sweepNow({ ...DEFAULT_RETENTION, financialDays: null })).toMatchObject({ run: 0, outbox: 1 });
});

test.each([{ financialDays: 399 }, { otherDays: -1 }, { caseDays: 1.5 }, { outboxDays: Number.NaN }])(
  'a policy that cannot be is refused: %p',
  (set) => {
    const [name = ''] = Object.keys(set);
    expect(() => retentionPolicy(set)).toThrow(
      expect.objectContaining({ code: 'CONFIG_MISSING', message: expect.stringContaining(name) }),
    );
  },
);

test('a large store is swept without holding the loop, and a sweep can be broken off', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'q2c-retention-'));
  await store.close();
  store = await openSqliteStore(join(folder, 'q2c.db'));
  const operations = Array.from({ length: 10 }, (_, index) => `task.create-${index}`);
  await Promise.all(Array.from({ length: 1500 }, () => run({ days: 100, operations })));
  await run({ days: 100, operations: Array.from({ length: 1000 }, (_, index) => `task.large-${index}`) });
  const deal = newId('opportunity');
  await Promise.all(
    Array.from({ length: 500 }, () => run({ days: 1000, deal, operations: ['customer.upsert'] })),
  );

  const stop = new AbortController();
  const first = sweep(store, DEFAULT_RETENTION, { now, signal: stop.signal });
  await until('it has begun', async () => (await kept()).length < 2001);
  stop.abort();
  const removed = await first;
  expect(removed.run).toBeLessThan(2001);
  expect(await kept()).toHaveLength(2001 - removed.run);

  const delay = monitorEventLoopDelay({ resolution: 1 });
  delay.enable();
  const second = await sweepNow();
  delay.disable();
  expect(removed.run + second.run).toBe(2001);
  expect(removed.step + second.step).toBe(16_500);
  // A busy machine takes the processor away now and then; what the sweep itself holds shows in the percentile.
  expect(delay.percentile(99) / 1e6).toBeLessThan(20);
  await store.close();
  rmSync(folder, { recursive: true });
  store = await openSqliteStore(':memory:');
}, 60_000);

describe('maintenance', () => {
  test('of several hosts one takes a task on, and none before its time', async () => {
    const claims = await Promise.all([1, 2, 3].map(() => claimTask(store, 'retention', 60_000, now)));
    expect(claims).toEqual([true, false, false]);
    expect(await claimTask(store, 'retention', 60_000, '2026-06-01T00:00:59.000Z')).toBe(false);
    expect(await claimTask(store, 'other', 60_000, '2026-06-01T00:00:59.000Z')).toBe(true);
    expect(await claimTask(store, 'retention', 60_000, '2026-06-01T00:01:00.000Z')).toBe(true);
  });

  test('a task is done again and again, survives its failures, and ends with the host', async () => {
    let runs = 0;
    const failures: unknown[] = [];
    const task = new MaintenanceTask(store, {
      name: 'test',
      everyMs: 0,
      firstMs: 1,
      lookMs: 1,
      run: async () => {
        if (++runs === 1) throw new Error('once');
      },
      onFailure: (error) => failures.push(error),
    });
    task.start();
    await until('three runs', () => runs >= 3);
    await task.stop();
    const after = runs;
    await new Promise((resolve) => setImmediate(resolve));
    expect(runs).toBe(after);
    expect(failures).toEqual([new Error('once')]);
  });
});
