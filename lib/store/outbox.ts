import type { Kysely } from 'kysely';
import type { BusinessEvent, CanonicalId, Instant } from '../model';
import { open, seal } from './encryption';
import { prepared } from './prepared';
import type { Schema } from './schema';
import type { Tx } from './store';
import type { Sealed } from './tables/sealed';

/**
 * The transactional outbox: events are written in the transaction that makes the fact true, with one waiting delivery
 * per receiver. Relays (`lib/events`) hand them on and mark them; a receiver that is away finds them when it is back.
 */

interface NewOutboxRow {
  event_id: string;
  type: string;
  subject: CanonicalId;
  ordering_key: CanonicalId;
  envelope: Sealed;
  created_at: Instant;
}

const insertEvent = prepared<{ [Field in keyof NewOutboxRow]: NewOutboxRow[Field] }>((db, value) =>
  db
    .insertInto('outbox')
    .values({
      event_id: value.event_id,
      type: value.type,
      subject: value.subject,
      ordering_key: value.ordering_key,
      envelope: value.envelope,
      created_at: value.created_at,
      sent_at: null,
    })
    .onConflict((conflict) => conflict.column('event_id').doNothing()),
);

/** A receiver is owed what was first told after it registered: a repeated run does not bring it older events. */
const deliverToAll = prepared<{ eventId: string }>((db, value) =>
  db
    .insertInto('outbox_delivery')
    .columns(['receiver', 'outbox_seq'])
    .expression((from) =>
      from
        .selectFrom('outbox')
        .innerJoin('outbox_receiver as receiver', (join) =>
          join
            .onRef('receiver.created_at', '<=', 'outbox.created_at')
            .on((on) =>
              on.or([
                on('receiver.event_type', 'is', null),
                on('outbox.type', 'like', on.ref('receiver.event_type')),
              ]),
            ),
        )
        .select(['receiver.id as receiver', 'outbox.seq as outbox_seq'])
        .where('outbox.event_id', '=', value.eventId),
    )
    .onConflict((conflict) => conflict.doNothing()),
);

const deliverToOne = prepared<{ eventId: string; receiver: string }>((db, value) =>
  db
    .insertInto('outbox_delivery')
    .values((from) => ({
      receiver: value.receiver,
      outbox_seq: from.selectFrom('outbox').select('seq').where('event_id', '=', value.eventId),
    }))
    .onConflict((conflict) => conflict.doNothing()),
);

/** Notes that nobody waits for an event any more, or that somebody does again. */
const settleEvent = prepared<{ eventId: string; at: Instant }>((db, value) =>
  db
    .updateTable('outbox')
    .set((from) => ({
      sent_at: from
        .case()
        .when(
          from.exists(
            from
              .selectFrom('outbox_delivery')
              .select('outbox_delivery.receiver')
              .whereRef('outbox_delivery.outbox_seq', '=', 'outbox.seq')
              .where('outbox_delivery.delivered_at', 'is', null),
          ),
        )
        .then(null)
        .else(value.at)
        .end(),
    }))
    .where('event_id', '=', value.eventId),
);

/**
 * Puts an event into the outbox; the same event id is put there once.
 * @param receiver the only one to be told, registered or not; without it everyone registered is
 */
export async function putIntoOutbox(
  tx: Tx,
  event: BusinessEvent,
  at: Instant,
  receiver?: string,
): Promise<void> {
  await insertEvent(tx, {
    event_id: event.id,
    type: event.type,
    subject: event.subject,
    ordering_key: event.partitionkey,
    envelope: seal(tx, 'outbox', 'envelope', { event_id: event.id }, JSON.stringify(event)),
    created_at: at,
  });
  if (receiver === undefined) await deliverToAll(tx, { eventId: event.id });
  else await deliverToOne(tx, { eventId: event.id, receiver });
  await settleEvent(tx, { eventId: event.id, at });
}

/**
 * Makes somebody a receiver of every event announced from now on; known ones only change what they want.
 * @param receiver.eventType a type, or a pattern of SQL's `like` such as `q2c.exception.%`; null = every type
 */
export async function registerReceiver(
  tx: Tx,
  receiver: { id: string; eventType: string | null },
  at: Instant,
): Promise<void> {
  await tx
    .insertInto('outbox_receiver')
    .values({ id: receiver.id, event_type: receiver.eventType, created_at: at })
    .onConflict((conflict) => conflict.column('id').doUpdateSet({ event_type: receiver.eventType }))
    .execute();
}

/** Ends a registration. What waits for the receiver stays, in case it comes back. */
export async function removeReceiver(tx: Tx, id: string): Promise<void> {
  await tx.deleteFrom('outbox_receiver').where('id', '=', id).execute();
}

export interface Delivery {
  seq: number;
  orderingKey: CanonicalId;
  event: BusinessEvent;
}

/**
 * What waits for a receiver, oldest first.
 * @param except ordering keys to leave out
 */
export async function waitingDeliveries(
  db: Kysely<Schema>,
  receiver: string,
  limit: number,
  except: readonly CanonicalId[] = [],
): Promise<Delivery[]> {
  let query = db
    .selectFrom('outbox_delivery as delivery')
    .innerJoin('outbox', 'outbox.seq', 'delivery.outbox_seq')
    .select(['outbox.seq', 'outbox.event_id', 'outbox.ordering_key', 'outbox.envelope'])
    .where('delivery.receiver', '=', receiver)
    .where('delivery.delivered_at', 'is', null);
  if (except.length > 0) query = query.where('outbox.ordering_key', 'not in', except);
  const rows = await query.orderBy('delivery.outbox_seq').limit(limit).execute();
  return rows.map((row) => ({
    seq: row.seq,
    orderingKey: row.ordering_key,
    event: JSON.parse(open(db, 'outbox', 'envelope', row)) as BusinessEvent,
  }));
}

/** The receiver has these events. */
export async function markDelivered(
  tx: Tx,
  receiver: string,
  seqs: readonly number[],
  at: Instant,
): Promise<void> {
  await tx
    .updateTable('outbox_delivery')
    .set({ delivered_at: at })
    .where('receiver', '=', receiver)
    .where('outbox_seq', 'in', seqs)
    .execute();
  await tx
    .updateTable('outbox')
    .set({ sent_at: at })
    .where('seq', 'in', seqs)
    .where((where) =>
      where.not(
        where.exists(
          where
            .selectFrom('outbox_delivery')
            .select('outbox_delivery.receiver')
            .whereRef('outbox_delivery.outbox_seq', '=', 'outbox.seq')
            .where('outbox_delivery.delivered_at', 'is', null),
        ),
      ),
    )
    .execute();
}
