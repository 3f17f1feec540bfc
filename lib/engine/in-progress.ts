import { sql } from 'kysely';
import type { CanonicalId, Instant } from '../model';
import {
  isShared,
  lockAll,
  preparedForAll,
  type RunState,
  type StepState,
  sideBySide,
  type Tx,
  together,
} from '../store';
import type { JournalStep, Run } from './types';

interface Question {
  canonicalId: CanonicalId;
  system: string;
  instance: string;
  operation: string;
  runId: string;
  host: string;
  at: Instant;
}

const selectInProgress = preparedForAll<Question, { seq: number }>(
  {
    canonicalId: 'text',
    system: 'text',
    instance: 'text',
    operation: 'text',
    runId: 'text',
    host: 'text',
    at: 'text',
  },
  (db, value) =>
    db
      .selectFrom('step')
      .select('step.seq')
      .where('step.canonical_id', '=', value.canonicalId)
      .where('step.system', '=', value.system)
      .where('step.instance', '=', value.instance)
      .where('step.operation', '=', value.operation)
      .where('step.run_id', '!=', value.runId)
      .where('step.state', 'in', [sql.lit<StepState>('intent'), sql.lit<StepState>('unknown')])
      .where('step.ended_at', 'is', null)
      // Not a join: that may begin with the runs that are under way, and look at all of them for each question.
      .where((step) =>
        step
          .selectFrom('run')
          .select((run) =>
            run
              .and([
                run('run.state', '=', sql.lit<RunState>('running')),
                run('run.lease_until', '>', value.at),
                run('run.lease_owner', '!=', value.host),
              ])
              .as('is_at_it'),
          )
          .whereRef('run.id', '=', 'step.run_id')
          .$asScalar(),
      )
      .limit(sql.lit(1)),
);

/** The second host waits for the first on the server, and sees what was committed before it got the lock. */
const lockAndLook = together(async (tx, asked: readonly Question[]) => {
  const records = asked.map(({ system, instance, operation, canonicalId }) =>
    [system, instance, operation, canonicalId].join('|'),
  );
  const [, found] = await sideBySide([lockAll(tx, records), selectInProgress(tx, asked)]);
  return found.map((rows) => rows.length > 0);
});

/**
 * True when another host is at the same operation on the same record for another run (guides §13: key in progress with
 * a live lease). Asked in the transaction that journals the intent, so that of two hosts one sees the other's: turns
 * within a host are not enough when two deals of one customer run on different ones. For runs of this host they are: one
 * that it has taken over has an intent, and may be waiting for the very turn that asks here.
 * @param host that asks
 */
export async function isInProgress(
  tx: Tx,
  run: Pick<Run, 'id'>,
  step: JournalStep,
  host: string,
  at: Instant,
): Promise<boolean> {
  if (step.readOnly || !isShared(tx)) return false;
  const { canonicalId, system, instance, operation } = step;
  return lockAndLook(tx, { canonicalId, system, instance, operation, runId: run.id, host, at });
}
