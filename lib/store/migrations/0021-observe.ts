import { type Kysely, type Migration, sql } from 'kysely';
import type { MigrationContext } from '../migrate';

/** Key figures by day, and what was counted of each run, case and deal, so that it can be counted anew. */
export function observe({ clustered }: MigrationContext): Migration {
  return {
    async up(db: Kysely<unknown>): Promise<void> {
      await db.schema.alterTable('run').addColumn('legal_entity', 'text').execute();
      // At the right end of the index: ends come in the order of time.
      await sql`create index run_ended on run (ended_at, seq) where ended_at is not null`.execute(db);
      await sql`create index if not exists case_updated on exception_case (updated_at, id)`.execute(db);
      await db.schema
        .alterTable('event')
        .addColumn('recount', 'integer', (c) => c.notNull().defaultTo(0))
        .execute();
      await sql`create index event_recount on event (seq) where recount = 1`.execute(db);

      await db.schema
        .createTable('kpi_source')
        .addColumn('id', 'text', (c) => c.primaryKey())
        .addColumn('stamp', 'text', (c) => c.notNull())
        .addColumn('facts', 'text', (c) => c.notNull())
        .addColumn('correlation_id', 'text')
        .addColumn('event_seq', 'integer')
        .addColumn('is_undecided', 'integer', (c) => c.notNull())
        .addColumn('has_project', 'integer', (c) => c.notNull())
        .addColumn('has_billing', 'integer', (c) => c.notNull())
        .$call(clustered)
        .execute();
      await sql`create index kpi_source_undecided on kpi_source (id) where is_undecided = 1`.execute(db);
      await sql`create index kpi_source_unbilled on kpi_source (id) where has_project = 1 and has_billing = 0`.execute(
        db,
      );
      await db.schema.createIndex('kpi_source_event').on('kpi_source').column('event_seq').execute();
      await db.schema.createIndex('kpi_source_deal').on('kpi_source').column('correlation_id').execute();

      await db.schema
        .createTable('kpi_day')
        .addColumn('day', 'text', (c) => c.notNull())
        .addColumn('kpi', 'text', (c) => c.notNull())
        .addColumn('legal_entity', 'text', (c) => c.notNull())
        .addColumn('tier', 'text', (c) => c.notNull())
        .addColumn('system', 'text', (c) => c.notNull())
        .addColumn('subject', 'text', (c) => c.notNull())
        .addColumn('count', 'integer', (c) => c.notNull())
        .addColumn('samples', 'text', (c) => c.notNull())
        .addPrimaryKeyConstraint('kpi_day_pk', ['day', 'kpi', 'legal_entity', 'tier', 'system', 'subject'])
        .$call(clustered)
        .execute();
    },
  };
}
