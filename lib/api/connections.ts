import { sql } from 'kysely';
import type * as z from 'zod';
import { type CaseState, open, type Store } from '../store';
import type { Connection } from './route';
import type { connectionView } from './schemas/operations';

/** Connections as they stand, with what lately went wrong in their systems. */

const ERRORS = 5;

export async function connectionViews(
  store: Store,
  connections: readonly Connection[],
): Promise<z.input<typeof connectionView>[]> {
  const cases = await openCases(store);
  const views: z.input<typeof connectionView>[] = [];
  for (const connection of connections) {
    const { system, instance } = connection;
    const openCases = cases
      .filter((each) => each.system === system && (instance === null || each.instance === instance))
      .reduce((sum, { count }) => sum + Number(count), 0);
    views.push({ ...connection, openCases, lastErrors: await errorsIn(store, system, instance) });
  }
  return views;
}

/** Latest first, over steps that have failed and have not come through since. */
async function errorsIn(store: Store, system: string, instance: string | null) {
  let query = store.db
    .selectFrom('step')
    .select(['key', 'run_id', 'operation', 'error_code', 'error_message', 'started_at', 'ended_at'])
    .where('system', '=', system)
    .where('error_code', 'is not', null)
    .orderBy('seq', 'desc')
    .limit(ERRORS);
  if (instance !== null) query = query.where('instance', '=', instance);
  return (await query.execute()).map((row) => ({
    at: row.ended_at ?? row.started_at,
    code: row.error_code ?? '',
    message: open(store.db, 'step', 'error_message', row) ?? '',
    operation: row.operation,
    stepKey: row.key,
    runId: row.run_id,
  }));
}

/** Of all connections. An index of the open ones holds all that this reads. */
function openCases({ db }: Store) {
  return db
    .selectFrom('exception_case')
    .select((each) => ['system', 'instance', each.fn.countAll<number>().as('count')])
    .where('state', 'not in', [sql.lit<CaseState>('resolved'), sql.lit<CaseState>('waived')])
    .where('instance', 'is not', null)
    .groupBy(['system', 'instance'])
    .execute();
}
