import { sql } from 'kysely';
import { correctionViews } from '../engine';
import { type CanonicalId, entityOfId, exceptionCodes, isExceptionCode, type Money } from '../model';
import type { RunRow, RunState, StepRow, Store } from '../store';
import { type DealIndex, findDeals, type Match } from './deal-index';
import { type Page, type PageRequest, pageOf, placeOf } from './paging';
import { refsOf, summaryOfCase, summaryOfRun } from './reports';
import type { DealEntity, DealReport, DealSummary, WaitsFor } from './schemas/deals';
import type { RefSummary, WaitSummary } from './schemas/runs';
import { timelineOf } from './timeline';

/** Deals: threads of runs with one correlation id. */

export interface DealFilter {
  /** Any id, name or number of any system. */
  q?: string | undefined;
  states?: readonly RunState[] | undefined;
}

/**
 * Latest first; found ones in the order of how well they fit.
 * @returns `isComplete` false while the index is behind, so that a deal may be missing
 */
export async function listDeals(
  store: Store,
  index: DealIndex,
  filter: DealFilter,
  page: PageRequest,
): Promise<Page<DealSummary> & { isComplete: boolean }> {
  if (filter.q === undefined) return { ...(await latestDeals(store, filter, page)), isComplete: true };
  const isComplete = await index.catchUp();
  const matches = await findDeals(store.db, filter.q);
  const place = placeOf(page.cursor, 1);
  const from = place === null ? 0 : Number(place[0]);
  const rows = matches
    .slice(from, from + page.limit + 1)
    .map((match, offset) => ({ match, at: from + offset }));
  const { items, next } = pageOf(
    rows,
    page.limit,
    ({ at }) => [at + 1],
    ({ match }) => match,
  );
  const deals = await summaries(store, items);
  return { items: deals.filter(({ state }) => fits(filter, state)), next, isComplete };
}

const fits = ({ states }: DealFilter, state: RunState): boolean => states?.includes(state) ?? true;

/** The latest run of a deal stands for it. */
async function latestDeals(store: Store, { states }: DealFilter, { limit, cursor }: PageRequest) {
  let query = store.db
    .selectFrom('run')
    .select(['seq', 'correlation_id'])
    .where((run) =>
      run.not(
        run.exists(
          run
            .selectFrom('run as later')
            .select('later.seq')
            .whereRef('later.correlation_id', '=', 'run.correlation_id')
            .whereRef('later.seq', '>', 'run.seq'),
        ),
      ),
    )
    .orderBy('seq', 'desc')
    .limit(limit + 1);
  if (states?.length === 1 && states[0]) query = query.where('state', '=', sql.lit<RunState>(states[0]));
  else if (states !== undefined) query = query.where('state', 'in', [...states]);
  const place = placeOf(cursor, 1);
  if (place !== null) query = query.where('seq', '<', Number(place[0]));
  const { items, next } = pageOf(
    await query.execute(),
    limit,
    ({ seq }) => [seq],
    (row) => row.correlation_id,
  );
  return {
    items: await summaries(
      store,
      items.map((correlationId) => ({ correlationId })),
    ),
    next,
  };
}

type Found = Pick<Match, 'correlationId'> & Partial<Match>;

/** Deals that are gone are left out: what is remembered of them may outlive them by a while. */
async function summaries({ db }: Store, found: readonly Found[]): Promise<DealSummary[]> {
  if (found.length === 0) return [];
  const ids = found.map(({ correlationId }) => correlationId);
  const runs = await db
    .selectFrom('run')
    .selectAll()
    .where('correlation_id', 'in', ids)
    .orderBy('seq')
    .execute();
  const cases = await db
    .selectFrom('exception_case')
    .select(['correlation_id', 'owner_role', 'amount_at_risk', 'currency'])
    .where('correlation_id', 'in', ids)
    .where('state', 'not in', [sql.lit('resolved' as const), sql.lit('waived' as const)])
    .execute();
  const runsOf = Map.groupBy(runs, (run) => run.correlation_id);
  const casesOf = Map.groupBy(cases, (each) => each.correlation_id);
  return found.flatMap(({ correlationId, by, value, system }) => {
    const own = runsOf.get(correlationId) ?? [];
    const [first] = own;
    const last = own.at(-1);
    if (first === undefined || last === undefined) return [];
    const open = casesOf.get(correlationId) ?? [];
    return {
      id: correlationId,
      title: last.title,
      state: last.state,
      runs: own.length,
      openCases: open.length,
      ownerRoles: [...new Set(open.map(({ owner_role }) => owner_role))],
      amountAtRisk: atRisk(open),
      startedAt: first.created_at,
      updatedAt: last.ended_at ?? last.started_at ?? last.created_at,
      matched: by === undefined ? null : { by, value: value ?? '', system: system ?? null },
    };
  });
}

/** All cases of a deal put the same amount at risk: the deal's. */
function atRisk(cases: readonly { amount_at_risk: string | null; currency: string | null }[]): Money | null {
  const known = cases.find(({ amount_at_risk }) => amount_at_risk !== null);
  return known?.amount_at_risk == null
    ? null
    : { amount: known.amount_at_risk, currency: known.currency ?? '' };
}

/** @param id correlation id, or the id of one of its runs; null = there is no such deal */
export async function dealReport(store: Store, id: string): Promise<DealReport | null> {
  const { db } = store;
  const named = id.startsWith('run_')
    ? await db.selectFrom('run').select('correlation_id').where('id', '=', id).executeTakeFirst()
    : { correlation_id: id };
  if (named === undefined) return null;
  const runs = await db
    .selectFrom('run')
    .selectAll()
    .where('correlation_id', '=', named.correlation_id)
    .orderBy('seq')
    .execute();
  const last = runs.at(-1);
  if (last === undefined) return null;
  const runIds = runs.map((run) => run.id);
  const steps = await db
    .selectFrom('step')
    .selectAll()
    .where('run_id', 'in', runIds)
    .orderBy('seq')
    .execute();
  const cases = await db
    .selectFrom('exception_case')
    .selectAll()
    .where('correlation_id', '=', named.correlation_id)
    .orderBy('opened_at')
    .execute();
  const waits = await db
    .selectFrom('suspension')
    .selectAll()
    .where('run_id', 'in', runIds)
    .orderBy('seq')
    .execute();
  const summaries = cases.map((row) => summaryOfCase(store, row));
  const open = waits.filter(({ state }) => state === 'waiting');
  const waiting: WaitSummary[] = open.map((row) => ({
    node: row.node_name,
    event: row.event,
    key: row.match_key,
    since: row.created_at,
    deadline: row.deadline,
  }));
  return {
    id: named.correlation_id,
    title: last.title,
    state: last.state,
    runs: runs.map(summaryOfRun),
    entities: entitiesOf(steps, await refsOf(store, steps)),
    cases: summaries,
    waits: waiting,
    waitsFor: [
      ...summaries.filter(isOpen).map((each) => ({
        kind: 'person' as const,
        who: each.ownerRole,
        what: titleOf(each.code),
        since: each.openedAt,
        until: null,
        caseId: each.id,
        runId: each.runId,
      })),
      ...open.map((row) => ({
        kind: 'event' as const,
        who: null,
        what: row.event,
        since: row.created_at,
        until: row.deadline,
        caseId: null,
        runId: row.run_id,
      })),
      ...runs.flatMap(turnOf),
    ],
    corrections: await correctionViews(db, named.correlation_id),
    timeline: await timelineOf(store, { runs, steps, waits, cases }),
  };
}

const isOpen = ({ state }: { state: string }): boolean => state !== 'resolved' && state !== 'waived';

const titleOf = (code: string): string => (isExceptionCode(code) ? exceptionCodes[code].title : code);

/** What a run waits for that neither a person nor an event holds up. */
function turnOf(run: RunRow): WaitsFor[] {
  const about = { who: null, caseId: null, runId: run.id };
  if (run.retry_at !== null) {
    const since = run.ended_at ?? run.created_at;
    return [{ ...about, kind: 'retry', what: 'the next attempt', since, until: run.retry_at }];
  }
  if (run.state !== 'queued' && run.state !== 'parked') return [];
  const what = run.state === 'queued' ? 'its turn' : 'an earlier change of the same record';
  return [{ ...about, kind: 'turn', what, since: run.created_at, until: null }];
}

const STATES = {
  intent: 'in_progress',
  confirmed: 'confirmed',
  rejected: 'failed',
  unknown: 'failed',
  failed: 'failed',
  skipped: 'skipped',
  undone: 'undone',
} as const satisfies Record<StepRow['state'], DealEntity['systems'][number]['state']>;

/** Records of the deal with their state in each system: what the latest step there came to. */
function entitiesOf(steps: readonly StepRow[], refs: readonly RefSummary[]): DealEntity[] {
  const entities = new Map<CanonicalId, DealEntity>();
  const of = (canonicalId: CanonicalId): DealEntity => {
    const known = entities.get(canonicalId) ?? {
      canonicalId,
      entity: entityOfId(canonicalId) ?? 'unknown',
      refs: [],
      systems: [],
    };
    entities.set(canonicalId, known);
    return known;
  };
  for (const step of steps) {
    if (step.undoes !== null) continue;
    const entity = of(step.canonical_id);
    const others = entity.systems.filter(
      ({ system, operation }) => system !== step.system || operation !== step.operation,
    );
    entity.systems = [
      ...others,
      {
        system: step.system,
        operation: step.operation,
        state: STATES[step.state],
        at: step.ended_at ?? step.started_at,
        stepKey: step.key,
      },
    ];
  }
  for (const ref of refs) of(ref.canonicalId).refs.push(ref);
  return [...entities.values()];
}
