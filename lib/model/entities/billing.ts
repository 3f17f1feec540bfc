import * as z from 'zod';
import { INVOICE_LINE_PREFIX, idPattern } from '../ids';
import {
  currencySchema,
  decimalSchema,
  dimensionsSchema,
  idSchema,
  instantSchema,
  localDateSchema,
  moneySchema,
  percentSchema,
  periodSchema,
  quantitySchema,
  rateSchema,
  taxCategorySchema,
  text,
} from '../primitives';
import { statesOf } from '../states';
import { entity } from './entity';

/** From plan to invoice. Amounts inside one document are in the document's `currency`. */

export const billingTriggers = [
  'date',
  'milestone',
  'percent',
  'period_start',
  'period_end',
  'manual',
] as const;

export const billingScheduleLineSchema = entity('billingScheduleLine', {
  contractLineId: idSchema('contractLine'),
  projectId: idSchema('project').optional(),
  seq: z.int().min(1),
  description: text.optional(),
  trigger: z.enum(billingTriggers),
  /** Id of the milestone, or the percentage, that releases the line. */
  triggerRef: text.optional(),
  plannedDate: localDateSchema.optional(),
  /** Service period the line bills, for retainers. */
  servicePeriod: periodSchema.optional(),
  amount: moneySchema,
  taxCategory: taxCategorySchema.optional(),
  /** Revision of the contract that planned the line. */
  revision: z.int().min(1),
  status: z.enum(statesOf('billingScheduleLine.status')),
});
export type BillingScheduleLine = z.infer<typeof billingScheduleLineSchema>;

export const billingEventKinds = [
  'fixed',
  'milestone',
  'time',
  'expense',
  'retainer_fee',
  'retainer_overage',
  'usage',
  'adjustment',
  'reversal',
] as const;

export const billingEventLineSchema = z.strictObject({
  /** Unique within the billing event; `InvoiceLine.billingEventLineId` is `<billing event id>/<this>`. */
  id: text.optional(),
  sourceIds: z.array(text),
  description: text.optional(),
  quantity: quantitySchema.optional(),
  unitPrice: rateSchema.optional(),
  amount: decimalSchema,
  taxCategory: taxCategorySchema,
});
export type BillingEventLine = z.infer<typeof billingEventLineSchema>;

export const billingEventSchema = entity('billingEvent', {
  contractLineId: idSchema('contractLine'),
  projectId: idSchema('project').optional(),
  kind: z.enum(billingEventKinds),
  servicePeriod: periodSchema,
  eligibleAt: instantSchema,
  currency: currencySchema,
  lines: z.array(billingEventLineSchema),
  amount: decimalSchema,
  status: z.enum(statesOf('billingEvent.status')),
  holdReason: text.optional(),
});
export type BillingEvent = z.infer<typeof billingEventSchema>;

export const invoiceLineSchema = z.strictObject({
  id: z.string().regex(idPattern(INVOICE_LINE_PREFIX)).optional(),
  billingEventLineId: text,
  description: text,
  quantity: quantitySchema.optional(),
  unitPrice: rateSchema.optional(),
  net: decimalSchema,
  taxCategory: taxCategorySchema,
  taxRate: percentSchema,
  dimensions: dimensionsSchema.optional(),
});
export type InvoiceLine = z.infer<typeof invoiceLineSchema>;

export const taxGroupSchema = z.strictObject({
  category: taxCategorySchema,
  rate: percentSchema,
  base: decimalSchema,
  tax: decimalSchema,
});
/** One tax group of a document: all lines of one category and rate. */
export type TaxGroup = z.infer<typeof taxGroupSchema>;

export const invoiceTotalsSchema = z.strictObject({
  net: decimalSchema,
  tax: decimalSchema,
  gross: decimalSchema,
  prepaid: decimalSchema.optional(),
  rounding: decimalSchema.optional(),
  payable: decimalSchema,
});
export type InvoiceTotals = z.infer<typeof invoiceTotalsSchema>;

/** A hold or a dispute: open until `closedAt`. It never changes the document status. */
const invoiceFlagSchema = z.strictObject({
  reason: text,
  openedAt: instantSchema,
  closedAt: instantSchema.optional(),
  ownerId: text,
});

const invoiceFields = {
  /** Assigned by the ERP. */
  number: text.optional(),
  customerId: idSchema('customer'),
  contractId: idSchema('contract'),
  currency: currencySchema,
  issueDate: localDateSchema,
  taxPointDate: localDateSchema,
  dueDate: localDateSchema,
  servicePeriod: periodSchema.optional(),
  poNumber: text.optional(),
  lines: z.array(invoiceLineSchema),
  taxBreakdown: z.array(taxGroupSchema),
  totals: invoiceTotalsSchema,
  documentStatus: z.enum(statesOf('invoice.documentStatus')),
  settlementStatus: z.enum(statesOf('invoice.settlementStatus')),
  hold: invoiceFlagSchema.optional(),
  dispute: invoiceFlagSchema.optional(),
  eInvoice: z.strictObject({ status: text, messageId: text.optional() }).optional(),
};

export const invoiceSchema = entity('invoice', {
  type: z.enum(['invoice', 'credit_note', 'deposit', 'final']),
  ...invoiceFields,
});
export type Invoice = z.infer<typeof invoiceSchema>;

export const creditNoteSchema = entity('creditNote', {
  type: z.literal('credit_note'),
  ...invoiceFields,
  correctsInvoiceId: idSchema('invoice'),
  reasonCode: text,
});
export type CreditNote = z.infer<typeof creditNoteSchema>;
