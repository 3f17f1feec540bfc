import DecimalJs from 'decimal.js';
import { Q2cError } from './errors';
import { currencyMinorUnits } from './iso';
import { type Currency, type Decimal, decimalPlaces, isDecimal } from './primitives';

/**
 * Arithmetic on decimal strings (guides §10). What rounds says so and rounds once, from the exact value.
 * Every function throws Q2cError `AMOUNT_INVALID` for what is no `Decimal` and for results that would be none,
 * and `CURRENCY_INVALID` for a currency that does not exist.
 */

/** Enough digits that products of several `Decimal`s stay exact until they are rounded. */
export const Exact = DecimalJs.clone({ precision: 100, defaults: true });
export type Exact = DecimalJs;

export type Rounding = 'half_up' | 'half_even';

const roundingModes = {
  half_up: DecimalJs.ROUND_HALF_UP,
  half_even: DecimalJs.ROUND_HALF_EVEN,
} as const satisfies Record<Rounding, DecimalJs.Rounding>;

/** @throws Q2cError `AMOUNT_INVALID` */
export function parseDecimal(value: Decimal): Exact {
  if (isDecimal(value)) return new Exact(value);
  throw new Q2cError(
    'AMOUNT_INVALID',
    `"${value}" is not a decimal number with at most 15 digits before and 10 after the point.`,
  );
}

/** Writes an exact value with a number of places, rounding where it has more. */
export function writeDecimal(value: Exact, places: number, rounding: Rounding = 'half_up'): Decimal {
  const rounded = value.toDecimalPlaces(places, roundingModes[rounding]);
  const text = (rounded.isZero() ? rounded.abs() : rounded).toFixed(places);
  if (isDecimal(text)) return text;
  throw new Q2cError(
    'AMOUNT_INVALID',
    `${text} is too large: at most 15 digits before the point are allowed.`,
  );
}

const scaleOf = (value: Decimal): number => value.split('.')[1]?.length ?? 0;

/** Sum of any number of values, with the decimals of the longest: `1.50 + 1.50 = 3.00`. No value gives `0`. */
export function add(...values: Decimal[]): Decimal {
  const sum = values.reduce((total, value) => total.plus(parseDecimal(value)), new Exact(0));
  return writeDecimal(sum, Math.max(0, ...values.map(scaleOf)));
}

export const subtract = (a: Decimal, b: Decimal): Decimal => add(a, negate(b));

export const negate = (value: Decimal): Decimal =>
  writeDecimal(parseDecimal(value).negated(), scaleOf(value));

/**
 * Exact product, without superfluous zeros. It never rounds: a product with more than 10 decimals is refused,
 * because rounding it here and again to the currency could give another cent than rounding once.
 */
export function multiply(a: Decimal, b: Decimal): Decimal {
  const product = parseDecimal(a).times(parseDecimal(b));
  const text = (product.isZero() ? product.abs() : product).toFixed();
  if (isDecimal(text)) return text;
  throw new Q2cError('AMOUNT_INVALID', `${a} × ${b} has more digits than a decimal may have.`);
}

/** -1, 0 or 1 as `a` is less than, equal to or greater than `b`; `1.0` and `1.00` are equal. */
export const compare = (a: Decimal, b: Decimal): -1 | 0 | 1 =>
  parseDecimal(a).comparedTo(parseDecimal(b)) as -1 | 0 | 1;

export const minimum = (a: Decimal, b: Decimal): Decimal => (compare(a, b) <= 0 ? a : b);

/** Decimals of a currency (ISO 4217). */
export function minorUnits(currency: Currency): number {
  const units = currencyMinorUnits.get(currency);
  if (units === undefined)
    throw new Q2cError('CURRENCY_INVALID', `"${currency}" is not a currency of ISO 4217.`);
  return units;
}

/** Rounds an exact value to the minor units of a currency, half away from zero unless told otherwise. */
export const roundExact = (value: Exact, currency: Currency, rounding?: Rounding): Decimal =>
  writeDecimal(value, minorUnits(currency), rounding);

/** Rounds an amount to the minor units of its currency, half away from zero unless told otherwise. */
export const roundMoney = (amount: Decimal, currency: Currency, rounding?: Rounding): Decimal =>
  roundExact(parseDecimal(amount), currency, rounding);

/** `percent` of an amount, rounded. */
export const percentOf = (
  amount: Decimal,
  percent: Decimal,
  currency: Currency,
  rounding?: Rounding,
): Decimal =>
  roundExact(parseDecimal(amount).times(parseDecimal(percent)).dividedBy(100), currency, rounding);

/**
 * An amount in another currency: `amount × rate`, rounded to the target currency.
 *
 * @param rate units of the target currency for one unit of the amount's currency; must be positive.
 */
export function convert(amount: Decimal, rate: Decimal, target: Currency, rounding?: Rounding): Decimal {
  if (compare(rate, '0') <= 0) {
    throw new Q2cError('AMOUNT_INVALID', `Exchange rate ${rate} is not positive.`);
  }
  return roundExact(parseDecimal(amount).times(parseDecimal(rate)), target, rounding);
}

/** @throws Q2cError `AMOUNT_INVALID` when the amount has more decimals than its currency. */
export const requireMinorUnits = (amount: Decimal, currency: Currency): Exact =>
  requirePlaces(amount, minorUnits(currency));

function requirePlaces(value: Decimal, places: number): Exact {
  const exact = parseDecimal(value);
  if (decimalPlaces(value) <= places) return exact;
  throw new Q2cError('AMOUNT_INVALID', `${value} has more than ${places} decimals.`);
}

/**
 * Splits an amount so that the parts add up to it, by the largest-remainder method; ties go to the lowest index.
 *
 * @param parts how many equal parts, or the weight of each (not negative, not all zero).
 */
export function splitAmount(
  total: Decimal,
  parts: number | readonly Decimal[],
  currency: Currency,
): Decimal[] {
  return splitDecimal(total, parts, minorUnits(currency));
}

/**
 * As `splitAmount`, for numbers of another kind, such as hours. A total with more than `places` decimals is
 * refused: what is behind them would be in no part.
 */
export function splitDecimal(total: Decimal, parts: number | readonly Decimal[], places: number): Decimal[] {
  const weights = weightsOf(parts);
  const weightSum = weights.reduce((sum, weight) => sum.plus(weight), new Exact(0));
  const unit = new Exact(`1e-${places}`);
  const units = requirePlaces(total, places).dividedBy(unit);

  const shares = weights.map((weight, index) => {
    const product = units.abs().times(weight);
    const floor = product.dividedToIntegerBy(weightSum);
    return { index, floor, remainder: product.minus(floor.times(weightSum)) };
  });
  const left = shares.reduce((rest, { floor }) => rest.minus(floor), units.abs()).toNumber();
  const favoured = new Set(
    shares
      .toSorted((a, b) => b.remainder.comparedTo(a.remainder) || a.index - b.index)
      .slice(0, left)
      .map(({ index }) => index),
  );
  return shares.map(({ index, floor }) => {
    const share = floor.plus(favoured.has(index) ? 1 : 0).times(unit);
    return writeDecimal(units.isNegative() ? share.negated() : share, places);
  });
}

function weightsOf(parts: number | readonly Decimal[]): Exact[] {
  const weights =
    typeof parts === 'number' ? Array.from({ length: parts }, () => new Exact(1)) : parts.map(parseDecimal);
  if (
    weights.some((weight) => weight.isNegative() && !weight.isZero()) ||
    weights.every((weight) => weight.isZero())
  ) {
    throw new Q2cError(
      'AMOUNT_INVALID',
      'Cannot split: there must be weights, none negative and not all zero.',
    );
  }
  return weights;
}
