import type { CanonicalId, EntityName, ExternalRef, JsonObject } from '../../../model';
import type { CallContext, MappingContext, OperationResult } from '../../kit';
import { type Home, type SalesforceClient, SYSTEM, type WrittenRecord } from '../client';
import { refOf } from '../mapping/values';

/** What the upserts of accounts and contacts have in common. */
export interface UpsertWire {
  externalId: CanonicalId;
  /** The record that is known to be this entity: it is written by its id, and gets our canonical id. */
  recordId: string | null;
  fields: JsonObject;
}

export interface UpsertReply extends WrittenRecord {
  home: Home;
}

export function upsertWire(
  entity: { id: CanonicalId; externalRefs: ExternalRef[] },
  type: string,
  fields: JsonObject,
  { instance }: MappingContext,
): UpsertWire {
  const known = entity.externalRefs.find(
    (ref) => ref.system === SYSTEM && ref.instance === instance && ref.type === type,
  );
  return { externalId: entity.id, recordId: known?.id ?? null, fields };
}

export async function sendUpsert(
  client: SalesforceClient,
  type: string,
  { externalId, recordId, fields }: UpsertWire,
  { signal }: CallContext,
): Promise<UpsertReply> {
  if (recordId === null)
    return { ...(await client.upsert(type, externalId, fields, signal)), home: client.home };
  await client.update(type, recordId, { ...fields, [client.externalIdField]: externalId }, signal);
  return { id: recordId, created: false, home: client.home };
}

export async function findUpserted(
  client: SalesforceClient,
  type: string,
  { externalId }: UpsertWire,
  { signal }: CallContext,
): Promise<UpsertReply | null> {
  const found = await client.findByExternalId(type, externalId, signal);
  return found && { ...found, home: client.home };
}

/** Deletes what the call created. A record that was there before stays: its former values are not known. */
export async function undoUpsert(
  client: SalesforceClient,
  type: string,
  reply: UpsertReply,
  { signal }: CallContext,
): Promise<void> {
  if (reply.created) await client.remove(type, reply.id, signal);
}

export function upsertResult(
  entity: EntityName,
  id: CanonicalId,
  type: string,
  reply: UpsertReply,
): OperationResult {
  return {
    refs: [{ id, entity, ref: refOf(reply.home, type, reply.id, 'copy') }],
    evidence: { id: reply.id, created: reply.created },
  };
}
