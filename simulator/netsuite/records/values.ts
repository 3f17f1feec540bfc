import type { SimRecord } from '../../kit/types';
import type { Env } from '../env';
import { invalidContent, invalidReference, userError } from '../errors';
import type { Field } from '../schema/fields';
import { isObject } from './data';

/** Names of countries by ISO 3166-1 alpha-2 code, as `refName`. */
const countryNames = new Intl.DisplayNames(['en'], { type: 'region', fallback: 'none' });

export type Value = string | number | boolean | null;

/** More digits than the ERP's currency fields hold. */
const AMOUNT_LIMIT = 1e15;

/**
 * Reads one value of a request body into its stored form. `""` and null both mean empty.
 * @throws NetSuiteError with the path of the value.
 */
export function readValue(field: Field, raw: unknown, path: string, env: Env): Value {
  if (raw === null || raw === '') return null;
  switch (field.kind) {
    case 'text':
      return limited(field, stringOf(raw, path), path);
    case 'email':
    case 'phone':
    case 'url':
      return checkedForm(field.kind, limited(field, stringOf(raw, path), path), path);
    case 'integer':
      if (!Number.isInteger(raw)) throw badValue(path);
      return Number(raw);
    case 'number':
    case 'amount':
      return numberOf(raw, path);
    case 'boolean':
      if (typeof raw !== 'boolean') throw badValue(path);
      return raw;
    case 'date':
    case 'dateTime':
      return dateOf(stringOf(raw, path), path);
    case 'duration':
      return hoursOf(raw, path);
    case 'choice':
      return choiceOf(field, raw, path);
    case 'country':
      return countryOf(raw, path);
    case 'reference':
      return referenceOf(field, raw, path, env).id;
  }
}

export function countryName(code: string): string | undefined {
  return countryNames.of(code);
}

/** 2.5 → "2:30", the form of durations in replies. */
export function formatHours(hours: number): string {
  const minutes = Math.round(hours * 60);
  return `${Math.floor(minutes / 60)}:${String(minutes % 60).padStart(2, '0')}`;
}

function stringOf(raw: unknown, path: string): string {
  if (typeof raw !== 'string') throw badValue(path);
  return raw;
}

function limited(field: Field, value: string, path: string): string {
  if (field.max !== undefined && value.length > field.max) {
    throw userError(
      `The field ${lastName(path)} contained more than the maximum number ( ${field.max} ) of characters allowed.`,
      path,
    );
  }
  return value;
}

function checkedForm(kind: 'email' | 'phone' | 'url', value: string, path: string): string {
  if (kind === 'email' && !/^[^\s@]+@[^\s@]+\.[^\s@]+$/.test(value)) {
    throw userError(`Please enter a valid email address in the field ${lastName(path)}.`, path);
  }
  if (kind === 'phone' && value.replace(/\D/g, '').length < 7) {
    throw userError('Phone number should have seven digits or more.', path);
  }
  if (kind === 'url' && !/^(https?|ftp|file):\/\//i.test(value)) {
    throw userError('Invalid url value. Url must start with http://, https://, ftp://, or file://', path);
  }
  return value;
}

function numberOf(raw: unknown, path: string): number {
  if (typeof raw !== 'number') throw badValue(path);
  if (Math.abs(raw) >= AMOUNT_LIMIT) {
    throw userError(
      `The field ${lastName(path)} contained more than the maximum number ( 15 ) of digits allowed.`,
      path,
    );
  }
  return raw;
}

/** A date keeps its day only; a time of day behind it is accepted, as the service does for date-time properties. */
function dateOf(raw: string, path: string): string {
  const day = /^(\d{4}-\d{2}-\d{2})(T[\d:.]+(Z|[+-]\d{2}:?\d{2})?)?$/.exec(raw)?.[1];
  const date = new Date(`${day}T00:00:00Z`);
  if (day === undefined || Number.isNaN(date.getTime())) throw badValue(path);
  if (date.toISOString().slice(0, 10) !== day) throw badValue(path);
  return day;
}

/** "2:30" and "2.5" are both two and a half hours. */
function hoursOf(raw: unknown, path: string): number {
  if (typeof raw === 'number' && raw >= 0) return raw;
  const match = /^(\d+):([0-5]\d)$/.exec(stringOf(raw, path));
  if (match) return Number(match[1]) + Number(match[2]) / 60;
  if (/^\d+(\.\d+)?$/.test(stringOf(raw, path))) return Number(raw);
  throw badValue(path);
}

function choiceOf(field: Field, raw: unknown, path: string): string {
  const id = idOf(raw, path);
  if (field.values?.[id] === undefined) throw invalidFieldValue(id, path);
  return id;
}

function countryOf(raw: unknown, path: string): string {
  const id = idOf(raw, path);
  if (!/^[A-Z]{2}$/.test(id) || countryName(id) === undefined || id === 'ZZ')
    throw invalidFieldValue(id, path);
  return id;
}

/**
 * The record a value points to: `{"id":"12"}`, `{"externalId":"…"}` or the bare id, which the service takes as
 * well (Oracle's samples of charge and projectTask).
 */
export function referenceOf(field: Field, raw: unknown, path: string, env: Env): SimRecord {
  const types = field.to ?? [];
  if (isObject(raw) && raw.id === undefined && typeof raw.externalId === 'string') {
    const { externalId } = raw;
    const found = types.flatMap((type) => env.db.findBy(type, 'externalId', externalId))[0];
    if (!found) throw invalidReference(`Invalid ${lastName(path)} reference key ${externalId}.`, path);
    return found;
  }
  const id = idOf(raw, path);
  for (const type of types) {
    const record = env.db.get(type, id);
    if (record && record.data.isInactive !== true) return record;
  }
  throw invalidFieldValue(id, path);
}

function idOf(raw: unknown, path: string): string {
  const id = isObject(raw) ? raw.id : raw;
  if (typeof id === 'string' && id !== '') return id;
  if (typeof id === 'number') return String(id);
  throw badValue(path);
}

function badValue(path: string): Error {
  return invalidContent(
    `Invalid value for the resource or sub-resource field '${lastName(path)}'. Provide a valid value.`,
    path,
  );
}

function invalidFieldValue(id: string, path: string): Error {
  return userError(
    `You have entered an Invalid Field Value ${id} for the following field: ${lastName(path)}`,
    path,
  );
}

function lastName(path: string): string {
  return path.slice(path.lastIndexOf('.') + 1);
}
