import { type CreateTableBuilder, type Kysely, type Migration, sql } from 'kysely';
import type { MigrationContext } from '../migrate';

/** The first schema. Released migrations never change; a later one alters. */
export function initial({ autoIncrement, clustered }: MigrationContext): Migration {
  const seq = <T extends string, C extends string>(table: CreateTableBuilder<T, C>) =>
    table.addColumn('seq', 'integer', (column) => autoIncrement(column));

  return {
    async up(db: Kysely<unknown>): Promise<void> {
      await seq(db.schema.createTable('event'))
        .addColumn('source', 'text', (c) => c.notNull())
        .addColumn('event_id', 'text', (c) => c.notNull())
        .addColumn('type', 'text', (c) => c.notNull())
        .addColumn('subject', 'text', (c) => c.notNull())
        .addColumn('time', 'text', (c) => c.notNull())
        .addColumn('received_at', 'text', (c) => c.notNull())
        .addColumn('data', 'text', (c) => c.notNull())
        .addColumn('duplicates', 'integer', (c) => c.notNull())
        .addUniqueConstraint('event_source_id', ['source', 'event_id'])
        .execute();

      await seq(db.schema.createTable('run'))
        .addColumn('id', 'text', (c) => c.notNull().unique())
        .addColumn('event_seq', 'integer')
        .addColumn('source_node', 'text', (c) => c.notNull())
        .addColumn('ordering_key', 'text', (c) => c.notNull())
        .addColumn('correlation_id', 'text', (c) => c.notNull())
        .addColumn('title', 'text', (c) => c.notNull())
        .addColumn('state', 'text', (c) => c.notNull())
        .addColumn('attempt', 'integer', (c) => c.notNull())
        .addColumn('retry_at', 'text')
        .addColumn('lease_owner', 'text')
        .addColumn('lease_until', 'text')
        .addColumn('created_at', 'text', (c) => c.notNull())
        .addColumn('started_at', 'text')
        .addColumn('ended_at', 'text')
        .execute();
      // Partial indexes hold only unfinished work, so that claims cost the same with a million ended runs.
      await sql`create index run_claim on run (source_node, seq) where state = 'queued'`.execute(db);
      await sql`create index run_active on run (ordering_key, seq) where state in ('queued', 'running')`.execute(
        db,
      );
      await sql`create index run_retry on run (retry_at) where retry_at is not null`.execute(db);
      await db.schema.createIndex('run_correlation').on('run').column('correlation_id').execute();

      await seq(db.schema.createTable('step'))
        .addColumn('key', 'text', (c) => c.notNull().unique())
        .addColumn('run_id', 'text', (c) => c.notNull())
        .addColumn('run_attempt', 'integer', (c) => c.notNull())
        .addColumn('node_id', 'text', (c) => c.notNull())
        .addColumn('node_name', 'text', (c) => c.notNull())
        .addColumn('system', 'text', (c) => c.notNull())
        .addColumn('instance', 'text', (c) => c.notNull())
        .addColumn('operation', 'text', (c) => c.notNull())
        .addColumn('canonical_id', 'text', (c) => c.notNull())
        .addColumn('fingerprint', 'text', (c) => c.notNull())
        .addColumn('idempotency_key', 'text', (c) => c.notNull())
        .addColumn('state', 'text', (c) => c.notNull())
        .addColumn('calls', 'integer', (c) => c.notNull())
        .addColumn('probes', 'integer', (c) => c.notNull())
        .addColumn('origin', 'text')
        .addColumn('wire', 'text', (c) => c.notNull())
        .addColumn('reply', 'text')
        .addColumn('result', 'text')
        .addColumn('error_code', 'text')
        .addColumn('error_message', 'text')
        .addColumn('started_at', 'text', (c) => c.notNull())
        .addColumn('ended_at', 'text')
        .addColumn('duration_ms', 'integer')
        .execute();
      await db.schema.createIndex('step_run').on('step').column('run_id').execute();
      await db.schema.createIndex('step_idempotency').on('step').column('idempotency_key').execute();

      await db.schema
        .createTable('xref')
        .addColumn('system', 'text', (c) => c.notNull())
        .addColumn('instance', 'text', (c) => c.notNull())
        .addColumn('type', 'text', (c) => c.notNull())
        .addColumn('external_id', 'text', (c) => c.notNull())
        .addColumn('canonical_id', 'text', (c) => c.notNull())
        .addColumn('entity', 'text', (c) => c.notNull())
        .addColumn('role', 'text', (c) => c.notNull())
        .addColumn('url', 'text')
        .addColumn('created_at', 'text', (c) => c.notNull())
        .addPrimaryKeyConstraint('xref_external', ['system', 'instance', 'type', 'external_id'])
        .addUniqueConstraint('xref_canonical', ['canonical_id', 'system', 'instance', 'type'])
        .$call(clustered)
        .execute();

      await db.schema
        .createTable('natural_key')
        .addColumn('entity', 'text', (c) => c.notNull())
        .addColumn('key', 'text', (c) => c.notNull())
        .addColumn('canonical_id', 'text', (c) => c.notNull())
        .addColumn('holder', 'text', (c) => c.notNull())
        .addColumn('created_at', 'text', (c) => c.notNull())
        .addPrimaryKeyConstraint('natural_key_pk', ['entity', 'key'])
        .$call(clustered)
        .execute();

      await db.schema.createIndex('natural_key_holder').on('natural_key').column('canonical_id').execute();

      await db.schema
        .createTable('exception_case')
        .addColumn('id', 'text', (c) => c.primaryKey())
        .addColumn('dedupe_key', 'text', (c) => c.notNull().unique())
        .addColumn('code', 'text', (c) => c.notNull())
        .addColumn('message', 'text', (c) => c.notNull())
        .addColumn('owner_role', 'text', (c) => c.notNull())
        .addColumn('severity', 'text', (c) => c.notNull())
        .addColumn('state', 'text', (c) => c.notNull())
        .addColumn('correlation_id', 'text', (c) => c.notNull())
        .addColumn('subject', 'text', (c) => c.notNull())
        .addColumn('run_id', 'text', (c) => c.notNull())
        .addColumn('run_attempt', 'integer', (c) => c.notNull())
        .addColumn('step_key', 'text')
        .addColumn('node_id', 'text', (c) => c.notNull())
        .addColumn('node_name', 'text', (c) => c.notNull())
        .addColumn('amount_at_risk', 'text')
        .addColumn('currency', 'text')
        .addColumn('detail', 'text', (c) => c.notNull())
        .addColumn('occurrences', 'integer', (c) => c.notNull())
        .addColumn('reopened', 'integer', (c) => c.notNull())
        .addColumn('opened_at', 'text', (c) => c.notNull())
        .addColumn('updated_at', 'text', (c) => c.notNull())
        .addColumn('resolved_at', 'text')
        .execute();
      await sql`create index case_open on exception_case (correlation_id) where state not in ('resolved', 'waived')`.execute(
        db,
      );
      await db.schema.createIndex('case_run').on('exception_case').column('run_id').execute();

      await seq(db.schema.createTable('case_history'))
        .addColumn('case_id', 'text', (c) => c.notNull())
        .addColumn('at', 'text', (c) => c.notNull())
        .addColumn('actor', 'text', (c) => c.notNull())
        .addColumn('action', 'text', (c) => c.notNull())
        .addColumn('detail', 'text', (c) => c.notNull())
        .execute();
      await db.schema.createIndex('case_history_case').on('case_history').column('case_id').execute();

      await seq(db.schema.createTable('audit'))
        .addColumn('at', 'text', (c) => c.notNull())
        .addColumn('actor', 'text', (c) => c.notNull())
        .addColumn('action', 'text', (c) => c.notNull())
        .addColumn('subject', 'text', (c) => c.notNull())
        .addColumn('run_id', 'text')
        .addColumn('detail', 'text', (c) => c.notNull())
        .addColumn('prev_hash', 'text', (c) => c.notNull())
        .addColumn('hash', 'text', (c) => c.notNull())
        .execute();

      await seq(db.schema.createTable('outbox'))
        .addColumn('event_id', 'text', (c) => c.notNull().unique())
        .addColumn('type', 'text', (c) => c.notNull())
        .addColumn('subject', 'text', (c) => c.notNull())
        .addColumn('envelope', 'text', (c) => c.notNull())
        .addColumn('created_at', 'text', (c) => c.notNull())
        .addColumn('sent_at', 'text')
        .execute();
      await sql`create index outbox_unsent on outbox (seq) where sent_at is null`.execute(db);

      await db.schema
        .createTable('cursor')
        .addColumn('source', 'text', (c) => c.primaryKey())
        .addColumn('value', 'text', (c) => c.notNull())
        .addColumn('updated_at', 'text', (c) => c.notNull())
        .execute();
    },
  };
}
