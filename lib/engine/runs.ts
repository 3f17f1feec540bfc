import { sql } from 'kysely';
import { type CanonicalId, type Instant, newUlid } from '../model';
import {
  isShared,
  prepared,
  type RunRow,
  type RunState,
  seal,
  skipLocked,
  type Tx,
  tryLocks,
} from '../store';
import type { Lease } from './leases';
import type { IntakeEvent, NodeInfo, Run } from './types';

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
  state: 'queued' | 'running';
}

export async function insertRun(tx: Tx, run: NewRun, lease: Lease | null, at: Instant): Promise<Run> {
  const id = `run_${newUlid()}`;
  await tx
    .insertInto('run')
    .values({
      id,
      event_seq: run.eventSeq,
      source_node: run.sourceNode,
      ordering_key: run.orderingKey,
      correlation_id: run.correlationId,
      title: run.title,
      state: run.state,
      attempt: 1,
      retry_at: null,
      lease_owner: lease?.owner ?? null,
      lease_until: lease?.until ?? null,
      created_at: at,
      started_at: run.state === 'running' ? at : null,
      ended_at: null,
      at_nodes: null,
    })
    .execute();
  const { correlationId, orderingKey, sourceNode, title } = run;
  return { id, attempt: 1, correlationId, orderingKey, sourceNode, title };
}

/** Inserts an event. @returns its number, or null when it has arrived before (then only counted). */
export async function insertEvent(
  tx: Tx,
  source: string,
  event: IntakeEvent,
  subject: CanonicalId,
  at: Instant,
): Promise<number | null> {
  const row = await tx
    .insertInto('event')
    .values({
      source,
      event_id: event.id,
      type: event.type,
      subject,
      time: event.time,
      received_at: at,
      data: seal(tx, 'event', 'data', { source, event_id: event.id }, JSON.stringify(event.data)),
      duplicates: 0,
    })
    .onConflict((conflict) => conflict.columns(['source', 'event_id']).doNothing())
    .returning('seq')
    .executeTakeFirst();
  if (row !== undefined) return row.seq;
  await tx
    .updateTable('event')
    .set((fields) => ({ duplicates: fields('duplicates', '+', 1) }))
    .where('source', '=', source)
    .where('event_id', '=', event.id)
    .execute();
  return null;
}

/**
 * Takes queued runs of a source node: the oldest first, at most one per ordering key, none whose key has a
 * running or an older queued run. States are literals: SQLite uses a partial index for a list of states only when
 * the list is literal, else it reads the table through; for one bound state it would have to plan again for the value.
 */
export async function claimRuns(
  tx: Tx,
  sourceNode: string,
  limit: number,
  lease: Lease,
  at: Instant,
): Promise<RunRow[]> {
  const found = await skipLocked(tx, 'run', claimable(tx, sourceNode).orderBy('seq').limit(limit)).execute();
  const runs = isShared(tx) ? await confirmed(tx, sourceNode, found) : found;
  if (runs.length === 0) return [];
  await tx
    .updateTable('run')
    .set((fields) => ({
      state: 'running',
      lease_owner: lease.owner,
      lease_until: lease.until,
      started_at: fields.fn.coalesce('started_at', fields.val(at)),
      ended_at: null,
      at_nodes: null,
    }))
    .where(
      'seq',
      'in',
      runs.map(({ seq }) => seq),
    )
    .execute();
  return runs;
}

/**
 * Hosts that claim at the same time do not see each other's claims. Whoever has the key's lock to the end of the claim
 * looks again, and then sees those of all who had it before.
 */
async function confirmed(tx: Tx, sourceNode: string, found: readonly RunRow[]): Promise<RunRow[]> {
  const keys = await tryLocks(
    tx,
    found.map((run) => run.ordering_key),
  );
  if (keys.length === 0) return [];
  return claimable(tx, sourceNode)
    .where(
      'seq',
      'in',
      found.map(({ seq }) => seq),
    )
    .where('ordering_key', 'in', keys)
    .orderBy('seq')
    .execute();
}

function claimable(tx: Tx, sourceNode: string) {
  return tx
    .selectFrom('run')
    .selectAll('run')
    .where('source_node', '=', sourceNode)
    .where('state', '=', sql.lit<RunState>('queued'))
    .where((where) =>
      where.not(
        where.exists(
          where
            .selectFrom('run as other')
            .select('other.seq')
            .whereRef('other.ordering_key', '=', 'run.ordering_key')
            .where('other.state', 'in', [sql.lit<RunState>('queued'), sql.lit<RunState>('running')])
            .where((older) =>
              older.or([older('other.state', '=', 'running'), older('other.seq', '<', older.ref('run.seq'))]),
            ),
        ),
      ),
    );
}

/** Failed runs whose time for another automatic attempt has come are queued again. @returns how many. */
export async function requeueDue(tx: Tx, at: Instant): Promise<number> {
  const rows = await tx
    .updateTable('run')
    .set((fields) => ({ state: 'queued', retry_at: null, attempt: fields('attempt', '+', 1) }))
    .where('retry_at', 'is not', null)
    .where('retry_at', '<=', at)
    .where('state', '=', 'failed')
    .returning('seq')
    .execute();
  return rows.length;
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
      retry_at: null,
      ended_at: null,
      lease_owner: lease.owner,
      lease_until: lease.until,
    })
    .where('id', '=', runId)
    .where('state', 'in', ['completed', 'failed'])
    .returningAll()
    .executeTakeFirst();
  return row ?? null;
}

const supersedeFailed = prepared<{
  correlationId: CanonicalId;
  orderingKey: CanonicalId;
  sourceNode: string;
}>((db, value) =>
  db
    .updateTable('run')
    .set({ state: 'superseded', retry_at: null })
    // Follows from the ordering key, and has the index.
    .where('correlation_id', '=', value.correlationId)
    .where('ordering_key', '=', value.orderingKey)
    .where('source_node', '=', value.sourceNode)
    .where('state', '=', 'failed')
    .where((where) =>
      where.not(
        where.exists(
          where
            .selectFrom('step')
            .select('step.seq')
            .whereRef('step.run_id', '=', 'run.id')
            .where('step.state', 'in', ['intent', 'unknown']),
        ),
      ),
    ),
);

/**
 * The run came through with the present content of its record: failed runs of the same record and source, which
 * would only do that again, have nothing left to do. Unless they made a call whose outcome nobody knows.
 */
export async function supersede(tx: Tx, { correlationId, orderingKey, sourceNode }: Run): Promise<void> {
  await supersedeFailed(tx, { correlationId, orderingKey, sourceNode });
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
  const rows = await abandoned(tx, at).where('event_seq', 'is not', null).execute();
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

/** Abandoned runs that have no event to send again: their message was lost with the host. */
export async function lostOneOffs(tx: Tx, at: Instant): Promise<RunRow[]> {
  return abandoned(tx, at).where('event_seq', 'is', null).execute();
}
