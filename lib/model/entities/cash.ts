import * as z from 'zod';
import {
  bankText,
  decimalSchema,
  idSchema,
  instantSchema,
  jsonValueSchema,
  localDateSchema,
  moneySchema,
  periodSchema,
  text,
} from '../primitives';
import { statesOf } from '../states';
import { revenueMethodSchema } from './contract';
import { entity } from './entity';

/** What is paid and what is earned. */

const allocationFields = {
  invoiceId: idSchema('invoice'),
  amount: moneySchema,
  discountTaken: moneySchema.optional(),
  writeOff: moneySchema.optional(),
  /** Realised difference in the legal entity's currency. */
  fxDifference: moneySchema.optional(),
};

export const paymentSchema = entity('payment', {
  customerId: idSchema('customer'),
  receivedDate: localDateSchema,
  valueDate: localDateSchema.optional(),
  amount: moneySchema,
  method: text.optional(),
  bankReference: bankText,
  unapplied: moneySchema,
  status: z.enum(statesOf('payment.status')),
  allocations: z.array(z.strictObject(allocationFields)).optional(),
});
export type Payment = z.infer<typeof paymentSchema>;

export const paymentAllocationSchema = entity('paymentAllocation', {
  paymentId: idSchema('payment'),
  ...allocationFields,
});
export type PaymentAllocation = z.infer<typeof paymentAllocationSchema>;

const revenueFields = {
  contractLineId: idSchema('contractLine'),
  method: revenueMethodSchema,
  period: periodSchema,
  cumulative: moneySchema,
  delta: moneySchema,
  /** Figures the method worked with, for example `costToDate`, `budget`, `hoursToDate`. */
  basis: z.record(z.string(), decimalSchema).optional(),
  status: z.enum(statesOf('revenueEvent.status')),
};

export const revenueScheduleSchema = entity('revenueSchedule', revenueFields);
export type RevenueSchedule = z.infer<typeof revenueScheduleSchema>;

export const revenueEventSchema = entity('revenueEvent', revenueFields);
export type RevenueEvent = z.infer<typeof revenueEventSchema>;

export const outcomes = ['confirmed', 'rejected', 'unknown'] as const;
/** How a write to another system ended. */
export type Outcome = (typeof outcomes)[number];

export const postingAckSchema = entity('postingAck', {
  /** Canonical id of the record that was written. */
  subjectId: text,
  targetSystem: text,
  operation: text,
  outcome: z.enum(outcomes),
  targetRef: text.optional(),
  /** Digest of the response, or the result of the probe. */
  evidence: jsonValueSchema,
  at: instantSchema,
});
export type PostingAck = z.infer<typeof postingAckSchema>;
