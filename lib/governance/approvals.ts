import { sql } from 'kysely';
import { recordOnCase } from '../engine';
import { canonicalJson, type Instant, newUlid, Q2cError } from '../model';
import { type CaseApprovalRow, type CaseRow, isShared, open, type Store, seal, type Tx } from '../store';
import { lockedCase, moneyOf } from './rows';
import type { Approval, ApprovalState, GatedRequest, Page, PageRequest, Person } from './types';

/** Actions that wait for a second person, who is not the one who asked for it or worked on the same run. */

const LIVE: readonly ApprovalState[] = ['pending', 'approved'];

export interface NewApproval {
  request: GatedRequest;
  because: string;
  policyVersion: string;
  reason: string;
  requestedBy: string;
}

/**
 * Stores an action until it is decided on. The same one asked for twice by the same person is stored once.
 * @throws Q2cError `ILLEGAL_TRANSITION` while another one waits
 */
export async function requestApproval(
  tx: Tx,
  row: CaseRow,
  wanted: NewApproval,
  at: Instant,
): Promise<Approval> {
  const live = await tx
    .selectFrom('case_approval')
    .selectAll()
    .where('case_id', '=', row.id)
    .where('state', 'in', LIVE)
    .executeTakeFirst();
  if (live !== undefined) {
    const known = approvalOf(tx, live, row);
    const isSame = canonicalJson(known.request) === canonicalJson(wanted.request);
    if (isSame && known.requestedBy === wanted.requestedBy) return known;
    throw new Q2cError(
      'ILLEGAL_TRANSITION',
      `On case ${row.id} “${known.request.action}” waits for a second person already. Decide on it, or have ${known.requestedBy} withdraw it.`,
    );
  }
  const id = `apv_${newUlid()}`;
  const made: CaseApprovalRow = {
    id,
    case_id: row.id,
    state: 'pending',
    request: seal(tx, 'case_approval', 'request', { id }, JSON.stringify(wanted.request)),
    because: wanted.because,
    policy_version: wanted.policyVersion,
    reason: wanted.reason,
    requested_by: wanted.requestedBy,
    requested_at: at,
    decided_by: null,
    decided_at: null,
    note: null,
  };
  await tx.insertInto('case_approval').values(made).execute();
  const { reason, because } = wanted;
  const detail = { approval: id, request: wanted.request.action, reason, because };
  await noteOnCase(tx, row, 'approval_requested', wanted.requestedBy, detail, at);
  return approvalOf(tx, made, row);
}

export interface Decided {
  row: CaseRow;
  approval: Approval;
}

/**
 * A second person agrees. What was agreed on, and broken off by the end of its host, may be agreed on again a minute later.
 * @throws Q2cError `APPROVAL_UNKNOWN`, `NOT_PERMITTED`, `ILLEGAL_TRANSITION`
 */
export function agree(store: Store, id: string, note: string, by: Person): Promise<Decided> {
  return decide(store, id, async (tx, approval, row) => {
    if (!isAbandoned(approval, store.now())) requireLive(approval, ['pending']);
    await requireSecond(tx, approval, row, by);
    return { state: 'approved', action: 'approved', by: by.name, note };
  });
}

/** A second person refuses. @throws Q2cError as `agree` */
export function refuse(store: Store, id: string, note: string, by: Person): Promise<Decided> {
  return decide(store, id, async (tx, approval, row) => {
    requireLive(approval, ['pending']);
    await requireSecond(tx, approval, row, by);
    return { state: 'rejected', action: 'approval_refused', by: by.name, note };
  });
}

/** The one who asked takes it back. @throws Q2cError as `agree` */
export function takeBack(store: Store, id: string, by: Person): Promise<Decided> {
  return decide(store, id, async (_, approval) => {
    requireLive(approval, ['pending']);
    if (approval.requested_by !== by.name) {
      throw new Q2cError('NOT_PERMITTED', `Only ${approval.requested_by} can withdraw approval ${id}.`);
    }
    return { state: 'withdrawn', action: 'approval_withdrawn', by: by.name, note: '' };
  });
}

/** What was agreed on has been done, or could not be. */
export async function settle(
  tx: Tx,
  id: string,
  state: 'done' | 'failed',
  why: string | null,
): Promise<void> {
  await tx
    .updateTable('case_approval')
    .set({ state, ...(why === null ? {} : { note: why }) })
    .where('id', '=', id)
    .where('state', '=', 'approved')
    .execute();
}

/** A cancel may take longer; asked for twice it is done once. */
const ABANDONED_MS = 60_000;

const isAbandoned = ({ state, decided_at }: CaseApprovalRow, now: Instant): boolean =>
  state === 'approved' && decided_at !== null && Date.parse(now) - Date.parse(decided_at) >= ABANDONED_MS;

interface Decision {
  state: ApprovalState;
  action: string;
  by: string;
  note: string;
}

function decide(
  store: Store,
  id: string,
  decisionOn: (tx: Tx, approval: CaseApprovalRow, row: CaseRow) => Promise<Decision>,
): Promise<Decided> {
  return store.write(async (tx) => {
    const at = store.now();
    const query = tx.selectFrom('case_approval').selectAll().where('id', '=', id);
    const found = await (isShared(tx) ? query.forUpdate() : query).executeTakeFirst();
    if (found === undefined) throw new Q2cError('APPROVAL_UNKNOWN', `There is no approval ${id}.`);
    const row = await lockedCase(tx, found.case_id);
    const { state, action, by, note } = await decisionOn(tx, found, row);
    const decided = { ...found, state, decided_by: by, decided_at: at, note: note === '' ? null : note };
    const { decided_by, decided_at } = decided;
    await tx
      .updateTable('case_approval')
      .set({ state, decided_by, decided_at, note: decided.note })
      .where('id', '=', id)
      .execute();
    const approval = approvalOf(tx, decided, row);
    const { requestedBy, request } = approval;
    const detail = { approval: id, request: request.action, requestedBy, ...(note === '' ? {} : { note }) };
    await noteOnCase(tx, row, action, by, detail, at);
    return { row, approval };
  });
}

function requireLive({ id, state }: CaseApprovalRow, states: readonly ApprovalState[]): void {
  if (states.includes(state)) return;
  throw new Q2cError('ILLEGAL_TRANSITION', `Approval ${id} is ${state} already.`);
}

/** Four eyes: not who asked for it, and not who has worked on the run. */
async function requireSecond(tx: Tx, approval: CaseApprovalRow, row: CaseRow, by: Person): Promise<void> {
  const refusal = (why: string) => new Q2cError('NOT_PERMITTED', `Approval ${approval.id}: ${why}`);
  if (!by.mayApprove) throw refusal(`${by.name} may not approve.`);
  if (approval.requested_by === by.name) {
    throw refusal(
      `${by.name} asked for it, so another person has to decide. Where nobody logs in, all are one person: set up users in Node-RED (adminAuth).`,
    );
  }
  const repaired = await Promise.all(
    (['step_decision', 'record_correction'] as const).map((table) =>
      tx
        .selectFrom(table)
        .select('run_id')
        .where('run_id', '=', row.run_id)
        .where('actor', '=', by.name)
        .executeTakeFirst(),
    ),
  );
  if (repaired.some((found) => found !== undefined))
    throw refusal(`${by.name} has repaired this run, so another person has to decide.`);
}

const noteOnCase = async (
  tx: Tx,
  row: CaseRow,
  action: string,
  actor: string,
  detail: Record<string, string>,
  at: Instant,
): Promise<void> => {
  await tx
    .updateTable('exception_case')
    .set((current) => ({ version: current('version', '+', 1), updated_at: at }))
    .where('id', '=', row.id)
    .execute();
  await recordOnCase(tx, row.id, row.run_id, actor, { action, detail, changed: ['approval'] }, at);
};

export async function approvalsOf(tx: Tx, row: CaseRow): Promise<Approval[]> {
  const rows = await tx
    .selectFrom('case_approval')
    .selectAll()
    .where('case_id', '=', row.id)
    .orderBy('id')
    .execute();
  return rows.map((each) => approvalOf(tx, each, row));
}

/** Latest first. */
export async function listApprovals(
  tx: Tx,
  { state, caseId }: { state?: ApprovalState; caseId?: string },
  { limit, cursor }: PageRequest,
): Promise<Page<Approval>> {
  let query = tx
    .selectFrom('case_approval')
    .innerJoin('exception_case', 'exception_case.id', 'case_approval.case_id')
    .selectAll('case_approval')
    .select(['exception_case.amount_at_risk', 'exception_case.currency'])
    .orderBy('case_approval.id', 'desc')
    .limit(limit + 1);
  if (state !== undefined) query = query.where('case_approval.state', '=', sql.lit(state));
  if (caseId !== undefined) query = query.where('case_approval.case_id', '=', caseId);
  if (cursor !== undefined) query = query.where('case_approval.id', '<', cursor);
  const rows = await query.execute();
  const items = rows.slice(0, limit).map((row) => approvalOf(tx, row, row));
  return { items, next: rows.length > limit ? (items.at(-1)?.id ?? null) : null };
}

function approvalOf(
  tx: Tx,
  row: CaseApprovalRow,
  of: Pick<CaseRow, 'amount_at_risk' | 'currency'>,
): Approval {
  return {
    id: row.id,
    caseId: row.case_id,
    request: JSON.parse(open(tx, 'case_approval', 'request', row)) as GatedRequest,
    because: row.because,
    state: row.state,
    requestedBy: row.requested_by,
    reason: row.reason,
    requestedAt: row.requested_at,
    decidedBy: row.decided_by,
    decidedAt: row.decided_at,
    note: row.note,
    amountAtRisk: moneyOf(of),
    policyVersion: row.policy_version,
  };
}
