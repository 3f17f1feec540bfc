import type * as z from 'zod';
import { open, type Store } from '../store';
import type { Connection } from './route';
import type { connectionView } from './schemas/operations';

/** Connections as they stand, with what lately went wrong in their systems. */

const ERRORS = 5;

export async function connectionViews(
  store: Store,
  connections: readonly Connection[],
): Promise<z.input<typeof connectionView>[]> {
  const views: z.input<typeof connectionView>[] = [];
  for (const connection of connections) {
    const { system, instance } = connection;
    const lastErrors = await errorsIn(store, system, instance);
    views.push({ ...connection, lastErrors, openCases: await openCasesIn(store, system, instance) });
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

/** Cases begin at a step that has failed: there are fewer of those than of all steps. */
async function openCasesIn({ db }: Store, system: string, instance: string | null): Promise<number> {
  let query = db
    .selectFrom('exception_case')
    .innerJoin('step', 'step.key', 'exception_case.step_key')
    .select((each) => each.fn.countAll<number>().as('count'))
    .where('exception_case.state', 'not in', ['resolved', 'waived'])
    .where('step.system', '=', system);
  if (instance !== null) query = query.where('step.instance', '=', instance);
  return Number((await query.executeTakeFirst())?.count ?? 0);
}
