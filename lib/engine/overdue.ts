import { sql } from 'kysely';
import type { ExceptionCode, Instant } from '../model';
import type { RunRow, Tx } from '../store';
import { openCase, resolveCases } from './cases';
import { settleEvent } from './order';
import { toRun } from './runs';
import { FIRED, fire, WAITING } from './suspensions';
import type { CaseSubject } from './types';

/** Runs that wait in vain: too long, or at a node that is no longer in the flow. All functions work inside a write. */

/** Rows taken at a time: bounds how long one write holds the store. */
const LIMIT = 100;

/** Lets go on, or makes a case of, what has waited too long. */
export async function expireOverdue(tx: Tx, at: Instant): Promise<void> {
  for (const row of await overdue(tx, at)) await expire(tx, row, at);
}

type Overdue = Awaited<ReturnType<typeof overdue>>[number];

/** What has waited too long, of runs that are not under way: those are looked at when they have ended. */
function overdue(tx: Tx, at: Instant) {
  return tx
    .selectFrom('suspension')
    .innerJoin('run', 'run.id', 'suspension.run_id')
    .selectAll('run')
    .select([
      'suspension.seq as suspension',
      'suspension.place',
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
    .limit(LIMIT)
    .execute();
}

async function expire(tx: Tx, row: Overdue, at: Instant): Promise<void> {
  if (row.on_timeout === 'send') {
    await fire(
      tx,
      { seq: row.suspension, place: row.place },
      { by: 'timeout', deadline: row.deadline ?? at },
      null,
      at,
    );
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
  await failWaiting(tx, row, at);
}

/** Runs that wait at other nodes than these become cases. */
export async function reportMissingNodes(tx: Tx, nodeIds: readonly string[], at: Instant): Promise<void> {
  for (const row of await waitingElsewhere(tx, nodeIds)) await reportMissing(tx, row, at);
}

/** Runs whose node is among these again wait as before. */
export async function resolveMissingNodes(tx: Tx, nodeIds: readonly string[], at: Instant): Promise<void> {
  if (nodeIds.length === 0) return;
  const cured = await tx
    .selectFrom('exception_case')
    .innerJoin('run', 'run.id', 'exception_case.run_id')
    .selectAll('run')
    .select('exception_case.id as case_id')
    .where('exception_case.code', '=', sql.lit<ExceptionCode>('NODE_MISSING'))
    .where('exception_case.state', 'not in', ['resolved', 'waived'])
    .where('exception_case.node_id', 'in', nodeIds)
    .limit(LIMIT)
    .execute();
  for (const { case_id, ...run } of cured) {
    await resolveCases(tx, toRun(run), [{ id: case_id }], at);
    await waitAgain(tx, run, at);
  }
}

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
    .limit(LIMIT)
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
  await failWaiting(tx, row, at);
}

async function failWaiting(tx: Tx, run: RunRow, at: Instant): Promise<void> {
  await tx.updateTable('run').set({ state: 'failed' }).where('id', '=', run.id).execute();
  await settleEvent(tx, toRun(run), 'case', at);
}

/** Unless something else is open, the run waits as before. */
async function waitAgain(tx: Tx, run: RunRow, at: Instant): Promise<void> {
  const waiting = await tx
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
    .returning('id')
    .execute();
  if (waiting.length > 0) await settleEvent(tx, toRun(run), 'accepted', at);
}
