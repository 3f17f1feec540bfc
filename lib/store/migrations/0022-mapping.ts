import type { Kysely, Migration } from 'kysely';

/** Which version of which mapping a step was made with, and what was in that version. */
export function mapping(): Migration {
  return {
    async up(db: Kysely<unknown>): Promise<void> {
      await db.schema.alterTable('step').addColumn('mapping_version', 'text').execute();
      await db.schema
        .createTable('mapping_version')
        .addColumn('version', 'text', (c) => c.primaryKey())
        .addColumn('set_id', 'text', (c) => c.notNull())
        .addColumn('content', 'text', (c) => c.notNull())
        .addColumn('first_used_at', 'text', (c) => c.notNull())
        .execute();
    },
  };
}
