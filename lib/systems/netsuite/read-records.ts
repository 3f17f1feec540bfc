import * as z from 'zod';
import { decimalOf, SystemError } from '../kit';
import type { NetSuiteClient } from './client';
import type { RecordType } from './record-service';

/** An amount of a record as a canonical Decimal. */
export const amount = z.union([z.number(), z.string()]).transform((value, context) => {
  const decimal = decimalOf(value);
  if (decimal === undefined) context.addIssue({ code: 'custom', message: 'is not an amount' });
  return decimal ?? z.NEVER;
});

/** A reference or list value: `{"id":"4","refName":"EUR"}`; some records show the bare id. */
export const listEntry = z.union([
  z.looseObject({ id: z.union([z.string(), z.number()]).transform(String), refName: z.string().optional() }),
  z.union([z.string(), z.number()]).transform((id) => ({ id: String(id), refName: undefined })),
]);

/**
 * The records of the given ids, in that order.
 *
 * @throws SystemError `SCHEMA_CHANGED` when a record is not as expected.
 */
export async function readEach<S extends z.ZodType>(
  client: NetSuiteClient,
  type: RecordType,
  ids: readonly string[],
  schema: S,
  signal: AbortSignal,
): Promise<z.infer<S>[]> {
  const records = await Promise.all(
    ids.map((id) => client.records.read(type, id, { expandSubResources: true }, signal)),
  );
  return records.map((record) => {
    const parsed = schema.safeParse(record);
    if (parsed.success) return parsed.data;
    const [issue] = parsed.error.issues;
    throw new SystemError({
      system: client.system,
      kind: 'rejected',
      code: 'SCHEMA_CHANGED',
      reason: `${type} ${record.id} is not as expected at ${issue?.path.join('.')}: ${issue?.message}`,
    });
  });
}
