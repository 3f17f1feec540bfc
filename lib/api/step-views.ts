import { setImmediate } from 'node:timers/promises';
import type { CaseGroup } from '../governance';
import type { CanonicalId } from '../model';
import { Q2cError } from '../model';
import { open, type Store, type Tx } from '../store';
import { summaryOfStep } from './reports';
import { type ApiContext, requireActor, rolesOf } from './route';
import type { StepDetail } from './schemas/runs';

/** Views of single steps, and what they mean for who may do what. */

/** One step with its payloads; null when unknown. */
export async function stepView(store: Store, key: string): Promise<StepDetail | null> {
  const { db } = store;
  const row = await db.selectFrom('step').selectAll().where('key', '=', key).executeTakeFirst();
  if (row === undefined) return null;
  const run = await db
    .selectFrom('run')
    .select(['title', 'correlation_id'])
    .where('id', '=', row.run_id)
    .executeTakeFirst();
  const decisions = await db
    .selectFrom('step_decision')
    .selectAll()
    .where('run_id', '=', row.run_id)
    .execute();
  return {
    ...summaryOfStep(store, row, decisions),
    runId: row.run_id,
    title: run?.title ?? '',
    correlationId: run?.correlation_id ?? '',
    fingerprint: row.fingerprint,
    idempotencyKey: row.idempotency_key,
    wire: JSON.parse(open(db, 'step', 'wire', row)),
    reply: JSON.parse(open(db, 'step', 'reply', row) ?? 'null'),
    result: JSON.parse(open(db, 'step', 'result', row) ?? 'null'),
    masked: [],
  };
}

/** Payloads of so many runs are read in a few milliseconds; of a long page it would be a stall. */
const RUNS_AT_ONCE = 50;

/** What the steps of these runs have sent and read, and whom their cases name, may be quoted in the reply. */
export async function concealStepsOf(context: ApiContext, ...runIds: string[]): Promise<void> {
  const distinct = [...new Set(runIds)];
  for (let from = 0; from < distinct.length; from += RUNS_AT_ONCE) {
    if (from > 0) await setImmediate();
    await concealSteps(context, distinct.slice(from, from + RUNS_AT_ONCE));
  }
}

async function concealSteps(
  { engine: { store }, conceal, concealWords }: ApiContext,
  runIds: readonly string[],
): Promise<void> {
  const cases = await store.db
    .selectFrom('exception_case')
    .select(['id', 'personal'])
    .where('run_id', 'in', runIds)
    .where('personal', 'is not', null)
    .execute();
  for (const row of cases) {
    concealWords(JSON.parse(open(store.db, 'exception_case', 'personal', row) ?? '[]') as string[]);
  }
  const rows = await store.db
    .selectFrom('step')
    .select(['key', 'operation', 'wire', 'result'])
    .where('run_id', 'in', runIds)
    .execute();
  for (const row of rows) {
    conceal(JSON.parse(open(store.db, 'step', 'wire', row)), row.operation);
    conceal(JSON.parse(open(store.db, 'step', 'result', row) ?? 'null'), row.operation);
  }
}

/** As `concealStepsOf`, for all runs of a deal. */
export async function concealDeal(context: ApiContext, correlationId: CanonicalId): Promise<void> {
  const runs = await context.engine.store.db
    .selectFrom('run')
    .select('id')
    .where('correlation_id', '=', correlationId)
    .execute();
  await concealStepsOf(context, ...runs.map(({ id }) => id));
}

/** As `concealStepsOf`, for the runs of these cases. */
export async function concealCases(context: ApiContext, ...caseIds: string[]): Promise<void> {
  if (caseIds.length === 0) return;
  const rows = await context.engine.store.db
    .selectFrom('exception_case')
    .select('run_id')
    .where('id', 'in', caseIds)
    .execute();
  await concealStepsOf(context, ...rows.map(({ run_id }) => run_id));
}

/** As `concealStepsOf`, for the case that stands for each group: its oldest. */
export async function concealGroups(context: ApiContext, groups: readonly CaseGroup[]): Promise<void> {
  if (groups.length === 0) return;
  const rows = await context.engine.store.db
    .selectFrom('exception_case')
    .select('run_id')
    .where(
      'opened_at',
      'in',
      groups.map(({ oldestOpenedAt }) => oldestOpenedAt),
    )
    .where(
      'cause',
      'in',
      groups.map(({ cause }) => cause),
    )
    .execute();
  await concealStepsOf(context, ...rows.map(({ run_id }) => run_id));
}

/** The open case that is about a step, if there is one. */
export async function caseOfStep({ db }: Store, stepKey: string): Promise<CanonicalId | null> {
  const row = await openCasesOf(db, stepKey).select('id').orderBy('opened_at').executeTakeFirst();
  return row?.id ?? null;
}

const openCasesOf = (db: Tx, stepKey: string) =>
  db
    .selectFrom('exception_case')
    // The run leads the search: its id is what the key begins with, and what there is an index of.
    .where('run_id', '=', stepKey.slice(0, stepKey.indexOf(':')))
    .where('step_key', '=', stepKey)
    .where('state', 'not in', ['resolved', 'waived']);

/**
 * Steps are repaired by whoever may write, or has the role that owns an open case about them.
 * @throws Q2cError `PERMISSION_MISSING`
 */
export async function requireRoleForStep({ engine, caller }: ApiContext, stepKey: string): Promise<void> {
  requireActor(caller);
  const mine = rolesOf(caller);
  if (mine === 'all') return;
  const owners = await openCasesOf(engine.store.db, stepKey).select('owner_role').execute();
  if (owners.some(({ owner_role }) => mine.some((role) => role === owner_role))) return;
  throw new Q2cError(
    'PERMISSION_MISSING',
    `${caller.name} may not repair this step; that is for the owner of its case, or whoever may write.`,
  );
}
