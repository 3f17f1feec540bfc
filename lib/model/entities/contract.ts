import * as z from 'zod';
import {
  commercialModelSchema,
  currencySchema,
  dimensionsSchema,
  idSchema,
  instantSchema,
  jsonValueSchema,
  localDateSchema,
  moneySchema,
  paymentTermsSchema,
  percentSchema,
  periodSchema,
  quantitySchema,
  rateSchema,
  regionSchema,
  taxCategorySchema,
  text,
  unitSchema,
} from '../primitives';
import { statesOf } from '../states';
import { entity } from './entity';

/** What was agreed: contracts (statements of work), their lines, rates and changes. */

export const contractTypes = ['sow', 'msa_order', 'managed_service'] as const;

export const contractSchema = entity('contract', {
  quoteId: idSchema('quote').optional(),
  customerId: idSchema('customer'),
  number: text,
  title: text,
  contractType: z.enum(contractTypes),
  effective: periodSchema,
  currency: currencySchema,
  totalValue: moneySchema,
  paymentTerms: paymentTermsSchema,
  poNumber: text.optional(),
  revision: z.int().min(1),
  status: z.enum(statesOf('contract.status')),
  signedAt: instantSchema.optional(),
  terminationTerms: text.optional(),
});
export type Contract = z.infer<typeof contractSchema>;

export const retainerPeriods = ['month', 'quarter', 'year'] as const;

/** Fee per period, in advance; what exceeds the included quantity is charged in arrears. */
export const retainerSchema = z.strictObject({
  period: z.enum(retainerPeriods),
  fee: rateSchema,
  includedQuantity: quantitySchema.optional(),
  overageRate: rateSchema.optional(),
  rollover: z.enum(['none', 'one_period', 'all']).optional(),
});
export type Retainer = z.infer<typeof retainerSchema>;

export const revenueMethods = [
  'point_in_time',
  'straight_line',
  'percent_complete_cost',
  'percent_complete_hours',
  'as_invoiced',
] as const;
export const revenueMethodSchema = z.enum(revenueMethods);
export type RevenueMethod = z.infer<typeof revenueMethodSchema>;

export const contractLineSchema = entity('contractLine', {
  contractId: idSchema('contract'),
  lineNo: z.int().min(1),
  description: text,
  commercialModel: commercialModelSchema,
  serviceCode: text.optional(),
  quantity: quantitySchema.optional(),
  /** In the contract's currency. */
  unitPrice: rateSchema.optional(),
  /** The fixed part; absent on lines that are billed by consumption only. */
  amount: moneySchema.optional(),
  capAmount: moneySchema.optional(),
  capScope: z.enum(['fees', 'fees_and_expenses']).optional(),
  rateCardId: idSchema('rateCard').optional(),
  retainer: retainerSchema.optional(),
  /** On cost, for cost-plus lines and rebilled expenses. */
  markup: percentSchema.optional(),
  revenueMethod: revenueMethodSchema,
  taxCategory: taxCategorySchema,
  dimensions: dimensionsSchema.optional(),
  status: z.enum(['planned', 'active', 'completed', 'superseded', 'cancelled']).optional(),
});
export type ContractLine = z.infer<typeof contractLineSchema>;

export const rateCardSchema = entity('rateCard', {
  scope: z.enum(['assignment', 'contract_line', 'contract', 'customer', 'legal_entity']),
  currency: currencySchema,
  rates: z.array(
    z.strictObject({
      role: text,
      region: regionSchema.optional(),
      unit: unitSchema,
      rate: rateSchema,
      validFrom: localDateSchema,
      validTo: localDateSchema.optional(),
    }),
  ),
});
export type RateCard = z.infer<typeof rateCardSchema>;

export const changeOperations = [
  'add_line',
  'change_line_amount',
  'change_cap',
  'change_rate',
  'add_milestone',
  'change_milestone',
  'remove_milestone',
  'extend_term',
  'change_terms',
  'change_billing_schedule',
] as const;

/** One typed operation of a change order (guides §11); `set` holds the new values by field name. */
export const contractChangeSchema = z.strictObject({
  operation: z.enum(changeOperations),
  /** Canonical id of what is changed; absent when something is added. */
  targetId: text.optional(),
  /** From which service date a new rate applies. */
  from: localDateSchema.optional(),
  set: z.record(z.string(), jsonValueSchema),
});
export type ContractChange = z.infer<typeof contractChangeSchema>;

export const changeOrderSchema = entity('changeOrder', {
  contractId: idSchema('contract'),
  number: text,
  baseRevision: z.int().min(1),
  reason: text,
  effectiveDate: localDateSchema,
  changes: z.array(contractChangeSchema).min(1),
  valueDelta: moneySchema,
  status: z.enum(statesOf('changeOrder.status')),
  approvals: z.array(z.strictObject({ by: text, at: instantSchema, role: text.optional() })).optional(),
  requiresReview: z.boolean().optional(),
});
export type ChangeOrder = z.infer<typeof changeOrderSchema>;
