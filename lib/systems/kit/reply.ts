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

/**
 * The requests of a call that come after its write: whatever goes wrong with them, the write is there, and must not be
 * taken for one that was refused. The engine looks for it instead.
 *
 * @throws SystemError `unknown` for whatever the vendor does not do
 */
export async function afterWrite<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof SystemError) || error.kind === 'unknown') throw error;
    const { system, reason, status, vendorCode, retryAfterMs } = error;
    throw new SystemError({
      system,
      kind: 'unknown',
      reason,
      status,
      vendorCode,
      retryAfterMs,
      cause: error,
    });
  }
}

/**
 * @param isMissing by default an answer of 404 in the vendor's own words: any other one may be a wrong address, or a page
 * of something in between, and the record may well be there
 * @returns null when there is no such record
 */
export async function ifPresent<T>(
  work: () => Promise<T>,
  isMissing = ({ kind, vendorCode }: SystemError) => kind === 'not_found' && vendorCode !== null,
): Promise<T | null> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof SystemError && isMissing(error)) return null;
    throw error;
  }
}
