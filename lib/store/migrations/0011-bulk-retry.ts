import { type Kysely, type Migration, sql } from 'kysely';
import type { MigrationContext } from '../migrate';

/** Retries of many runs that go on after a restart, and on other hosts. */
export function bulkRetry({ clustered }: MigrationContext): Migration {
  return {
    async up(db: Kysely<unknown>): Promise<void> {
      await db.schema
        .createTable('bulk_retry')
        .addColumn('id', 'text', (c) => c.primaryKey())
        .addColumn('filter', 'text', (c) => c.notNull())
        .addColumn('at_once', 'integer', (c) => c.notNull())
        .addColumn('actor', 'text', (c) => c.notNull())
        .addColumn('reason', 'text', (c) => c.notNull())
        .addColumn('state', 'text', (c) => c.notNull())
        .addColumn('started_at', 'text', (c) => c.notNull())
        .addColumn('ended_at', 'text')
        .execute();
      await db.schema
        .createTable('bulk_retry_run')
        .addColumn('bulk_retry', 'text', (c) => c.notNull())
        .addColumn('run_seq', 'integer', (c) => c.notNull())
        .addColumn('run_id', 'text', (c) => c.notNull())
        .addColumn('attempt', 'integer')
        .addColumn('state', 'text', (c) => c.notNull())
        .addPrimaryKeyConstraint('bulk_retry_run_pk', ['bulk_retry', 'run_seq'])
        .$call(clustered)
        .execute();
      // Of thousands of runs, those that still have to be looked at.
      await sql`create index bulk_retry_run_open on bulk_retry_run (bulk_retry, state, run_seq)
        where state in ('waiting', 'under_way')`.execute(db);
    },
  };
}
