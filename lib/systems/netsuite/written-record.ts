import type { JsonObject } from '../../model';
import { type CallContext, SystemError, type UndoEffect } from '../kit';
import type { NetSuiteClient } from './client';
import type { NetSuiteRecord, RecordType } from './record-service';

/** A record to write, under our key. */
export interface RecordWire {
  externalId: string;
  body: JsonObject;
}

export interface RecordReply {
  /** Internal id. */
  id: string;
}

/** The usual `probe`: is there a record with our key? */
export const probeByKey =
  (type: RecordType) =>
  async (
    client: NetSuiteClient,
    { externalId }: RecordWire,
    { signal }: CallContext,
  ): Promise<RecordReply | null> => {
    const record = await client.records.find(type, externalId, [], signal);
    return record && { id: record.id };
  };

/** The usual `adopt`: puts our key on a record that a person has made, as long as it carries none. */
export const adoptByKey =
  (type: RecordType) =>
  async (
    client: NetSuiteClient,
    id: string,
    { externalId }: { externalId: string },
    context: CallContext,
  ): Promise<RecordReply | null> => {
    const record = await adoptRecord(client, type, id, externalId, [], context);
    return record && { id: record.id };
  };

/**
 * @param fields to read beside the key
 * @returns null when there is no record of this type with this internal id
 * @throws SystemError `rejected` when it carries another key
 */
export async function adoptRecord(
  client: NetSuiteClient,
  type: RecordType,
  id: string,
  externalId: string,
  fields: readonly string[],
  { signal, lookOnly }: CallContext,
): Promise<NetSuiteRecord | null> {
  const record = await client.records.get(type, id, ['externalId', ...fields], signal);
  if (record === null || record.externalId === externalId) return record;
  if (record.externalId) {
    throw new SystemError({
      system: client.system,
      kind: 'rejected',
      reason: `${type} ${id} carries the External ID ${record.externalId} of another record`,
    });
  }
  if (!lookOnly) await client.records.update(type, id, { externalId }, signal);
  return record;
}

/** Undoes a create. What other records hold by now cannot be deleted: it is made inactive instead. */
export async function removeOrInactivate(
  client: NetSuiteClient,
  type: RecordType,
  id: string,
  signal: AbortSignal,
): Promise<UndoEffect> {
  try {
    return await remove(client, type, id, signal);
  } catch (error) {
    if (!(error instanceof SystemError) || error.kind !== 'rejected') throw error;
    await client.records.update(type, id, { isInactive: true }, signal);
    return 'inactive';
  }
}

/** Undoes a create where the record can only be deleted. */
export async function remove(
  client: NetSuiteClient,
  type: RecordType,
  id: string,
  signal: AbortSignal,
): Promise<UndoEffect> {
  await client.records.remove(type, id, signal);
  return 'removed';
}
