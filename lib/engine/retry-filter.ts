import { type ExpressionBuilder, sql } from 'kysely';
import type { ExceptionCode, Instant } from '../model';
import type { RunState, Schema, Tx } from '../store';

export interface RetryFilter {
  /** Whom the runs wait for: `person`, or `time` for those that are retried by themselves. Both when absent. */
  waitingFor?: 'person' | 'time';
  /** Code of an open case of the run. */
  code?: ExceptionCode;
  /** System of a step that has failed, as it stands in cross-references. */
  system?: string;
  sourceNode?: string;
  /** Only runs that failed before, or not before, these instants. */
  failedBefore?: Instant;
  failedSince?: Instant;
}

/** Failed runs of events that match; nothing of them is selected yet. */
export function failedRuns(tx: Tx, filter: RetryFilter) {
  const { waitingFor, code, system, sourceNode, failedBefore, failedSince } = filter;
  let query = tx
    .selectFrom('run')
    .where('run.state', '=', sql.lit<RunState>('failed'))
    .where('run.event_seq', 'is not', null);
  if (waitingFor !== undefined) {
    query = query.where('run.retry_at', waitingFor === 'person' ? 'is' : 'is not', null);
  }
  if (sourceNode !== undefined) query = query.where('run.source_node', '=', sourceNode);
  if (failedBefore !== undefined) query = query.where('run.ended_at', '<', failedBefore);
  if (failedSince !== undefined) query = query.where('run.ended_at', '>=', failedSince);
  if (code !== undefined) query = query.where((run) => hasOpenCase(run, code));
  if (system !== undefined) query = query.where((run) => hasFailedIn(run, system));
  return query;
}

type OfRun = ExpressionBuilder<Schema, 'run'>;

/** A step of the run in this system has failed. */
export const hasFailedIn = (run: OfRun, system: string) =>
  run.exists(
    run
      .selectFrom('step')
      .select('step.seq')
      .whereRef('step.run_id', '=', 'run.id')
      .where('step.system', '=', system)
      .where('step.state', 'in', ['rejected', 'unknown', 'failed']),
  );

/** The run has an open case of this code. */
export const hasOpenCase = (run: OfRun, code: string) =>
  run.exists(
    run
      .selectFrom('exception_case')
      .select('exception_case.id')
      .whereRef('exception_case.run_id', '=', 'run.id')
      .where('exception_case.code', '=', code)
      .where('exception_case.state', 'not in', ['resolved', 'waived']),
  );
