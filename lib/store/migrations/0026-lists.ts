import { type Kysely, type Migration, sql } from 'kysely';

/**
 * Lists of runs in each state that few runs are in, by arrival, and of the cases of a deal: without them a look reads the
 * whole table, which takes a second with a million runs.
 */
export function lists(): Migration {
  return {
    async up(db: Kysely<unknown>): Promise<void> {
      await sql`create index run_queued on run (seq) where state = 'queued'`.execute(db);
      await sql`create index run_running on run (seq) where state = 'running'`.execute(db);
      await sql`create index run_waits on run (seq) where state = 'waiting'`.execute(db);
      await sql`create index run_parks on run (seq) where state = 'parked'`.execute(db);
      await db.schema
        .createIndex('case_deal')
        .on('exception_case')
        .columns(['correlation_id', 'opened_at'])
        .execute();
    },
  };
}
