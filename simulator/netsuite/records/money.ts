import Decimal from 'decimal.js';
import type { RecordStore } from '../../kit/types';
import { numberOf } from './data';

/** Decimal places of a currency (`currencyPrecision` of the currency record). */
export function precisionOf(db: RecordStore, currency: string | undefined): number {
  const record = currency === undefined ? undefined : db.get('currency', currency);
  return record ? (numberOf(record.data, 'currencyPrecision') ?? 2) : 2;
}

/** Half away from zero, as the ERP rounds line amounts. */
export function round(value: Decimal.Value, places: number): number {
  return new Decimal(value).toDecimalPlaces(places, Decimal.ROUND_HALF_UP).toNumber();
}

export function multiply(a: number, b: number, places: number): number {
  return round(new Decimal(a).times(b), places);
}

/** Exact on the decimal notation of the numbers, so 0.1 + 0.2 is 0.3. */
export function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total.plus(value), new Decimal(0)).toNumber();
}

export function minus(a: number, b: number): number {
  return new Decimal(a).minus(b).toNumber();
}
