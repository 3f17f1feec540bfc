import { sql } from 'kysely';
import {
  type CanonicalId,
  type ExceptionCode,
  exceptionCodes,
  exceptionMessage,
  type Instant,
  type JsonObject,
  newId,
  Q2cError,
} from '../model';
import { appendAudit, type CaseState, prepared, type StepState, seal, type Tx } from '../store';
import type { Author } from './decisions';
import type { NewCase, Run } from './types';

/** Exception cases as the engine writes them: opened, seen again, resolved by a later success. */

/** Actor of everything that happens without a person. */
export const ENGINE = 'engine';

export interface OpenedCase {
  id: CanonicalId;
  message: string;
}

/** Work stopped and its cases are open: thrown so that the flow can go to its Catch node. */
export class CaseOpened extends Q2cError {
  /** The first case; its message is the error's. */
  readonly caseId: string;
  readonly caseIds: string[];

  constructor(cases: readonly OpenedCase[], code: ExceptionCode, cause?: unknown) {
    super(code, cases.map(({ message }) => message).join(' '), { cause });
    this.name = 'CaseOpened';
    this.caseIds = cases.map(({ id }) => id);
    this.caseId = this.caseIds[0] ?? '';
  }
}

/**
 * Opens a case, or refreshes the one of the same deal, node, code and subject: seen again it counts an
 * occurrence, and a resolved one is reopened.
 */
export async function openCase(tx: Tx, run: Run, request: NewCase, at: Instant): Promise<OpenedCase> {
  const code = exceptionCodes[request.code];
  const dedupeKey = dedupeKeyOf(run, request);
  const message = messageOf(request);
  const fields = (id: CanonicalId) => ({
    message: seal(tx, 'exception_case', 'message', { id }, message),
    run_id: run.id,
    run_attempt: run.attempt,
    step_key: request.stepKey ?? null,
    node_name: request.node.name,
    amount_at_risk: request.about.amountAtRisk?.amount ?? null,
    currency: request.about.amountAtRisk?.currency ?? null,
    detail: seal(tx, 'exception_case', 'detail', { id }, JSON.stringify(request.detail ?? {})),
    updated_at: at,
  });

  const known = await tx
    .selectFrom('exception_case')
    .select(['id', 'state', 'occurrences', 'reopened'])
    .where('dedupe_key', '=', dedupeKey)
    .executeTakeFirst();
  if (known === undefined) {
    const id = newId('exceptionCase');
    await tx
      .insertInto('exception_case')
      .values({
        id,
        dedupe_key: dedupeKey,
        code: request.code,
        owner_role: request.ownerRole ?? ownerOf(code.owner, request.about.ownerRole),
        severity: request.severity ?? code.severity,
        state: 'open',
        correlation_id: run.correlationId,
        subject: request.subject,
        node_id: request.node.id,
        occurrences: 1,
        reopened: 0,
        opened_at: at,
        resolved_at: null,
        ...fields(id),
      })
      .execute();
    await record(tx, id, run, ENGINE, 'opened', { code: request.code, message }, at);
    return { id, message };
  }

  const ended = known.state === 'resolved' || known.state === 'waived';
  await tx
    .updateTable('exception_case')
    .set({
      ...fields(known.id),
      state: ended ? 'open' : known.state === 'replaying' ? 'in_repair' : known.state,
      occurrences: known.occurrences + 1,
      reopened: known.reopened + (ended ? 1 : 0),
      resolved_at: null,
    })
    .where('id', '=', known.id)
    .execute();
  const seen = { code: request.code, message };
  await record(tx, known.id, run, ENGINE, ended ? 'reopened' : 'seen_again', seen, at);
  return { id: known.id, message };
}

/** One case per deal, node, code and subject. */
const dedupeKeyOf = ({ correlationId }: Run, { node, code, subject }: NewCase): string =>
  [correlationId, node.id, code, subject].join('|');

/** What a case of this request says. */
export const messageOf = ({ message, code, about }: NewCase): string =>
  message ?? exceptionMessage(code, about.params);

/** Id of the unresolved case that this request would refresh, if there is one. */
export async function openCaseOf(tx: Tx, run: Run, request: NewCase): Promise<CanonicalId | null> {
  const row = await tx
    .selectFrom('exception_case')
    .select(['id', 'state'])
    .where('dedupe_key', '=', dedupeKeyOf(run, request))
    .executeTakeFirst();
  return row === undefined || row.state === 'resolved' || row.state === 'waived' ? null : row.id;
}

export interface WaitingCase {
  id: CanonicalId;
  code: ExceptionCode;
  runId: string;
  nodeId: string;
  /** The call it is about may have been processed, and nobody has found out yet. */
  isUndecided: boolean;
}

const selectOpenCases = prepared<
  { correlationId: CanonicalId; sourceNode: string },
  { id: CanonicalId; code: string; run_id: string; node_id: string; step_state: StepState | null }
>((db, value) =>
  db
    .selectFrom('exception_case')
    .leftJoin('step', 'step.key', 'exception_case.step_key')
    .select([
      'exception_case.id',
      'exception_case.code',
      'exception_case.run_id',
      'exception_case.node_id',
      'step.state as step_state',
    ])
    .where('exception_case.correlation_id', '=', value.correlationId)
    .where('exception_case.state', 'not in', [sql.lit<CaseState>('resolved'), sql.lit<CaseState>('waived')])
    .where('exception_case.run_id', 'in', (from) =>
      from
        .selectFrom('run')
        .select('run.id')
        .where('run.correlation_id', '=', value.correlationId)
        .where('run.source_node', '=', value.sourceNode),
    ),
);

/**
 * Unresolved cases of what the run is about. Those of another flow about the same record are not among them: that
 * this run came through says nothing about them.
 */
export async function openCases(tx: Tx, { correlationId, sourceNode }: Run): Promise<WaitingCase[]> {
  const rows = await selectOpenCases(tx, { correlationId, sourceNode });
  return rows.map(({ id, code, run_id, node_id, step_state }) => ({
    id,
    code: code as ExceptionCode,
    runId: run_id,
    nodeId: node_id,
    isUndecided: step_state === 'unknown' || step_state === 'intent',
  }));
}

/** What these cases were about has been cured, as the run shows. */
export async function resolveCases(
  tx: Tx,
  run: Run,
  cured: readonly { id: CanonicalId }[],
  at: Instant,
): Promise<void> {
  const detail = { by: `run ${run.id}`, attempt: run.attempt };
  for (const { id } of cured) await resolve(tx, id, run, ENGINE, detail, at);
}

/** A person has taken the run back: nothing of it waits any more. */
export async function closeCasesOfRun(
  tx: Tx,
  run: Pick<Run, 'id'>,
  { actor, reason }: Author,
  at: Instant,
): Promise<void> {
  const open = await unresolved(tx, run.id).select('id').execute();
  for (const { id } of open) await resolve(tx, id, run, actor, { by: 'cancelled', reason }, at);
}

/** A person works on the step that these cases are about. */
export async function noteOnCases(
  tx: Tx,
  step: { key: string; run_id: string },
  note: { action: string; author: Author; detail: JsonObject },
  at: Instant,
): Promise<void> {
  const { actor, reason } = note.author;
  const open = await unresolved(tx, step.run_id).select('id').where('step_key', '=', step.key).execute();
  for (const { id } of open) {
    await tx
      .updateTable('exception_case')
      .set({ state: 'replaying', updated_at: at })
      .where('id', '=', id)
      .execute();
    await record(tx, id, { id: step.run_id }, actor, note.action, { reason, ...note.detail }, at);
  }
}

/** What cases of this step were about is dealt with. */
export async function resolveCasesOfStep(
  tx: Tx,
  step: { key: string; run_id: string },
  actor: string,
  detail: JsonObject,
  at: Instant,
): Promise<void> {
  const open = await unresolved(tx, step.run_id).select('id').where('step_key', '=', step.key).execute();
  for (const { id } of open) await resolve(tx, id, { id: step.run_id }, actor, detail, at);
}

const unresolved = (tx: Tx, runId: string) =>
  tx
    .selectFrom('exception_case')
    .where('run_id', '=', runId)
    .where('state', 'not in', [sql.lit<CaseState>('resolved'), sql.lit<CaseState>('waived')]);

async function resolve(
  tx: Tx,
  id: CanonicalId,
  run: Pick<Run, 'id'>,
  actor: string,
  detail: JsonObject,
  at: Instant,
): Promise<void> {
  await tx
    .updateTable('exception_case')
    .set({ state: 'resolved', resolved_at: at, updated_at: at })
    .where('id', '=', id)
    .execute();
  await record(tx, id, run, actor, 'resolved', detail, at);
}

function ownerOf(role: string, domainRole: string): string {
  return role === 'by_entity' ? domainRole : role;
}

/** The history tells the message; the audit, which is kept for ever, only what happened to which case. */
async function record(
  tx: Tx,
  id: CanonicalId,
  run: Pick<Run, 'id'>,
  actor: string,
  action: string,
  { message, ...facts }: JsonObject,
  at: Instant,
): Promise<void> {
  const line = { case_id: id, at, action };
  const told = message === undefined ? facts : { ...facts, message };
  await tx
    .insertInto('case_history')
    .values({
      ...line,
      actor,
      detail: seal(tx, 'case_history', 'detail', line, JSON.stringify(told)),
    })
    .execute();
  await appendAudit(tx, {
    at,
    actor,
    action: `case.${action}`,
    subject: id,
    runId: run.id,
    detail: facts,
  });
}
