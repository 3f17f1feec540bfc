import { type Kysely, type Migration, sql } from 'kysely';

/** Who has a case, until when, and under which policy; actions that wait for a second person. */
export function governance(): Migration {
  return {
    async up(db: Kysely<unknown>): Promise<void> {
      const cases = () => db.schema.alterTable('exception_case');
      await cases()
        .addColumn('version', 'integer', (c) => c.notNull().defaultTo(1))
        .execute();
      await cases()
        .addColumn('escalations', 'integer', (c) => c.notNull().defaultTo(0))
        .execute();
      await cases()
        .addColumn('cause', 'text', (c) => c.notNull().defaultTo(''))
        .execute();
      for (const column of [
        'assignee',
        'snoozed_until',
        'sla_due_at',
        'sla_breached_at',
        'policy_version',
        'system',
        'entity',
        'legal_entity',
        'region',
      ]) {
        await cases().addColumn(column, 'text').execute();
      }
      await cases().addColumn('amount_whole', 'bigint').execute();
      await sql`update exception_case set cause = code, amount_whole = cast(amount_at_risk as decimal)`.execute(
        db,
      );

      // Literals, as for the claims of 0001: cases stay for more than a year, and pages ask for the open ones.
      const open = sql`state not in ('resolved', 'waived')`;
      await sql`create index case_queue on exception_case (owner_role, sla_due_at, id) where ${open}`.execute(
        db,
      );
      await sql`create index case_run_out on exception_case (sla_due_at) where sla_breached_at is null and ${open}`.execute(
        db,
      );
      await sql`create index case_snoozed on exception_case (snoozed_until) where snoozed_until is not null`.execute(
        db,
      );
      await db.schema
        .createIndex('case_updated')
        .on('exception_case')
        .columns(['updated_at', 'id'])
        .execute();
      await db.schema.createIndex('case_opened').on('exception_case').columns(['opened_at', 'id']).execute();

      await db.schema
        .createTable('case_policy')
        .addColumn('version', 'text', (c) => c.primaryKey())
        .addColumn('content', 'text', (c) => c.notNull())
        .addColumn('first_used_at', 'text', (c) => c.notNull())
        .execute();

      await db.schema
        .createTable('case_approval')
        .addColumn('id', 'text', (c) => c.primaryKey())
        .addColumn('case_id', 'text', (c) => c.notNull())
        .addColumn('state', 'text', (c) => c.notNull())
        .addColumn('request', 'text', (c) => c.notNull())
        .addColumn('because', 'text', (c) => c.notNull())
        .addColumn('policy_version', 'text', (c) => c.notNull())
        .addColumn('reason', 'text', (c) => c.notNull())
        .addColumn('requested_by', 'text', (c) => c.notNull())
        .addColumn('requested_at', 'text', (c) => c.notNull())
        .addColumn('decided_by', 'text')
        .addColumn('decided_at', 'text')
        .addColumn('note', 'text')
        .execute();
      await db.schema.createIndex('case_approval_case').on('case_approval').column('case_id').execute();
      await sql`create unique index case_approval_pending on case_approval (case_id) where state in ('pending', 'approved')`.execute(
        db,
      );
    },
  };
}
