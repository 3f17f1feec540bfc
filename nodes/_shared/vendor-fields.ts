import { type DealDocument, dealDocumentParts, type JsonObject, type JsonValue } from '../../lib/model';
import { MappingError } from '../../lib/systems/kit/errors';
import type { Item } from '../../lib/systems/kit/types';
import type { OperationRequest } from './operation';

/**
 * The mapped payload with the fields that a mapping set fills in the system's own words: `extensions.<system>` of the
 * record. They go before what the connector says. What people see in the journal is what is sent.
 * @throws MappingError `VALUE_INVALID` when the operation sends no record that could take further fields.
 */
export function withVendorFields(
  wire: JsonValue,
  item: Item,
  { client, deal, manifest, operation }: Pick<OperationRequest, 'client' | 'deal' | 'manifest' | 'operation'>,
): JsonValue {
  const { system } = client;
  // Several records of one step, each under its own canonical id.
  if (Array.isArray(wire)) {
    return wire.map((planned) => {
      const fields = isObject(planned) ? vendorFields(deal, String(planned.canonicalId), system) : undefined;
      return fields === undefined || !isObject(planned) || !isObject(planned.body)
        ? planned
        : { ...planned, body: { ...planned.body, ...fields } };
    });
  }
  const fields = vendorFields(deal, item.id, system);
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
}

/** The fields of a record of the deal for a system; undefined = none. */
function vendorFields(deal: DealDocument, id: string, system: string): JsonObject | undefined {
  for (const part of Object.keys(dealDocumentParts) as (keyof DealDocument)[]) {
    for (const record of [deal[part] ?? []].flat()) {
      if (record.id !== id) continue;
      const fields = record.extensions?.[system];
      return fields !== undefined && Object.keys(fields).length > 0 ? fields : undefined;
    }
  }
  return undefined;
}

const isObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
