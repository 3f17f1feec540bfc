import { type Kysely, type Migration, sql } from 'kysely';
import type { MigrationContext } from '../migrate';

/** What the programs' interface keeps: words that deals are found by, actions done once, tokens of other programs. */
export function api({ byteOrdered, clustered }: MigrationContext): Migration {
  return {
    async up(db: Kysely<unknown>): Promise<void> {
      await db.schema
        .createTable('deal_term')
        .addColumn('term', byteOrdered, (c) => c.notNull())
        .addColumn('correlation_id', 'text', (c) => c.notNull())
        .addColumn('kind', 'text', (c) => c.notNull())
        .addColumn('system', 'text')
        .addPrimaryKeyConstraint('deal_term_pk', ['term', 'correlation_id'])
        .$call(clustered)
        .execute();
      await db.schema.createIndex('deal_term_deal').on('deal_term').column('correlation_id').execute();

      await db.schema
        .createTable('api_request')
        .addColumn('key', 'text', (c) => c.primaryKey())
        .addColumn('fingerprint', 'text', (c) => c.notNull())
        .addColumn('status', 'integer')
        .addColumn('reply', 'text')
        .addColumn('at', 'text', (c) => c.notNull())
        .execute();
      await db.schema.createIndex('api_request_age').on('api_request').column('at').execute();

      await db.schema
        .createTable('api_token')
        .addColumn('id', 'text', (c) => c.primaryKey())
        .addColumn('name', 'text', (c) => c.notNull())
        .addColumn('hash', 'text', (c) => c.notNull())
        .addColumn('scopes', 'text', (c) => c.notNull())
        .addColumn('created_by', 'text', (c) => c.notNull())
        .addColumn('created_at', 'text', (c) => c.notNull())
        .addColumn('expires_at', 'text')
        .addColumn('last_used_at', 'text')
        .execute();

      // Literals, as for the other states: few runs are in these, and lists and counts of them read no others.
      await sql`create index run_superseded on run (seq) where state = 'superseded'`.execute(db);
      await sql`create index run_cancelled on run (seq) where state = 'cancelled'`.execute(db);
      await sql`create index step_failed on step (system, seq) where error_code is not null`.execute(db);
    },
  };
}
