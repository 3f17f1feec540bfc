import { sql } from 'kysely';
import type { CanonicalId, Instant } from '../model';
import {
  asRows,
  type Columns,
  isShared,
  lockAll,
  prepared,
  relation,
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

const question: Columns<Question & { number: number }> = {
  number: 'integer',
  canonicalId: 'text',
  system: 'text',
  instance: 'text',
  operation: 'text',
  runId: 'text',
  host: 'text',
  at: 'text',
};

const selectInProgress = prepared<{ asked: string }, { number: number }>(
  (_, { asked }) => sql`
    select asked.number from ${relation(asked, 'asked', question)},
    lateral (
      select from step inner join run on run.id = step.run_id
      where step.canonical_id = asked."canonicalId" and step.system = asked.system
        and step.instance = asked.instance and step.operation = asked.operation
        and step.run_id != asked."runId" and step.state in ('intent', 'unknown') and step.ended_at is null
        and run.state = 'running' and run.lease_until > asked.at and run.lease_owner != asked.host
      limit 1
    ) as other`,
);

/** Locks the records and then looks: the second host waits for the first, and sees what that has committed. */
const areInProgress = together(async (tx, asked: readonly Question[]) => {
  const records = asked.map(({ system, instance, operation, canonicalId }) =>
    [system, instance, operation, canonicalId].join('|'),
  );
  const [, rows] = await sideBySide([
    lockAll(tx, records),
    selectInProgress(tx, { asked: asRows(asked.map((each, number) => ({ ...each, number }))) }),
  ]);
  const others = new Set(rows.map(({ number }) => number));
  return asked.map((_, number) => others.has(number));
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
  return areInProgress(tx, { canonicalId, system, instance, operation, runId: run.id, host, at });
}
