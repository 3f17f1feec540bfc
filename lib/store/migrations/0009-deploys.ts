import type { Kysely, Migration } from 'kysely';

/** Where the messages of a run were when a deploy broke it off. */
export function deploys(): Migration {
  return {
    async up(db: Kysely<unknown>): Promise<void> {
      await db.schema.alterTable('run').addColumn('at_nodes', 'text').execute();
    },
  };
}
