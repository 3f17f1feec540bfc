import * as z from 'zod';
import type {
  BillingScheduleLine,
  Contact,
  Contract,
  ContractLine,
  Customer,
  Invoice,
  Milestone,
  Opportunity,
  Payment,
  Project,
  Quote,
  Task,
  TimeEntry,
} from './entities';
import type { EntityName } from './ids';
import { externalRefSchema, idSchema, jsonValueSchema } from './primitives';

/**
 * An entity as read from a vendor, possibly incomplete or wrong. Values have the right JSON shape (strings for
 * decimals) but need not be valid; the readiness check turns drafts into entities.
 */
export type Draft<T extends { id: unknown; externalRefs: unknown }> = Partial<T> &
  Pick<T, 'id' | 'externalRefs'>;

const draftSchemas = new Map<EntityName, ReturnType<typeof makeDraftSchema>>();

const makeDraftSchema = (entity: EntityName) =>
  z
    .object({ id: idSchema(entity), externalRefs: z.array(externalRefSchema) })
    .catchall(jsonValueSchema.optional());

/** Schema of a draft: id and cross-references must be right, other fields may be any JSON. */
export function draftSchema(entity: EntityName) {
  const known = draftSchemas.get(entity) ?? makeDraftSchema(entity);
  draftSchemas.set(entity, known);
  return known;
}

/** What flows along a wire: the canonical entities of one deal by name. Other keys are the user's and are kept. */
export interface DealDocument {
  opportunity?: Draft<Opportunity>;
  customer?: Draft<Customer>;
  contacts?: Draft<Contact>[];
  quote?: Draft<Quote>;
  contract?: Draft<Contract>;
  contractLines?: Draft<ContractLine>[];
  project?: Draft<Project>;
  tasks?: Draft<Task>[];
  milestones?: Draft<Milestone>[];
  billingSchedule?: Draft<BillingScheduleLine>[];
  timeEntries?: Draft<TimeEntry>[];
  invoices?: Draft<Invoice>[];
  payments?: Draft<Payment>[];
}

/** The entity each part of a deal document holds, and whether it holds many. */
export const dealDocumentParts = {
  opportunity: { entity: 'opportunity', many: false },
  customer: { entity: 'customer', many: false },
  contacts: { entity: 'contact', many: true },
  quote: { entity: 'quote', many: false },
  contract: { entity: 'contract', many: false },
  contractLines: { entity: 'contractLine', many: true },
  project: { entity: 'project', many: false },
  tasks: { entity: 'task', many: true },
  milestones: { entity: 'milestone', many: true },
  billingSchedule: { entity: 'billingScheduleLine', many: true },
  timeEntries: { entity: 'timeEntry', many: true },
  invoices: { entity: 'invoice', many: true },
  payments: { entity: 'payment', many: true },
} as const satisfies Record<keyof DealDocument, { entity: EntityName; many: boolean }>;

/** Checks ids and cross-references of every part; keeps everything else as it is. */
export const dealDocumentSchema = z.looseObject({
  opportunity: draftSchema('opportunity').optional(),
  customer: draftSchema('customer').optional(),
  contacts: z.array(draftSchema('contact')).optional(),
  quote: draftSchema('quote').optional(),
  contract: draftSchema('contract').optional(),
  contractLines: z.array(draftSchema('contractLine')).optional(),
  project: draftSchema('project').optional(),
  tasks: z.array(draftSchema('task')).optional(),
  milestones: z.array(draftSchema('milestone')).optional(),
  billingSchedule: z.array(draftSchema('billingScheduleLine')).optional(),
  timeEntries: z.array(draftSchema('timeEntry')).optional(),
  invoices: z.array(draftSchema('invoice')).optional(),
  payments: z.array(draftSchema('payment')).optional(),
});
