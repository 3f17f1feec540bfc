import { type ExpressionBuilder, sql } from 'kysely';
import { correctionViews, hasFailedIn, hasOpenCase } from '../engine';
import type { CanonicalId, Instant } from '../model';
import {
  type CaseRow,
  open,
  type RunRow,
  type RunState,
  type Schema,
  type StepDecisionRow,
  type StepRow,
  type Store,
  verifyAudit,
  type XrefRow,
} from '../store';
import { type Page, type PageRequest, pageOf, placeOf } from './paging';
import type {
  CaseSummary,
  DecisionSummary,
  RefSummary,
  RunReport,
  RunSummary,
  StepSummary,
} from './schemas/runs';

/** Read-only views of runs, as plain JSON without payloads: what pages, scripts and other programs show. */

export type {
  CaseSummary,
  DecisionSummary,
  RefSummary,
  RunReport,
  RunSummary,
  StepSummary,
  WaitSummary,
} from './schemas/runs';

export interface RunFilter {
  states?: readonly RunState[] | undefined;
  correlationId?: CanonicalId | undefined;
  sourceNodes?: readonly string[] | undefined;
  /** Part of its title. */
  title?: string | undefined;
  /** System of a step that has failed. */
  failedIn?: string | undefined;
  /** Code of an open case. */
  code?: string | undefined;
  createdSince?: Instant | undefined;
  createdBefore?: Instant | undefined;
}

export async function listRuns(
  store: Store,
  filter: RunFilter,
  { limit, cursor, order = 'newest' }: PageRequest & { order?: 'newest' | 'oldest' },
): Promise<Page<RunSummary>> {
  const isDown = order === 'newest';
  let query = store.db
    .selectFrom('run')
    .selectAll()
    .orderBy('seq', isDown ? 'desc' : 'asc')
    .limit(limit + 1);
  const { states, correlationId, sourceNodes, title, failedIn, code, createdSince, createdBefore } = filter;
  // One state as a literal: the planner then sees that the partial index of the rare states holds all of them.
  if (states?.length === 1 && states[0]) query = query.where('state', '=', sql.lit<RunState>(states[0]));
  else if (states !== undefined) query = query.where('state', 'in', [...states]);
  if (correlationId !== undefined) query = query.where('correlation_id', '=', correlationId);
  if (sourceNodes !== undefined) query = query.where('source_node', 'in', [...sourceNodes]);
  if (title !== undefined) query = query.where((run) => containing(run, title));
  if (failedIn !== undefined) query = query.where((run) => hasFailedIn(run, failedIn));
  if (code !== undefined) query = query.where((run) => hasOpenCase(run, code));
  if (createdSince !== undefined) query = query.where('created_at', '>=', createdSince);
  if (createdBefore !== undefined) query = query.where('created_at', '<', createdBefore);
  const place = placeOf(cursor, 1);
  if (place !== null) query = query.where('seq', isDown ? '<' : '>', Number(place[0]));
  return pageOf(await query.execute(), limit, ({ seq }) => [seq], summaryOfRun);
}

type OfRun = ExpressionBuilder<Schema, 'run'>;

/** Without regard to case; `%` and `_` stand for themselves. */
function containing(run: OfRun, text: string) {
  const pattern = `%${text.toLowerCase().replace(/[\\%_]/g, '\\$&')}%`;
  return sql<boolean>`lower(${run.ref('title')}) like ${pattern} escape '\\'`;
}

/** States that few runs are in, each with a partial index of its own. */
const RARE_STATES = [
  'parked',
  'queued',
  'running',
  'waiting',
  'failed',
  'superseded',
  'cancelling',
  'cancelled',
] as const satisfies readonly RunState[];

/**
 * How many runs are in each state; states without any are absent. Completed ones are what is left of all: they are
 * nearly all of a large store, and counting them one by one would read it whole.
 */
export async function countRuns(store: Store): Promise<Partial<Record<RunState, number>>> {
  const { db } = store;
  const counts: Partial<Record<RunState, number>> = {};
  const [all] = await db
    .selectFrom('run')
    .select((run) => run.fn.countAll<number>().as('count'))
    .execute();
  let completed = Number(all?.count ?? 0);
  for (const state of RARE_STATES) {
    const [found] = await db
      .selectFrom('run')
      .select((run) => run.fn.countAll<number>().as('count'))
      .where('state', '=', sql.lit<RunState>(state))
      .execute();
    const count = Number(found?.count ?? 0);
    if (count > 0) counts[state] = count;
    completed -= count;
  }
  if (completed > 0) counts.completed = completed;
  return counts;
}

/** One run with its steps, the records it touched in every system, and its cases; null when unknown. */
export async function runReport(store: Store, runId: string): Promise<RunReport | null> {
  const { db } = store;
  const run = await db.selectFrom('run').selectAll().where('id', '=', runId).executeTakeFirst();
  if (run === undefined) return null;
  const steps = await db.selectFrom('step').selectAll().where('run_id', '=', runId).orderBy('seq').execute();
  const waits = await db
    .selectFrom('suspension')
    .select(['node_name as node', 'event', 'match_key as key', 'created_at as since', 'deadline'])
    .where('run_id', '=', runId)
    .where('state', '=', 'waiting')
    .orderBy('seq')
    .execute();
  const decisions = await db.selectFrom('step_decision').selectAll().where('run_id', '=', runId).execute();
  const cases = await db
    .selectFrom('exception_case')
    .selectAll()
    .where('correlation_id', '=', run.correlation_id)
    .orderBy('opened_at')
    .execute();
  const event = await db
    .selectFrom('event')
    .select(['source', 'event_id as id', 'type', 'time', 'received_at as receivedAt'])
    .where('seq', '=', run.event_seq)
    .executeTakeFirst();
  const cancellation = await db
    .selectFrom('cancellation')
    .select(['actor', 'reason', 'requested_at as requestedAt'])
    .where('run_id', '=', runId)
    .executeTakeFirst();
  return {
    ...summaryOfRun(run),
    event: event ?? null,
    steps: steps.map((row) => summaryOfStep(store, row, decisions)),
    waits,
    refs: await refsOf(store, steps),
    cases: cases.map((row) => summaryOfCase(store, row)),
    corrections: await correctionViews(db, run.correlation_id),
    cancellation: cancellation ?? null,
  };
}

/** Cases of one run or, by the open ones, of all. */
export async function listCases(
  store: Store,
  options: { limit: number; open: boolean },
): Promise<CaseSummary[]> {
  let query = store.db.selectFrom('exception_case').selectAll().orderBy('id').limit(options.limit);
  if (options.open) query = query.where('state', 'not in', ['resolved', 'waived']);
  return (await query.execute()).map((row) => summaryOfCase(store, row));
}

/** @returns number of the first line of the audit chain that does not fit; null = intact */
export const auditBreak = (store: Store): Promise<number | null> => verifyAudit(store);

/** Cross-references of every record that the steps read or wrote. */
export async function refsOf(
  store: Store,
  steps: readonly Pick<StepRow, 'key' | 'canonical_id' | 'result'>[],
): Promise<RefSummary[]> {
  const ids = [...recordsOf(store, steps)];
  if (ids.length === 0) return [];
  const rows: XrefRow[] = [];
  // A statement takes a bounded number of values.
  for (let from = 0; from < ids.length; from += 500) {
    rows.push(
      ...(await store.db
        .selectFrom('xref')
        .selectAll()
        .where('canonical_id', 'in', ids.slice(from, from + 500))
        .orderBy('created_at')
        .execute()),
    );
  }
  return rows.map(summaryOfRef);
}

/** Canonical ids of the records that the steps read or wrote. */
export function recordsOf(
  store: Store,
  steps: readonly Pick<StepRow, 'key' | 'canonical_id' | 'result'>[],
): Set<CanonicalId> {
  const ids = new Set<string>(steps.map(({ canonical_id }) => canonical_id));
  for (const step of steps) {
    const result = open(store.db, 'step', 'result', step);
    if (result === null) continue;
    for (const { id } of (JSON.parse(result) as { refs: { id: string }[] }).refs) ids.add(id);
  }
  return ids;
}

export const summaryOfRef = (row: XrefRow): RefSummary => ({
  canonicalId: row.canonical_id,
  entity: row.entity,
  system: row.system,
  instance: row.instance,
  type: row.type,
  externalId: row.external_id,
  role: row.role,
  url: row.url,
  createdAt: row.created_at,
});

export function summaryOfRun(row: RunRow): RunSummary {
  return {
    id: row.id,
    title: row.title,
    state: row.state,
    attempt: row.attempt,
    correlationId: row.correlation_id,
    sourceNode: row.source_node,
    createdAt: row.created_at,
    startedAt: row.started_at,
    endedAt: row.ended_at,
    retryAt: row.retry_at,
  };
}

export function summaryOfStep(
  store: Store,
  row: StepRow,
  decisions: readonly StepDecisionRow[],
): StepSummary {
  return {
    key: row.key,
    node: row.node_name,
    nodeId: row.node_id,
    system: row.system,
    instance: row.instance,
    operation: row.operation,
    canonicalId: row.canonical_id,
    state: row.state,
    origin: row.origin,
    calls: row.calls,
    probes: row.probes,
    runAttempt: row.run_attempt,
    startedAt: row.started_at,
    endedAt: row.ended_at,
    durationMs: row.duration_ms,
    error:
      row.error_code === null
        ? null
        : { code: row.error_code, message: open(store.db, 'step', 'error_message', row) ?? '' },
    undoes: row.undoes,
    mappingVersion: row.mapping_version,
    decision: decisionAbout(row, decisions),
  };
}

function decisionAbout(step: StepRow, decisions: readonly StepDecisionRow[]): DecisionSummary | null {
  if (step.undoes !== null) return null;
  const made = decisions.find(
    ({ node_id, operation, canonical_id }) =>
      node_id === step.node_id && operation === step.operation && canonical_id === step.canonical_id,
  );
  if (made === undefined) return null;
  const { kind, actor, reason, at, external_id: externalId } = made;
  return { kind, actor, reason, at, externalId };
}

export function summaryOfCase(store: Store, row: CaseRow): CaseSummary {
  return {
    id: row.id,
    code: row.code,
    message: open(store.db, 'exception_case', 'message', row),
    ownerRole: row.owner_role,
    severity: row.severity,
    state: row.state,
    node: row.node_name,
    nodeId: row.node_id,
    subject: row.subject,
    runId: row.run_id,
    stepKey: row.step_key,
    amountAtRisk:
      row.amount_at_risk === null ? null : { amount: row.amount_at_risk, currency: row.currency ?? '' },
    occurrences: row.occurrences,
    openedAt: row.opened_at,
  };
}
