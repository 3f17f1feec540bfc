import * as z from 'zod';
import { fingerprint, type Instant, type JsonValue } from '../../../model';
import {
  advance,
  decimalOf,
  nextPosition,
  type PollContext,
  type Position,
  pollOverlapMinutes,
  readCursor,
  SystemError,
  wholeSecond,
} from '../../kit';
import type { NetSuiteClient } from '../client';
import { type Row, sqlText } from '../suiteql';

export interface TransactionQuery {
  /** `type` of the transactions, for example `CustInvc`. */
  type: string;
  /** Further condition, for example `voided = 'F'`. */
  where?: string;
  /** Columns whose change is news; a change of anything else is none. */
  news: readonly string[];
}

/** A transaction that is not as it was when it was told last. */
export interface Change extends Position {
  /** Fingerprint of the columns that are news. */
  digest: string;
}

/** By internal id, the one told last at the end. */
type Told = [id: string, digest: string][];

/** Of these many transactions the state told last is remembered. */
const MAX_TOLD = 2_000;

const cursorSchema = z.object({ scan: z.json(), told: z.array(z.tuple([z.string(), z.string()])) });

/** To the second and in UTC: a date is answered in the format of the integration user, an hour in his time zone. */
const STAMP = `TO_CHAR(SYS_EXTRACT_UTC(lastmodifieddate), 'YYYY-MM-DD"T"HH24:MI:SS')`;

/**
 * One page of changed transactions, in the order (last modification, id).
 *
 * A transaction may return to an earlier state: a paid invoice is open again when its payment is taken back. So the
 * state told last is remembered, and a change is whatever differs from it, even twice within one stamp: on some records
 * NetSuite keeps minutes only.
 */
export async function scan(
  client: Pick<NetSuiteClient, 'system' | 'queryFirst'>,
  stored: JsonValue | null,
  query: TransactionQuery,
  { startAt, settings, pageSize, signal }: PollContext,
): Promise<{ changes: Change[]; cursor: JsonValue; more: boolean }> {
  const known = z.union([cursorSchema, z.null()]).safeParse(stored);
  // What is no cursor of ours is given to `readCursor`, which refuses it.
  const from = readCursor(client.system, known.success ? (known.data?.scan ?? null) : stored);
  const told = new Map<string, string>(known.data?.told);
  const options = { startAt: wholeSecond(startAt), overlapMinutes: pollOverlapMinutes(settings) };
  const sql = pageOf(query, nextPosition(from, options));
  const page = await client.queryFirst(sql, pageSize, signal);
  const rows = page.rows.map((row) => changeOf(row, query, client.system));
  const { fresh, cursor, more } = advance(from, { rows, complete: page.complete }, options);
  const changes = rows.filter((row) =>
    told.has(row.id) ? told.get(row.id) !== row.digest : fresh.includes(row),
  );
  return { changes, more, cursor: { scan: cursor, told: remember(told, rows) } };
}

function pageOf({ type, where, news }: TransactionQuery, position: Position): string {
  const conditions = [
    `type = ${sqlText(type)}`,
    ...(where === undefined ? [] : [where]),
    // A bare column can use an index. Its day is that of the user's time zone, at most one off.
    `lastmodifieddate >= TO_DATE(${sqlText(dayBefore(position.stamp))}, 'YYYY-MM-DD')`,
    behind(position),
  ];
  return `SELECT id, ${STAMP} AS stamp, ${news.join(', ')} FROM transaction WHERE ${conditions.join(' AND ')} ORDER BY ${STAMP}, id`;
}

function behind({ stamp, id }: Position): string {
  const second = sqlText(stamp.slice(0, 19));
  if (id === '') return `${STAMP} >= ${second}`;
  return `(${STAMP} > ${second} OR (${STAMP} = ${second} AND id > ${sqlText(id)}))`;
}

function changeOf({ id, stamp, ...row }: Row, { news }: TransactionQuery, system: string): Change {
  if (!/^\d+$/.test(id ?? '') || !/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d$/.test(stamp ?? '')) {
    const reason = `a changed transaction has the id "${id}" and the stamp "${stamp}"`;
    throw new SystemError({ system, kind: 'rejected', code: 'SCHEMA_CHANGED', reason });
  }
  // By value, so that 1000 and 1000.00 are the same amount.
  const content = news.map((column) => decimalOf(row[column]) ?? null);
  return { id: `${id}`, stamp: `${stamp}.000Z`, digest: fingerprint(content).slice(0, 16) };
}

function remember(told: ReadonlyMap<string, string>, rows: readonly Change[]): Told {
  const next = new Map(told);
  for (const { id, digest } of rows) {
    next.delete(id);
    next.set(id, digest);
  }
  return [...next].slice(-MAX_TOLD);
}

function dayBefore(instant: Instant): string {
  return new Date(Date.parse(instant) - 24 * 3_600_000).toISOString().slice(0, 10);
}
