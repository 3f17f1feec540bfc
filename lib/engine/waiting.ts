import { sql } from 'kysely';
import { ulid } from 'ulid';
import { type BusinessEvent, type ExceptionCode, type Instant, type JsonObject, Q2cError } from '../model';
import {
  appendAudit,
  prepared,
  type RunRow,
  type Store,
  type SuspensionRow,
  type SuspensionState,
  type Tx,
} from '../store';
import { openCase, resolveCases } from './cases';
import { type Arrival, toRun } from './runs';
import type { ActiveRun } from './tracker';
import type { CaseSubject, Resumption, Signal, WaitedEvent, WaitOutcome, WaitRequest } from './types';

/** How long events and signals are known to runs that come to wait for them later. */
export const KEPT_MS = 30 * 24 * 3_600_000;

/** Rows taken per scan: bounds how long one write holds the store. */
const SCAN_LIMIT = 100;

const WAITING = sql.lit<SuspensionState>('waiting');
const FIRED = sql.lit<SuspensionState>('fired');

/** Something that has happened, as suspensions are matched with it. */
interface Occurrence {
  /** Names it among all events and signals. */
  ref: string;
  event: string;
  keys: string[];
  content: Omit<WaitedEvent, 'key'>;
}

export interface WaitsOptions {
  store: Store;
  now(): Instant;
  /** Runs may be ready to go on. */
  onReady(): void;
}

/**
 * Runs that wait: a message is kept in the store until an event with its key comes or its time is over, and then goes
 * on from the node that kept it. What let it go on is journaled, so that a run that begins anew passes at once.
 *
 * The run goes through the queue like any other: an event makes its suspension `fired` and the run `queued`; a claim
 * hands the message to its node; the end of that passage makes it `done`. Whatever a crash leaves `fired` is sent again.
 */
export class Waits {
  private readonly nodes = new Map<string, (resumption: Resumption) => void>();

  constructor(private readonly options: WaitsOptions) {}

  /**
   * Makes a node the one that messages kept there go on from.
   * @returns takes the node out again
   */
  register(nodeId: string, resume: (resumption: Resumption) => void): () => void {
    this.nodes.set(nodeId, resume);
    this.options.onReady();
    return () => {
      if (this.nodes.get(nodeId) === resume) this.nodes.delete(nodeId);
    };
  }

  /**
   * Keeps a message, unless what it waits for has happened already.
   * @returns why it goes on at once and the number of its suspension, or null when it waits
   */
  async arrive(
    active: ActiveRun,
    request: WaitRequest,
  ): Promise<{ outcome: WaitOutcome; suspension: number } | null> {
    const ordinal = ordinalOf(active, request);
    return this.options.store.write(async (tx) => {
      const at = this.options.now();
      const suspension = await keep(tx, active, request, ordinal, at);
      if (suspension.outcome !== null) {
        await done(tx, [suspension.seq]);
        return { outcome: outcomeOf(suspension), suspension: suspension.seq };
      }
      const earlier = await earlierOccurrence(tx, active.run.id, request, at);
      if (earlier === null) return null;
      const outcome: WaitOutcome = { by: 'event', event: { ...earlier.content, key: request.key } };
      await tx
        .updateTable('suspension')
        .set({ ...firedBy(outcome, at), occurrence: earlier.ref })
        .where('seq', '=', suspension.seq)
        .execute();
      await done(tx, [suspension.seq]);
      return { outcome, suspension: suspension.seq };
    });
  }

  /**
   * Something has happened that runs may wait for; also for those that come to wait later. A repeated id does nothing.
   * @returns how many messages it let go on
   */
  async signal(signal: Signal): Promise<number> {
    const fired = await this.options.store.write(async (tx) => {
      const at = this.options.now();
      const id = signal.id ?? `sig_${ulid()}`;
      const { event, key, actor, data = {} } = signal;
      const content = { id, type: event, time: at, source: null, actor, data };
      const count = await this.record(tx, { ref: `signal|${id}`, event, keys: [key], content }, at);
      if (count === null) return 0;
      const detail = { event, id, resumed: count };
      await appendAudit(tx, { at, actor, action: 'signal.received', subject: key, runId: null, detail });
      return count;
    });
    if (fired > 0) this.options.onReady();
    return fired;
  }

  /** A business event is announced: part of the write that announces it. @returns how many messages go on */
  async announced(tx: Tx, event: BusinessEvent, at: Instant): Promise<number> {
    const { id, type, time, source, subject, correlationid, data } = event;
    const keys = [...new Set<string>([subject, correlationid])];
    const content = { id, type, time, source, actor: null, data };
    return (await this.record(tx, { ref: `event|${source}|${id}`, event: type, keys, content }, at)) ?? 0;
  }

  /**
   * An event is accepted, and is not stale: part of that write. Later runs find it in the store itself.
   * @returns how many messages go on
   */
  async accepted(tx: Tx, source: string, { subject, event }: Arrival, at: Instant): Promise<number> {
    const { id, type, time, data } = event;
    if ((await selectMatching(tx, { event: type, key: subject })).length === 0) return 0;
    const content = { id, type, time, source, actor: null, data };
    return this.fire(tx, { ref: `event|${source}|${id}`, event: type, keys: [subject], content }, at);
  }

  /** @returns how many messages go on, or null when it was known */
  private async record(tx: Tx, occurrence: Occurrence, at: Instant): Promise<number | null> {
    const { event, keys, content } = occurrence;
    const isNew = await tx
      .insertInto('signal')
      .values(
        keys.map((key) => ({
          event,
          match_key: key,
          id: occurrence.ref,
          content: JSON.stringify(content),
          received_at: at,
        })),
      )
      .onConflict((conflict) => conflict.columns(['event', 'match_key', 'id']).doNothing())
      .returning('seq')
      .execute();
    return isNew.length === 0 ? null : this.fire(tx, occurrence, at);
  }

  private async fire(tx: Tx, { ref, event, keys, content }: Occurrence, at: Instant): Promise<number> {
    let fired = 0;
    for (const key of keys) {
      const rows = await tx
        .updateTable('suspension')
        .set({ ...firedBy({ by: 'event', event: { ...content, key } }, at), occurrence: ref })
        .where('state', '=', WAITING)
        .where('event', '=', event)
        .where('match_key', '=', key)
        .returning('seq')
        .execute();
      fired += rows.length;
    }
    if (fired > 0) await this.wake(tx);
    return fired;
  }

  /** How many messages a node keeps. */
  async count(nodeId: string): Promise<number> {
    const { count } = await this.options.store.db
      .selectFrom('suspension')
      .select((row) => row.fn.countAll<number>().as('count'))
      .where('node_id', '=', nodeId)
      // The list is what its index is made of.
      .where('state', 'in', [WAITING, FIRED])
      .where('state', '=', WAITING)
      .executeTakeFirstOrThrow();
    return Number(count);
  }

  // ------------------------------------------------------------------ going on

  /** Queues runs whose messages can go on. One that is under way is looked at when it ends. @returns how many */
  async wake(tx: Tx): Promise<number> {
    if (this.nodes.size === 0) return 0;
    const rows = await tx
      .updateTable('run')
      .set({ state: 'queued', resume: 1 })
      .where('state', 'in', ['waiting', 'failed'])
      .where('id', 'in', (from) =>
        from
          .selectFrom('suspension')
          .select('run_id')
          .where('state', '=', FIRED)
          .where('node_id', 'in', [...this.nodes.keys()]),
      )
      .returning('seq')
      .execute();
    return rows.length;
  }

  /** Hands the messages of a claimed run to their nodes. */
  resume(active: ActiveRun, suspensions: readonly SuspensionRow[]): void {
    for (const row of suspensions) {
      const resume = this.nodes.get(row.node_id);
      if (resume === undefined) {
        throw new Q2cError('NODE_MISSING', `${row.node_name} was taken out of the flow just now.`);
      }
      active.resumed.push(row.seq);
      active.passed.add(row.node_id);
      resume({
        run: active.run,
        dispatch: active.dispatch,
        suspension: row.seq,
        message: JSON.parse(row.message ?? '{}') as JsonObject,
        outcome: outcomeOf(row),
      });
    }
  }

  // ------------------------------------------------------------------ housekeeping

  /** Lets go on, or makes a case of, what has waited too long, and wakes what a crash has left. */
  async sweep(): Promise<void> {
    const woken = await this.options.store.write(async (tx) => {
      const at = this.options.now();
      for (const row of await overdue(tx, at)) await expire(tx, row, at);
      return this.wake(tx);
    }, 'committed');
    if (woken > 0) this.options.onReady();
  }

  /**
   * Runs that wait at a node that is no longer in the flow become cases, and wait again when it is back. Old signals are
   * forgotten.
   */
  async review(): Promise<void> {
    await this.options.store.write(async (tx) => {
      const at = this.options.now();
      for (const row of await waitingElsewhere(tx, [...this.nodes.keys()])) await reportMissing(tx, row, at);
      await this.resolveMissing(tx, at);
      await forgetSignals(tx, at);
    }, 'committed');
  }

  private async resolveMissing(tx: Tx, at: Instant): Promise<void> {
    if (this.nodes.size === 0) return;
    const cured = await tx
      .selectFrom('exception_case')
      .innerJoin('run', 'run.id', 'exception_case.run_id')
      .selectAll('run')
      .select('exception_case.id as case_id')
      .where('exception_case.code', '=', sql.lit<ExceptionCode>('NODE_MISSING'))
      .where('exception_case.state', 'not in', ['resolved', 'waived'])
      .where('exception_case.node_id', 'in', [...this.nodes.keys()])
      .limit(SCAN_LIMIT)
      .execute();
    for (const { case_id, ...run } of cured) {
      await resolveCases(tx, toRun(run), [{ id: case_id }], at);
      await waitAgain(tx, run);
    }
  }
}

// -------------------------------------------------------------------- rows

/** Suspensions of a run that nothing has brought to an end, as its end must know them. */
export interface OpenWaits {
  isWaiting: boolean;
  /** Some hold the order of their record. */
  holdsOrder: boolean;
}

const selectOpen = prepared<{ run: string }, Pick<SuspensionRow, 'holds_order'>>((db, value) =>
  db
    .selectFrom('suspension')
    .select('holds_order')
    .where('run_id', '=', value.run)
    .where('state', 'in', ['waiting', 'fired']),
);

/** Ends the suspensions whose messages have gone on in this passage. @returns what the run still waits for */
export async function settleWaits(tx: Tx, { run, resumed }: ActiveRun): Promise<OpenWaits> {
  if (resumed.length > 0) await done(tx, resumed);
  const open = await selectOpen(tx, { run: run.id });
  return { isWaiting: open.length > 0, holdsOrder: open.some(({ holds_order }) => holds_order === 1) };
}

/** Runs that begin anew: messages that wait come to their nodes again, those whose event has come pass at once. */
export async function restartWaits(tx: Tx, runIds: readonly string[]): Promise<void> {
  await cancel(tx, runIds, ['waiting']);
}

/** Runs that never go on: they were cancelled, or superseded. */
export async function endWaits(tx: Tx, runIds: readonly string[]): Promise<void> {
  await cancel(tx, runIds, ['waiting', 'fired']);
}

async function cancel(tx: Tx, runIds: readonly string[], states: SuspensionState[]): Promise<void> {
  if (runIds.length === 0) return;
  await tx
    .updateTable('suspension')
    .set({ state: 'cancelled' })
    .where('run_id', 'in', runIds)
    .where('state', 'in', states)
    .execute();
}

/**
 * Messages of a run that are to go on. Not among them are those behind another one that goes on as well: that one comes
 * to their node again.
 */
export async function resumptionsOf(tx: Tx, run: RunRow): Promise<SuspensionRow[]> {
  const all = await tx
    .selectFrom('suspension')
    .selectAll()
    .where('run_id', '=', run.id)
    .orderBy('seq')
    .execute();
  const bySeq = new Map(all.map((row) => [row.seq, row]));
  const goesOn = (row: SuspensionRow | undefined): boolean =>
    row !== undefined && (row.state === 'fired' || goesOn(bySeq.get(row.parent)));
  return all.filter((row) => row.state === 'fired' && !goesOn(bySeq.get(row.parent)));
}

/** Which of the messages of this passage it is that wait for the same. */
function ordinalOf(active: ActiveRun, { node, event, key, parent }: WaitRequest): number {
  const place = JSON.stringify([node.id, event, key, parent]);
  const ordinal = active.arrivals.get(place) ?? 0;
  active.arrivals.set(place, ordinal + 1);
  return ordinal;
}

/** Keeps the message at its place. One that was there before is replaced; deadline and outcome stay. */
async function keep(
  tx: Tx,
  { run }: ActiveRun,
  request: WaitRequest,
  ordinal: number,
  at: Instant,
): Promise<Pick<SuspensionRow, 'seq' | 'outcome'>> {
  const message = JSON.stringify(request.message);
  return tx
    .insertInto('suspension')
    .values({
      run_id: run.id,
      node_id: request.node.id,
      node_name: request.node.name,
      event: request.event,
      match_key: request.key,
      parent: request.parent,
      ordinal,
      state: 'waiting',
      holds_order: request.holdsOrder ? 1 : 0,
      deadline: request.deadline,
      on_timeout: request.onTimeout,
      about: JSON.stringify(request.about),
      message,
      created_at: at,
    })
    .onConflict((conflict) =>
      conflict
        .columns(['run_id', 'node_id', 'event', 'match_key', 'parent', 'ordinal'])
        .doUpdateSet((row) => ({
          state: row
            .case()
            .when('suspension.outcome', 'is', null)
            .then<SuspensionState>('waiting')
            .else(row.ref('suspension.state'))
            .end(),
          message,
        })),
    )
    .returning(['seq', 'outcome'])
    .executeTakeFirstOrThrow();
}

const firedBy = (outcome: WaitOutcome, at: Instant) => ({
  state: 'fired' as const,
  outcome: JSON.stringify(outcome),
  ended_at: at,
});

const outcomeOf = (row: Pick<SuspensionRow, 'outcome'>): WaitOutcome =>
  JSON.parse(row.outcome ?? 'null') as WaitOutcome;

async function done(tx: Tx, suspensions: readonly number[]): Promise<void> {
  await tx
    .updateTable('suspension')
    .set({ state: 'done', message: null })
    .where('seq', 'in', suspensions)
    .execute();
}

const selectMatching = prepared<{ event: string; key: string }, { seq: number }>((db, value) =>
  db
    .selectFrom('suspension')
    .select('seq')
    .where('state', '=', WAITING)
    .where('event', '=', value.event)
    .where('match_key', '=', value.key)
    .limit(1),
);

/** The latest event or signal from before that lets this message go on. */
async function earlierOccurrence(
  tx: Tx,
  runId: string,
  request: WaitRequest,
  at: Instant,
): Promise<Pick<Occurrence, 'ref' | 'content'> | null> {
  if (request.earlier === 'never') return null;
  const since = new Date(Date.parse(at) - KEPT_MS).toISOString();
  for (const found of [
    ...(await signalsOf(tx, request, since)),
    ...(await eventsOf(tx, runId, request, since)),
  ]) {
    if (!(await isUsed(tx, found.ref, runId, request))) return found;
  }
  return null;
}

async function signalsOf(tx: Tx, { event, key }: WaitRequest, since: Instant) {
  const rows = await tx
    .selectFrom('signal')
    .select(['id', 'content'])
    .where('event', '=', event)
    .where('match_key', '=', key)
    .where('received_at', '>=', since)
    .orderBy('seq', 'desc')
    .limit(SCAN_LIMIT)
    .execute();
  return rows.map(({ id, content }) => ({ ref: id, content: JSON.parse(content) as Occurrence['content'] }));
}

/** Accepted events about the key, but for the run's own; stale ones have no run. */
async function eventsOf(tx: Tx, runId: string, { event, key }: WaitRequest, since: Instant) {
  const rows = await tx
    .selectFrom('run')
    .innerJoin('event', 'event.seq', 'run.event_seq')
    .select(['event.event_id', 'event.type', 'event.time', 'event.source', 'event.data'])
    .where('run.correlation_id', '=', key)
    .where('run.id', '!=', runId)
    .where('event.type', '=', event)
    .where('event.received_at', '>=', since)
    .orderBy('event.seq', 'desc')
    .limit(SCAN_LIMIT)
    .execute();
  return rows.map(({ event_id: id, type, time, source, data }) => ({
    ref: `event|${source}|${id}`,
    content: { id, type, time, source, actor: null, data: JSON.parse(data) as JsonObject },
  }));
}

/**
 * An event lets a message pass a node once, however often it comes back to it; another one of the same run, which came
 * the same way, may pass too. Where events count once, those that another run has used do not count.
 */
async function isUsed(tx: Tx, ref: string, runId: string, request: WaitRequest): Promise<boolean> {
  const used = await tx
    .selectFrom('suspension')
    .select(['run_id', 'parent'])
    .where('occurrence', '=', ref)
    .where('node_id', '=', request.node.id)
    .execute();
  return used.some(({ run_id, parent }) =>
    run_id === runId ? parent !== request.parent : request.earlier === 'once',
  );
}

// -------------------------------------------------------------------- time

type Overdue = Awaited<ReturnType<typeof overdue>>[number];

/** What has waited too long, of runs that are not under way: those are looked at when they have ended. */
function overdue(tx: Tx, at: Instant) {
  return tx
    .selectFrom('suspension')
    .innerJoin('run', 'run.id', 'suspension.run_id')
    .selectAll('run')
    .select([
      'suspension.seq as suspension',
      'suspension.deadline',
      'suspension.on_timeout',
      'suspension.event',
      'suspension.about',
      'suspension.node_id',
      'suspension.node_name',
    ])
    .where('suspension.state', '=', WAITING)
    .where('suspension.deadline', '<=', at)
    .where('run.state', 'in', ['waiting', 'failed'])
    .limit(SCAN_LIMIT)
    .execute();
}

async function expire(tx: Tx, row: Overdue, at: Instant): Promise<void> {
  if (row.on_timeout === 'send') {
    await tx
      .updateTable('suspension')
      .set(firedBy({ by: 'timeout', deadline: row.deadline ?? at }, at))
      .where('seq', '=', row.suspension)
      .execute();
    return;
  }
  // The event may still come: then the message goes on and the case is resolved.
  await tx.updateTable('suspension').set({ deadline: null }).where('seq', '=', row.suspension).execute();
  const about = JSON.parse(row.about) as CaseSubject;
  await openCase(
    tx,
    toRun(row),
    {
      node: { id: row.node_id, name: row.node_name },
      code: 'WAIT_TIMED_OUT',
      subject: row.correlation_id,
      about: { ...about, params: { document: row.title, event: row.event, ...about.params } },
      detail: { event: row.event, deadline: row.deadline },
    },
    at,
  );
  await failWaiting(tx, row.id);
}

async function forgetSignals(tx: Tx, at: Instant): Promise<void> {
  const before = new Date(Date.parse(at) - KEPT_MS).toISOString();
  await tx
    .deleteFrom('signal')
    .where('seq', 'in', (from) =>
      from.selectFrom('signal').select('seq').where('received_at', '<', before).limit(SCAN_LIMIT),
    )
    .execute();
}

// -------------------------------------------------------------------- missing nodes

/** Runs that wait at nodes other than these. */
async function waitingElsewhere(tx: Tx, nodeIds: readonly string[]) {
  const nodes = await tx
    .selectFrom('suspension')
    .select('node_id')
    .distinct()
    .where('state', 'in', [WAITING, FIRED])
    .execute();
  const missing = nodes.map(({ node_id }) => node_id).filter((id) => !nodeIds.includes(id));
  if (missing.length === 0) return [];
  return tx
    .selectFrom('suspension')
    .innerJoin('run', 'run.id', 'suspension.run_id')
    .selectAll('run')
    .select(['suspension.node_id', 'suspension.node_name'])
    .where('suspension.node_id', 'in', missing)
    .where('suspension.state', 'in', [WAITING, FIRED])
    .where('run.state', '=', 'waiting')
    .limit(SCAN_LIMIT)
    .execute();
}

async function reportMissing(
  tx: Tx,
  row: RunRow & { node_id: string; node_name: string },
  at: Instant,
): Promise<void> {
  await openCase(
    tx,
    toRun(row),
    {
      node: { id: row.node_id, name: row.node_name },
      code: 'NODE_MISSING',
      subject: row.correlation_id,
      about: { params: { document: row.title, node: row.node_name }, ownerRole: 'integration_ops' },
    },
    at,
  );
  await failWaiting(tx, row.id);
}

async function failWaiting(tx: Tx, runId: string): Promise<void> {
  await tx
    .updateTable('run')
    .set({ state: 'failed' })
    .where('id', '=', runId)
    .where('state', '=', 'waiting')
    .execute();
}

/** Unless something else is open, the run waits as before. */
async function waitAgain(tx: Tx, run: RunRow): Promise<void> {
  await tx
    .updateTable('run')
    .set({ state: 'waiting' })
    .where('id', '=', run.id)
    .where('state', '=', 'failed')
    .where((where) =>
      where.not(
        where.exists(
          where
            .selectFrom('exception_case')
            .select('exception_case.id')
            .whereRef('exception_case.run_id', '=', 'run.id')
            .where('exception_case.state', 'not in', ['resolved', 'waived']),
        ),
      ),
    )
    .execute();
}
