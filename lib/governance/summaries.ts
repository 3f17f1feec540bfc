import { add, compare, type Money } from '../model';
import { type CaseRow, open, type Tx } from '../store';
import { filtered } from './queue';
import { roleOf, severityOf, worse } from './routing';
import { moneyOf, titleOf } from './rows';
import type { CaseFilter, CaseGroup, QueueCount } from './types';

/**
 * Many cases in few lines: by cause, and by role. Amounts are summed exactly, which no database does alike, and each
 * deal counts once per currency: its cases all put the same money at risk.
 */

type Counted = Pick<
  CaseRow,
  | 'id'
  | 'cause'
  | 'code'
  | 'owner_role'
  | 'severity'
  | 'correlation_id'
  | 'system'
  | 'amount_at_risk'
  | 'currency'
  | 'sla_due_at'
  | 'sla_breached_at'
  | 'snoozed_until'
  | 'opened_at'
>;

type AtRisk = Pick<CaseRow, 'correlation_id' | 'amount_at_risk' | 'currency'>;

const COUNTED = [
  ...(['owner_role', 'correlation_id', 'currency'] as const),
  ...(['amount_at_risk', 'sla_breached_at', 'snoozed_until'] as const),
];

const COLUMNS = [
  ...(['id', 'cause', 'code', 'owner_role', 'severity', 'correlation_id', 'system'] as const),
  ...(['amount_at_risk', 'currency', 'sla_due_at', 'sla_breached_at', 'snoozed_until', 'opened_at'] as const),
];

/** Largest group first. */
export async function groupCases(tx: Tx, filter: CaseFilter): Promise<CaseGroup[]> {
  const rows = await select(tx, filter);
  const groups = [...Map.groupBy(rows, ({ cause, owner_role }) => `${cause}|${owner_role}`).values()];
  const oldest = groups.map((group) => group.reduce((a, b) => (a.opened_at <= b.opened_at ? a : b)));
  const messages = await messagesOf(
    tx,
    oldest.map(({ id }) => id),
  );
  return groups
    .map((group, index) => groupOf(group, oldest[index] as Counted, messages))
    .sort((a, b) => b.cases - a.cases || a.oldestOpenedAt.localeCompare(b.oldestOpenedAt));
}

function groupOf(
  group: readonly Counted[],
  first: Counted,
  messages: ReadonlyMap<string, string>,
): CaseGroup {
  return {
    cause: first.cause,
    code: first.code,
    title: titleOf(first.code),
    example: messages.get(first.id) ?? titleOf(first.code),
    ownerRole: roleOf(first.owner_role),
    system: first.system,
    severity: group.map(({ severity }) => severityOf(severity)).reduce(worse),
    cases: group.length,
    deals: new Set(group.map(({ correlation_id }) => correlation_id)).size,
    amountAtRisk: amountOf(group),
    oldestOpenedAt: first.opened_at,
    nextDue: group.flatMap(({ sla_due_at }) => sla_due_at ?? []).sort()[0] ?? null,
  };
}

/** By role, in the order of their names. An index of the open cases holds all that this reads. */
export async function countQueues(tx: Tx): Promise<QueueCount[]> {
  const cases = tx.selectFrom('exception_case').select(COUNTED);
  const rows = await filtered(cases, { snoozed: 'any' }).execute();
  return [...Map.groupBy(rows, ({ owner_role }) => owner_role)]
    .map(([role, cases]) => ({
      ownerRole: roleOf(role),
      open: cases.length,
      breached: cases.filter(({ sla_breached_at }) => sla_breached_at !== null).length,
      snoozed: cases.filter(({ snoozed_until }) => snoozed_until !== null).length,
      amountAtRisk: amountOf(cases),
    }))
    .sort((a, b) => a.ownerRole.localeCompare(b.ownerRole));
}

const select = (tx: Tx, filter: CaseFilter): Promise<Counted[]> =>
  filtered(tx.selectFrom('exception_case').select(COLUMNS), filter).execute();

async function messagesOf(tx: Tx, ids: readonly string[]): Promise<Map<string, string>> {
  if (ids.length === 0) return new Map();
  const rows = await tx
    .selectFrom('exception_case')
    .select(['id', 'message'])
    .where('id', 'in', ids)
    .execute();
  return new Map(rows.map((row) => [row.id, open(tx, 'exception_case', 'message', row)]));
}

/** Of each deal the largest amount in each currency. */
function amountOf(cases: readonly AtRisk[]): Money[] {
  const ofDeals = new Map<string, Money>();
  for (const row of cases) {
    const money = moneyOf(row);
    if (money === null) continue;
    const key = `${money.currency}|${row.correlation_id}`;
    const known = ofDeals.get(key);
    if (known === undefined || compare(money.amount, known.amount) > 0) ofDeals.set(key, money);
  }
  return [...Map.groupBy(ofDeals.values(), ({ currency }) => currency)]
    .map(([currency, amounts]) => ({ currency, amount: add(...amounts.map(({ amount }) => amount)) }))
    .sort((a, b) => a.currency.localeCompare(b.currency));
}
