import type { SimRecord, SimResponse } from '../kit/types';
import type { Account, Data } from './account';
import type { Association, Collection } from './collection';
import { collections } from './collections';
import type { Page } from './reading';
import { timestamp } from './values';

/** The vendor's answer: `results` for order and membership, and a map by id for every kind of object in it. */

export function presentPage(
  collection: Collection,
  page: Page,
  query: URLSearchParams,
  account: Account,
): SimResponse {
  const includes = included(collection, query);
  const optional = list(query, 'optional_fields').filter((field) => collection.optional?.includes(field));
  const maps: Record<string, Data> = { [collection.key]: {} };
  for (const { collection: key } of includes) if (collections[key]) maps[key] ??= {};
  for (const record of page.records) {
    put(maps, collection, record, show(collection, record, account, optional, includes));
  }
  for (const record of page.records) sideLoad(maps, record, includes, account);
  return {
    status: 200,
    body: {
      count: page.count,
      meta: {
        count: page.count,
        page_count: Math.ceil(page.count / page.size),
        page_number: page.number,
        page_size: page.size,
      },
      results: page.records.map((record) => ({ key: collection.key, id: record.id })),
      ...maps,
    },
  };
}

/** Objects that were not paged: what was shown, created or updated. */
export function presentAll(
  collection: Collection,
  records: SimRecord[],
  query: URLSearchParams,
  account: Account,
): SimResponse {
  const page = { records, count: records.length, number: 1, size: Math.max(20, records.length) };
  return presentPage(collection, page, query, account);
}

// ---------------------------------------------------------------- one object

function show(
  collection: Collection,
  record: SimRecord,
  account: Account,
  optional: string[],
  includes: Association[],
): Data {
  const values: Data = {
    ...record.data,
    created_at: timestamp(record.created),
    updated_at: timestamp(record.modified),
    ...collection.present?.(record, account),
  };
  const shown: Data = { id: record.id };
  for (const attribute of collection.visible) shown[attribute] = values[attribute] ?? null;
  for (const attribute of optional) shown[attribute] = values[attribute] ?? null;
  for (const association of includes) shown[association.key] = associated(association, record, account);
  return shown;
}

const associated = (association: Association, record: SimRecord, account: Account): unknown =>
  association.refers?.(record) ??
  (association.ids ? association.ids(record, account) : record.data[association.key]) ??
  (association.key.endsWith('_ids') ? [] : null);

// ---------------------------------------------------------------- side-loading

function included(collection: Collection, query: URLSearchParams): Association[] {
  return list(query, 'include').flatMap((name) => collection.associations[name] ?? []);
}

function sideLoad(
  maps: Record<string, Data>,
  record: SimRecord,
  includes: Association[],
  account: Account,
): void {
  for (const association of includes) {
    for (const { key, id } of targets(association, record, account)) {
      const collection = collections[key];
      if (!collection || maps[key]?.[id]) continue;
      const other = account.get(key, id);
      if (other) put(maps, collection, other, show(collection, other, account, [], []));
    }
  }
}

function targets(
  association: Association,
  record: SimRecord,
  account: Account,
): { key: string; id: string }[] {
  if (association.refers) return [association.refers(record)];
  const ids = [associated(association, record, account) ?? []].flat();
  return ids.map((id) => ({ key: association.collection, id: String(id) }));
}

function put(maps: Record<string, Data>, collection: Collection, record: SimRecord, shown: Data): void {
  const map = maps[collection.key] ?? {};
  map[record.id] = shown;
  maps[collection.key] = map;
}

/** Comma-separated values; the array spelling `optional_fields[]=a` counts, too. */
function list(query: URLSearchParams, name: string): string[] {
  return [...query.getAll(name), ...query.getAll(`${name}[]`)]
    .flatMap((value) => value.split(','))
    .map((value) => value.trim())
    .filter(Boolean);
}
