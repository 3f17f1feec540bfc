import type { SimRecord } from '../../kit/types';
import type { Env } from '../env';
import { invalidReference, userError } from '../errors';
import { type Data, isTrue, linesOf, numberOf, textOf } from '../records/data';
import { sum } from '../records/money';
import { customerOf, prepareHeader, prepareItems } from './transactions';
import type { Rules } from './types';

const PENDING_APPROVAL = 'A';
const APPROVED = 'B';
const CANCELLED = 'C';
const PENDING_BILLING = 'F';
const BILLED = 'G';
const CLOSED = 'H';

/** Statuses a person can choose; the others follow from fulfilment and billing. */
const CHOOSABLE: ReadonlySet<string> = new Set([
  PENDING_APPROVAL,
  APPROVED,
  CANCELLED,
  PENDING_BILLING,
  CLOSED,
]);

export const salesOrderRules: Rules = {
  prepare(draft, before, env) {
    prepareHeader(draft, before, env, 'entity', 'SO');
    prepareItems(draft, before, env);
    draft.terms ??= customerOf(draft.entity, env)?.data.terms;
    draft.orderStatus ??= env.settings.defaultOrderStatus;
    requireOwnSchedules(draft, env);
    const billed = before ? billedAmounts(before.id, env) : new Map<number, number>();
    requireBilledKept(draft, billed);
    draft.orderStatus = statusOf(draft, before, billed);
    draft.status = draft.orderStatus;
  },
};

/** Amount invoiced so far by order line. */
export function billedAmounts(orderId: string, env: Env): Map<number, number> {
  const billed = new Map<number, number>();
  for (const invoice of env.db.findBy('invoice', 'createdFrom', orderId)) {
    for (const line of linesOf(invoice.data, 'item')) {
      const orderLine = numberOf(line, 'orderLine');
      if (orderLine === undefined) continue;
      billed.set(orderLine, sum([billed.get(orderLine) ?? 0, numberOf(line, 'amount') ?? 0]));
    }
  }
  return billed;
}

/** Brings billed quantities and status of an order up to date with its invoices. */
export function refreshOrder(orderId: unknown, env: Env): void {
  const order = typeof orderId === 'string' ? env.db.get('salesOrder', orderId) : undefined;
  if (!order) return;
  const billed = billedAmounts(order.id, env);
  const item = linesOf(order.data, 'item').map((line) => ({
    ...line,
    quantityBilled: quantityBilled(line, billed),
  }));
  const open = order.data.orderStatus === BILLED ? PENDING_BILLING : order.data.orderStatus;
  const draft: Data = { ...order.data, item, orderStatus: open };
  const orderStatus = statusOf(draft, order, billed);
  env.db.update('salesOrder', order.id, { ...draft, orderStatus, status: orderStatus });
}

function quantityBilled(line: Data, billed: ReadonlyMap<number, number>): number {
  const amount = numberOf(line, 'amount') ?? 0;
  const done = billed.get(numberOf(line, 'line') ?? 0) ?? 0;
  return amount === 0 ? 0 : ((numberOf(line, 'quantity') ?? 0) * done) / amount;
}

/**
 * Orders of services wait for billing as soon as they are approved: there is nothing to fulfil.
 */
function statusOf(draft: Data, before: SimRecord | null, billed: ReadonlyMap<number, number>): string {
  const chosen = textOf(draft, 'orderStatus') ?? PENDING_APPROVAL;
  if (chosen !== before?.data.orderStatus && !CHOOSABLE.has(chosen)) {
    throw userError('The status of the order follows from its billing and cannot be set.', 'orderStatus');
  }
  if (chosen === PENDING_APPROVAL || chosen === CANCELLED) {
    if (billed.size > 0)
      throw userError('The order has been billed; its approval cannot be withdrawn.', 'orderStatus');
    return chosen;
  }
  const lines = linesOf(draft, 'item');
  if (chosen === CLOSED || lines.every((line) => isTrue(line, 'isClosed'))) return CLOSED;
  const open = lines.filter((line) => !isTrue(line, 'isClosed') && !isBilled(line, billed));
  return open.length === 0 ? BILLED : PENDING_BILLING;
}

function isBilled(line: Data, billed: ReadonlyMap<number, number>): boolean {
  const done = billed.get(numberOf(line, 'line') ?? 0);
  return done !== undefined && done >= (numberOf(line, 'amount') ?? 0);
}

function requireBilledKept(draft: Data, billed: ReadonlyMap<number, number>): void {
  const lines = linesOf(draft, 'item');
  for (const [key, amount] of billed) {
    const line = lines.find((candidate) => candidate.line === key);
    if (!line || (numberOf(line, 'amount') ?? 0) < amount) {
      throw userError('You cannot reduce or delete an item that has been billed.', 'item');
    }
  }
}

/** A schedule that belongs to a project can bill lines of that project only. */
function requireOwnSchedules(draft: Data, env: Env): void {
  linesOf(draft, 'item').forEach((line, index) => {
    const id = textOf(line, 'billingSchedule') ?? textOf(draft, 'billingSchedule');
    const owner = env.db.get('billingSchedule', id ?? '')?.data.project;
    const projects = [line.job, draft.job, draft.entity];
    if (owner !== undefined && !projects.includes(owner)) {
      throw invalidReference(
        `Invalid billingschedule reference key ${id}.`,
        `item.items[${index}].billingSchedule`,
      );
    }
  });
}
