import * as z from 'zod';
import { type HttpClient, type Page, parseReply, readAllPages, SystemError } from '../kit';

/** Columns by lower-case name. NetSuite answers every value as text and leaves out those that are null. */
export type Row = Record<string, string>;

/** Rows per page: NetSuite's maximum. */
const PAGE_ROWS = 1000;
/** What one query delivers at most, over all its pages. */
const QUERY_ROWS = 100_000;
/** Stands in a query for the greatest id already read; makes it a query of any length. */
const LAST_ID = ':last';

const resultPage = z.object({
  items: z.array(z.looseObject({})),
  hasMore: z.boolean(),
  totalResults: z.number().optional(),
  links: z.array(z.object({ rel: z.string(), href: z.string() })).default([]),
});

export interface QueryContext {
  http: HttpClient;
  system: string;
  signal?: AbortSignal;
}

/**
 * All rows of a query.
 *
 * NetSuite delivers the first 100,000 rows of a query and then says that there are no more. A query with `:last`,
 * such as `SELECT id, … FROM customer WHERE id > :last ORDER BY id`, is read in order of its ids instead and has no
 * such end; it starts after id 0.
 *
 * @throws SystemError kind `rejected` for a query without `:last` of more than 100,000 rows; kind `transient` when
 * the rows changed while they were read.
 */
export async function runSuiteQl(sql: string, context: QueryContext): Promise<Row[]> {
  if (!sql.includes(LAST_ID)) return await readAllRows(sql, context);
  const rows: Row[] = [];
  let last = '0';
  for (;;) {
    const page = await fetchPage(sql.replaceAll(LAST_ID, last), null, context);
    rows.push(...page.rows);
    if (page.rows.length === 0) return rows;
    last = lastId(page.rows, last, context);
  }
}

/**
 * The first rows of a query, at most `limit`, and whether these are all. For reading on behind the last row instead
 * of by offset, which passes over rows when others change place.
 */
export async function firstRows(
  sql: string,
  limit: number,
  context: QueryContext,
): Promise<{ rows: Row[]; complete: boolean }> {
  const place = { limit: String(Math.min(limit, PAGE_ROWS)), offset: '0' };
  const { rows, next } = await fetchPage(sql, place, context);
  return { rows, complete: next === null };
}

/** A value as SQL text. SuiteQL has no parameters over REST: quotes are doubled. */
export function sqlText(value: string): string {
  return `'${value.replaceAll("'", "''")}'`;
}

/**
 * The internal id of a row.
 * @throws SystemError `SCHEMA_CHANGED` when it is missing: with an empty id the wrong record, or none, would be meant.
 */
export function idOf({ id }: Row, system: string): string {
  if (id) return id;
  throw malformed(system, 'has a row without id');
}

function readAllRows(sql: string, context: QueryContext): Promise<Row[]> {
  return readAllPages<Row, { limit: string; offset: string }>({
    system: context.system,
    what: 'rows',
    fetch: async (next) => {
      const page = await fetchPage(sql, next, context);
      if ((page.total ?? 0) > QUERY_ROWS) throw tooMany(page.total ?? 0, context);
      return page;
    },
  });
}

/** Repeating a query changes nothing, although it is a POST. `Prefer: transient` is required by NetSuite. */
async function fetchPage(
  sql: string,
  place: { limit: string; offset: string } | null,
  { http, system, signal }: QueryContext,
): Promise<Page<Row, { limit: string; offset: string }>> {
  const reply = await http.request({
    method: 'POST',
    path: '/services/rest/query/v1/suiteql',
    query: place ?? { limit: PAGE_ROWS, offset: 0 },
    headers: { prefer: 'transient' },
    json: { q: sql },
    safe: true,
    signal,
  });
  const page = parseReply(resultPage, reply, { system, what: 'a SuiteQL query', write: false });
  return {
    rows: page.items.map(rowOf),
    next: page.hasMore ? nextPlace(page.links, system) : null,
    total: page.totalResults,
  };
}

function rowOf({ links: _links, ...columns }: Record<string, unknown>): Row {
  const filled = Object.entries(columns).filter(([, value]) => value !== null && value !== undefined);
  return Object.fromEntries(filled.map(([name, value]) => [name, String(value)]));
}

/** The vendor's own link says where to go on: a page may hold fewer rows than asked for. */
function nextPlace(
  links: { rel: string; href: string }[],
  system: string,
): { limit: string; offset: string } {
  const href = links.find(({ rel }) => rel === 'next')?.href;
  const query = href === undefined ? null : new URL(href, 'https://relative.invalid').searchParams;
  const offset = query?.get('offset');
  if (!query || !offset) throw malformed(system, 'announces more rows, but has no link to them');
  return { limit: query.get('limit') ?? String(PAGE_ROWS), offset };
}

function lastId(rows: Row[], previous: string, { system }: QueryContext): string {
  const id = rows.at(-1)?.id ?? '';
  if (/^\d+$/.test(id) && BigInt(id) > BigInt(previous)) return id;
  throw malformed(system, `cannot be read with ${LAST_ID}: select the column id and order by it`);
}

function malformed(system: string, problem: string): SystemError {
  return new SystemError({
    system,
    kind: 'rejected',
    code: 'SCHEMA_CHANGED',
    reason: `the answer to a SuiteQL query ${problem}`,
  });
}

function tooMany(total: number, { system }: QueryContext): SystemError {
  return new SystemError({
    system,
    kind: 'rejected',
    reason: `the query has ${total} rows, of which NetSuite delivers ${QUERY_ROWS}; narrow it, or read it with WHERE id > ${LAST_ID} ORDER BY id`,
  });
}
