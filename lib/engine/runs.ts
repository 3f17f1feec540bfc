import { type SqlBool, sql } from 'kysely';
import { type CanonicalId, type Instant, newUlid } from '../model';
import {
  boundLimit,
  type EventRow,
  isShared,
  prepared,
  type RunRow,
  type RunState,
  type StepState,
  seal,
  skipLocked,
  type Tx,
  tryLocks,
  updateTogether,
} from '../store';
import type { Lease } from './leases';
import type { IntakeBatch, IntakeEvent, NodeInfo, Run } from './types';

/** Rows of runs: made, claimed, ended. All functions work inside a write. */

/** Rows changed by one statement. */
const CHUNK = 500;

export function toRun(row: RunRow): Run {
  return {
    id: row.id,
    attempt: row.attempt,
    correlationId: row.correlation_id,
    orderingKey: row.ordering_key,
    sourceNode: row.source_node,
    title: row.title,
  };
}

interface NewRun {
  eventSeq: number | null;
  sourceNode: string;
  orderingKey: CanonicalId;
  correlationId: CanonicalId;
  title: string;
  state: 'parked' | 'queued' | 'running';
}

type RunValues = Omit<
  RunRow,
  'seq' | 'retry_at' | 'ended_at' | 'at_nodes' | 'resume' | 'holds_key' | 'catch_up' | 'legal_entity'
>;

const insertRunRow = prepared<{ [Field in keyof RunValues]: RunValues[Field] }>((db, value) =>
  db.insertInto('run').values({
    id: value.id,
    event_seq: value.event_seq,
    source_node: value.source_node,
    ordering_key: value.ordering_key,
    correlation_id: value.correlation_id,
    title: value.title,
    state: value.state,
    attempt: value.attempt,
    lease_owner: value.lease_owner,
    lease_until: value.lease_until,
    created_at: value.created_at,
    started_at: value.started_at,
  }),
);

export async function insertRun(tx: Tx, run: NewRun, lease: Lease | null, at: Instant): Promise<Run> {
  const { orderingKey, correlationId, sourceNode, title } = run;
  const id = `run_${newUlid()}`;
  await insertRunRow(tx, {
    id,
    event_seq: run.eventSeq,
    source_node: sourceNode,
    ordering_key: orderingKey,
    correlation_id: correlationId,
    title,
    state: run.state,
    attempt: 1,
    lease_owner: lease?.owner ?? null,
    lease_until: lease?.until ?? null,
    created_at: at,
    started_at: run.state === 'running' ? at : null,
  });
  return { id, attempt: 1, correlationId, orderingKey, sourceNode, title };
}

/** An event that has just been stored, with what it is about and the thread that it belongs to. */
export interface Arrival {
  seq: number;
  subject: CanonicalId;
  orderingKey: CanonicalId;
  correlationId: CanonicalId;
  event: IntakeEvent;
}

type EventValues = Omit<EventRow, 'seq' | 'duplicates' | 'disposition' | 'recount'>;

/** Gives the row's number back only when the event is new. */
const insertEventRow = prepared<{ [Field in keyof EventValues]: EventValues[Field] }, { seq: number }>(
  (db, value) =>
    db
      .insertInto('event')
      .values({
        source: value.source,
        event_id: value.event_id,
        type: value.type,
        subject: value.subject,
        time: value.time,
        received_at: value.received_at,
        data: value.data,
        duplicates: 0,
        version: value.version,
        stamp: value.stamp,
      })
      .onConflict((conflict) => conflict.columns(['source', 'event_id']).doNothing())
      .returning('seq'),
);

const countRedelivery = prepared<{ source: string; id: string }>((db, value) =>
  db
    .updateTable('event')
    .set((fields) => ({ duplicates: fields('duplicates', '+', 1), recount: 1 }))
    .where('source', '=', value.source)
    .where('event_id', '=', value.id),
);

/**
 * Inserts an event.
 * @returns null when it is known. One that was delivered again is counted at its first arrival; a source that is polled
 *   reads what it knows again and again, which is not the arrival of anything.
 */
export async function insertEvent(
  tx: Tx,
  { source, cursor }: IntakeBatch,
  event: IntakeEvent,
  subject: CanonicalId,
  at: Instant,
): Promise<Arrival | null> {
  const [row] = await insertEventRow(tx, {
    source,
    event_id: event.id,
    type: event.type,
    subject,
    time: event.time,
    received_at: at,
    data: seal(tx, 'event', 'data', { source, event_id: event.id }, JSON.stringify(event.data)),
    version: event.version ?? null,
    stamp: event.stamp ?? null,
  });
  if (row === undefined) {
    if (cursor === undefined) await countRedelivery(tx, { source, id: event.id });
    return null;
  }
  const { orderingKey = subject, correlationId = subject } = event.thread ?? {};
  return { seq: row.seq, subject, orderingKey, correlationId, event };
}

/** A run that is this host's now; `is_corrected`: people have corrected records of its deal. */
export type ClaimedRun = RunRow & { is_corrected: SqlBool };

/** Takes, in place of runs of a source node, those of all sources that go on with messages they had kept. */
export const RESUMED = Symbol('resumed');

/**
 * Takes queued runs of a source node: the oldest first, at most one per ordering key, none whose key has a
 * running or an older queued run, one that is being taken back, or one of the same source that waits and holds it.
 * States are literals: SQLite uses a partial index for a list of states only when the list is literal, else it reads the
 * table through; for one bound state it would have to plan again for the value.
 */
export async function claimRuns(
  tx: Tx,
  source: string | typeof RESUMED,
  limit: number,
  lease: Lease,
  at: Instant,
): Promise<ClaimedRun[]> {
  const found = await (source === RESUMED
    ? selectResumed(tx, { limit })
    : selectQueued(tx, { source, limit }));
  const runs = isShared(tx) ? await confirmed(tx, source, found) : found;
  await Promise.all(runs.map(({ seq }) => updateClaimed(tx, { seq, ...lease, at })));
  return runs;
}

const selectQueued = prepared<{ source: string; limit: number }, ClaimedRun>((db, value) =>
  skipLocked(db, 'run', claimable(db, value.source).orderBy('seq').limit(boundLimit(value.limit))),
);

const selectResumed = prepared<{ limit: number }, ClaimedRun>((db, value) =>
  skipLocked(db, 'run', claimable(db, RESUMED).orderBy('seq').limit(boundLimit(value.limit))),
);

const updateClaimed = updateTogether<{ seq: number; owner: string; until: Instant; at: Instant }>(
  { seq: 'integer', owner: 'text', until: 'text', at: 'text' },
  (db, value) =>
    db
      .updateTable('run')
      .set((run) => ({
        state: 'running',
        lease_owner: value.owner,
        lease_until: value.until,
        started_at: run.fn.coalesce('run.started_at', run.val(value.at)),
        ended_at: null,
        at_nodes: null,
      }))
      .where('run.seq', '=', value.seq),
);

/**
 * Hosts that claim at the same time do not see each other's claims. Whoever has the key's lock to the end of the claim
 * looks again, and then sees those of all who had it before.
 */
async function confirmed(
  tx: Tx,
  source: string | typeof RESUMED,
  found: readonly ClaimedRun[],
): Promise<ClaimedRun[]> {
  const keys = await tryLocks(
    tx,
    found.map((run) => run.ordering_key),
  );
  if (keys.length === 0) return [];
  return claimable(tx, source)
    .where(
      'seq',
      'in',
      found.map(({ seq }) => seq),
    )
    .where('ordering_key', 'in', keys)
    .orderBy('seq')
    .execute();
}

function claimable(tx: Tx, source: string | typeof RESUMED) {
  const queued = tx
    .selectFrom('run')
    .selectAll('run')
    .select((run) =>
      run
        .exists(
          run
            .selectFrom('record_correction')
            .select('record_correction.id')
            .whereRef('record_correction.correlation_id', '=', 'run.correlation_id')
            .where('record_correction.ended_at', 'is', null),
        )
        .as('is_corrected'),
    )
    .where('state', '=', sql.lit<RunState>('queued'));
  const own =
    source === RESUMED
      ? queued.where('resume', '=', sql.lit(1))
      : queued.where('source_node', '=', source).where('resume', '=', sql.lit(0));
  return own
    .where((where) =>
      where.not(
        where.exists(
          where
            .selectFrom('run as other')
            .select('other.seq')
            .whereRef('other.ordering_key', '=', 'run.ordering_key')
            .where('other.state', 'in', [
              sql.lit<RunState>('queued'),
              sql.lit<RunState>('running'),
              sql.lit<RunState>('cancelling'),
            ])
            .where((older) =>
              older.or([
                older('other.state', '!=', sql.lit<RunState>('queued')),
                older('other.seq', '<', older.ref('run.seq')),
              ]),
            ),
        ),
      ),
    )
    .where((where) =>
      where.not(
        where.exists(
          where
            .selectFrom('run as waiting')
            .select('waiting.seq')
            .whereRef('waiting.ordering_key', '=', 'run.ordering_key')
            .whereRef('waiting.source_node', '=', 'run.source_node')
            .where('waiting.state', '=', sql.lit<RunState>('waiting'))
            .where('waiting.holds_key', '=', sql.lit(1)),
        ),
      ),
    );
}

/** Failed runs whose time for another automatic attempt has come begin anew. @returns their ids */
export async function requeueDue(tx: Tx, at: Instant): Promise<string[]> {
  const rows = await tx
    .updateTable('run')
    .set((fields) => ({ state: 'queued', resume: 0, retry_at: null, attempt: fields('attempt', '+', 1) }))
    .where('retry_at', 'is not', null)
    .where('retry_at', '<=', at)
    .where('state', '=', 'failed')
    .returning('id')
    .execute();
  return rows.map(({ id }) => id);
}

/** Runs of this host that were broken off go back to the queue, with the same attempt and where their messages were. */
export async function requeue(
  tx: Tx,
  owner: string,
  broken: readonly { run: Pick<Run, 'id'>; at: readonly NodeInfo[] }[],
): Promise<void> {
  for (const { run, at } of broken) {
    await tx
      .updateTable('run')
      .set({
        state: 'queued',
        lease_owner: null,
        lease_until: null,
        at_nodes: at.length === 0 ? null : JSON.stringify(at),
      })
      .where('id', '=', run.id)
      .where('state', '=', 'running')
      .where('lease_owner', '=', owner)
      .execute();
  }
}

/**
 * A message of an ended run is on its way after all: some node sent it later than it said it was done.
 * @returns null when the run has not ended, or is not known
 */
export async function reopen(tx: Tx, runId: string, lease: Lease): Promise<RunRow | null> {
  const row = await tx
    .updateTable('run')
    .set({
      state: 'running',
      resume: 0,
      retry_at: null,
      ended_at: null,
      lease_owner: lease.owner,
      lease_until: lease.until,
    })
    .where('id', '=', runId)
    // One that is about to go on with messages it had kept does not send this one again, so it is no reason to refuse.
    .where((where) =>
      where.or([
        where('state', 'in', ['waiting', 'completed', 'failed']),
        where.and([where('state', '=', 'queued'), where('resume', '=', 1)]),
      ]),
    )
    .returningAll()
    .executeTakeFirst();
  return row ?? null;
}

const supersedeFailed = updateTogether<
  { correlationId: CanonicalId; orderingKey: CanonicalId; sourceNode: string },
  Pick<RunRow, 'id' | 'event_seq'>
>({ correlationId: 'text', orderingKey: 'text', sourceNode: 'text' }, (db, value) =>
  db
    .updateTable('run')
    .set({ state: 'superseded', retry_at: null })
    // Follows from the ordering key, and has the index.
    .where('run.correlation_id', '=', value.correlationId)
    .where('run.ordering_key', '=', value.orderingKey)
    .where('run.source_node', '=', value.sourceNode)
    .where('run.state', '=', sql.lit<RunState>('failed'))
    .where((where) =>
      where.not(
        where.exists(
          where
            .selectFrom('step')
            .select('step.seq')
            .whereRef('step.run_id', '=', 'run.id')
            .where((where) =>
              where.or([
                where('step.state', '=', sql.lit<StepState>('intent')),
                where('step.state', '=', sql.lit<StepState>('unknown')),
              ]),
            ),
        ),
      ),
    )
    .returning(['run.id', 'run.event_seq']),
);

/**
 * The run came through with the present content of its record: failed runs of the same record and source, which
 * would only do that again, have nothing left to do. Unless they made a call whose outcome nobody knows.
 * @returns those runs
 */
export async function supersede(
  tx: Tx,
  { correlationId, orderingKey, sourceNode }: Run,
): Promise<Pick<RunRow, 'id' | 'event_seq'>[]> {
  return supersedeFailed(tx, { correlationId, orderingKey, sourceNode });
}

/**
 * Runs that were under way when their host ended: all of them when no other host can work on the store, else those
 * whose lease has ended, without those that another host is just taking over.
 */
function abandoned(tx: Tx, at: Instant) {
  const running = tx.selectFrom('run').selectAll().where('state', '=', sql.lit<RunState>('running'));
  return skipLocked(tx, 'run', isShared(tx) ? running.where('lease_until', '<', at) : running);
}

/** Abandoned runs go back to the queue, with the same attempt. @returns how many */
export async function requeueAbandoned(tx: Tx, at: Instant): Promise<number> {
  const rows = await abandoned(tx, at)
    .where((where) => where.or([where('event_seq', 'is not', null), where('resume', '=', 1)]))
    .execute();
  for (let from = 0; from < rows.length; from += CHUNK) {
    await tx
      .updateTable('run')
      .set({ state: 'queued', lease_owner: null, lease_until: null })
      .where(
        'seq',
        'in',
        rows.slice(from, from + CHUNK).map(({ seq }) => seq),
      )
      .execute();
  }
  return rows.length;
}

/** Abandoned runs that have neither an event to send again nor kept messages: theirs was lost with the host. */
export async function lostOneOffs(tx: Tx, at: Instant): Promise<RunRow[]> {
  return abandoned(tx, at).where('event_seq', 'is', null).where('resume', '=', 0).execute();
}
