import { type CanonicalId, type ExceptionCode, exceptionCodes, type Money, Q2cError } from '../model';
import { type CaseRow, type CaseState, isShared, open, type Tx } from '../store';
import { type RoutedCase, roleOf, severityOf } from './routing';
import type { CaseLine, Person } from './types';

/** Cases as rows, and who may touch them. */

export const isClosed = (state: CaseState): boolean => state === 'resolved' || state === 'waived';

/** The case, kept from being changed by others until the transaction ends. @throws Q2cError `CASE_UNKNOWN` */
export async function lockedCase(tx: Tx, id: string): Promise<CaseRow> {
  const query = tx.selectFrom('exception_case').selectAll().where('id', '=', id);
  const row = await (isShared(tx) ? query.forUpdate() : query).executeTakeFirst();
  if (row !== undefined) return row;
  throw new Q2cError('CASE_UNKNOWN', `There is no case ${id}.`);
}

/** @throws Q2cError `NOT_PERMITTED` */
export function requireOwner(row: Pick<CaseRow, 'id' | 'owner_role' | 'assignee'>, person: Person): void {
  if (mayAct(row, person)) return;
  throw new Q2cError(
    'NOT_PERMITTED',
    `Case ${row.id} belongs to ${row.owner_role}; ${person.name} does not have that role.`,
  );
}

export const mayAct = (row: Pick<CaseRow, 'owner_role' | 'assignee'>, { name, roles }: Person): boolean =>
  roles === 'all' || roles.includes(row.owner_role) || row.assignee === name;

/** @throws Q2cError `CASE_CHANGED` */
export function requireVersion(row: Pick<CaseRow, 'id' | 'version'>, version: number | undefined): void {
  if (version === undefined || version === row.version) return;
  throw new Q2cError(
    'CASE_CHANGED',
    `Case ${row.id} has changed since it was read (version ${row.version}, not ${version}). Look at it again.`,
  );
}

/** @throws Q2cError `ILLEGAL_TRANSITION` */
export function requireUnsettled(row: Pick<CaseRow, 'id' | 'state'>): void {
  if (!isClosed(row.state)) return;
  throw new Q2cError(
    'ILLEGAL_TRANSITION',
    `Case ${row.id} is ${row.state}; there is nothing left to do about it.`,
  );
}

export const moneyOf = (row: Pick<CaseRow, 'amount_at_risk' | 'currency'>): Money | null =>
  row.amount_at_risk === null || row.currency === null
    ? null
    : { amount: row.amount_at_risk, currency: row.currency };

export const routedOf = (row: CaseRow): RoutedCase => ({
  code: row.code as ExceptionCode,
  system: row.system,
  entity: row.entity,
  legalEntity: row.legal_entity,
  region: row.region,
  amountAtRisk: moneyOf(row),
});

/** @returns the cases of these ids, in their order */
export async function linesOf(tx: Tx, ids: readonly CanonicalId[]): Promise<CaseLine[]> {
  if (ids.length === 0) return [];
  const rows = await tx
    .selectFrom('exception_case')
    .leftJoin('run', 'run.id', 'exception_case.run_id')
    .selectAll('exception_case')
    .select('run.title')
    .select((row) =>
      row
        .exists(
          row
            .selectFrom('case_approval')
            .select('case_approval.id')
            .whereRef('case_approval.case_id', '=', 'exception_case.id')
            .where('case_approval.state', 'in', ['pending', 'approved']),
        )
        .as('approval_pending'),
    )
    .where('exception_case.id', 'in', ids)
    .execute();
  const lines = new Map(rows.map((row) => [row.id, lineOf(tx, row)]));
  return ids.flatMap((id) => lines.get(id) ?? []);
}

/** @throws Q2cError `CASE_UNKNOWN` */
export async function lineById(tx: Tx, id: CanonicalId): Promise<CaseLine> {
  const [line] = await linesOf(tx, [id]);
  if (line !== undefined) return line;
  throw new Q2cError('CASE_UNKNOWN', `There is no case ${id}.`);
}

type ShownRow = CaseRow & { title: string | null; approval_pending: unknown };

function lineOf(tx: Tx, row: ShownRow): CaseLine {
  return {
    id: row.id,
    version: row.version,
    code: row.code,
    title: titleOf(row.code),
    message: open(tx, 'exception_case', 'message', row),
    status: row.state,
    severity: severityOf(row.severity),
    ownerRole: roleOf(row.owner_role),
    assignee: row.assignee,
    correlationId: row.correlation_id,
    subject: row.subject,
    deal: row.title ?? row.correlation_id,
    runId: row.run_id,
    stepKey: row.step_key,
    node: { id: row.node_id, name: row.node_name },
    system: row.system,
    entity: row.entity,
    legalEntity: row.legal_entity,
    region: row.region,
    amountAtRisk: moneyOf(row),
    sla: { due: row.sla_due_at, breachedAt: row.sla_breached_at },
    snoozedUntil: row.snoozed_until,
    escalations: row.escalations,
    occurrences: row.occurrences,
    reopened: row.reopened,
    openedAt: row.opened_at,
    updatedAt: row.updated_at,
    resolvedAt: row.resolved_at,
    cause: row.cause,
    policyVersion: row.policy_version,
    approvalPending: Boolean(row.approval_pending),
  };
}

/** Codes of a newer version stand for themselves. */
export const titleOf = (code: string): string =>
  Object.hasOwn(exceptionCodes, code) ? exceptionCodes[code as ExceptionCode].title : code;
