import { Decimal } from 'decimal.js';
import { MappingError } from './errors';

/**
 * A vendor's number as a canonical Decimal: plain notation, no exponent, no needless zeros. Text that is not a
 * number is passed on unchanged for the readiness check to refuse; null, undefined and '' are absent.
 */
export function decimalOf(value: unknown): string | undefined {
  if (value === null || value === undefined || value === '') return undefined;
  const text = String(value);
  return isPlausible(text) ? new Decimal(text).toFixed() : text;
}

/**
 * A Decimal as the JSON number that a vendor demands.
 *
 * @throws MappingError `TARGET_REJECTED` when a JS number cannot hold it exactly, or it is no number.
 */
export function jsonNumberOf(decimal: string, system: string, field: string): number {
  const number = Number(decimal);
  if (isPlausible(decimal) && Number.isFinite(number) && new Decimal(decimal).equals(number)) return number;
  const reason = `${field} ${decimal} cannot be sent as a number without changing it`;
  throw new MappingError('TARGET_REJECTED', `${system}: ${reason}`, { system, document: field, reason });
}

/** At most 40 characters: nothing that is longer is an amount, and `1e999999` must not become a million digits. */
function isPlausible(text: string): boolean {
  return text.length <= 40 && /^[+-]?\d+(\.\d+)?([eE][+-]?\d{1,2})?$/.test(text);
}
