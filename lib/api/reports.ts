import type { CanonicalId, Instant } from '../model';
import {
  type CaseRow,
  open,
  type RunRow,
  type RunState,
  type StepDecisionRow,
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
  key: string;
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
  /** Key of the step that this one takes back. */
  undoes: string | null;
  /** `<label>+<hash>` of the mapping that its deal went through; null = none. */
  mappingVersion: string | null;
  /** What a person has decided about it; its content is shown by `stepInput`. */
  decision: DecisionSummary | null;
}

export interface DecisionSummary {
  kind: StepDecisionRow['kind'];
  actor: string;
  reason: string;
  at: Instant;
  /** Of a record made by hand. */
  externalId: string | null;
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

/** A message that the run keeps at a node. */
export interface WaitSummary {
  node: string;
  /** Type or name of the event that it waits for, and what that must be about. */
  event: string;
  key: string;
  since: Instant;
  deadline: Instant | null;
}

export interface RunReport extends RunSummary {
  steps: StepSummary[];
  waits: WaitSummary[];
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
  const waits = await store.db
    .selectFrom('suspension')
    .select(['node_name as node', 'event', 'match_key as key', 'created_at as since', 'deadline'])
    .where('run_id', '=', runId)
    .where('state', '=', 'waiting')
    .orderBy('seq')
    .execute();
  const decisions = await store.db
    .selectFrom('step_decision')
    .selectAll()
    .where('run_id', '=', runId)
    .execute();
  const cases = await store.db
    .selectFrom('exception_case')
    .selectAll()
    .where('correlation_id', '=', run.correlation_id)
    .orderBy('opened_at')
    .execute();
  return {
    ...summaryOfRun(run),
    steps: steps.map((row) => summaryOfStep(store, row, decisions)),
    waits,
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

function summaryOfStep(store: Store, row: StepRow, decisions: readonly StepDecisionRow[]): StepSummary {
  return {
    key: row.key,
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
