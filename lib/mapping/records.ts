import {
  type DealDocument,
  type EntityName,
  entitySchemas,
  invoiceLineSchema,
  type JsonObject,
  quoteLineSchema,
} from '../model';

/** The records of a deal document that mapping rules work on. */

interface MappedEntity {
  /** Part of the deal document. */
  part: keyof DealDocument;
  /** List inside each record of the part, for lines that are no entity of their own. */
  list?: string;
  /** Whose role answers for what is wrong in it. */
  owner: EntityName;
}

/** Every kind of record that rules can fill, by the name that rules use. */
export const mappedEntities = {
  opportunity: { part: 'opportunity', owner: 'opportunity' },
  customer: { part: 'customer', owner: 'customer' },
  contact: { part: 'contacts', owner: 'contact' },
  quote: { part: 'quote', owner: 'quote' },
  quoteLine: { part: 'quote', list: 'lines', owner: 'quote' },
  contract: { part: 'contract', owner: 'contract' },
  contractLine: { part: 'contractLines', owner: 'contractLine' },
  project: { part: 'project', owner: 'project' },
  task: { part: 'tasks', owner: 'task' },
  milestone: { part: 'milestones', owner: 'milestone' },
  billingScheduleLine: { part: 'billingSchedule', owner: 'billingScheduleLine' },
  timeEntry: { part: 'timeEntries', owner: 'timeEntry' },
  invoice: { part: 'invoices', owner: 'invoice' },
  invoiceLine: { part: 'invoices', list: 'lines', owner: 'invoice' },
  payment: { part: 'payments', owner: 'payment' },
} as const satisfies Record<string, MappedEntity>;

export type MappedEntityName = keyof typeof mappedEntities;

export const mappedEntityNames = Object.keys(mappedEntities) as [MappedEntityName, ...MappedEntityName[]];

/** Schema of one record. */
export function recordSchema(entity: MappedEntityName) {
  if (entity === 'quoteLine') return quoteLineSchema;
  if (entity === 'invoiceLine') return invoiceLineSchema;
  return entitySchemas[entity];
}

/** The records of a kind in document order; none when the deal has no such part. */
export function recordsOf(deal: DealDocument, entity: MappedEntityName): JsonObject[] {
  const { part, list }: MappedEntity = mappedEntities[entity];
  const records = asList(deal[part]);
  return list === undefined ? records : records.flatMap((record) => asList(record[list]));
}

/** The deal with other records of a kind, in the same order. */
export function withRecords(
  deal: DealDocument,
  entity: MappedEntityName,
  records: readonly JsonObject[],
): DealDocument {
  const { part, list }: MappedEntity = mappedEntities[entity];
  if (list === undefined) return { ...deal, [part]: Array.isArray(deal[part]) ? records : records[0] };
  let taken = 0;
  const owners = asList(deal[part]).map((owner) => {
    const count = asList(owner[list]).length;
    if (count === 0) return owner;
    taken += count;
    return { ...owner, [list]: records.slice(taken - count, taken) };
  });
  return { ...deal, [part]: Array.isArray(deal[part]) ? owners : owners[0] };
}

function asList(value: unknown): JsonObject[] {
  const elements = Array.isArray(value) ? value : [value];
  return elements.filter(
    (element): element is JsonObject =>
      typeof element === 'object' && element !== null && !Array.isArray(element),
  );
}
