import * as z from 'zod';
import { type ExceptionCode, exceptionCodes, roles } from '../exceptions';
import { idSchema, instantSchema, jsonObjectSchema, jsonValueSchema, moneySchema, text } from '../primitives';
import { statesOf } from '../states';
import { entityOfNoLegalEntity } from './entity';

/** Work that waits for a person (guides §13). */

const roleSchema = z.enum(roles);

export const exceptionCaseSchema = entityOfNoLegalEntity('exceptionCase', {
  /** Absent while it is just the legal entity that is not known. */
  legalEntityId: idSchema('legalEntity').optional(),
  code: z.enum(Object.keys(exceptionCodes) as [ExceptionCode, ...ExceptionCode[]]),
  message: text,
  severity: z.enum(['critical', 'error', 'warning']),
  step: text.optional(),
  correlationId: text.optional(),
  /** Canonical ids the case is about. */
  subjectIds: z.array(text),
  amountAtRisk: moneySchema.optional(),
  blockedSteps: z.array(text).optional(),
  ownerRole: roleSchema,
  assignee: text.optional(),
  slaDue: instantSchema.optional(),
  snoozedUntil: instantSchema.optional(),
  /** Masked: no bank data, tax ids, personal contact data or cost rates. */
  payload: jsonValueSchema.optional(),
  status: z.enum(statesOf('exceptionCase.status')),
  reopenedCount: z.int().min(0).optional(),
  history: z
    .array(
      z.strictObject({
        at: instantSchema,
        by: text,
        action: text,
        note: text.optional(),
        detail: jsonObjectSchema.optional(),
      }),
    )
    .optional(),
});
export type ExceptionCase = z.infer<typeof exceptionCaseSchema>;
