import type { CanonicalId, ExternalRef, JsonObject } from '../../model';
import { type CallContext, defined, SystemError, type UndoEffect } from '../kit';
import { chunksOf, type KantataClient } from './client';
import type { Collection, OwnedRow } from './collections';
import type { Referenced } from './envelope';

/**
 * Our ids in Kantata. Kantata has no idempotency key and does not promise that a reference is unique, so every
 * create carries its external reference inline and comes after a look for it (fact sheet §5).
 */

/** The kind of object on our side, as it stands in `service_model`. */
export type ServiceModel = 'Project' | 'Task' | 'Milestone' | 'BillingScheduleLine' | 'StaffingRequest';

/** An object to create. `body` holds the external reference already. */
export interface PlannedRecord {
  canonicalId: CanonicalId;
  body: JsonObject;
}

/** A record of Kantata that carries a canonical id, as the steps journal it. */
export interface OwnedRecord {
  canonicalId: CanonicalId;
  id: string;
  updatedAt: string | null;
  /** Id of the external reference that makes the record ours. */
  referenceId: string;
}

/**
 * Kantata does not say how soon a new object is found by its reference; a second covers a reply that was lost
 * on the way back. A call that timed out is over there when it is over here (see the limits in the manifest).
 */
export const VISIBLE_AFTER_MS = 1000;

/** The ids stand in the URL of a look-up: Kantata takes 200, but proxies may not take such a long line. */
const IDS_PER_LOOKUP = 100;

export const externalReference = (
  settings: Readonly<Record<string, string>>,
  model: ServiceModel,
  canonicalId: CanonicalId,
  message?: string,
): JsonObject =>
  defined({
    service_name: settings.serviceName,
    service_model: model,
    service_model_ref: canonicalId,
    status: 'successful',
    external_message: message,
  });

/** Cross-reference of a record for our store. */
export const crossReference = (
  record: OwnedRecord,
  type: string,
  role: ExternalRef['role'],
  { system, instance }: { system: string; instance: string },
): ExternalRef => ({
  system,
  instance,
  type,
  id: record.id,
  role,
  ...(record.updatedAt && { version: record.updatedAt }),
});

/**
 * The records that carry the given canonical ids, archived projects included.
 * @throws SystemError `unknown` when two records carry the same id: only a human can tell which one is right.
 */
export async function findOwned(
  client: KantataClient,
  collection: Collection<OwnedRow>,
  canonicalIds: readonly CanonicalId[],
  signal: AbortSignal,
): Promise<Map<CanonicalId, OwnedRecord>> {
  const found = new Map<CanonicalId, OwnedRecord>();
  for (const ids of chunksOf(canonicalIds, IDS_PER_LOOKUP)) {
    const query = {
      external_reference_service_name: client.serviceName,
      external_reference_service_model_refs: ids.join(','),
      include: 'external_references',
      include_archived: collection.archivable || undefined,
      include_unnamed: collection.unnamed || undefined,
    };
    for (const record of ownedRecords(client, await client.list(collection, query, signal))) {
      if (!ids.includes(record.canonicalId)) continue;
      const other = found.get(record.canonicalId);
      if (other) throw ambiguous(client, collection, record, other);
      found.set(record.canonicalId, record);
    }
  }
  return found;
}

/** All planned records as they stand in Kantata, in the order of the plan; null when one of them is missing. */
export async function findAll(
  client: KantataClient,
  collection: Collection<OwnedRow>,
  planned: readonly PlannedRecord[],
  signal: AbortSignal,
): Promise<OwnedRecord[] | null> {
  const ids = planned.map(({ canonicalId }) => canonicalId);
  const found = await findOwned(client, collection, ids, signal);
  const records = ids.flatMap((id) => found.get(id) ?? []);
  return records.length === ids.length ? records : null;
}

/** Creates those of the planned records that are missing, because an attempt at them broke off, and returns all. */
export async function ensureAll(
  client: KantataClient,
  collection: Collection<OwnedRow>,
  planned: readonly PlannedRecord[],
  signal: AbortSignal,
): Promise<OwnedRecord[]> {
  const ids = planned.map(({ canonicalId }) => canonicalId);
  return createMissing(client, collection, planned, await findOwned(client, collection, ids, signal), signal);
}

/**
 * Creates the planned records that are not among the existing, and returns all.
 * @throws SystemError `unknown` when Kantata's reply does not show our ids on what it created.
 */
export async function createMissing(
  client: KantataClient,
  collection: Collection<OwnedRow>,
  planned: readonly PlannedRecord[],
  existing: ReadonlyMap<CanonicalId, OwnedRecord>,
  signal: AbortSignal,
): Promise<OwnedRecord[]> {
  const missing = planned.filter(({ canonicalId }) => !existing.has(canonicalId));
  const rows = await client.create(
    collection,
    missing.map(({ body }) => body),
    signal,
  );
  const created = new Map(ownedRecords(client, rows).map((record) => [record.canonicalId, record]));
  return planned.map(({ canonicalId }) => {
    const record = existing.get(canonicalId) ?? created.get(canonicalId);
    if (record) return record;
    throw new SystemError({
      system: client.system,
      kind: 'unknown',
      reason: `the answer to the creation of ${collection.name} does not show our id ${canonicalId}`,
    });
  });
}

/**
 * Puts our reference on an object that a person has made, as long as it carries none of ours.
 *
 * @param planned the object that it stands for; its body holds the external reference
 * @returns null when there is no object with this id
 * @throws SystemError `rejected` when it carries another canonical id
 */
export async function adoptRecord(
  client: KantataClient,
  collection: Collection<OwnedRow>,
  id: string,
  { canonicalId, body }: PlannedRecord,
  { signal, lookOnly }: CallContext,
): Promise<OwnedRecord | null> {
  const row = await client.show(collection, id, signal);
  if (row === null) return null;
  const own = row.references.find(({ service_name }) => service_name === client.serviceName);
  if (own !== undefined && own.service_model_ref !== canonicalId) {
    const reason = `${collection.type} ${id} carries our id ${own.service_model_ref} of another record`;
    throw new SystemError({ system: client.system, kind: 'rejected', reason });
  }
  const record = { canonicalId, id: row.id, updatedAt: row.updated_at ?? null };
  if (own !== undefined || lookOnly) return { ...record, referenceId: own?.id ?? '' };
  const reference = body.external_reference as JsonObject;
  const { id: referenceId } = await client.putReference(collection, row.id, reference, signal);
  return { ...record, referenceId };
}

/** Deletes the records, last first; what is gone already is fine. */
export async function removeAll(
  client: KantataClient,
  collection: Collection<OwnedRow>,
  records: readonly OwnedRecord[],
  signal: AbortSignal,
): Promise<UndoEffect> {
  for (const { id } of records.toReversed()) await client.remove(collection, id, signal);
  return 'removed';
}

function ownedRecords(client: KantataClient, rows: readonly Referenced<OwnedRow>[]): OwnedRecord[] {
  return rows.flatMap((row) => {
    const own = row.references.find(({ service_name }) => service_name === client.serviceName);
    if (!own) return [];
    return [
      {
        canonicalId: own.service_model_ref,
        id: row.id,
        updatedAt: row.updated_at ?? null,
        referenceId: own.id,
      },
    ];
  });
}

const ambiguous = (
  client: KantataClient,
  { name }: Collection<OwnedRow>,
  record: OwnedRecord,
  other: OwnedRecord,
): SystemError =>
  new SystemError({
    system: client.system,
    kind: 'unknown',
    reason: `${name} ${other.id} and ${record.id} both carry our id ${record.canonicalId}; remove its external reference from the wrong one`,
  });
