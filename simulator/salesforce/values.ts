import { formatDatetime, isDate, parseDatetime } from './dates';
import { badRequest, saveError } from './errors';
import { normaliseId } from './ids';
import type { Field } from './schema';
import { findObject } from './schema';

/** A stored field value. Datetimes are kept as the API writes them, ids with 18 characters. */
export type FieldValue = string | number | boolean | null;

/**
 * Turns a JSON value of a body into what is stored.
 * @throws ApiError 400 as the platform's parser and save checks do.
 */
export function fieldValue(field: Field, value: unknown): FieldValue {
  if (value === null || value === '') return emptyValue(field);
  switch (field.type) {
    case 'boolean':
      return booleanValue(field, value);
    case 'int':
    case 'double':
    case 'currency':
    case 'percent':
      return numberValue(field, value);
    case 'date':
      return dateValue(field, value);
    case 'datetime':
      return datetimeValue(field, value);
    case 'reference':
    case 'id':
      return referenceValue(field, value);
    default:
      return textValue(field, value);
  }
}

function emptyValue(field: Field): null {
  if (field.type === 'boolean') {
    throw saveError('INVALID_TYPE_ON_FIELD_IN_RECORD', `${field.label}: value not of required type: `, [
      field.name,
    ]);
  }
  return null;
}

/** `true`, and the text `"true"`, which the parser accepts as well. */
function booleanValue(field: Field, value: unknown): boolean {
  if (typeof value === 'boolean') return value;
  if (value === 'true' || value === 'false') return value === 'true';
  throw cannotDeserialize(field, value);
}

/**
 * JSON numbers and numeric texts. The decimals of a field say how it is shown, not what is kept: a value with
 * more decimals is stored as sent.
 */
function numberValue(field: Field, value: unknown): number {
  const isNumeric =
    typeof value === 'number' || (typeof value === 'string' && /^[+-]?\d+(\.\d+)?(e[+-]?\d+)?$/i.test(value));
  if (!isNumeric) throw cannotDeserialize(field, value);
  const parsed = Number(value);
  if (field.type === 'int') {
    if (!Number.isInteger(parsed)) throw cannotDeserialize(field, value);
    return inRange(field, parsed, 2 ** 31);
  }
  return inRange(field, parsed, 10 ** (field.precision - field.scale));
}

function inRange(field: Field, value: number, limit: number): number {
  if (Math.abs(value) < limit) return value;
  const message = `${field.label}: value outside of valid range on numeric field: ${value}`;
  throw saveError('NUMBER_OUTSIDE_VALID_RANGE', message, [field.name]);
}

function dateValue(field: Field, value: unknown): string {
  if (typeof value === 'string') {
    if (isDate(value)) return value;
    const instant = parseDatetime(value);
    if (instant !== null) return new Date(instant).toISOString().slice(0, 10);
  }
  throw cannotDeserialize(field, value);
}

function datetimeValue(field: Field, value: unknown): string {
  const instant = typeof value === 'string' ? parseDatetime(value) : null;
  if (instant === null) throw cannotDeserialize(field, value);
  return formatDatetime(instant);
}

/** Checks the form of an id and that it is one of the right object; whether the record exists is checked at the save. */
function referenceValue(field: Field, value: unknown): string {
  if (typeof value !== 'string') throw cannotDeserialize(field, value);
  const id = normaliseId(value);
  const message = `${field.label}: id value of incorrect type: ${value}`;
  if (id === null) throw saveError('MALFORMED_ID', message, [field.name]);
  const target = field.referenceTo === null ? undefined : findObject(field.referenceTo);
  if (target && target.keyPrefix !== id.slice(0, 3))
    throw saveError('FIELD_INTEGRITY_EXCEPTION', message, [field.name]);
  return id;
}

/** The platform trims single-line text at both ends, and nothing is left of blanks; long text keeps its line breaks. */
function textValue(field: Field, value: unknown): string | null {
  if (typeof value !== 'string') throw cannotDeserialize(field, value);
  const text = field.type === 'textarea' ? value : value.trim();
  if (field.length > 0 && text.length > field.length) {
    const message = `${field.label}: data value too large: ${text.slice(0, 255)} (max length=${field.length})`;
    throw saveError('STRING_TOO_LONG', message, [field.name]);
  }
  if (field.type === 'email' && text !== '' && !/^[^\s@]+@[^\s@]+\.[^\s@]+$/.test(text)) {
    throw saveError('INVALID_EMAIL_ADDRESS', `${field.label}: invalid email address: ${text}`, [field.name]);
  }
  return text === '' ? null : text;
}

function cannotDeserialize(field: Field, value: unknown) {
  return badRequest(
    'JSON_PARSER_ERROR',
    `Cannot deserialize instance of ${field.type} from ${tokenName(value)} value ${shown(value)} or request may be missing a required field at ${field.name}`,
  );
}

function tokenName(value: unknown): string {
  if (typeof value === 'string') return 'VALUE_STRING';
  if (typeof value === 'boolean') return value ? 'VALUE_TRUE' : 'VALUE_FALSE';
  if (typeof value === 'number') return Number.isInteger(value) ? 'VALUE_NUMBER_INT' : 'VALUE_NUMBER_FLOAT';
  return Array.isArray(value) ? 'START_ARRAY' : 'START_OBJECT';
}

function shown(value: unknown): string {
  return typeof value === 'object' ? '' : String(value).slice(0, 80);
}
