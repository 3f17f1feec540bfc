import * as z from 'zod';
import { classified } from '../classified';
import {
  dimensionsSchema,
  idSchema,
  instantSchema,
  localDateSchema,
  moneySchema,
  percentSchema,
  periodSchema,
  personalText,
  positiveDecimalSchema,
  quantitySchema,
  quantityValueSchema,
  rateMoneySchema,
  regionSchema,
  text,
} from '../primitives';
import { statesOf } from '../states';
import { entity } from './entity';

/** How the work is planned, staffed and recorded. */

const approvalStatusSchema = z.enum(statesOf('approvalStatus'));
const billingStatusSchema = z.enum(statesOf('billingStatus'));

export const projectSchema = entity('project', {
  contractId: idSchema('contract'),
  code: text,
  /** The ERP's project number. */
  number: text.optional(),
  name: text,
  templateId: text.optional(),
  customerId: idSchema('customer'),
  deliveryEntityId: idSchema('legalEntity').optional(),
  serviceLine: text.optional(),
  period: periodSchema.optional(),
  managerId: text.optional(),
  budget: z
    .strictObject({
      hours: quantityValueSchema.optional(),
      cost: classified('cost_rate', moneySchema).optional(),
      revenue: moneySchema.optional(),
    })
    .optional(),
  dimensions: dimensionsSchema.optional(),
  status: z.enum(statesOf('project.status')),
  percentComplete: percentSchema.optional(),
});
export type Project = z.infer<typeof projectSchema>;

export const taskSchema = entity('task', {
  projectId: idSchema('project'),
  parentId: idSchema('task').optional(),
  code: text.optional(),
  name: text,
  contractLineId: idSchema('contractLine'),
  billable: z.boolean(),
  budgetHours: quantityValueSchema.optional(),
  period: periodSchema.optional(),
  status: z.enum(['planned', 'in_progress', 'completed', 'cancelled']).optional(),
});
export type Task = z.infer<typeof taskSchema>;

export const resourceSchema = entity('resource', {
  personRef: personalText,
  role: text,
  region: regionSchema.optional(),
  costRate: classified('cost_rate', rateMoneySchema).optional(),
  capacityHoursPerWeek: quantityValueSchema.optional(),
  status: z.enum(['active', 'inactive']).optional(),
});
export type Resource = z.infer<typeof resourceSchema>;

export const assignmentSchema = entity('assignment', {
  projectId: idSchema('project'),
  taskId: idSchema('task').optional(),
  resourceId: idSchema('resource'),
  role: text,
  period: periodSchema,
  plannedHours: quantityValueSchema,
  billRateOverride: rateMoneySchema.optional(),
  status: z.enum(statesOf('assignment.status')),
});
export type Assignment = z.infer<typeof assignmentSchema>;

export const timeEntrySchema = entity('timeEntry', {
  resourceId: idSchema('resource'),
  projectId: idSchema('project'),
  taskId: idSchema('task'),
  date: localDateSchema,
  hours: positiveDecimalSchema.refine((hours) => Number(hours) <= 24, 'must be at most 24'),
  billable: z.boolean(),
  notes: z.string().optional(),
  approvalStatus: approvalStatusSchema,
  billingStatus: billingStatusSchema,
  rateApplied: rateMoneySchema.optional(),
  reversalOf: idSchema('timeEntry').optional(),
});
export type TimeEntry = z.infer<typeof timeEntrySchema>;

export const expenseItemSchema = entity('expenseItem', {
  resourceId: idSchema('resource'),
  projectId: idSchema('project'),
  taskId: idSchema('task').optional(),
  date: localDateSchema,
  category: text,
  amount: moneySchema,
  taxIncluded: z.boolean(),
  reimbursable: z.boolean().optional(),
  rebillable: z.boolean(),
  markup: percentSchema.optional(),
  receiptRef: text.optional(),
  approvalStatus: approvalStatusSchema,
  billingStatus: billingStatusSchema,
});
export type ExpenseItem = z.infer<typeof expenseItemSchema>;

export const milestoneSchema = entity('milestone', {
  contractLineId: idSchema('contractLine'),
  projectId: idSchema('project').optional(),
  name: text,
  plannedDate: localDateSchema,
  /** One of `amount` and `percent` (of the contract line) is given. */
  amount: moneySchema.optional(),
  percent: percentSchema.optional(),
  acceptanceCriteria: text.optional(),
  evidenceRefs: z.array(text).optional(),
  acceptedBy: text.optional(),
  acceptedAt: instantSchema.optional(),
  status: z.enum(statesOf('milestone.status')),
  billingStatus: billingStatusSchema,
}).refine(({ amount, percent }) => (amount === undefined) !== (percent === undefined), {
  path: ['amount'],
  message: 'must be given, or percent, but not both',
});
export type Milestone = z.infer<typeof milestoneSchema>;

export const usageRecordSchema = entity('usageRecord', {
  contractLineId: idSchema('contractLine'),
  meter: text,
  quantity: quantitySchema,
  period: periodSchema,
  sourceRef: text,
  approvalStatus: approvalStatusSchema,
  billingStatus: billingStatusSchema,
});
export type UsageRecord = z.infer<typeof usageRecordSchema>;
