import type { CanonicalId, Instant } from '../model';
import {
  type CaseRow,
  open,
  type RunRow,
  type RunState,
  type StepRow,
  type Store,
  verifyAudit,
} from '../store';

/** Read-only views of the store, as plain JSON without payloads: what pages, scripts and other programs show. */

export interface RunSummary {
  id: string;
  title: string;
  state: RunState;
  attempt: number;
  correlationId: CanonicalId;
  createdAt: Instant;
  startedAt: Instant | null;
  endedAt: Instant | null;
  retryAt: Instant | null;
}

export interface StepSummary {
  node: string;
  system: string;
  operation: string;
  canonicalId: CanonicalId;
  state: StepRow['state'];
  origin: StepRow['origin'];
  calls: number;
  probes: number;
  durationMs: number | null;
  error: { code: string; message: string } | null;
}

export interface RefSummary {
  canonicalId: CanonicalId;
  entity: string;
  system: string;
  instance: string;
  type: string;
  externalId: string;
}

export interface CaseSummary {
  id: CanonicalId;
  code: string;
  message: string;
  ownerRole: string;
  severity: string;
  state: CaseRow['state'];
  node: string;
  subject: CanonicalId;
  runId: string;
  amountAtRisk: { amount: string; currency: string } | null;
  occurrences: number;
  openedAt: Instant;
}

export interface RunReport extends RunSummary {
  steps: StepSummary[];
  refs: RefSummary[];
  cases: CaseSummary[];
}

export interface ListOptions {
  limit: number;
  /** Only after this run or case id in arrival order. */
  after?: string;
}

export async function listRuns(
  store: Store,
  options: ListOptions & { state?: RunState; correlationId?: CanonicalId },
): Promise<RunSummary[]> {
  let query = store.db.selectFrom('run').selectAll().orderBy('seq').limit(options.limit);
  if (options.state !== undefined) query = query.where('state', '=', options.state);
  if (options.correlationId !== undefined) query = query.where('correlation_id', '=', options.correlationId);
  if (options.after !== undefined) {
    const { after } = options;
    query = query.where('seq', '>', (where) => where.selectFrom('run').select('seq').where('id', '=', after));
  }
  return (await query.execute()).map(summaryOfRun);
}

/** How many runs are in each state. */
export async function countRuns(store: Store): Promise<Partial<Record<RunState, number>>> {
  const rows = await store.db
    .selectFrom('run')
    .select(['state', (count) => count.fn.countAll<number>().as('count')])
    .groupBy('state')
    .execute();
  return Object.fromEntries(rows.map(({ state, count }) => [state, Number(count)]));
}

/** One run with its steps, the records it touched in every system, and its cases; null when unknown. */
export async function runReport(store: Store, runId: string): Promise<RunReport | null> {
  const run = await store.db.selectFrom('run').selectAll().where('id', '=', runId).executeTakeFirst();
  if (run === undefined) return null;
  const steps = await store.db
    .selectFrom('step')
    .selectAll()
    .where('run_id', '=', runId)
    .orderBy('seq')
    .execute();
  const cases = await store.db
    .selectFrom('exception_case')
    .selectAll()
    .where('correlation_id', '=', run.correlation_id)
    .orderBy('opened_at')
    .execute();
  return {
    ...summaryOfRun(run),
    steps: steps.map((row) => summaryOfStep(store, row)),
    refs: await refsOf(store, steps),
    cases: cases.map((row) => summaryOfCase(store, row)),
  };
}

export async function listCases(
  store: Store,
  options: ListOptions & { open: boolean },
): Promise<CaseSummary[]> {
  let query = store.db.selectFrom('exception_case').selectAll().orderBy('id').limit(options.limit);
  if (options.open) query = query.where('state', 'not in', ['resolved', 'waived']);
  if (options.after !== undefined) query = query.where('id', '>', options.after);
  return (await query.execute()).map((row) => summaryOfCase(store, row));
}

/** @returns number of the first line of the audit chain that does not fit; null = intact */
export const auditBreak = (store: Store): Promise<number | null> => verifyAudit(store);

/** Cross-references of every record that a step of the run read or wrote. */
async function refsOf(store: Store, steps: StepRow[]): Promise<RefSummary[]> {
  const ids = new Set<string>(steps.map(({ canonical_id }) => canonical_id));
  for (const step of steps) {
    const result = open(store.db, 'step', 'result', step);
    if (result === null) continue;
    for (const { id } of (JSON.parse(result) as { refs: { id: string }[] }).refs) ids.add(id);
  }
  if (ids.size === 0) return [];
  const rows = await store.db
    .selectFrom('xref')
    .selectAll()
    .where('canonical_id', 'in', [...ids])
    .orderBy('created_at')
    .execute();
  return rows.map((row) => ({
    canonicalId: row.canonical_id,
    entity: row.entity,
    system: row.system,
    instance: row.instance,
    type: row.type,
    externalId: row.external_id,
  }));
}

function summaryOfRun(row: RunRow): RunSummary {
  return {
    id: row.id,
    title: row.title,
    state: row.state,
    attempt: row.attempt,
    correlationId: row.correlation_id,
    createdAt: row.created_at,
    startedAt: row.started_at,
    endedAt: row.ended_at,
    retryAt: row.retry_at,
  };
}

function summaryOfStep(store: Store, row: StepRow): StepSummary {
  return {
    node: row.node_name,
    system: row.system,
    operation: row.operation,
    canonicalId: row.canonical_id,
    state: row.state,
    origin: row.origin,
    calls: row.calls,
    probes: row.probes,
    durationMs: row.duration_ms,
    error:
      row.error_code === null
        ? null
        : { code: row.error_code, message: open(store.db, 'step', 'error_message', row) ?? '' },
  };
}

function summaryOfCase(store: Store, row: CaseRow): CaseSummary {
  return {
    id: row.id,
    code: row.code,
    message: open(store.db, 'exception_case', 'message', row),
    ownerRole: row.owner_role,
    severity: row.severity,
    state: row.state,
    node: row.node_name,
    subject: row.subject,
    runId: row.run_id,
    amountAtRisk:
      row.amount_at_risk === null ? null : { amount: row.amount_at_risk, currency: row.currency ?? '' },
    occurrences: row.occurrences,
    openedAt: row.opened_at,
  };
}
