import type { CanonicalId, EntityName, ExternalRef, JsonObject } from '../../../model';
import {
  type CallContext,
  type MappingContext,
  type OperationResult,
  SystemError,
  type UndoEffect,
} from '../../kit';
import { type Home, type SalesforceClient, SYSTEM, type WrittenRecord } from '../client';
import { refOf } from '../mapping/values';
import { textLiteral } from '../soql';

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
): Promise<UndoEffect> {
  if (!reply.created) return 'kept';
  await client.remove(type, reply.id, signal);
  return 'removed';
}

/** Puts our canonical id on a record that a person has made, as long as it carries none. */
export async function adoptRecord(
  client: SalesforceClient,
  type: string,
  recordId: string,
  { externalId }: UpsertWire,
  { signal, lookOnly }: CallContext,
): Promise<UpsertReply | null> {
  const field = client.externalIdField;
  const [row] = await client.query(
    `SELECT Id, ${field} FROM ${type} WHERE Id = ${textLiteral(recordId)}`,
    signal,
  );
  if (row === undefined) return null;
  const key = row[field] ?? null;
  if (key !== null && key !== externalId) {
    const reason = `${type} ${recordId} carries the id ${String(key)} of another record in ${field}`;
    throw new SystemError({ system: SYSTEM, kind: 'rejected', reason });
  }
  const id = String(row.Id);
  if (key === null && !lookOnly) await client.update(type, id, { [field]: externalId }, signal);
  return { id, created: false, home: client.home };
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
