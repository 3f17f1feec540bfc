import { type Kysely, type Migration, sql } from 'kysely';

/** What people decide about failed steps, and runs that are being taken back. */
export function repair(): Migration {
  return {
    async up(db: Kysely<unknown>): Promise<void> {
      await db.schema
        .alterTable('step')
        .addColumn('undo', 'text', (c) => c.notNull().defaultTo('none'))
        .execute();
      await sql`update step set undo = 'call' where operation like '%.create' or operation like '%.upsert'`.execute(
        db,
      );
      await db.schema.alterTable('step').addColumn('undoes', 'text').execute();

      await db.schema
        .createTable('step_decision')
        .addColumn('key', 'text', (c) => c.primaryKey())
        .addColumn('run_id', 'text', (c) => c.notNull())
        .addColumn('node_id', 'text', (c) => c.notNull())
        .addColumn('operation', 'text', (c) => c.notNull())
        .addColumn('canonical_id', 'text', (c) => c.notNull())
        .addColumn('kind', 'text', (c) => c.notNull())
        .addColumn('value', 'text')
        .addColumn('external_id', 'text')
        .addColumn('reason', 'text', (c) => c.notNull())
        .addColumn('actor', 'text', (c) => c.notNull())
        .addColumn('at', 'text', (c) => c.notNull())
        .execute();
      await db.schema.createIndex('step_decision_run').on('step_decision').column('run_id').execute();

      await db.schema
        .createTable('cancellation')
        .addColumn('run_id', 'text', (c) => c.primaryKey())
        .addColumn('actor', 'text', (c) => c.notNull())
        .addColumn('reason', 'text', (c) => c.notNull())
        .addColumn('requested_at', 'text', (c) => c.notNull())
        .addColumn('attempts', 'integer', (c) => c.notNull())
        .execute();

      // A record that is being taken back must not be written by its next run at the same time.
      await db.schema.dropIndex('run_active').execute();
      await sql`create index run_active on run (ordering_key, seq) where state in ('queued', 'running', 'cancelling')`.execute(
        db,
      );
      await sql`create index run_cancelling on run (seq) where state = 'cancelling'`.execute(db);
      await sql`create index run_failed on run (seq) where state = 'failed'`.execute(db);
    },
  };
}
