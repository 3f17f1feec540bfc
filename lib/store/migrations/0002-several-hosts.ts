import type { Kysely, Migration } from 'kysely';
import type { MigrationContext } from '../migrate';

/** What hosts on one store agree on: who does what only one may do, and how fast all together may call a system. */
export function severalHosts({ clustered }: MigrationContext): Migration {
  return {
    async up(db: Kysely<unknown>): Promise<void> {
      await db.schema
        .createTable('lease')
        .addColumn('name', 'text', (c) => c.primaryKey())
        .addColumn('owner', 'text', (c) => c.notNull())
        .addColumn('until', 'text', (c) => c.notNull())
        .$call(clustered)
        .execute();
      await db.schema
        .createTable('rate_budget')
        .addColumn('name', 'text', (c) => c.primaryKey())
        .addColumn('next_at', 'bigint', (c) => c.notNull())
        .$call(clustered)
        .execute();
    },
  };
}
