import type * as z from 'zod';
import type { EntityName } from '../ids';
import * as billing from './billing';
import * as cash from './cash';
import * as contract from './contract';
import * as crm from './crm';
import * as delivery from './delivery';
import * as operations from './operations';

export * from './billing';
export * from './cash';
export * from './contract';
export * from './crm';
export * from './delivery';
export * from './operations';

/** Schema of every entity by its name. */
export const entitySchemas = {
  legalEntity: crm.legalEntitySchema,
  customer: crm.customerSchema,
  contact: crm.contactSchema,
  opportunity: crm.opportunitySchema,
  quote: crm.quoteSchema,
  contract: contract.contractSchema,
  contractLine: contract.contractLineSchema,
  rateCard: contract.rateCardSchema,
  changeOrder: contract.changeOrderSchema,
  project: delivery.projectSchema,
  task: delivery.taskSchema,
  resource: delivery.resourceSchema,
  assignment: delivery.assignmentSchema,
  timeEntry: delivery.timeEntrySchema,
  expenseItem: delivery.expenseItemSchema,
  milestone: delivery.milestoneSchema,
  usageRecord: delivery.usageRecordSchema,
  billingScheduleLine: billing.billingScheduleLineSchema,
  billingEvent: billing.billingEventSchema,
  invoice: billing.invoiceSchema,
  creditNote: billing.creditNoteSchema,
  payment: cash.paymentSchema,
  paymentAllocation: cash.paymentAllocationSchema,
  revenueSchedule: cash.revenueScheduleSchema,
  revenueEvent: cash.revenueEventSchema,
  postingAck: cash.postingAckSchema,
  exceptionCase: operations.exceptionCaseSchema,
} satisfies Record<EntityName, z.ZodType>;

/** The type of an entity by its name. */
export type Entity<E extends EntityName = EntityName> = z.infer<(typeof entitySchemas)[E]>;
