import type { Account } from './account';

/** Turns a value as sent into the value to store; null means "cleared". */
export type Cast = (value: unknown, account: Account) => unknown;

/** A value that no cast accepts; becomes a validation error on its attribute. */
export class InvalidValue extends Error {}

const refuse = (message: string): never => {
  throw new InvalidValue(message);
};

const optional =
  (cast: Cast): Cast =>
  (value, account) =>
    value === null || value === undefined || value === '' ? null : cast(value, account);

export const text = (max = 65535): Cast =>
  optional((value) => {
    if (typeof value === 'object') return refuse('is invalid');
    const string = String(value);
    return [...string].length > max ? refuse(`is too long (maximum is ${max} characters)`) : string;
  });

/** Amounts and minutes are integers everywhere; a fraction is refused rather than cut off. */
export const integer = (min = Number.MIN_SAFE_INTEGER, max = Number.MAX_SAFE_INTEGER): Cast =>
  optional((value) => {
    if (!/^[+-]?\d+$/.test(String(value))) return refuse('must be an integer');
    const number = Number(value);
    if (number < min) return refuse(`must be greater than or equal to ${min}`);
    return number > max ? refuse(`must be less than or equal to ${max}`) : number;
  });

export const percent: Cast = integer(0, 100);

export const decimal: Cast = optional((value) =>
  /^[+-]?\d+(\.\d+)?$/.test(String(value)) ? Number(value) : refuse('is not a number'),
);

const BOOLEANS = new Map<unknown, boolean>([
  [true, true],
  ['true', true],
  [1, true],
  ['1', true],
  [false, false],
  ['false', false],
  [0, false],
  ['0', false],
]);

/** Reads the spellings of a boolean that Rails reads; anything else is undefined. */
export const readBoolean = (value: unknown): boolean | undefined => BOOLEANS.get(value);

export const boolean: Cast = optional((value) => readBoolean(value) ?? refuse('must be true or false'));

export const date: Cast = optional((value) =>
  typeof value === 'string' && isDate(value) ? value : refuse('is not a valid date'),
);

export const oneOf = (...allowed: string[]): Cast =>
  optional((value) =>
    allowed.includes(String(value)) ? String(value) : refuse('is not included in the list'),
  );

/** Ids are integers in requests (numeric strings pass) and strings in answers. */
export const readId = (value: unknown): string | null =>
  /^\d+$/.test(String(value)) && typeof value !== 'object' ? String(Number(value)) : null;

export const id = (collection: string): Cast =>
  optional((value, account) => {
    const id = readId(value);
    return id && account.get(collection, id) ? id : refuse('could not be found');
  });

export const ids = (collection: string): Cast =>
  optional((value, account) => {
    const values: unknown[] = Array.isArray(value) ? value : String(value).split(',');
    const one = id(collection);
    return [...new Set(values.map((each) => one(each, account) ?? refuse('could not be found')))];
  });

/** A nested object, read by the code that knows its keys. */
export const object: Cast = optional((value) => (isObject(value) ? value : refuse('is invalid')));

export const objects: Cast = optional((value) =>
  Array.isArray(value) && value.every(isObject) ? value : refuse('is invalid'),
);

/** Anything; the collection checks it. */
export const anything: Cast = (value) => value ?? null;

export const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

export const strings = (value: unknown): string[] => (Array.isArray(value) ? value.map(String) : []);

// ---------------------------------------------------------------- dates

export function isDate(value: string): boolean {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(value)) return false;
  const time = Date.parse(`${value}T00:00:00Z`);
  return !Number.isNaN(time) && isoDate(time) === value;
}

export const isoDate = (time: number): string => new Date(time).toISOString().slice(0, 10);

const DAY = 86_400_000;

export const addDays = (day: string, days: number): string =>
  isoDate(Date.parse(`${day}T00:00:00Z`) + days * DAY);

/** 0 = Sunday. */
export const weekday = (day: string): number => new Date(`${day}T00:00:00Z`).getUTCDay();

/** Monday of the week of a day; the simulated account starts its weeks on Monday. */
export const weekStart = (day: string): string => addDays(day, -((weekday(day) + 6) % 7));

/** Working days from Monday to Friday in a period, both ends included. */
export function workdays(from: string, to: string): number {
  let count = 0;
  for (let day = from; day <= to; day = addDays(day, 1)) if (weekday(day) % 6 !== 0) count += 1;
  return count;
}

/**
 * Timestamps have whole seconds and the zone of the account's users (the vendor's examples are in Pacific time).
 * Two changes within one second are not told apart, as with the vendor.
 */
export const timestamp = (time: number): string =>
  `${new Date(time - 8 * 3_600_000).toISOString().slice(0, 19)}-08:00`;

export const seconds = (time: number): number => Math.floor(time / 1000);
