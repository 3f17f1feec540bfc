import type { Generated } from 'kysely';
import type { CanonicalId, Instant } from '../../model';
import type { Sealed } from './sealed';

/** Business events on their way out. */

/** Business events to hand on, written in the transaction that made them true. */
export interface OutboxTable {
  seq: Generated<number>;
  event_id: string;
  type: string;
  subject: CanonicalId;
  /** Events of one key are handed on in the order of `seq`. */
  ordering_key: CanonicalId;
  envelope: Sealed;
  created_at: Instant;
  /** Since when nobody waits for the event any more. */
  sent_at: Instant | null;
}

/** Who is told every event announced from now on: a broker, or a node of the flow. */
export interface OutboxReceiverTable {
  /** Id of the receiver's node. */
  id: string;
  /** Pattern of SQL's `like` for the types it wants, such as one type; null = every type. */
  event_type: string | null;
  created_at: Instant;
}

/** One event for one receiver. It waits until the receiver has it. */
export interface OutboxDeliveryTable {
  receiver: string;
  outbox_seq: number;
  delivered_at: Instant | null;
}
