import { type Kysely, type Migration, sql } from 'kysely';

/**
 * Keys of steps that are written at the same time lie side by side: hashes would touch a page each all over their
 * indexes, and a commit costs what its pages cost. A step's key begins with its run, and the search for an earlier step
 * with the record, whose ids grow with time.
 */
export function writeLocality(): Migration {
  return {
    async up(db: Kysely<unknown>): Promise<void> {
      await sql`update step set key = run_id || ':' || key`.execute(db);
      await db.schema.dropIndex('step_idempotency').execute();
      await db.schema
        .createIndex('step_record')
        .on('step')
        .columns(['canonical_id', 'idempotency_key'])
        .execute();
      await sql`update exception_case set step_key = run_id || ':' || step_key where step_key is not null`.execute(
        db,
      );
    },
  };
}
