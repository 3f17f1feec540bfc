import type { CanonicalId, DealDocument, Draft, JsonObject, Opportunity } from '../../../model';
import { defined, defineOperation, type MappingContext, required } from '../../kit';
import { type SalesforceClient, type Subrequest, SYSTEM } from '../client';

interface RecordUpdate {
  type: string;
  id: string;
  /** Written to the external-id field. */
  externalId: CanonicalId;
  fields: JsonObject;
}

interface Wire {
  /** The opportunity first, then its account and contract as far as they are in Salesforce. */
  updates: RecordUpdate[];
}

interface Reply {
  updated: { type: string; id: string }[];
}

const STATUS_LENGTH = 255;

/**
 * Tells sales what became of the deal: status text, project and customer number, our canonical ids. All records change
 * in one composite call, or none does. Setting the same values again changes nothing, so a lost answer is harmless.
 */
export const updateOpportunity = defineOperation<SalesforceClient, Draft<Opportunity>, Wire, Reply>({
  entity: 'opportunity',
  verb: 'update',
  recordType: 'Opportunity',
  duplicateSafety: 'external-id',
  visibleAfterMs: 0,

  select: ({ opportunity }) => (opportunity ? [opportunity] : []),

  toSystem(opportunity, context) {
    const { deal } = context;
    const id = context.refId(opportunity, 'Opportunity', 'the opportunity');
    const fields = defined({ Q2C_Status__c: statusOf(context), Q2C_Project_Number__c: deal.project?.code });
    return {
      updates: [
        { type: 'Opportunity', id, externalId: opportunity.id, fields },
        ...updateOf('Account', deal.customer, { Q2C_Customer_Number__c: deal.customer?.number }, context),
        ...updateOf('Contract', deal.contract, {}, context),
      ],
    };
  },

  async call(client, { updates }, { signal }) {
    const parts = updates.map(
      ({ type, id, externalId, fields }): Subrequest => ({
        method: 'PATCH',
        path: `/sobjects/${type}/${id}`,
        body: { ...fields, [client.externalIdField]: externalId },
      }),
    );
    await client.composite(parts, { safe: false, signal });
    return { updated: updates.map(({ type, id }) => ({ type, id })) };
  },

  async probe(client, { updates }, { signal }) {
    const parts = updates.map(({ type, id, fields }): Subrequest => {
      const names = [...Object.keys(fields), client.externalIdField];
      return { method: 'GET', path: `/sobjects/${type}/${id}?fields=${names.join(',')}` };
    });
    const records = await client.composite(parts, { safe: true, signal });
    const done = updates.every(({ externalId, fields }, index) =>
      holds(records[index] as JsonObject, { ...fields, [client.externalIdField]: externalId }),
    );
    return done ? { updated: updates.map(({ type, id }) => ({ type, id })) } : null;
  },

  fromSystem: ({ updated }) => ({
    refs: [],
    evidence: { updated: updated.map(({ type, id }) => `${type} ${id}`) },
  }),
});

/** The account or contract behind an entity, if Salesforce has it: it may have been made elsewhere. */
function updateOf(
  type: string,
  entity: DealDocument['customer'] | DealDocument['contract'],
  fields: JsonObject,
  { instance }: MappingContext,
): RecordUpdate[] {
  const ref = entity?.externalRefs.find(
    (each) => each.system === SYSTEM && each.instance === instance && each.type === type,
  );
  return entity && ref ? [{ type, id: ref.id, externalId: entity.id, fields: defined(fields) }] : [];
}

/**
 * The status text with its placeholders filled; cut to what the field holds, for people to read only.
 * @throws MappingError `MANDATORY_FIELD_MISSING` for a placeholder without a value or an unknown one.
 */
function statusOf({ deal, parameters }: MappingContext): string | undefined {
  const pattern = parameters.status?.trim();
  if (!pattern) return undefined;
  const values: Record<string, string | undefined> = {
    project: deal.project?.name,
    projectNumber: deal.project?.code,
    customer: deal.customer?.legalName,
    customerNumber: deal.customer?.number,
    contractNumber: deal.contract?.number,
    waitingFor: parameters.waitingFor ?? 'a repair',
  };
  const text = pattern.replace(/\{(\w+)\}/g, (placeholder, name: string) =>
    required(values[name], `A value for ${placeholder} in the status text`, 'the opportunity is updated'),
  );
  return text.length > STATUS_LENGTH ? `${text.slice(0, STATUS_LENGTH - 1)}…` : text;
}

function holds(record: JsonObject, wanted: JsonObject): boolean {
  return Object.entries(wanted).every(([name, value]) => (record[name] ?? null) === (value ?? null));
}
