import type { CanonicalId, DealDocument } from '../../../model';
import { defineOperation, required } from '../../kit';
import type { NetSuiteClient } from '../client';

import type { Row } from '../suiteql';

/** Free SuiteQL, for what no other operation reads. The rows become `msg.result`. */
export const queryRecords = defineOperation<NetSuiteClient, { id: CanonicalId }, { query: string }, Row[]>({
  entity: 'records',
  verb: 'query',
  recordType: 'query',
  duplicateSafety: 'read-only',
  visibleAfterMs: 0,

  select: (deal) => [{ id: subjectOf(deal) }],

  toSystem: (_item, { parameters }) => ({
    query: required(parameters.query?.trim(), 'A SuiteQL query', 'NetSuite can be asked'),
  }),

  call: (client, { query }, { signal }) => client.query(query, signal),

  fromSystem: (rows) => ({ refs: [], rows, evidence: { rows: rows.length } }),
});

/** A query belongs to no record; the step is keyed by the deal it is asked for. */
function subjectOf({ opportunity, contract, project, customer }: DealDocument): CanonicalId {
  return (opportunity ?? contract ?? project ?? customer)?.id ?? 'query';
}
