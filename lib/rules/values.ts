import { type Address, isDecimal, minorUnits } from '../model';

/** What is wrong with single values of a deal. */

/** Fields of a billing address that a document cannot do without. */
export function missingOfAddress(address: Partial<Address> | undefined): string[] {
  const { lines = [], city, postalCode } = address ?? {};
  const missing = [
    ...(lines.length === 0 ? ['lines'] : []),
    ...(city ? [] : ['city']),
    ...(postalCode ? [] : ['postalCode']),
    // A whole address cannot do without it either, and an account without any address has none to take it from.
    ...(address === undefined ? ['country'] : []),
  ];
  return missing.map((field) => `billingAddress.${field}`);
}

/** Why a document amount is not acceptable, in plain words; null when it is. */
export function amountProblem(amount: string, currency: string): string | null {
  if (/^-?\d{16,}(\.\d*)?$/.test(amount)) return 'it has more than 15 digits';
  if (!isDecimal(amount)) return `"${amount}" is not a decimal number`;
  if (amount.startsWith('-') && Number(amount) !== 0) return 'it is negative';
  const decimals = (amount.split('.')[1] ?? '').replace(/0+$/, '').length;
  if (decimals > minorUnits(currency)) {
    return `it has ${decimals} decimals, ${currency} has ${minorUnits(currency)}`;
  }
  return null;
}
