import type { Kysely, Migration } from 'kysely';

/** Corrections of records that a check has refused, and what the check saw of their deals. */
export function corrections(): Migration {
  return {
    async up(db: Kysely<unknown>): Promise<void> {
      await db.schema
        .createTable('record_correction')
        .addColumn('id', 'text', (c) => c.primaryKey())
        .addColumn('correlation_id', 'text', (c) => c.notNull())
        .addColumn('canonical_id', 'text', (c) => c.notNull())
        .addColumn('path', 'text', (c) => c.notNull())
        .addColumn('content', 'text', (c) => c.notNull())
        .addColumn('case_id', 'text', (c) => c.notNull())
        .addColumn('run_id', 'text', (c) => c.notNull())
        .addColumn('actor', 'text', (c) => c.notNull())
        .addColumn('reason', 'text', (c) => c.notNull())
        .addColumn('at', 'text', (c) => c.notNull())
        .addColumn('ended_at', 'text')
        .addColumn('ended_as', 'text')
        .execute();
      await db.schema
        .createIndex('record_correction_deal')
        .on('record_correction')
        .columns(['correlation_id', 'ended_at'])
        .execute();

      await db.schema
        .createTable('checked_document')
        .addColumn('key', 'text', (c) => c.primaryKey())
        .addColumn('run_id', 'text', (c) => c.notNull())
        .addColumn('content', 'text', (c) => c.notNull())
        .addColumn('at', 'text', (c) => c.notNull())
        .execute();
      await db.schema.createIndex('checked_document_run').on('checked_document').column('run_id').execute();

      await db.schema.alterTable('exception_case').addColumn('fields', 'text').execute();
    },
  };
}
