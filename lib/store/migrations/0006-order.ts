import { type Kysely, type Migration, sql } from 'kysely';

/** What became of each event, and which version of each aggregate was taken up and applied. */
export function order(): Migration {
  return {
    async up(db: Kysely<unknown>): Promise<void> {
      await db.schema.alterTable('event').addColumn('version', 'integer').execute();
      await db.schema.alterTable('event').addColumn('stamp', 'text').execute();
      await db.schema
        .alterTable('event')
        .addColumn('disposition', 'text', (c) => c.notNull().defaultTo('accepted'))
        .execute();
      await sql`
        update event set disposition = case run.state
          when 'completed' then 'applied' when 'superseded' then 'applied'
          when 'failed' then 'case' when 'cancelled' then 'case' else 'accepted' end
        from run where run.event_seq = event.seq`.execute(db);
      await sql`create index event_parked on event (source, subject) where disposition = 'parked'`.execute(
        db,
      );

      await sql`create index event_stale on event (received_at) where disposition = 'stale'`.execute(db);
      await db.schema
        .alterTable('run')
        .addColumn('catch_up', 'integer', (c) => c.notNull().defaultTo(0))
        .execute();
      await sql`create index run_parked on run (ordering_key) where state = 'parked'`.execute(db);

      await db.schema
        .createTable('aggregate')
        .addColumn('source', 'text', (c) => c.notNull())
        .addColumn('subject', 'text', (c) => c.notNull())
        .addColumn('taken', 'integer', (c) => c.notNull())
        .addColumn('applied', 'integer', (c) => c.notNull())
        .addPrimaryKeyConstraint('aggregate_pk', ['source', 'subject'])
        .execute();
    },
  };
}
