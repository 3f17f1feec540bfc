import { createHash } from 'node:crypto';
import type { Instant } from '../model';
import { seal, type Tx } from '../store';
import type { EventMessage } from './cloudevents';
import { MAX_MESSAGE_BYTES, type Refusal } from './incoming';

/** Records an event that could not be accepted, with the reason. A redelivery of the same bytes is only counted. */
export async function recordRejected(
  tx: Tx,
  nodeId: string,
  { topic, payload }: EventMessage,
  refused: Refusal,
  at: Instant,
): Promise<void> {
  const digest = createHash('sha256').update(`${nodeId}\n${topic}\n`).update(payload).digest('hex');
  await tx
    .insertInto('rejected_event')
    .values({
      digest,
      node_id: nodeId,
      topic,
      event_source: refused.source,
      event_id: refused.id,
      event_type: refused.type,
      reason: refused.reason,
      payload: seal(tx, 'rejected_event', 'payload', { digest }, storable(payload)),
      arrivals: 1,
      first_at: at,
      last_at: at,
    })
    .onConflict((conflict) =>
      conflict.column('digest').doUpdateSet((fields) => ({
        arrivals: fields('rejected_event.arrivals', '+', 1),
        reason: refused.reason,
        last_at: at,
      })),
    )
    .execute();
}

/** Text that every database takes: PostgreSQL refuses NUL, and bytes that are not UTF-8 become replacement characters. */
function storable(payload: Buffer): string {
  return payload.subarray(0, MAX_MESSAGE_BYTES).toString('utf8').replaceAll('\0', '\uFFFD');
}
