import type { JsonObject } from '../../model';
import { type CallContext, SystemError } from '../kit';
import type { NetSuiteClient } from './client';
import type { RecordType } from './record-service';

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

/** Undoes a create. What other records hold by now cannot be deleted: it is made inactive instead. */
export async function removeOrInactivate(
  client: NetSuiteClient,
  type: RecordType,
  id: string,
  signal: AbortSignal,
): Promise<void> {
  try {
    await client.records.remove(type, id, signal);
  } catch (error) {
    if (!(error instanceof SystemError) || error.kind !== 'rejected') throw error;
    await client.records.update(type, id, { isInactive: true }, signal);
  }
}
