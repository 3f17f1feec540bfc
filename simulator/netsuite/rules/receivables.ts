import type { SimRecord } from '../../kit/types';
import type { Env } from '../env';
import { invalidReference, userError } from '../errors';
import { type Data, linesOf, numberOf, textOf } from '../records/data';
import { minus, precisionOf, round, sum } from '../records/money';
import { refreshOrder } from './orders';
import { customerOf, dueDate, prepareHeader, prepareItems, requireOpenPeriod } from './transactions';
import type { Rules } from './types';

/** Accounts receivable and undeposited funds of the seeded chart of accounts. */
const RECEIVABLES = '119';
const UNDEPOSITED_FUNDS = '116';

const OPEN = 'A';
const SETTLED = 'B';
const NOT_DEPOSITED = 'B';
const DEPOSITED = 'C';

export const invoiceRules: Rules = {
  prepare(draft, before, env) {
    prepareHeader(draft, before, env, 'entity', 'INV');
    requireOpenPeriod(draft, env);
    prepareItems(draft, before, env);
    draft.account ??= RECEIVABLES;
    draft.terms ??= customerOf(draft.entity, env)?.data.terms;
    const terms = env.db.get('term', textOf(draft, 'terms') ?? '');
    draft.dueDate ??= dueDate(textOf(draft, 'tranDate') ?? env.today, terms);
    settle(draft, before ? settledAmount(before, env) : 0);
  },
  saved(record, _before, env) {
    refreshOrder(record.data.createdFrom, env);
  },
  deleting(record, env) {
    if (settledAmount(record, env) !== 0) {
      throw userError('This record cannot be deleted because it has dependent records.');
    }
  },
  deleted(record, env) {
    refreshOrder(record.data.createdFrom, env);
    for (const charge of env.db.findBy('charge', 'invoice', record.id)) {
      const { invoice: _invoice, invoiceLine: _line, ...data } = charge.data;
      env.db.update('charge', charge.id, { ...data, stage: 'READY_FOR_BILLING' });
    }
  },
};

export const customerPaymentRules: Rules = {
  prepare(draft, before, env) {
    prepareHeader(draft, before, env, 'customer', 'PYMT');
    requireOpenPeriod(draft, env);
    draft.arAcct ??= RECEIVABLES;
    draft.undepFunds ??= draft.account === undefined;
    draft.account ??= UNDEPOSITED_FUNDS;
    draft.status = draft.undepFunds === true ? NOT_DEPOSITED : DEPOSITED;
    prepareApplications(draft, before, env, 'customer');
    draft.payment ??= appliedTotal(draft);
    requireNotOverApplied(draft, numberOf(draft, 'payment') ?? 0);
    draft.total = draft.payment;
  },
  saved: refreshInvoices,
  deleted: (record, env) => refreshInvoices(record, null, env),
};

export const creditMemoRules: Rules = {
  prepare(draft, before, env) {
    prepareHeader(draft, before, env, 'entity', 'CM');
    requireOpenPeriod(draft, env);
    prepareItems(draft, before, env);
    draft.account ??= RECEIVABLES;
    prepareApplications(draft, before, env, 'entity');
    requireNotOverApplied(draft, numberOf(draft, 'total') ?? 0);
    draft.amountRemaining = draft.unapplied;
    draft.status = draft.unapplied === 0 ? SETTLED : OPEN;
  },
  saved: refreshInvoices,
  deleted: (record, env) => refreshInvoices(record, null, env),
};

/** What payments and credit memos have settled of an invoice. */
export function settledAmount(invoice: SimRecord, env: Env): number {
  const customer = customerOf(invoice.data.entity, env);
  const entities = new Set([invoice.data.entity, customer?.id].filter((id) => typeof id === 'string'));
  const documents = [
    ...(customer ? env.db.findBy('customerPayment', 'customer', customer.id) : []),
    ...[...entities].flatMap((id) => env.db.findBy('creditMemo', 'entity', id)),
  ];
  const lines = documents.flatMap(({ data }) => linesOf(data, 'apply'));
  return sum(lines.filter((line) => line.doc === invoice.id).map((line) => numberOf(line, 'amount') ?? 0));
}

/** What a customer owes, itself and for its projects. */
export function balanceOf(customer: SimRecord, env: Env): number {
  const billed = [customer, ...env.db.findBy('job', 'parent', customer.id)];
  const invoices = billed.flatMap(({ id }) => env.db.findBy('invoice', 'entity', id));
  return sum(invoices.map(({ data }) => numberOf(data, 'amountRemaining') ?? 0));
}

function settle(invoice: Data, paid: number): void {
  const total = numberOf(invoice, 'total') ?? 0;
  if (paid > total) throw userError('The total cannot be less than what has been paid.', 'item');
  invoice.amountPaid = paid;
  invoice.amountRemaining = minus(total, paid);
  invoice.status = paid === total ? SETTLED : OPEN;
}

/** Keeps the documents that are marked; an amount left out is the whole balance. */
function prepareApplications(draft: Data, before: SimRecord | null, env: Env, entityField: string): void {
  const customer = customerOf(draft[entityField], env);
  const own = new Map(
    linesOf(before?.data ?? {}, 'apply').map((line) => [line.doc, numberOf(line, 'amount') ?? 0]),
  );
  const lines = linesOf(draft, 'apply')
    .map((line, index) => ({ line, path: `apply.items[${index}]` }))
    .filter(({ line }) => line.apply !== false);
  draft.apply = lines.map(({ line, path }) => {
    const invoice = env.db.get('invoice', textOf(line, 'doc') ?? '');
    if (
      !invoice ||
      customerOf(invoice.data.entity, env)?.id !== customer?.id ||
      invoice.data.currency !== draft.currency
    ) {
      throw invalidReference(`Invalid doc reference key ${String(line.doc)}.`, `${path}.doc`);
    }
    const due = sum([numberOf(invoice.data, 'amountRemaining') ?? 0, own.get(invoice.id) ?? 0]);
    const amount = round(numberOf(line, 'amount') ?? due, precisionOf(env.db, textOf(draft, 'currency')));
    if (amount <= 0 || amount > due) {
      throw userError(
        `The amount applied must be more than 0 and at most the amount due, ${due}.`,
        `${path}.amount`,
      );
    }
    const { tranId: refNum, tranDate: applyDate, total } = invoice.data;
    return { doc: invoice.id, apply: true, amount, refNum, applyDate, total, due, type: 'Invoice' };
  });
}

function appliedTotal(draft: Data): number {
  return sum(linesOf(draft, 'apply').map((line) => numberOf(line, 'amount') ?? 0));
}

function requireNotOverApplied(draft: Data, available: number): void {
  const applied = appliedTotal(draft);
  if (available < 0) throw userError('The amount must be positive.', 'payment');
  if (applied > available) throw userError('You cannot apply more than the amount of the document.', 'apply');
  draft.applied = applied;
  draft.unapplied = minus(available, applied);
}

function refreshInvoices(record: SimRecord, before: SimRecord | null, env: Env): void {
  const lines = [...linesOf(record.data, 'apply'), ...linesOf(before?.data ?? {}, 'apply')];
  for (const id of new Set(lines.map((line) => textOf(line, 'doc')))) {
    const invoice = env.db.get('invoice', id ?? '');
    if (!invoice) continue;
    const data: Data = { ...invoice.data };
    settle(data, settledAmount(invoice, env));
    env.db.update('invoice', invoice.id, data);
  }
}
