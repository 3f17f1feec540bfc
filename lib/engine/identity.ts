import { type CanonicalId, type EntityName, type Instant, isId, newId, Q2cError } from '../model';
import { insertOnce, type NaturalKeyRow, prepared, procedure, type Tx, type XrefRow } from '../store';
import type { KeyHolder, NaturalKeyClaim, NewRef, Reference } from './types';

/** Canonical ids of records (guides §2): made once, found again by cross-reference. */

/** Names a kind of record in one system. */
type RecordKey = { system: string; instance: string; type: string };

/**
 * The canonical id of each record, made where the record is seen for the first time.
 * A valid id that the record itself carries (`claims`) is taken over, unless the store knows the record already.
 * @returns ids in the order of the references
 */
export async function identify(
  tx: Tx,
  system: string,
  instance: string,
  references: readonly Reference[],
  at: Instant,
): Promise<CanonicalId[]> {
  const ids: CanonicalId[] = [];
  for (const reference of references) {
    const { id, isNew } = await idOf(tx, system, instance, reference);
    ids.push(isNew ? await remember(tx, system, instance, reference, id, at) : id);
  }
  return ids;
}

/** `identify` on its own. */
export const identifyRecords = procedure(
  'identify',
  (
    tx,
    request: { system: string; instance: string; references: readonly Reference[]; at: Instant },
  ): Promise<CanonicalId[]> => identify(tx, request.system, request.instance, request.references, request.at),
  { isIndependent: true },
);

/** The canonical id of a record, or the one that it gets when it is seen for the first time. Changes nothing. */
export async function idOf(
  tx: Tx,
  system: string,
  instance: string,
  { entity, type, id: externalId, claims = null }: Reference,
): Promise<{ id: CanonicalId; isNew: boolean }> {
  const [known] = await selectByExternalId(tx, { system, instance, type, externalId });
  if (known !== undefined) return { id: known.canonical_id, isNew: false };
  const isFree =
    claims !== null && isId(claims, entity) && !(await isReferenced(tx, claims, system, instance, type));
  return { id: isFree ? claims : newId(entity), isNew: true };
}

async function remember(
  tx: Tx,
  system: string,
  instance: string,
  reference: Reference,
  id: CanonicalId,
  at: Instant,
): Promise<CanonicalId> {
  const isNew = await insertXref(tx, {
    system,
    instance,
    type: reference.type,
    external_id: reference.id,
    canonical_id: id,
    entity: reference.entity,
    role: 'master',
    url: null,
    created_at: at,
  });
  if (isNew) return id;
  // Another host was faster: with the same record, or with another one that carries the same id.
  const unclaimed = { ...reference, claims: null };
  const now = await idOf(tx, system, instance, unclaimed);
  return now.isNew ? remember(tx, system, instance, unclaimed, now.id, at) : now.id;
}

/** True when the canonical id already has a record of this type in the system: a claim by a second one is a copied record. */
async function isReferenced(
  tx: Tx,
  id: CanonicalId,
  system: string,
  instance: string,
  type: string,
): Promise<boolean> {
  return (await externalId(tx, id, system, instance, type)) !== null;
}

const selectByCanonicalId = prepared<RecordKey & { id: CanonicalId }, { external_id: string }>((db, value) =>
  db
    .selectFrom('xref')
    .select('external_id')
    .where('canonical_id', '=', value.id)
    .where('system', '=', value.system)
    .where('instance', '=', value.instance)
    .where('type', '=', value.type),
);

const selectByExternalId = prepared<RecordKey & { externalId: string }, { canonical_id: CanonicalId }>(
  (db, value) =>
    db
      .selectFrom('xref')
      .select('canonical_id')
      .where('system', '=', value.system)
      .where('instance', '=', value.instance)
      .where('type', '=', value.type)
      .where('external_id', '=', value.externalId),
);

/** Resolves to whether the reference is new; both unique keys count. */
const insertXref = insertOnce<'xref', XrefRow>(
  'xref',
  {
    system: 'text',
    instance: 'text',
    type: 'text',
    external_id: 'text',
    canonical_id: 'text',
    entity: 'text',
    role: 'text',
    url: 'text',
    created_at: 'text',
  },
  ['system', 'instance', 'type', 'external_id', 'canonical_id'],
);

/** The system's own id of a canonical id, or null when it has no such record yet. */
export async function externalId(
  tx: Tx,
  id: CanonicalId,
  system: string,
  instance: string,
  type: string,
): Promise<string | null> {
  const [row] = await selectByCanonicalId(tx, { id, system, instance, type });
  return row?.external_id ?? null;
}

/**
 * Records cross-references of a confirmed step.
 * @throws Q2cError `DUPLICATE_SUSPECTED` when the record belongs to another canonical id, or the canonical id
 *   to another record of the same type (invariant 8).
 */
export async function recordRefs(tx: Tx, refs: readonly NewRef[], at: Instant): Promise<void> {
  for (const { id, entity, ref } of refs) {
    const { system, instance, type } = ref;
    const isNew = await insertXref(tx, {
      system,
      instance,
      type,
      external_id: ref.id,
      canonical_id: id,
      entity,
      role: ref.role,
      url: ref.url ?? null,
      created_at: at,
    });
    if (isNew) continue;
    const [holder] = await selectByExternalId(tx, { system, instance, type, externalId: ref.id });
    if (holder?.canonical_id === id) continue;
    const other = holder?.canonical_id ?? `${type} ${await externalId(tx, id, system, instance, type)}`;
    throw new Q2cError(
      'DUPLICATE_SUSPECTED',
      `${type} ${ref.id} in ${system} cannot belong to ${id}: ${other} is in its place already.`,
    );
  }
}

const selectHolder = prepared<
  { entity: EntityName; key: string },
  { canonical_id: CanonicalId; holder: string }
>((db, value) =>
  db
    .selectFrom('natural_key')
    .select(['canonical_id', 'holder'])
    .where('entity', '=', value.entity)
    .where('key', '=', value.key),
);

const deleteClaim = prepared<{ entity: EntityName; id: CanonicalId }>((db, value) =>
  db.deleteFrom('natural_key').where('canonical_id', '=', value.id).where('entity', '=', value.entity),
);

const insertClaim = prepared<{ [Field in keyof NaturalKeyRow]: NaturalKeyRow[Field] }>((db, value) =>
  db.insertInto('natural_key').values({
    entity: value.entity,
    key: value.key,
    canonical_id: value.canonical_id,
    holder: value.holder,
    created_at: value.created_at,
  }),
);

/**
 * Claims a natural key (guides §2) for a canonical id. A record has one key per kind: when it comes with another one
 * (its tax registration was corrected), the former is free for the record it really belongs to.
 * @returns who holds the key: the claimant, or the one that came first
 */
export async function claimNaturalKey(tx: Tx, claim: NaturalKeyClaim, at: Instant): Promise<KeyHolder> {
  const holder = await holderOf(tx, claim);
  if (holder !== null) return holder;
  const { entity, key, id, name } = claim;
  await deleteClaim(tx, { entity, id });
  await insertClaim(tx, { entity, key, canonical_id: id, holder: name, created_at: at });
  return { id, name };
}

/** Claims several keys. @returns for each who holds it */
export const claimNaturalKeys = procedure(
  'naturalKeys.claim',
  async (tx, { claims, at }: { claims: readonly NaturalKeyClaim[]; at: Instant }): Promise<KeyHolder[]> => {
    const holders: KeyHolder[] = [];
    for (const claim of claims) holders.push(await claimNaturalKey(tx, claim, at));
    return holders;
  },
);

/** Who holds the natural key of a claim; null when it is free. */
export async function holderOf(tx: Tx, { entity, key }: NaturalKeyClaim): Promise<KeyHolder | null> {
  const [held] = await selectHolder(tx, { entity, key });
  return held === undefined ? null : { id: held.canonical_id, name: held.holder || held.canonical_id };
}
