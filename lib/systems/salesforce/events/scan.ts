import * as z from 'zod';
import type { Instant, JsonObject } from '../../../model';
import {
  advance,
  nextPosition,
  type PollContext,
  type PollCursor,
  type Position,
  parseReply,
  pollOverlapMinutes,
  SystemError,
} from '../../kit';
import { type SalesforceClient, SYSTEM } from '../client';
import { instantLiteral, instantOf, textLiteral } from '../soql';

export interface ScanQuery<S extends z.ZodType> {
  object: string;
  select: readonly string[];
  /** Condition of the fact, for example `IsWon = true`. */
  where: string;
  row: S;
}

const stamped = z.object({ Id: z.string(), SystemModstamp: z.string() });

type Scanned<S extends z.ZodType> = Position & { row: z.infer<S> };

/**
 * One page of changed records by SystemModstamp, which Salesforce indexes. The stamp has a precision of a second, so
 * a bulk change gives many records the same one: the id breaks the tie.
 */
export async function scan<S extends z.ZodType>(
  client: SalesforceClient,
  cursor: PollCursor,
  query: ScanQuery<S>,
  context: PollContext,
): Promise<{ fresh: Scanned<S>[]; cursor: PollCursor; more: boolean }> {
  const options = { startAt: context.startAt, overlapMinutes: pollOverlapMinutes(context.settings) };
  const from = nextPosition(cursor, options);
  const rows = await client.query(
    `SELECT ${[...new Set(['Id', 'SystemModstamp', ...query.select])]} FROM ${query.object} ` +
      `WHERE ${query.where} AND ${behind(from)} ORDER BY SystemModstamp, Id LIMIT ${context.pageSize}`,
    context.signal,
  );
  const page = rows.map((row) => scanned(row, query));
  return advance(cursor, { rows: page, complete: page.length < context.pageSize }, options);
}

function behind({ stamp, id }: Position): string {
  const literal = instantLiteral(stamp);
  if (id === '') return `SystemModstamp >= ${literal}`;
  return `(SystemModstamp > ${literal} OR (SystemModstamp = ${literal} AND Id > ${textLiteral(id)}))`;
}

function scanned<S extends z.ZodType>(row: JsonObject, { object, row: schema }: ScanQuery<S>): Scanned<S> {
  const reply = { status: 200, headers: {}, body: row };
  const about = { system: SYSTEM, what: `reading changed ${object} records`, write: false };
  const { Id, SystemModstamp } = parseReply(stamped, reply, about);
  return { id: Id, stamp: requiredInstant(SystemModstamp), row: parseReply(schema, reply, about) };
}

/** @throws SystemError `SCHEMA_CHANGED` when it is no date and time. */
export function requiredInstant(stamp: unknown): Instant {
  const instant = instantOf(stamp);
  if (instant !== undefined) return instant;
  const reason = `SystemModstamp "${String(stamp)}" is not a date and time`;
  throw new SystemError({ system: SYSTEM, kind: 'rejected', code: 'SCHEMA_CHANGED', reason });
}
