import type { SimRecord } from '../../kit/types';
import { type Env, recordUrl } from '../env';
import { invalidParameter } from '../errors';
import type { RecordType } from '../schema/fields';
import type { Data } from './data';
import { compileFilter } from './filter';
import { selfLink } from './render';

const MAX_LIMIT = 1000;

export interface Page<T> {
  items: T[];
  limit: number;
  offset: number;
  hasMore: boolean;
  totalResults: number;
}

/**
 * Cuts a page out of a list by `limit` (1–1000, default 1000) and `offset`. A partial page has fewer rows than
 * asked for and says so by `count` and `hasMore`.
 */
export function pageOf<T>(all: readonly T[], query: URLSearchParams, env: Env): Page<T> {
  const limit = integerParameter(query, 'limit', MAX_LIMIT);
  const offset = integerParameter(query, 'offset', 0);
  if (limit < 1 || limit > MAX_LIMIT) {
    throw invalidParameter(
      'limit',
      `Invalid value for the query parameter 'limit'. Provide a value from 1 to ${MAX_LIMIT}.`,
    );
  }
  const rest = Math.max(0, all.length - offset);
  const full = Math.min(limit, rest);
  const size = env.partialPage && full > 1 ? Math.floor(full / 2) : full;
  const items = all.slice(offset, offset + size);
  return { items, limit, offset, hasMore: offset + size < all.length, totalResults: all.length };
}

function integerParameter(query: URLSearchParams, name: string, fallback: number): number {
  const raw = query.get(name);
  if (raw === null) return fallback;
  if (!/^\d{1,9}$/.test(raw)) {
    throw invalidParameter(
      name,
      `Invalid value for the query parameter '${name}'. Provide a non-negative integer.`,
    );
  }
  return Number(raw);
}

/** Links to this, the next, the previous, the first and the last page. */
export function pageLinks(url: string, query: URLSearchParams, page: Page<unknown>): Data[] {
  const link = (rel: string, offset: number): Data => {
    const parameters = new URLSearchParams(query);
    parameters.set('limit', String(page.limit));
    parameters.set('offset', String(offset));
    return { rel, href: `${url}?${parameters}` };
  };
  const links: Data[] = [];
  if (page.hasMore) {
    links.push(link('next', page.offset + page.items.length));
    links.push(link('last', Math.floor((page.totalResults - 1) / page.limit) * page.limit));
  }
  if (page.offset > 0) {
    links.push(link('first', 0));
    links.push(link('previous', Math.max(0, page.offset - page.limit)));
  }
  links.push(link('self', page.offset));
  return links;
}

/** `GET /record/v1/{type}`: ids and links of the records that match `q`, in order of their ids. */
export function listRecords(type: RecordType, query: URLSearchParams, env: Env): Data {
  const found = matching(type, query.get('q'), env).sort((a, b) => Number(a.id) - Number(b.id));
  const page = pageOf(found, query, env);
  return {
    links: pageLinks(recordUrl(env, type.name), query, page),
    count: page.items.length,
    hasMore: page.hasMore,
    items: page.items.map((record) => ({
      links: [selfLink(recordUrl(env, type.name, record.id))],
      id: record.id,
    })),
    offset: page.offset,
    totalResults: page.totalResults,
  };
}

function matching(type: RecordType, q: string | null, env: Env): SimRecord[] {
  if (q === null || q.trim() === '') return env.db.list(type.name);
  const filter = compileFilter(type, q);
  const candidates = filter.externalId
    ? env.db.findBy(type.name, 'externalId', filter.externalId)
    : env.db.list(type.name);
  return candidates.filter(filter.matches);
}
