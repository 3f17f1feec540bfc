import * as z from 'zod';
import type { JsonObject, JsonValue } from '../../model';
import { SystemError } from './errors';
import type { HttpResponse } from './http-types';

/** A part of a reply that is handed on as it is. The reply was parsed from JSON, so there is nothing left to check. */
export const anyJson = z.custom<JsonValue>((value) => value !== undefined);

/** As `anyJson`, and an object. */
export const anyJsonObject = z.custom<JsonObject>(
  (value) => typeof value === 'object' && value !== null && !Array.isArray(value),
  'expected an object',
);

/**
 * Validates a reply and gives it its type.
 *
 * @throws SystemError naming the path that is wrong. After a write its kind is `unknown`, because the write may have
 * happened although the answer is unreadable; after a read it is `rejected` with code `SCHEMA_CHANGED`.
 */
export function parseReply<S extends z.ZodType>(
  schema: S,
  reply: HttpResponse,
  about: { system: string; what: string; write: boolean },
): z.infer<S> {
  const parsed = schema.safeParse(reply.body);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const path = issue?.path.length ? issue.path.join('.') : 'the whole body';
  const problem =
    reply.body === null ? 'is empty' : `is not as expected at ${path}: ${issue?.message ?? 'invalid'}`;
  throw new SystemError({
    system: about.system,
    kind: about.write ? 'unknown' : 'rejected',
    code: about.write ? 'OUTCOME_UNKNOWN' : 'SCHEMA_CHANGED',
    status: reply.status,
    reason: `the answer to ${about.what} ${problem}`,
  });
}
