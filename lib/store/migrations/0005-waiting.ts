import { type Kysely, type Migration, sql } from 'kysely';
import type { MigrationContext } from '../migrate';

/** Runs that wait for an event, what they wait for, and what has passed a node that lets through only once. */
export function waiting({ autoIncrement, clustered }: MigrationContext): Migration {
  return {
    async up(db: Kysely<unknown>): Promise<void> {
      await db.schema
        .alterTable('run')
        .addColumn('resume', 'integer', (c) => c.notNull().defaultTo(0))
        .execute();
      await db.schema
        .alterTable('run')
        .addColumn('holds_key', 'integer', (c) => c.notNull().defaultTo(1))
        .execute();
      // Literals, as for the claims of 0001: only runs that wait, or go on, are in these.
      await sql`create index run_waiting on run (ordering_key) where state = 'waiting'`.execute(db);
      await sql`create index run_resume on run (seq) where state = 'queued' and resume = 1`.execute(db);

      await db.schema
        .createTable('suspension')
        .addColumn('seq', 'integer', (c) => autoIncrement(c))
        .addColumn('place', 'text', (c) => c.notNull().unique())
        .addColumn('run_id', 'text', (c) => c.notNull())
        .addColumn('node_id', 'text', (c) => c.notNull())
        .addColumn('node_name', 'text', (c) => c.notNull())
        .addColumn('event', 'text', (c) => c.notNull())
        .addColumn('match_key', 'text', (c) => c.notNull())
        .addColumn('parent', 'integer', (c) => c.notNull())
        .addColumn('state', 'text', (c) => c.notNull())
        .addColumn('holds_order', 'integer', (c) => c.notNull())
        .addColumn('deadline', 'text')
        .addColumn('on_timeout', 'text', (c) => c.notNull())
        .addColumn('about', 'text', (c) => c.notNull())
        .addColumn('message', 'text')
        .addColumn('occurrence', 'text')
        .addColumn('outcome', 'text')
        .addColumn('created_at', 'text', (c) => c.notNull())
        .addColumn('ended_at', 'text')
        .execute();
      await db.schema.createIndex('suspension_run').on('suspension').column('run_id').execute();
      await sql`create index suspension_match on suspension (event, match_key) where state = 'waiting'`.execute(
        db,
      );
      await sql`create index suspension_due on suspension (deadline) where state = 'waiting'`.execute(db);
      await sql`create index suspension_fired on suspension (run_id) where state = 'fired'`.execute(db);
      await sql`create index suspension_kept on suspension (node_id, state) where state in ('waiting', 'fired')`.execute(
        db,
      );
      await sql`create index suspension_used on suspension (occurrence) where occurrence is not null`.execute(
        db,
      );

      await sql`create index case_node_missing on exception_case (node_id) where code = 'NODE_MISSING'`.execute(
        db,
      );

      await db.schema
        .createTable('signal')
        .addColumn('seq', 'integer', (c) => autoIncrement(c))
        .addColumn('event', 'text', (c) => c.notNull())
        .addColumn('match_key', 'text', (c) => c.notNull())
        .addColumn('id', 'text', (c) => c.notNull())
        .addColumn('content', 'text', (c) => c.notNull())
        .addColumn('received_at', 'text', (c) => c.notNull())
        .addUniqueConstraint('signal_id', ['event', 'match_key', 'id'])
        .execute();
      await db.schema.createIndex('signal_age').on('signal').column('received_at').execute();

      await db.schema
        .createTable('passage')
        .addColumn('node_id', 'text', (c) => c.notNull())
        .addColumn('scope', 'text', (c) => c.notNull())
        .addColumn('run_id', 'text', (c) => c.notNull())
        .addColumn('state', 'text', (c) => c.notNull())
        .addColumn('passed_at', 'text', (c) => c.notNull())
        .addPrimaryKeyConstraint('passage_pk', ['node_id', 'scope'])
        .$call(clustered)
        .execute();
      await db.schema.createIndex('passage_run').on('passage').column('run_id').execute();
    },
  };
}
