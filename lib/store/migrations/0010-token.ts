import type { Kysely, Migration } from 'kysely';

/** Access tokens that the hosts of a connection share. */
export function token(): Migration {
  return {
    async up(db: Kysely<unknown>): Promise<void> {
      await db.schema
        .createTable('token')
        .addColumn('name', 'text', (c) => c.primaryKey())
        .addColumn('value', 'text')
        .addColumn('login_owner', 'text')
        .addColumn('login_until', 'text')
        .addColumn('updated_at', 'text', (c) => c.notNull())
        .execute();
    },
  };
}
