import * as z from 'zod';
import type { CorrectionView } from '../../engine';
import { entityNames } from '../../model';
import { component } from '../route';
import { instant, json, masked } from './common';

/** Corrections of records that a check has refused. */

const partOfRecord = z
  .record(z.string(), json.optional())
  .meta({ description: 'The id of the record and the field, where it is there' });

export const correctionView = component(
  'RecordCorrection',
  z.object({
    id: z.string(),
    record: z.string(),
    path: z.string().meta({ description: 'The field, with dots' }),
    before: partOfRecord,
    after: partOfRecord,
    caseId: z.string(),
    runId: z.string(),
    actor: z.string(),
    reason: z.string(),
    at: instant,
    endedAt: instant.nullable().meta({ description: 'Null while it holds' }),
    endedAs: z.enum(['fulfilled', 'overruled', 'replaced']).nullable().meta({
      description:
        '`fulfilled`: the master says the same now. `overruled`: the master has another value since. `replaced`: by another correction, or taken back',
    }),
  }),
) satisfies z.ZodType<CorrectionView>;

const formField = z.object({
  path: z.string().meta({ description: 'With dots; entries of lists by their place' }),
  kind: z.enum([
    'text',
    'decimal',
    'percent',
    'integer',
    'flag',
    'choice',
    'list',
    'country',
    'currency',
    'payment_terms',
    'date',
    'instant',
  ]),
  choices: z.array(z.string()).optional(),
  isRequired: z.boolean(),
});
export type FormField = z.infer<typeof formField>;

export const correctionForm = component(
  'CorrectionForm',
  z.object({
    record: z.string(),
    entity: z.enum(entityNames),
    suggested: z.array(z.string()).meta({ description: 'Fields that would cure the case' }),
    fields: z.array(formField).meta({ description: 'All fields that may be corrected' }),
    content: z
      .record(z.string(), json.optional())
      .meta({ description: 'The record with the corrections that hold; a merge patch is made on it' }),
    masked,
  }),
);
export type CorrectionForm = z.infer<typeof correctionForm>;
