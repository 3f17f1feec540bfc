import { type Kysely, type Migration, sql } from 'kysely';
import type { MigrationContext } from '../migrate';

/** Who waits for which event of the outbox, and events from outside that were refused. */
export function events({ autoIncrement, clustered }: MigrationContext): Migration {
  return {
    async up(db: Kysely<unknown>): Promise<void> {
      await db.schema.alterTable('outbox').addColumn('ordering_key', 'text').execute();
      // Nobody was there to be told of what has been announced so far.
      await sql`update outbox set ordering_key = subject, sent_at = created_at`.execute(db);

      await db.schema
        .createTable('outbox_receiver')
        .addColumn('id', 'text', (c) => c.primaryKey())
        .addColumn('event_type', 'text')
        .addColumn('created_at', 'text', (c) => c.notNull())
        .execute();

      await db.schema
        .createTable('outbox_delivery')
        .addColumn('receiver', 'text', (c) => c.notNull())
        .addColumn('outbox_seq', 'integer', (c) => c.notNull())
        .addColumn('delivered_at', 'text')
        .addPrimaryKeyConstraint('outbox_delivery_pk', ['receiver', 'outbox_seq'])
        .$call(clustered)
        .execute();
      await sql`create index outbox_delivery_waiting on outbox_delivery (receiver, outbox_seq) where delivered_at is null`.execute(
        db,
      );
      await sql`create index outbox_delivery_event on outbox_delivery (outbox_seq) where delivered_at is null`.execute(
        db,
      );

      await db.schema
        .createTable('rejected_event')
        .addColumn('seq', 'integer', (column) => autoIncrement(column))
        .addColumn('digest', 'text', (c) => c.notNull().unique())
        .addColumn('node_id', 'text', (c) => c.notNull())
        .addColumn('topic', 'text', (c) => c.notNull())
        .addColumn('event_source', 'text')
        .addColumn('event_id', 'text')
        .addColumn('event_type', 'text')
        .addColumn('reason', 'text', (c) => c.notNull())
        .addColumn('payload', 'text', (c) => c.notNull())
        .addColumn('arrivals', 'integer', (c) => c.notNull())
        .addColumn('first_at', 'text', (c) => c.notNull())
        .addColumn('last_at', 'text', (c) => c.notNull())
        .execute();
    },
  };
}
