import { type Kysely, type Migration, sql } from 'kysely';
import type { MigrationContext } from '../migrate';

/** Work on many records of any kind, in place of retries alone; what cases say about people, and open ones by the connection that they are about. */
export function console({ clustered }: MigrationContext): Migration {
  return {
    async up(db: Kysely<unknown>): Promise<void> {
      await db.schema
        .createTable('bulk_job')
        .addColumn('id', 'text', (c) => c.primaryKey())
        .addColumn('kind', 'text', (c) => c.notNull())
        .addColumn('request', 'text', (c) => c.notNull())
        .addColumn('at_once', 'integer', (c) => c.notNull())
        .addColumn('actor', 'text', (c) => c.notNull())
        .addColumn('reason', 'text', (c) => c.notNull())
        .addColumn('state', 'text', (c) => c.notNull())
        .addColumn('started_at', 'text', (c) => c.notNull())
        .addColumn('ended_at', 'text')
        .addColumn('last_error', 'text')
        .execute();
      await db.schema
        .createTable('bulk_item')
        .addColumn('job', 'text', (c) => c.notNull())
        .addColumn('seq', 'integer', (c) => c.notNull())
        .addColumn('subject', 'text', (c) => c.notNull())
        .addColumn('run_id', 'text')
        .addColumn('attempt', 'integer')
        .addColumn('state', 'text', (c) => c.notNull())
        .addPrimaryKeyConstraint('bulk_item_pk', ['job', 'seq'])
        .$call(clustered)
        .execute();
      // Of thousands of records, those that still have to be looked at.
      await sql`create index bulk_item_open on bulk_item (job, state, seq)
        where state in ('waiting', 'under_way')`.execute(db);

      await sql`insert into bulk_job (id, kind, request, at_once, actor, reason, state, started_at, ended_at)
        select id, 'retry_runs', '{"filter":' || filter || '}', at_once, actor, reason, state, started_at, ended_at
        from bulk_retry`.execute(db);
      await sql`insert into bulk_item (job, seq, subject, run_id, attempt, state)
        select bulk_retry, run_seq, run_id, run_id, attempt, state from bulk_retry_run`.execute(db);
      await db.schema.dropTable('bulk_retry_run').execute();
      await db.schema.dropTable('bulk_retry').execute();

      await db.schema.alterTable('exception_case').addColumn('personal', 'text').execute();
      await db.schema.alterTable('exception_case').addColumn('instance', 'text').execute();
      await sql`update exception_case set
        system = coalesce(system, (select step.system from step where step.key = exception_case.step_key)),
        instance = (select step.instance from step where step.key = exception_case.step_key)`.execute(db);
      // All that a count of open cases by connection reads: neither the cases nor their steps. With the state, which
      // SQLite looks at once more although the index holds no others.
      await sql`create index case_connection on exception_case (system, instance, state)
        where state not in ('resolved', 'waived')`.execute(db);
      // The same for the counts of all queues, which every page of cases shows.
      await sql`create index case_counts on exception_case
        (owner_role, correlation_id, currency, amount_at_risk, sla_breached_at, snoozed_until, state)
        where state not in ('resolved', 'waived')`.execute(db);
    },
  };
}
