import type { SimRecord } from '../../kit/types';
import type { Env } from '../env';
import { NetSuiteError, userError } from '../errors';
import { billedAmounts } from '../rules/orders';
import { customerOf } from '../rules/transactions';
import { typeOf } from '../schema';
import type { RecordType } from '../schema/fields';
import { readBody } from './body';
import { type Data, isTrue, linesOf, numberOf, textOf } from './data';
import { merged } from './merge';
import { minus, precisionOf, round } from './money';
import { saved } from './save';
import { dueAmount } from './schedule';

/** Fields that a document hands on to the one made of it. */
const HANDED_ON = [
  'entity',
  'job',
  'currency',
  'exchangeRate',
  'subsidiary',
  'department',
  'class',
  'location',
  'otherRefNum',
  'memo',
  'terms',
  'email',
];

const TRANSFORMS: Readonly<Record<string, (source: SimRecord, env: Env) => Data>> = {
  'salesOrder→invoice': invoiceOfOrder,
  'invoice→customerPayment': paymentOfInvoice,
  'invoice→creditMemo': creditOfInvoice,
};

/**
 * `POST /{source}/{id}/!transform/{target}`: a new record with the source's values, overridden by the body.
 * @throws NetSuiteError INVALID_RCRD_TRANSFORM when the pair is not offered or nothing is left to transform.
 */
export function transform(
  source: RecordType,
  record: SimRecord,
  target: RecordType,
  body: Data,
  env: Env,
): SimRecord {
  const make = TRANSFORMS[`${source.name}→${target.name}`];
  if (!make) {
    throw new NetSuiteError(
      400,
      'INVALID_RCRD_TRANSFORM',
      `Transformation from ${source.name} to ${target.name} is not supported.`,
    );
  }
  const draft = make(record, env);
  const overrides = readBody(target, body, env);
  return saved(target, null, merged(target, draft, overrides, new Set()), env);
}

/** Bills what is billable now: rest of the lines, or what their billing schedules have released. */
function invoiceOfOrder(order: SimRecord, env: Env): Data {
  if (!['D', 'E', 'F'].includes(textOf(order.data, 'orderStatus') ?? '')) {
    throw new NetSuiteError(
      400,
      'INVALID_INITIALIZE_REF',
      `Error while accessing a resource. You can not initialize invoice: invalid reference ${order.id}.`,
    );
  }
  const billed = billedAmounts(order.id, env);
  const places = precisionOf(env.db, textOf(order.data, 'currency'));
  const start = textOf(order.data, 'startDate') ?? textOf(order.data, 'tranDate') ?? env.today;
  const item: Data[] = [];
  for (const line of linesOf(order.data, 'item')) {
    if (isTrue(line, 'isClosed')) continue;
    const key = numberOf(line, 'line') ?? 0;
    const total = numberOf(line, 'amount') ?? 0;
    const scheduleId = textOf(line, 'billingSchedule') ?? textOf(order.data, 'billingSchedule') ?? '';
    const schedule = env.db.get('billingSchedule', scheduleId)?.data;
    const amount = minus(dueAmount(schedule, total, start, env.today, places), billed.get(key) ?? 0);
    if (amount <= 0) continue;
    item.push(invoiceLine(line, item.length + 1, amount, total));
  }
  if (item.length === 0) throw userError('There is nothing to bill on this order.');
  return { ...handedOn(order.data), createdFrom: order.id, item };
}

function invoiceLine(orderLine: Data, line: number, amount: number, total: number): Data {
  const { quantityBilled: _billed, isClosed: _closed, billingSchedule: _schedule, ...rest } = orderLine;
  const quantity = numberOf(orderLine, 'quantity') ?? 1;
  return {
    ...rest,
    line,
    orderLine: orderLine.line,
    quantity: amount === total ? quantity : round((quantity * amount) / total, 8),
    amount,
  };
}

function paymentOfInvoice(invoice: SimRecord, env: Env): Data {
  const due = requireOpen(invoice);
  const { currency, exchangeRate, subsidiary } = invoice.data;
  return {
    customer: customerOf(invoice.data.entity, env)?.id,
    currency,
    exchangeRate,
    subsidiary,
    apply: [{ doc: invoice.id, apply: true, amount: due }],
  };
}

function creditOfInvoice(invoice: SimRecord): Data {
  const due = requireOpen(invoice);
  const item = linesOf(invoice.data, 'item').map(({ orderLine: _orderLine, ...line }) => line);
  return {
    ...handedOn(invoice.data),
    createdFrom: invoice.id,
    item,
    apply: [{ doc: invoice.id, apply: true, amount: due }],
  };
}

function requireOpen(invoice: SimRecord): number {
  const due = numberOf(invoice.data, 'amountRemaining') ?? 0;
  if (due > 0) return due;
  throw userError(`The invoice ${String(invoice.data.tranId)} is paid in full.`);
}

function handedOn(source: Data): Data {
  return Object.fromEntries(
    HANDED_ON.filter((field) => source[field] !== undefined).map((field) => [field, source[field]]),
  );
}

/** "Invoice Billable Customers": one invoice of all charges of a project or customer that are ready. */
export function invoiceCharges(billTo: string, env: Env): SimRecord {
  const charges = env.db
    .findBy('charge', 'billTo', billTo)
    .filter(({ data }) => data.stage === 'READY_FOR_BILLING');
  if (charges.length === 0) throw userError(`There are no charges ready for billing for ${billTo}.`);
  const item = charges.map(({ data }, index) => ({
    line: index + 1,
    item: data.billingItem,
    description: data.description,
    quantity: data.quantity,
    rate: data.rate,
    amount: data.amount,
    department: data.department,
  }));
  const invoice = saved(typeOf('invoice'), null, { entity: billTo, item }, env);
  charges.forEach((charge, index) => {
    env.db.update('charge', charge.id, {
      ...charge.data,
      stage: 'PROCESSED',
      invoice: invoice.id,
      invoiceLine: String(index + 1),
    });
  });
  return invoice;
}
