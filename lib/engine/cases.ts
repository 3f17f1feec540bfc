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
import { appendAudit, type CaseState, preparedTogether, type StepState, seal, type Tx } from '../store';
import { causeOf } from './case-cause';
import { type CaseNote, type CaseRoute, deskOf } from './case-desk';
import type { Author } from './decisions';
import type { NewCase, Run } from './types';

/** Exception cases as the engine writes them: opened, seen again, resolved by a later success. */

/** Actor of everything that happens without a person. */
export const ENGINE = 'engine';

export interface OpenedCase {
  id: CanonicalId;
  message: string;
  ownerRole: string;
}

/** Work stopped and its cases are open: thrown so that the flow can go to its Catch node. */
export class CaseOpened extends Q2cError {
  /** The first case; its message is the error's. */
  readonly caseId: string;
  readonly caseIds: string[];
  /** Role that owns the first case. */
  readonly ownerRole: string;

  constructor(cases: readonly OpenedCase[], code: ExceptionCode, cause?: unknown) {
    super(code, cases.map(({ message }) => message).join(' '), { cause });
    this.name = 'CaseOpened';
    this.caseIds = cases.map(({ id }) => id);
    this.caseId = this.caseIds[0] ?? '';
    this.ownerRole = cases[0]?.ownerRole ?? '';
  }
}

/**
 * Opens a case, or refreshes the one of the same deal, node, code and subject: seen again it counts an
 * occurrence, and a resolved one is reopened.
 */
export async function openCase(tx: Tx, run: Run, request: NewCase, at: Instant): Promise<OpenedCase> {
  const dedupeKey = dedupeKeyOf(run, request);
  const message = messageOf(request);
  const { facts = {}, amountAtRisk: amount } = request.about;
  const connection = await connectionOf(tx, request);
  const personal = personalIn(message, request);
  const fields = (id: CanonicalId) => ({
    message: seal(tx, 'exception_case', 'message', { id }, message),
    personal: personal && seal(tx, 'exception_case', 'personal', { id }, JSON.stringify(personal)),
    run_id: run.id,
    run_attempt: run.attempt,
    step_key: request.stepKey ?? null,
    node_name: request.node.name,
    amount_at_risk: amount?.amount ?? null,
    amount_whole: amount === undefined ? null : Math.trunc(Number(amount.amount)),
    currency: amount?.currency ?? null,
    system: facts.system ?? connection.system,
    instance: connection.instance,
    entity: facts.entity ?? null,
    legal_entity: facts.legalEntity ?? null,
    region: facts.region ?? null,
    cause: causeOf(request),
    fields: request.fields === undefined ? null : JSON.stringify(request.fields),
    detail: seal(tx, 'exception_case', 'detail', { id }, JSON.stringify(request.detail ?? {})),
    updated_at: at,
  });

  const known = await tx
    .selectFrom('exception_case')
    .select(['id', 'state', 'occurrences', 'reopened', 'version', 'owner_role'])
    .where('dedupe_key', '=', dedupeKey)
    .executeTakeFirst();
  if (known === undefined) {
    const route = await routeOf(tx, request, at);
    const id = newId('exceptionCase');
    await tx
      .insertInto('exception_case')
      .values({
        id,
        dedupe_key: dedupeKey,
        code: request.code,
        ...route,
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
    const { owner_role, severity, sla_due_at, policy_version } = route;
    const routed = { ownerRole: owner_role, severity, slaDue: sla_due_at, policy: policy_version };
    const detail = { code: request.code, message, ...routed };
    await recordOnCase(tx, id, run.id, ENGINE, { action: 'opened', detail }, at);
    return { id, message, ownerRole: owner_role };
  }

  const ended = known.state === 'resolved' || known.state === 'waived';
  const anew = ended ? { ...(await routeOf(tx, request, at)), ...ANEW } : {};
  await tx
    .updateTable('exception_case')
    .set({
      ...fields(known.id),
      ...anew,
      state: ended ? 'open' : known.state === 'replaying' ? 'in_repair' : known.state,
      occurrences: known.occurrences + 1,
      reopened: known.reopened + (ended ? 1 : 0),
      version: known.version + 1,
      resolved_at: null,
    })
    .where('id', '=', known.id)
    .execute();
  const detail = { code: request.code, message };
  const action = ended ? 'reopened' : known.state === 'replaying' ? 'replay_failed' : 'seen_again';
  await recordOnCase(tx, known.id, run.id, ENGINE, { action, detail, changed: ['occurrences'] }, at);
  return { id: known.id, message, ownerRole: { ...known, ...anew }.owner_role };
}

/** What of the message only some may read; null when that is nothing. */
function personalIn(message: string, { about, detail }: NewCase): string[] | null {
  const told = `${message} ${JSON.stringify(detail ?? {})}`;
  const found = (about.personal?.() ?? []).map((each) => each.trim()).filter((each) => told.includes(each));
  const names = [...new Set(found)].filter((each) => each !== '');
  return names.length === 0 ? null : names;
}

/** Where the call has failed that the case is about: pages count open cases by it. */
async function connectionOf(
  tx: Tx,
  { stepKey }: NewCase,
): Promise<{ system: string | null; instance: string | null }> {
  const none = { system: null, instance: null };
  if (stepKey === undefined) return none;
  const step = await tx
    .selectFrom('step')
    .select(['system', 'instance'])
    .where('key', '=', stepKey)
    .executeTakeFirst();
  return step ?? none;
}

/** A reopened case begins anew: with another owner perhaps, and with all its time. */
const ANEW = { assignee: null, snoozed_until: null, sla_breached_at: null, escalations: 0 };

/** Owner, severity and due time as columns: what the node says, else the policy, else the code. */
async function routeOf(tx: Tx, request: NewCase, at: Instant) {
  const { code, about } = request;
  const stated = {
    ownerRole: request.ownerRole ?? ownerOf(exceptionCodes[code].owner, about.ownerRole),
    severity: request.severity ?? exceptionCodes[code].severity,
  };
  const amountAtRisk = about.amountAtRisk ?? null;
  const routing = { code, facts: about.facts ?? {}, amountAtRisk, ...stated };
  const route: CaseRoute | undefined = await deskOf(tx)?.route(tx, routing, at);
  return {
    owner_role: request.ownerRole ?? route?.ownerRole ?? stated.ownerRole,
    severity: request.severity ?? route?.severity ?? stated.severity,
    sla_due_at: route?.slaDueAt ?? null,
    policy_version: route?.policyVersion ?? null,
  };
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
  state: CaseState;
  /** The call it is about may have been processed, and nobody has found out yet. */
  isUndecided: boolean;
}

const selectOpenCases = preparedTogether<
  { correlationId: CanonicalId; sourceNode: string },
  {
    id: CanonicalId;
    code: string;
    run_id: string;
    node_id: string;
    state: CaseState;
    step_state: StepState | null;
  }
>({ correlationId: 'text', sourceNode: 'text' }, (db, value) =>
  db
    .selectFrom('exception_case')
    .leftJoin('step', 'step.key', 'exception_case.step_key')
    .select([
      'exception_case.id',
      'exception_case.code',
      'exception_case.run_id',
      'exception_case.node_id',
      'exception_case.state',
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
  return rows.map(({ id, code, run_id, node_id, state, step_state }) => ({
    id,
    state,
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
    const detail = { reason, ...note.detail };
    await recordOnCase(tx, id, step.run_id, actor, { action: note.action, detail }, at);
  }
}

/**
 * A person has the run sent again: its cases are in that person's hands, and are replayed. From every state that is not
 * an end this is legal in steps that a person need not take one by one.
 */
export async function replayCases(tx: Tx, runId: string, author: Author, at: Instant): Promise<void> {
  const { actor, reason } = author;
  const open = await unresolved(tx, runId)
    .select(['id', 'state'])
    .where('state', '!=', 'replaying')
    .execute();
  for (const { id, state } of open) {
    await tx
      .updateTable('exception_case')
      .set((row) => ({
        state: 'replaying',
        assignee: row.fn.coalesce('assignee', row.val(actor)),
        snoozed_until: null,
        version: row('version', '+', 1),
        updated_at: at,
      }))
      .where('id', '=', id)
      .execute();
    const detail = { ...(reason === '' ? {} : { reason }), before: state, after: 'replaying' };
    const note = { action: 'replay_requested', detail, changed: ['status', 'assignee'] };
    await recordOnCase(tx, id, runId, actor, note, at);
  }
}

/** The replay has ended without coming by what these cases are about. */
export async function endReplay(
  tx: Tx,
  run: Run,
  cases: readonly { id: CanonicalId }[],
  at: Instant,
): Promise<void> {
  for (const { id } of cases) {
    await tx
      .updateTable('exception_case')
      .set((row) => ({ state: 'in_repair', version: row('version', '+', 1), updated_at: at }))
      .where('id', '=', id)
      .execute();
    const detail = { before: 'replaying', after: 'in_repair' };
    await recordOnCase(tx, id, run.id, ENGINE, { action: 'replay_failed', detail, changed: ['status'] }, at);
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
    .set((row) => ({
      state: 'resolved',
      resolved_at: at,
      snoozed_until: null,
      version: row('version', '+', 1),
      updated_at: at,
    }))
    .where('id', '=', id)
    .execute();
  await recordOnCase(tx, id, run.id, actor, { action: 'resolved', detail, changed: ['status'] }, at);
}

function ownerOf(role: string, domainRole: string): string {
  return role === 'by_entity' ? domainRole : role;
}

/**
 * Notes on a case what has happened to it. The history tells all of it; the audit, which is kept for ever, leaves out
 * the message and the words of a comment.
 */
export async function recordOnCase(
  tx: Tx,
  id: CanonicalId,
  runId: string,
  actor: string,
  { action, detail, changed = [] }: CaseNote,
  at: Instant,
): Promise<void> {
  const line = { case_id: id, at, action };
  await tx
    .insertInto('case_history')
    .values({
      ...line,
      actor,
      detail: seal(tx, 'case_history', 'detail', line, JSON.stringify(detail)),
    })
    .execute();
  const { message: _message, comment: _comment, ...facts } = detail;
  await appendAudit(tx, { at, actor, action: `case.${action}`, subject: id, runId, detail: facts });
  await deskOf(tx)?.happened(tx, { caseId: id, action, actor, at, changed });
}
