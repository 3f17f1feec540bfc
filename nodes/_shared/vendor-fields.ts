import { type DealDocument, dealDocumentParts, type JsonObject, type JsonValue } from '../../lib/model';
import { MappingError } from '../../lib/systems/kit/errors';
import type { Item } from '../../lib/systems/kit/types';
import type { OperationRequest } from './operation';

/**
 * Adds to mapped payloads the fields that a mapping set fills in the system's own words: `extensions.<system>` of the
 * record. They go before what the connector says. What people see in the journal is what is sent.
 * @returns the payload of an item with its fields; throws MappingError `VALUE_INVALID` when the operation sends no record
 *   that could take further fields
 */
export function vendorFields({
  client: { system },
  deal,
  manifest,
  operation,
}: Pick<OperationRequest, 'client' | 'deal' | 'manifest' | 'operation'>): (
  wire: JsonValue,
  item: Item,
) => JsonValue {
  const fieldsOf = fieldsByRecord(deal, system);
  if (fieldsOf.size === 0) return (wire) => wire;
  return (wire, item) => {
    if (Array.isArray(wire)) return wire.map((planned) => withFieldsOfRecord(planned, fieldsOf));
    const fields = fieldsOf.get(item.id);
    if (fields === undefined || operation.duplicateSafety === 'read-only') return wire;
    if (isObject(wire) && isObject(wire.body)) return { ...wire, body: { ...wire.body, ...fields } };
    const field = `extensions.${system}`;
    const reason = `${operation.entity} ${operation.verb} of ${manifest.label} takes no further fields (${Object.keys(fields).join(', ')}); remove the rules that fill them from the mapping set`;
    const document = `${operation.entity} ${item.id}`;
    throw new MappingError('VALUE_INVALID', `${field} of ${document} is not valid: ${reason}.`, {
      field,
      document,
      reason,
    });
  };
}

type FieldsByRecord = ReadonlyMap<string, JsonObject>;

/** One of several records of a step, each under its own canonical id; they may stand in lists by depth. */
function withFieldsOfRecord(planned: JsonValue, fieldsOf: FieldsByRecord): JsonValue {
  if (Array.isArray(planned)) return planned.map((each) => withFieldsOfRecord(each, fieldsOf));
  if (!isObject(planned) || !isObject(planned.body)) return planned;
  const fields = fieldsOf.get(String(planned.canonicalId));
  return fields === undefined ? planned : { ...planned, body: { ...planned.body, ...fields } };
}

/** The fields for a system of the deal's records that have any. */
function fieldsByRecord(deal: DealDocument, system: string): FieldsByRecord {
  const found = new Map<string, JsonObject>();
  for (const part of PARTS) {
    const content = deal[part] ?? [];
    for (const record of Array.isArray(content) ? content : [content]) {
      const fields = record.extensions?.[system];
      if (fields !== undefined && Object.keys(fields).length > 0) found.set(record.id, fields);
    }
  }
  return found;
}

const PARTS = Object.keys(dealDocumentParts) as (keyof DealDocument)[];

const isObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
