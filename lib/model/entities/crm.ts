import * as z from 'zod';
import {
  addressSchema,
  commercialModelSchema,
  countrySchema,
  currencySchema,
  decimalSchema,
  externalRefSchema,
  idSchema,
  instantSchema,
  localDateSchema,
  moneySchema,
  paymentTermsSchema,
  percentSchema,
  personalText,
  personName,
  quantitySchema,
  rateSchema,
  regionSchema,
  taxCategorySchema,
  taxIdText,
  text,
  timeZoneSchema,
} from '../primitives';
import { statesOf } from '../states';
import { retainerSchema } from './contract';
import { entity, entityOfNoLegalEntity } from './entity';

/** The firm, its customers, and what is sold to them before a contract exists. */

export const legalEntitySchema = entityOfNoLegalEntity('legalEntity', {
  name: text,
  country: countrySchema,
  functionalCurrency: currencySchema,
  taxRegistrations: z
    .array(z.strictObject({ country: countrySchema, number: taxIdText, scheme: text.optional() }))
    .optional(),
  timeZone: timeZoneSchema,
  fiscalCalendar: text,
  invoiceNumberSeries: text,
  intercompanyPartners: z.array(idSchema('legalEntity')).optional(),
});
export type LegalEntity = z.infer<typeof legalEntitySchema>;

export const taxProfileSchema = z.strictObject({
  registrationNumber: taxIdText.optional(),
  status: z.enum(['registered', 'not_registered', 'exempt', 'unknown']),
  exemptionReason: text.optional(),
});
export type TaxProfile = z.infer<typeof taxProfileSchema>;

export const customerSchema = entity('customer', {
  /** The ERP's customer number. */
  number: text.optional(),
  legalName: text,
  displayName: text.optional(),
  parentId: idSchema('customer').optional(),
  billingAddress: addressSchema,
  country: countrySchema,
  taxProfile: taxProfileSchema.optional(),
  defaultCurrency: currencySchema,
  paymentTerms: paymentTermsSchema,
  creditLimit: moneySchema.optional(),
  creditStatus: z.enum(['ok', 'review', 'hold']),
  status: z.enum(statesOf('customer.status')),
  invoiceDelivery: z.enum(['email', 'peppol', 'portal', 'post']).optional(),
  purchaseOrderRequired: z.boolean().optional(),
  website: text.optional(),
});
export type Customer = z.infer<typeof customerSchema>;

export const contactRoles = ['buyer', 'approver', 'billing', 'delivery'] as const;

export const contactSchema = entity('contact', {
  customerId: idSchema('customer'),
  name: personName,
  firstName: personName.optional(),
  lastName: personName.optional(),
  email: personalText.optional(),
  phone: personalText.optional(),
  title: text.optional(),
  roles: z.array(z.enum(contactRoles)).optional(),
});
export type Contact = z.infer<typeof contactSchema>;

export const opportunitySchema = entity('opportunity', {
  customerId: idSchema('customer'),
  contractId: idSchema('contract').optional(),
  name: text,
  stage: z.enum(statesOf('opportunity.stage')),
  amount: moneySchema,
  expectedCloseDate: localDateSchema.optional(),
  serviceLine: text,
  engagementType: text,
  /** Selling region; chooses the legal entity together with the service line. */
  region: regionSchema.optional(),
  ownerId: text.optional(),
});
export type Opportunity = z.infer<typeof opportunitySchema>;

/** A planned amount of a quote line: a milestone or an instalment with its date. */
export const quoteScheduleSchema = z.strictObject({
  description: text,
  date: localDateSchema,
  amount: decimalSchema,
});
export type QuoteSchedule = z.infer<typeof quoteScheduleSchema>;

/** Amounts of a quote line are in the currency of the quote's `total`. */
export const quoteLineSchema = z.strictObject({
  lineNo: z.int().min(1).optional(),
  description: text.optional(),
  serviceCode: text,
  serviceLine: text.optional(),
  commercialModel: commercialModelSchema,
  quantity: quantitySchema.optional(),
  unitPrice: rateSchema.optional(),
  discount: percentSchema.optional(),
  amount: decimalSchema,
  capAmount: decimalSchema.optional(),
  retainer: retainerSchema.optional(),
  /** On cost, for cost-plus lines and rebilled expenses. */
  markup: percentSchema.optional(),
  schedule: z.array(quoteScheduleSchema).optional(),
  taxCategory: taxCategorySchema.optional(),
  externalRefs: z.array(externalRefSchema).optional(),
});
export type QuoteLine = z.infer<typeof quoteLineSchema>;

export const quoteSchema = entity('quote', {
  opportunityId: idSchema('opportunity'),
  validUntil: localDateSchema,
  lines: z.array(quoteLineSchema),
  rateCardId: idSchema('rateCard').optional(),
  billingRules: text.optional(),
  deliveryAssumptions: text.optional(),
  approval: z
    .strictObject({
      status: z.enum(['pending', 'approved', 'rejected']),
      by: text.optional(),
      at: instantSchema.optional(),
    })
    .optional(),
  total: moneySchema,
  status: z.enum(statesOf('quote.status')).optional(),
});
export type Quote = z.infer<typeof quoteSchema>;
