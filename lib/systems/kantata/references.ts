import type { CanonicalId, JsonObject } from '../../model';
import { SystemError } from '../kit';
import { chunksOf, type KantataClient } from './client';
import type { Collection, ExternalReference, OwnedRow } from './collections';
import type { Referenced } from './envelope';

/**
 * Our ids in Kantata. Kantata has no idempotency key and does not promise that a reference is unique, so every
 * create carries its external reference inline, and is preceded by a look for it (fact sheet §5).
 */

/** What stands in `service_model`: the kind of object on our side. */
export type ServiceModel = 'Project' | 'Task' | 'Milestone' | 'BillingScheduleLine' | 'StaffingRequest';

/** A record as the steps journal it: Kantata's id of a canonical id. */
export interface OwnedRecord {
  canonicalId: CanonicalId;
  id: string;
  updatedAt: string | null;
  /** Id of the external reference that makes the record ours. */
  referenceId: string;
}

/** An object to create. `body` holds the external reference already. */
export interface PlannedRecord {
  canonicalId: CanonicalId;
  body: JsonObject;
}

/** The service model refs of one look-up stand in its URL; the vendor's maximum of 200 would not fit everywhere. */
const REFERENCES_PER_LOOKUP = 100;

export const externalReference = (
  serviceName: string,
  model: ServiceModel,
  canonicalId: CanonicalId,
  message?: string,
): JsonObject => ({
  service_name: serviceName,
  service_model: model,
  service_model_ref: canonicalId,
  status: 'successful',
  ...(message === undefined ? {} : { external_message: message }),
});

/**
 * The records that carry our references, by canonical id; archived projects included.
 * @throws SystemError `unknown` when two records carry the same one: only a human can tell which is right.
 */
export async function findOwned(
  client: KantataClient,
  collection: Collection<OwnedRow>,
  canonicalIds: readonly CanonicalId[],
  signal: AbortSignal,
): Promise<Map<CanonicalId, OwnedRecord>> {
  const found = new Map<CanonicalId, OwnedRecord>();
  for (const chunk of chunksOf(canonicalIds, REFERENCES_PER_LOOKUP)) {
    const rows = await client.list(
      collection,
      {
        external_reference_service_name: client.serviceName,
        external_reference_service_model_refs: chunk.join(','),
        include: 'external_references',
        ...(collection.type === 'Workspace' ? { include_archived: true } : {}),
      },
      signal,
    );
    for (const record of rows.flatMap((row) => ownedRecord(client, row) ?? [])) {
      const other = found.get(record.canonicalId);
      if (other) throw ambiguous(client, collection, record, other);
      if (chunk.includes(record.canonicalId)) found.set(record.canonicalId, record);
    }
  }
  return found;
}

/**
 * Creates what is not there yet and returns all of `planned`, in its order.
 * @throws SystemError `unknown` when Kantata's reply does not show our references on what it created.
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
  const created = new Map(rows.flatMap((row) => ownedRecord(client, row) ?? []).map((each) => [each.canonicalId, each]));
  return planned.map(({ canonicalId }) => {
    const record = existing.get(canonicalId) ?? created.get(canonicalId);
    if (record) return record;
    throw new SystemError({
      system: client.system,
      kind: 'unknown',
      reason: `the reply does not show the reference ${canonicalId} on any of the new ${collection.name}`,
    });
  });
}

/** Null for a record that carries no reference of ours. */
export function ownedRecord(client: KantataClient, row: Referenced<OwnedRow>): OwnedRecord | null {
  const own = row.references.find((reference) => isOurs(client, reference));
  if (!own) return null;
  return {
    canonicalId: own.service_model_ref,
    id: row.id,
    updatedAt: row.updated_at ?? null,
    referenceId: own.id,
  };
}

const isOurs = (client: KantataClient, reference: ExternalReference) => reference.service_name === client.serviceName;

const ambiguous = (
  client: KantataClient,
  collection: Collection<OwnedRow>,
  record: OwnedRecord,
  other: OwnedRecord,
): SystemError =>
  new SystemError({
    system: client.system,
    kind: 'unknown',
    reason: `${collection.name} ${other.id} and ${record.id} both carry the reference ${record.canonicalId}; remove it from the wrong one`,
  });
