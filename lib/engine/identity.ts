import { type CanonicalId, type EntityName, type Instant, isId, newId, Q2cError } from '../model';
import type { Tx } from '../store';
import type { NewRef, Reference } from './types';

/** Canonical ids of records (guides §2): made once, found again by cross-reference. */

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
    const known = await tx
      .selectFrom('xref')
      .select('canonical_id')
      .where('system', '=', system)
      .where('instance', '=', instance)
      .where('type', '=', reference.type)
      .where('external_id', '=', reference.id)
      .executeTakeFirst();
    ids.push(known?.canonical_id ?? (await firstSeen(tx, system, instance, reference, at)));
  }
  return ids;
}

async function firstSeen(
  tx: Tx,
  system: string,
  instance: string,
  reference: Reference,
  at: Instant,
): Promise<CanonicalId> {
  const claimed = reference.claims ?? null;
  const free =
    claimed !== null &&
    isId(claimed, reference.entity) &&
    !(await isReferenced(tx, claimed, system, instance, reference.type));
  const id = free ? claimed : newId(reference.entity);
  await tx
    .insertInto('xref')
    .values({
      system,
      instance,
      type: reference.type,
      external_id: reference.id,
      canonical_id: id,
      entity: reference.entity,
      role: 'master',
      url: null,
      created_at: at,
    })
    .execute();
  return id;
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

export async function externalId(
  tx: Tx,
  id: CanonicalId,
  system: string,
  instance: string,
  type: string,
): Promise<string | null> {
  const row = await tx
    .selectFrom('xref')
    .select('external_id')
    .where('canonical_id', '=', id)
    .where('system', '=', system)
    .where('instance', '=', instance)
    .where('type', '=', type)
    .executeTakeFirst();
  return row?.external_id ?? null;
}

/**
 * Records cross-references of a confirmed step.
 * @throws Q2cError `DUPLICATE_SUSPECTED` when the record belongs to another canonical id, or the canonical id
 *   to another record of the same type (invariant 8).
 */
export async function recordRefs(tx: Tx, refs: readonly NewRef[], at: Instant): Promise<void> {
  for (const { id, entity, ref } of refs) {
    const present = await tx
      .selectFrom('xref')
      .select(['canonical_id', 'external_id'])
      .where('system', '=', ref.system)
      .where('instance', '=', ref.instance)
      .where('type', '=', ref.type)
      .where((where) => where.or([where('external_id', '=', ref.id), where('canonical_id', '=', id)]))
      .execute();
    const clash = present.find((row) => row.canonical_id !== id || row.external_id !== ref.id);
    if (clash !== undefined) {
      throw new Q2cError(
        'DUPLICATE_SUSPECTED',
        `${ref.type} ${ref.id} in ${ref.system} cannot belong to ${id}: ${clash.canonical_id} is already ${ref.type} ${clash.external_id} there.`,
      );
    }
    if (present.length > 0) continue;
    await tx
      .insertInto('xref')
      .values({
        system: ref.system,
        instance: ref.instance,
        type: ref.type,
        external_id: ref.id,
        canonical_id: id,
        entity,
        role: ref.role,
        url: ref.url ?? null,
        created_at: at,
      })
      .execute();
  }
}

/**
 * Claims a natural key (guides §2) for a canonical id.
 * @returns who holds it: the same id, or the one that came first
 */
export async function claimNaturalKey(
  tx: Tx,
  entity: EntityName,
  key: string,
  id: CanonicalId,
  at: Instant,
): Promise<CanonicalId> {
  const holder = await tx
    .selectFrom('natural_key')
    .select('canonical_id')
    .where('entity', '=', entity)
    .where('key', '=', key)
    .executeTakeFirst();
  if (holder !== undefined) return holder.canonical_id;
  await tx.insertInto('natural_key').values({ entity, key, canonical_id: id, created_at: at }).execute();
  return id;
}
