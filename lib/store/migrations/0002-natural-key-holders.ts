import type { Kysely, Migration } from 'kysely';

/** Natural keys name their holder in people's words, and are found by it when it gives one up. */
export const naturalKeyHolders = (): Migration => ({
  async up(db: Kysely<unknown>): Promise<void> {
    await db.schema
      .alterTable('natural_key')
      .addColumn('holder', 'text', (column) => column.notNull().defaultTo(''))
      .execute();
    await db.schema.createIndex('natural_key_id').on('natural_key').column('canonical_id').execute();
  },
});
