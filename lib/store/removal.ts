import { type Expression, type ExpressionBuilder, type SqlBool, sql } from 'kysely';
import type { Instant } from '../model';
import type { Schema } from './schema';
import type { Tx } from './store';
import type { SweepReport } from './sweep';
import type { CaseState } from './tables/cases';
import type { RunState } from './tables/runs';

/** What may be removed, and how: pieces of a sweep, each a few milliseconds long. */

/**
 * Operations that are not financial: reads, and what only concerns the delivery of a project. An operation that is not
 * known here counts as financial, so that nothing is deleted too early.
 */
const OTHER_OPERATIONS = [
  ...['%.find', '%.list', '%.query', '%.read', '%.read-%'],
  ...['assignment.%', 'contact.%', 'opportunity.%', 'resource.%', 'staffingRequest.%', 'task.%'],
];

/** Rows that one look reads, and one write removes at most: both take a few milliseconds. */
export const PAGE = 100;

const ENDED: readonly RunState[] = ['completed', 'failed', 'superseded', 'cancelled'];
const SETTLED: readonly CaseState[] = ['resolved', 'waived'];

/** What one write has removed. */
export interface Piece {
  counts: Partial<SweepReport>;
  isLast: boolean;
}

interface RunCutoffs {
  other: Instant;
  financial: Instant;
}

type Runs = ExpressionBuilder<Schema, 'run'>;
type Peers = ExpressionBuilder<Schema & { peer: Schema['run'] }, 'run' | 'peer'>;

/**
 * Those of the runs that nobody needs any more. The latest run of a deal with financial runs stays with them whatever
 * it did: it tells how long the deal has been quiet.
 */
export function removableRuns(tx: Tx, seqs: readonly number[], { other, financial }: RunCutoffs) {
  return tx
    .selectFrom('run')
    .select(['run.seq', 'run.id', 'run.event_seq', 'run.correlation_id'])
    .where('run.seq', 'in', seqs)
    .where('run.state', 'in', ENDED)
    .where('run.ended_at', '<', other)
    .where((run) => run.not(isBusy(run, run.ref('run.correlation_id'))))
    .where((run) => run.not(hasStep(run, IS_UNDECIDED)))
    .where((run) =>
      run.or([
        run.not(dealHasRun(run, (peer) => peer('peer.ended_at', '>=', financial))),
        run.and([
          run.not(hasStep(run, IS_FINANCIAL)),
          run.or([
            dealHasRun(run, (peer) => peer('peer.seq', '>', peer.ref('run.seq'))),
            run.not(dealHasStep(run, IS_FINANCIAL)),
          ]),
        ]),
      ]),
    )
    .execute();
}

const IS_UNDECIDED = sql<boolean>`step.state in ('intent', 'unknown')`;
const IS_FINANCIAL = sql<boolean>`not (${sql.join(
  OTHER_OPERATIONS.map((pattern) => sql`step.operation like ${sql.lit(pattern)}`),
  sql` or `,
)})`;

function hasStep(run: Runs, which: Expression<SqlBool>) {
  return run.exists(
    run.selectFrom('step').select('step.seq').whereRef('step.run_id', '=', 'run.id').where(which),
  );
}

/** @param which about `peer`, any run of the same deal */
function dealHasRun(run: Runs, which: (peer: Peers) => Expression<SqlBool>) {
  return run.exists(
    run
      .selectFrom('run as peer')
      .select('peer.seq')
      .whereRef('peer.correlation_id', '=', 'run.correlation_id')
      .where(which),
  );
}

function dealHasStep(run: Runs, which: Expression<SqlBool>) {
  return run.exists(
    run
      .selectFrom('run as peer')
      .innerJoin('step', 'step.run_id', 'peer.id')
      .select('step.seq')
      .whereRef('peer.correlation_id', '=', 'run.correlation_id')
      .where(which),
  );
}

/** The deal has an open case, or a run that goes on by itself. */
function isBusy(from: Pick<Runs, 'exists' | 'or' | 'selectFrom'>, deal: Expression<string>) {
  const openCase = from
    .selectFrom('exception_case')
    .select('exception_case.id')
    .where('exception_case.correlation_id', '=', deal)
    // Literals: SQLite uses a partial index only for the very condition it was made with.
    .where(
      'exception_case.state',
      'not in',
      SETTLED.map((state) => sql.lit(state)),
    );
  const unfinishedRun = from
    .selectFrom('run as unfinished')
    .select('unfinished.seq')
    .where('unfinished.correlation_id', '=', deal)
    .where((run) =>
      run.or([run('unfinished.state', 'not in', ENDED), run('unfinished.retry_at', 'is not', null)]),
    );
  return from.or([from.exists(openCase), from.exists(unfinishedRun)]);
}

/** Looks again before each piece: a late message may have gone on with the run meanwhile. */
export async function removeRun(tx: Tx, seq: number, cutoffs: RunCutoffs): Promise<Piece> {
  const [run] = await removableRuns(tx, [seq], cutoffs);
  if (run === undefined) return { counts: {}, isLast: true };
  const step = await removePiece(tx, 'step', 'run_id', run.id);
  if (step === PAGE) return { counts: { step }, isLast: false };
  // A key that passed a node once over all runs is kept for ever, as natural keys are.
  await tx.deleteFrom('passage').where('run_id', '=', run.id).where('scope', '=', `run:${run.id}`).execute();
  await tx.deleteFrom('suspension').where('run_id', '=', run.id).execute();
  await tx.deleteFrom('step_decision').where('run_id', '=', run.id).execute();
  await tx.deleteFrom('cancellation').where('run_id', '=', run.id).execute();
  await tx.deleteFrom('checked_document').where('run_id', '=', run.id).execute();
  // What the key figures of its days hold of it stays.
  await tx.deleteFrom('kpi_source').where('id', '=', run.id).execute();
  await tx.deleteFrom('run').where('seq', '=', seq).execute();
  // What a deal is found by, and what people have corrected of it, goes with its last run.
  const left = await tx
    .selectFrom('run')
    .select('seq')
    .where('correlation_id', '=', run.correlation_id)
    .limit(1)
    .executeTakeFirst();
  if (left === undefined) {
    for (const table of ['deal_term', 'record_correction'] as const)
      await tx.deleteFrom(table).where('correlation_id', '=', run.correlation_id).execute();
  }
  if (run.event_seq === null) return { counts: { step, run: 1 }, isLast: true };
  await tx.deleteFrom('event').where('seq', '=', run.event_seq).execute();
  return { counts: { step, run: 1, event: 1 }, isLast: true };
}

export function settledCases(tx: Tx, ids: readonly string[], cutoff: Instant) {
  return tx
    .selectFrom('exception_case')
    .select('id')
    .where('id', 'in', ids)
    .where('state', 'in', SETTLED)
    .where((row) => row(row.fn.coalesce('resolved_at', 'updated_at'), '<', cutoff))
    .execute();
}

export async function removeCase(tx: Tx, id: string, cutoff: Instant): Promise<Piece> {
  if ((await settledCases(tx, [id], cutoff)).length === 0) return { counts: {}, isLast: true };
  const case_history = await removePiece(tx, 'case_history', 'case_id', id);
  if (case_history === PAGE) return { counts: { case_history }, isLast: false };
  await tx.deleteFrom('case_approval').where('case_id', '=', id).execute();
  await tx.deleteFrom('kpi_source').where('id', '=', id).execute();
  await tx.deleteFrom('exception_case').where('id', '=', id).execute();
  return { counts: { case_history, exception_case: 1 }, isLast: true };
}

/** Removes at most one page of the rows that belong to something. @returns how many */
const removePiece = (tx: Tx, table: 'step' | 'case_history', column: string, id: string): Promise<number> =>
  removePage(tx, table, sql`${sql.ref(column)} = ${id}`);

/** Removes at most one page of the rows that fit. @returns how many */
export async function removePage(
  tx: Tx,
  table: 'step' | 'case_history' | 'rejected_event' | 'event',
  which: Expression<unknown>,
): Promise<number> {
  const piece = sql`select seq from ${sql.table(table)} where ${which} limit ${sql.lit(PAGE)}`;
  const removed = await sql`delete from ${sql.table(table)} where seq in (${piece})`.execute(tx);
  return Number(removed.numAffectedRows ?? 0);
}

export async function removeSent(tx: Tx, sent: readonly { seq: number; deal: string }[]): Promise<Piece> {
  const free: number[] = [];
  for (const { seq, deal } of sent) {
    const { busy } = await tx
      .selectNoFrom((from) => isBusy(from, from.val(deal)).as('busy'))
      .executeTakeFirstOrThrow();
    if (!busy) free.push(seq);
  }
  if (free.length > 0) {
    await tx.deleteFrom('outbox_delivery').where('outbox_seq', 'in', free).execute();
    await tx.deleteFrom('outbox').where('seq', 'in', free).execute();
  }
  return { counts: { outbox: free.length }, isLast: true };
}
