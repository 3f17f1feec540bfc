import { type Decimal, Exact, parseDecimal } from '../../model';

/** Enough that each percentage gives its amount back to the cent up to amounts of a billion. */
const PLACES = 10;

/**
 * The amounts of a schedule as percentages of their sum. They add up to exactly 100: NetSuite would bill what is
 * missing at once, as the initial amount of the schedule. The last one takes what rounding leaves.
 *
 * @throws Q2cError `AMOUNT_INVALID` for what is no Decimal.
 */
export function percentagesOf(amounts: readonly Decimal[]): Decimal[] {
  const exact = amounts.map(parseDecimal);
  const total = exact.reduce((sum, amount) => sum.plus(amount), new Exact(0));
  let left = new Exact(100);
  return exact.map((amount, index) => {
    const share =
      index === exact.length - 1 ? left : amount.times(100).dividedBy(total).toDecimalPlaces(PLACES);
    left = left.minus(share);
    return share.toFixed();
  });
}
