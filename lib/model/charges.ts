import type { InvoiceLine, InvoiceTotals, TaxGroup } from './entities';
import { Q2cError } from './errors';
import {
  add,
  compare,
  minimum,
  parseDecimal,
  percentOf,
  type Rounding,
  requireMinorUnits,
  roundExact,
  roundMoney,
  subtract,
  writeDecimal,
} from './money';
import type { Currency, Decimal, Percent } from './primitives';

/** What is charged: nets of lines, usage tiers, caps, taxes and totals (guides §9, §10). */

/** `quantity × unitPrice`, less the discount, rounded once. */
export function lineNet(
  line: { quantity: Decimal; unitPrice: Decimal; discount?: Percent },
  currency: Currency,
  rounding?: Rounding,
): Decimal {
  const full = parseDecimal(line.quantity).times(parseDecimal(line.unitPrice));
  const kept = parseDecimal('100').minus(parseDecimal(line.discount ?? '0'));
  return roundExact(full.times(kept).dividedBy(100), currency, rounding);
}

/** A price for the units above the tier before and up to `upTo`; a tier without it has no end. */
export interface UsageTier {
  upTo?: Decimal;
  rate: Decimal;
}

export interface UsageCharge {
  tiers: { quantity: Decimal; rate: Decimal; amount: Decimal }[];
  amount: Decimal;
}

/**
 * Graduated usage: the price of a tier holds for the units within that tier only. Each tier is a line of its own
 * and rounded.
 *
 * @throws Q2cError `AMOUNT_INVALID` when the quantity is negative, the tiers do not rise, or they end below it.
 */
export function usageCharge(
  quantity: Decimal,
  tiers: readonly UsageTier[],
  currency: Currency,
  rounding?: Rounding,
): UsageCharge {
  requireTiers(quantity, tiers);
  const charged = tiers.flatMap(({ upTo, rate }, index) => {
    const from = tiers[index - 1]?.upTo ?? '0';
    const to = upTo === undefined ? quantity : minimum(quantity, upTo);
    if (compare(to, from) <= 0) return [];
    const within = subtract(to, from);
    return [
      { quantity: within, rate, amount: lineNet({ quantity: within, unitPrice: rate }, currency, rounding) },
    ];
  });
  return { tiers: charged, amount: sumOf(charged, ({ amount }) => amount, currency) };
}

function requireTiers(quantity: Decimal, tiers: readonly UsageTier[]): void {
  if (compare(quantity, '0') < 0) throw new Q2cError('AMOUNT_INVALID', `Usage of ${quantity} is negative.`);
  let end: Decimal | undefined = '0';
  for (const { upTo } of tiers) {
    if (end === undefined || (upTo !== undefined && compare(upTo, end) <= 0)) {
      throw new Q2cError('AMOUNT_INVALID', 'Usage tiers must rise, and only the last may be without end.');
    }
    end = upTo;
  }
  if (end !== undefined && compare(end, quantity) < 0) {
    throw new Q2cError(
      'AMOUNT_INVALID',
      `Usage of ${quantity} is above the last tier, which ends at ${end}.`,
    );
  }
}

/** Hours or units, and what they are worth. */
export interface Portion {
  quantity: Decimal;
  amount: Decimal;
}

const QUANTITY_PLACES = 4;

/**
 * Splits an entry that crosses the cap (guides §9): what fits is billed, the rest waits. Amounts rule, the billed
 * quantity follows in proportion with 4 decimals, and both quantities add up to the entry's. A credit always fits.
 *
 * @param room what is left below the cap; zero or less = nothing.
 */
export function splitEntryAtCap(
  entry: Portion,
  room: Decimal,
  currency: Currency,
): { billed?: Portion; held?: Portion } {
  requireMinorUnits(room, currency);
  const amount = requireMinorUnits(entry.amount, currency);
  if (compare(entry.amount, '0') <= 0 || compare(entry.amount, room) <= 0) return { billed: entry };
  if (compare(room, '0') <= 0) return { held: entry };

  const share = parseDecimal(entry.quantity).times(parseDecimal(room)).dividedBy(amount);
  const billed = { quantity: writeDecimal(share, QUANTITY_PLACES), amount: room };
  const held = {
    quantity: subtract(entry.quantity, billed.quantity),
    amount: subtract(entry.amount, billed.amount),
  };
  return { billed, held };
}

export type TaxableLine = Pick<InvoiceLine, 'net' | 'taxCategory' | 'taxRate'>;

/**
 * Tax groups of a document, in the order of their first line: lines of one category and rate share a base, and the
 * tax of the base is rounded once.
 *
 * @throws Q2cError `AMOUNT_INVALID` when a net is not rounded: lines are rounded first, never their sum.
 */
export function taxBreakdown(
  lines: readonly TaxableLine[],
  currency: Currency,
  rounding?: Rounding,
): TaxGroup[] {
  const groups = new Map<string, [TaxableLine, ...TaxableLine[]]>();
  for (const line of lines) {
    const key = `${line.taxCategory} ${parseDecimal(line.taxRate)}`;
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [line]);
    else group.push(line);
  }
  return [...groups.values()].map((group) => {
    const { taxCategory: category, taxRate: rate } = group[0];
    const base = sumOf(group, ({ net }) => net, currency);
    return { category, rate, base, tax: percentOf(base, rate, currency, rounding) };
  });
}

/**
 * Tax groups and totals of a document. Discounts and charges of the whole document are lines of their own, so
 * that they fall into a tax group.
 *
 * @param settlement `prepaid` is what deposits have paid already; `rounding` is cash rounding, nothing else.
 */
export function documentTotals(
  lines: readonly TaxableLine[],
  currency: Currency,
  settlement: { prepaid?: Decimal; rounding?: Decimal } = {},
  rounding?: Rounding,
): { taxBreakdown: TaxGroup[]; totals: InvoiceTotals } {
  const groups = taxBreakdown(lines, currency, rounding);
  const net = sumOf(lines, (line) => line.net, currency);
  const tax = sumOf(groups, (group) => group.tax, currency);
  const gross = add(net, tax);
  const payable = add(subtract(gross, settlement.prepaid ?? '0'), settlement.rounding ?? '0');
  requireMinorUnits(payable, currency);
  return { taxBreakdown: groups, totals: { net, tax, gross, ...settlement, payable } };
}

/** Sum of rounded amounts, written with the currency's decimals. */
function sumOf<T>(items: readonly T[], amountOf: (item: T) => Decimal, currency: Currency): Decimal {
  const amounts = items.map(amountOf);
  for (const amount of amounts) requireMinorUnits(amount, currency);
  return roundMoney(add(...amounts), currency);
}
