import type { SimRecord } from '../kit/types';
import type { Account } from './account';
import { type Collection, createdAt, updatedAt } from './collection';
import { badRequest, notFound } from './errors';
import { referenceFilter } from './references';
import { seconds } from './values';

/** Finding objects: filters, order and pages of a list, and the one object of a "show" route. */

export interface Page {
  records: SimRecord[];
  /** Objects of the whole query. */
  count: number;
  number: number;
  size: number;
}

const DEFAULT_SIZE = 20;
const MOST = 200;

export function findPage(collection: Collection, query: URLSearchParams, account: Account): Page {
  const refusal = collection.refuseList?.(query);
  if (refusal) throw badRequest(refusal);
  const found = ordered(collection, query, select(collection, query, account));
  const { offset, size, number } = window(query);
  const given = account.context.partialPage ? Math.max(1, Math.floor(size / 2)) : size;
  return { records: found.slice(offset, offset + given), count: found.length, number, size: given };
}

/** The object of a "show" route. Default filters apply: what they hide is a 404 here, too. */
export function findOne(
  collection: Collection,
  id: string,
  query: URLSearchParams,
  account: Account,
): SimRecord {
  const record = account.get(collection.key, id);
  if (!record || collection.hidden?.(record, query, account)) throw notFound();
  return record;
}

// ---------------------------------------------------------------- filters

type Test = (record: SimRecord) => boolean;

function select(collection: Collection, query: URLSearchParams, account: Account): SimRecord[] {
  const tests: Test[] = collection.timeless ? [] : timeTests(query);
  if (collection.hidden) tests.push((record) => !collection.hidden?.(record, query, account));
  const only = query.get('only');
  const search = searchTest(collection, query, account);
  if (search && only !== null) throw badRequest('search cannot be combined with only');
  if (search) tests.push(search);
  let candidates: SimRecord[] | undefined =
    only === null
      ? undefined
      : byIds(collection, [...new Set(only.split(',').map((id) => id.trim()))], account);
  const references = referenceFilter(account, collection, query);
  if (references) tests.push((record) => references.test(record.id));
  if (references?.ids) candidates ??= byIds(collection, [...references.ids], account);
  for (const [name, filter] of Object.entries(collection.filters ?? {})) {
    const value = query.get(name);
    if (value === null) continue;
    tests.push(filter.test(value, account));
    candidates ??= filter.candidates?.(value, account);
  }
  return (candidates ?? account.list(collection.key)).filter((record) => tests.every((test) => test(record)));
}

/** A miss is silently absent from a list. */
const byIds = (collection: Collection, ids: string[], account: Account): SimRecord[] =>
  ids.map((id) => account.get(collection.key, id)).filter((record) => record !== undefined);

/** The two ends of the periods a list can be cut to, both excluded. */
const TIME_LIMITS: { parameter: string; read: (record: SimRecord) => number; sign: 1 | -1 }[] = [
  { parameter: 'created_after', read: createdAt, sign: 1 },
  { parameter: 'created_before', read: createdAt, sign: -1 },
  { parameter: 'updated_after', read: updatedAt, sign: 1 },
  { parameter: 'updated_before', read: updatedAt, sign: -1 },
];

function timeTests(query: URLSearchParams): Test[] {
  return TIME_LIMITS.flatMap(({ parameter, read, sign }) => {
    const limit = instant(query, parameter);
    return limit === null ? [] : [(record: SimRecord) => (read(record) - limit) * sign > 0];
  });
}

/** Whole seconds of an ISO 8601 parameter; without a zone it means UTC. */
function instant(query: URLSearchParams, parameter: string): number | null {
  const value = query.get(parameter);
  if (value === null) return null;
  const zoned = /T.*(Z|[+-]\d{2}:?\d{2})$/.test(value) || !value.includes('T') ? value : `${value}Z`;
  const time = Date.parse(zoned);
  if (Number.isNaN(time)) throw badRequest(`${parameter} must be an ISO 8601 datetime`);
  return seconds(time);
}

/**
 * `search=words` in all searchable attributes, `search=title:'words'` in one of them, or several of both; an object
 * matches when every term does.
 */
function searchTest(collection: Collection, query: URLSearchParams, account: Account): Test | null {
  const { search } = collection;
  const sent = query.get('search');
  if (!sent || !search) return null;
  const contains = (name: string, words: string) => (record: SimRecord) =>
    (search[name]?.(record, account) ?? '').toLowerCase().includes(words.toLowerCase());
  const terms: Test[] = [];
  const general = sent.replace(/(\w+):\s*'([^']*)'/g, (term, name: string, words: string) => {
    if (!search[name]) return term;
    terms.push(contains(name, words));
    return '';
  });
  const words = general.trim();
  if (words) terms.push((record) => Object.keys(search).some((name) => contains(name, words)(record)));
  return (record) => terms.every((term) => term(record));
}

// ---------------------------------------------------------------- order and pages

const ORDERS: Record<string, (record: SimRecord) => unknown> = {
  created_at: createdAt,
  updated_at: updatedAt,
};

/** An order the endpoint does not know is ignored; `search` brings its own order. */
function ordered(collection: Collection, query: URLSearchParams, records: SimRecord[]): SimRecord[] {
  const orders = collection.orders ?? ORDERS;
  const fallback = collection.order ?? 'created_at:asc';
  const asked = query.has('search') && collection.search ? fallback : (query.get('order') ?? fallback);
  const known = (orders[asked.split(':')[0] ?? ''] ?? null) !== null;
  const [field = '', direction] = (known ? asked : fallback).split(':');
  const read = orders[field] ?? ORDERS[field] ?? createdAt;
  const sign = direction === 'desc' ? -1 : 1;
  const keyed = records.map((record) => ({ record, key: read(record) }));
  return keyed.sort((a, b) => sign * compare(a.key, b.key)).map(({ record }) => record);
}

/** Numbers by value, text by code point, nothing at the end of an ascending list. */
function compare(a: unknown, b: unknown): number {
  if (a === b) return 0;
  if (a === null || a === undefined) return 1;
  if (b === null || b === undefined) return -1;
  return a < b ? -1 : 1;
}

/** `limit` and `offset` together replace `page` and `per_page`; sizes are cut to the vendor's maximum. */
function window(query: URLSearchParams): { offset: number; size: number; number: number } {
  const number = (name: string, least: number, otherwise: number): number => {
    const value = Number.parseInt(query.get(name) ?? '', 10);
    return Number.isNaN(value) ? otherwise : Math.max(least, value);
  };
  if (query.has('limit') && query.has('offset')) {
    const size = Math.min(MOST, number('limit', 1, DEFAULT_SIZE));
    const offset = number('offset', 0, 0);
    return { offset, size, number: Math.floor(offset / size) + 1 };
  }
  const size = Math.min(MOST, number('per_page', 1, DEFAULT_SIZE));
  const page = number('page', 1, 1);
  return { offset: (page - 1) * size, size, number: page };
}
