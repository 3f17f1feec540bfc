import type { Store, Tx, XrefRow } from '../store';
import { type Page, type PageRequest, pageOf, placeOf } from './paging';
import { summaryOfRef } from './reports';
import type { RefSummary } from './schemas/runs';

/** Cross-references, listed and looked up by an external id alone. */

export interface RefFilter {
  canonicalId?: string | undefined;
  system?: string | undefined;
  instance?: string | undefined;
  type?: string | undefined;
  externalId?: string | undefined;
}

/** Kinds of records that there are: few, however many records. */
export interface RefKind {
  system: string;
  instance: string;
  type: string;
}

/** All kinds, by a few searches of the primary key each: reading all rows would take as long as there are records. */
export async function refKinds(db: Tx): Promise<RefKind[]> {
  const kinds: RefKind[] = [];
  for (let last: RefKind | undefined; ; ) {
    last = await kindAfter(db, last);
    if (last === undefined) return kinds;
    kinds.push(last);
  }
}

/** One column at a time: of a comparison of several columns at once, SQLite would go through all rows of the last kind. */
async function kindAfter(db: Tx, last: RefKind | undefined): Promise<RefKind | undefined> {
  const first = db
    .selectFrom('xref')
    .select(['system', 'instance', 'type'])
    .orderBy('system')
    .orderBy('instance')
    .orderBy('type')
    .limit(1);
  if (last === undefined) return first.executeTakeFirst();
  const inSystem = first.where('system', '=', last.system);
  const inInstance = inSystem.where('instance', '=', last.instance);
  return (
    (await inInstance.where('type', '>', last.type).executeTakeFirst()) ??
    (await inSystem.where('instance', '>', last.instance).executeTakeFirst()) ??
    (await first.where('system', '>', last.system).executeTakeFirst())
  );
}

/** References with this external id in any system. */
export async function refsByExternalId(db: Tx, externalId: string): Promise<XrefRow[]> {
  const found: XrefRow[] = [];
  for (const { system, instance, type } of await refKinds(db)) {
    const row = await db
      .selectFrom('xref')
      .selectAll()
      .where('system', '=', system)
      .where('instance', '=', instance)
      .where('type', '=', type)
      .where('external_id', '=', externalId)
      .executeTakeFirst();
    if (row !== undefined) found.push(row);
  }
  return found;
}

export async function listRefs(
  { db }: Store,
  { canonicalId, system, instance, type, externalId }: RefFilter,
  { limit, cursor }: PageRequest,
): Promise<Page<RefSummary>> {
  if (externalId !== undefined) {
    const fits = (row: XrefRow) =>
      (canonicalId === undefined || row.canonical_id === canonicalId) &&
      (system === undefined || row.system === system) &&
      (instance === undefined || row.instance === instance) &&
      (type === undefined || row.type === type);
    const rows = (await refsByExternalId(db, externalId)).filter(fits);
    return { items: rows.map(summaryOfRef), next: null };
  }
  let query = db
    .selectFrom('xref')
    .selectAll()
    .orderBy('system')
    .orderBy('instance')
    .orderBy('type')
    .orderBy('external_id')
    .limit(limit + 1);
  if (canonicalId !== undefined) query = query.where('canonical_id', '=', canonicalId);
  if (system !== undefined) query = query.where('system', '=', system);
  if (instance !== undefined) query = query.where('instance', '=', instance);
  if (type !== undefined) query = query.where('type', '=', type);
  const place = placeOf(cursor, 4);
  if (place !== null) {
    const [a, b, c, d] = place.map(String);
    query = query.where(({ eb, refTuple, tuple }) =>
      eb(
        refTuple('system', 'instance', 'type', 'external_id'),
        '>',
        tuple(a ?? '', b ?? '', c ?? '', d ?? ''),
      ),
    );
  }
  const rows = await query.execute();
  return pageOf(rows, limit, (row) => [row.system, row.instance, row.type, row.external_id], summaryOfRef);
}
