import type { SimRecord } from '../../kit/types';
import type { Env } from '../env';
import { invalidReference, userError } from '../errors';
import { type Data, linesOf, numberOf, textOf } from '../records/data';
import { multiply, precisionOf, round, sum } from '../records/money';

const FIRST_NUMBER = 1000;

/** The customer behind an entity field, which may name one of its projects. */
export function customerOf(entity: unknown, env: Env): SimRecord | undefined {
  if (typeof entity !== 'string') return undefined;
  const project = env.db.get('job', entity);
  return env.db.get('customer', textOf(project?.data ?? {}, 'parent') ?? entity);
}

/**
 * What every transaction has in common: the entity decides subsidiary, allowed currencies and defaults.
 * @param prefix of the transaction number, for example `SO`
 */
export function prepareHeader(
  draft: Data,
  before: SimRecord | null,
  env: Env,
  entityField: string,
  prefix: string,
): void {
  draft.tranDate ??= env.today;
  draft.tranId ??= `${prefix}${FIRST_NUMBER + env.db.next(`number.${prefix}`)}`;
  if (before && draft[entityField] !== before.data[entityField]) {
    throw userError('The customer of a transaction cannot be changed.', entityField);
  }
  const customer = customerOf(draft[entityField], env);
  if (!customer) return;
  prepareSubsidiary(draft, customer, entityField);
  draft.currency ??= customer.data.currency;
  const allowed = linesOf(customer.data, 'currencyList').some((line) => line.currency === draft.currency);
  if (!allowed) {
    throw invalidReference(
      `Invalid currency reference key ${String(draft.currency)} for entity ${customer.id}.`,
      'currency',
    );
  }
  draft.exchangeRate ??= exchangeRate(draft, env);
  const project = env.db.get('job', textOf(draft, 'job') ?? '');
  if (project && project.data.parent !== customer.id) {
    throw invalidReference(`Invalid job reference key ${project.id} for entity ${customer.id}.`, 'job');
  }
}

function prepareSubsidiary(draft: Data, customer: SimRecord, entityField: string): void {
  draft.subsidiary ??= customer.data.subsidiary;
  if (draft.subsidiary === customer.data.subsidiary) return;
  throw invalidReference(
    `Invalid ${entityField} reference key ${customer.id} for subsidiary ${String(draft.subsidiary)}.`,
    entityField,
  );
}

function exchangeRate(draft: Data, env: Env): number {
  const base = textOf(env.db.get('subsidiary', textOf(draft, 'subsidiary') ?? '')?.data ?? {}, 'currency');
  const rate = (currency: string | undefined): number =>
    numberOf(env.db.get('currency', currency ?? '')?.data ?? {}, 'exchangeRate') ?? 1;
  return round(rate(textOf(draft, 'currency')) / rate(base), 8);
}

/** Posting transactions cannot be written into a closed period. */
export function requireOpenPeriod(draft: Data, env: Env): void {
  const { closedThrough } = env.settings;
  const tranDate = textOf(draft, 'tranDate');
  if (closedThrough !== null && tranDate !== undefined && tranDate <= closedThrough) {
    throw userError('You cannot post a transaction into a closed accounting period.', 'tranDate');
  }
}

/**
 * Prices the item lines and sums the document: amount = quantity × rate unless an amount was sent, which is kept.
 */
export function prepareItems(draft: Data, before: SimRecord | null, env: Env): void {
  const lines = linesOf(draft, 'item');
  if (lines.length === 0)
    throw userError('You must enter at least one line item for this transaction.', 'item');
  const customer = customerOf(draft.entity, env);
  const places = precisionOf(env.db, textOf(draft, 'currency'));
  const oldLines = new Map(linesOf(before?.data ?? {}, 'item').map((line) => [line.line, line]));
  const items = lines.map((line, index) => {
    const project = env.db.get('job', textOf(line, 'job') ?? '');
    if (project && project.data.parent !== customer?.id) {
      throw invalidReference(`Invalid job reference key ${project.id}.`, `item.items[${index}].job`);
    }
    return pricedLine(line, oldLines.get(line.line), places, env);
  });
  draft.item = items;
  draft.subTotal = sum(items.map((line) => numberOf(line, 'amount') ?? 0));
  draft.taxTotal = sum(items.map((line) => numberOf(line, 'tax1Amt') ?? 0));
  draft.discountTotal = 0;
  draft.total = sum([numberOf(draft, 'subTotal') ?? 0, numberOf(draft, 'taxTotal') ?? 0]);
}

function pricedLine(line: Data, old: Data | undefined, places: number, env: Env): Data {
  const priced: Data = { ...line };
  priced.quantity ??= 1;
  const quantity = numberOf(priced, 'quantity') ?? 1;
  const rate = numberOf(priced, 'rate');
  const repriced = old && (quantity !== old.quantity || rate !== old.rate) && priced.amount === old.amount;
  if (rate !== undefined && (priced.amount === undefined || repriced))
    priced.amount = multiply(quantity, rate, places);
  const amount = numberOf(priced, 'amount');
  if (amount === undefined) return priced;
  priced.amount = round(amount, places);
  priced.rate ??= quantity === 0 ? amount : round(amount / quantity, 8);
  const taxRate =
    numberOf(env.db.get('salesTaxItem', textOf(priced, 'taxCode') ?? '')?.data ?? {}, 'rate') ?? 0;
  priced.taxRate1 = taxRate;
  priced.tax1Amt = multiply(amount, taxRate / 100, places);
  priced.grossAmt = sum([round(amount, places), numberOf(priced, 'tax1Amt') ?? 0]);
  return priced;
}

/** Day an invoice is due by its terms (`term` record): days from the date, or days from the end of the month. */
export function dueDate(tranDate: string, terms: SimRecord | undefined): string {
  const date = new Date(`${tranDate}T00:00:00Z`);
  if (terms?.data.dateDriven === true) date.setUTCMonth(date.getUTCMonth() + 1, 0);
  date.setUTCDate(date.getUTCDate() + (numberOf(terms?.data ?? {}, 'daysUntilNetDue') ?? 0));
  return date.toISOString().slice(0, 10);
}
