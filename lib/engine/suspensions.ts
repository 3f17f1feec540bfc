import { sql } from 'kysely';
import type { Instant } from '../model';
import {
  open,
  prepared,
  preparedTogether,
  type RunRow,
  type SuspensionRow,
  type SuspensionState,
  seal,
  type Tx,
} from '../store';
import type { ActiveRun } from './tracker';
import type { Run, WaitOutcome, WaitRequest } from './types';

/**
 * Rows of messages that are kept until something happens. All functions work inside a write. States are literals where
 * SQLite is to use an index that holds only them.
 */

export const WAITING = sql.lit<SuspensionState>('waiting');
export const FIRED = sql.lit<SuspensionState>('fired');

/** Suspensions of a run that nothing has brought to an end, as its end must know them. */
export interface OpenWaits {
  isWaiting: boolean;
  /** Some hold the order of their record. */
  holdsOrder: boolean;
}

const selectOpen = preparedTogether<{ run: string }, Pick<SuspensionRow, 'holds_order'>>(
  { run: 'text' },
  (db, value) =>
    db
      .selectFrom('suspension')
      .select('holds_order')
      .where('run_id', '=', value.run)
      .where('state', 'in', ['waiting', 'fired']),
);

/** Ends the suspensions whose messages have gone on in this passage. @returns what the run still waits for */
export async function settleWaits(tx: Tx, { run, resumed }: ActiveRun): Promise<OpenWaits> {
  if (resumed.length > 0) await done(tx, resumed);
  return openWaits(tx, run);
}

export async function openWaits(tx: Tx, { id }: Pick<Run, 'id'>): Promise<OpenWaits> {
  const open = await selectOpen(tx, { run: id });
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

/** Where a message of this passage waits, as text. @param runId the run whose journal counts */
export function placeOf(runId: string, { arrivals }: ActiveRun, request: WaitRequest): string {
  const spot = [runId, request.node.id, request.event, request.key, request.parent];
  const name = JSON.stringify(spot);
  const ordinal = arrivals.get(name) ?? 0;
  arrivals.set(name, ordinal + 1);
  return JSON.stringify([...spot, ordinal]);
}

/**
 * Keeps the message at its place. One that was there before is replaced; the outcome stays, and so does the deadline
 * unless it has passed and become a case.
 */
export async function keep(
  tx: Tx,
  { run }: ActiveRun,
  request: WaitRequest,
  place: string,
  at: Instant,
): Promise<Pick<SuspensionRow, 'seq' | 'place' | 'outcome'>> {
  const message = seal(tx, 'suspension', 'message', { place }, JSON.stringify(request.message));
  return tx
    .insertInto('suspension')
    .values({
      place,
      run_id: run.id,
      node_id: request.node.id,
      node_name: request.node.name,
      event: request.event,
      match_key: request.key,
      parent: request.parent,
      state: 'waiting',
      holds_order: request.holdsOrder ? 1 : 0,
      deadline: request.deadline,
      on_timeout: request.onTimeout,
      about: JSON.stringify(request.about),
      message,
      created_at: at,
    })
    .onConflict((conflict) =>
      conflict.column('place').doUpdateSet((row) => ({
        state: row
          .case()
          .when('suspension.outcome', 'is', null)
          .then<SuspensionState>('waiting')
          .else(row.ref('suspension.state'))
          .end(),
        deadline: row.fn.coalesce('suspension.deadline', 'excluded.deadline'),
        message,
      })),
    )
    .returning(['seq', 'place', 'outcome'])
    .executeTakeFirstOrThrow();
}

/** The message may go on: its run takes it up when it is claimed. @param occurrence what has come, if it was an event */
export async function fire(
  tx: Tx,
  { seq, place }: Pick<SuspensionRow, 'seq' | 'place'>,
  outcome: WaitOutcome,
  occurrence: string | null,
  at: Instant,
): Promise<void> {
  const text = seal(tx, 'suspension', 'outcome', { place }, JSON.stringify(outcome));
  await tx
    .updateTable('suspension')
    .set({ state: 'fired', outcome: text, occurrence, ended_at: at })
    .where('seq', '=', seq)
    .execute();
}

/** Why a message goes on; null while it waits. */
export function outcomeOf(tx: Tx, row: Pick<SuspensionRow, 'place' | 'outcome'>): WaitOutcome | null {
  return JSON.parse(open(tx, 'suspension', 'outcome', row) ?? 'null') as WaitOutcome | null;
}

export async function done(tx: Tx, suspensions: readonly number[]): Promise<void> {
  await tx
    .updateTable('suspension')
    .set({ state: 'done', message: null })
    .where('seq', 'in', suspensions)
    .execute();
}

type Matching = Pick<SuspensionRow, 'seq' | 'place'>;

/** Messages that wait for an event with this key. */
export const selectMatching = prepared<{ event: string; key: string }, Matching>((db, value) =>
  db
    .selectFrom('suspension')
    .select(['seq', 'place'])
    .where('state', '=', WAITING)
    .where('event', '=', value.event)
    .where('match_key', '=', value.key),
);
