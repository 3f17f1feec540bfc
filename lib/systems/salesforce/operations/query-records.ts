import type { JsonObject, JsonValue } from '../../../model';
import { defineOperation, type Item, required } from '../../kit';
import type { SalesforceClient } from '../client';

interface Wire {
  soql: string;
}

/** Any SOQL query. Its rows go to `msg.result`; the deal stays as it is. */
export const queryRecords = defineOperation<SalesforceClient, Item, Wire, JsonObject[]>({
  entity: 'records',
  verb: 'query',
  recordType: 'Query',
  duplicateSafety: 'read-only',
  visibleAfterMs: 0,

  select: (deal) => [{ id: deal.opportunity?.id ?? 'query' }],

  toSystem: (_item, { parameters }) => ({
    soql: required(parameters.soql?.trim(), 'The SOQL text', 'records are queried'),
  }),

  call: (client, { soql }, { signal }) => client.query(soql, signal),

  fromSystem: (rows) => ({
    refs: [],
    rows: rows.map(withoutAttributes),
    evidence: { rows: rows.length },
  }),
});

/** Salesforce adds type and URL of each record, also of parents and children. */
function withoutAttributes(value: JsonValue | undefined): JsonValue {
  if (Array.isArray(value)) return value.map(withoutAttributes);
  if (value === null || typeof value !== 'object') return value ?? null;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([name]) => name !== 'attributes')
      .map(([name, member]) => [name, withoutAttributes(member)]),
  );
}
