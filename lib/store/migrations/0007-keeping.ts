import type { Kysely, Migration } from 'kysely';

/** Which keys encrypt payloads, and who keeps the store tidy. */
export function keeping(): Migration {
  return {
    async up(db: Kysely<unknown>): Promise<void> {
      await db.schema
        .createTable('encryption_key')
        .addColumn('id', 'text', (c) => c.primaryKey())
        .addColumn('in_use_since', 'text', (c) => c.notNull())
        .execute();
      await db.schema
        .createTable('maintenance')
        .addColumn('task', 'text', (c) => c.primaryKey())
        .addColumn('claimed_at', 'text', (c) => c.notNull())
        .execute();
    },
  };
}
