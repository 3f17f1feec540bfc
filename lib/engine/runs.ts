import { sql } from 'kysely';
import { type CanonicalId, type Instant, newUlid } from '../model';
import { prepared, type RunRow, type RunState, seal, type Tx } from '../store';
import type { IntakeEvent, NodeInfo, Run } from './types';

/** Rows of runs: made, claimed, ended. All functions work inside a write. */

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

export interface Lease {
  owner: string;
  until: Instant;
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
  const claimable = await tx
    .selectFrom('run')
    .selectAll()
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
    )
    .orderBy('seq')
    .limit(limit)
    .execute();
  for (const run of claimable) {
    await tx
      .updateTable('run')
      .set({
        state: 'running',
        lease_owner: lease.owner,
        lease_until: lease.until,
        started_at: run.started_at ?? at,
        ended_at: null,
        at_nodes: null,
      })
      .where('seq', '=', run.seq)
      .execute();
  }
  return claimable;
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

/** Runs that were broken off go back to the queue, with the same attempt, and with where their messages were. */
export async function requeue(
  tx: Tx,
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

/** Runs that were under way when their host ended go back to the queue, with the same attempt. */
export async function requeueAbandoned(tx: Tx, exclusive: boolean, at: Instant): Promise<void> {
  let abandoned = tx
    .updateTable('run')
    .set({ state: 'queued', lease_owner: null, lease_until: null })
    .where('state', '=', 'running')
    .where('event_seq', 'is not', null);
  if (!exclusive) abandoned = abandoned.where('lease_until', '<', at);
  await abandoned.execute();
}
