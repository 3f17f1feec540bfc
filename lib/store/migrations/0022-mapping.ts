import type { Kysely, Migration } from 'kysely';

/** Which version of which mapping a step was made with. */
export function mapping(): Migration {
  return {
    async up(db: Kysely<unknown>): Promise<void> {
      await db.schema.alterTable('step').addColumn('mapping_version', 'text').execute();
    },
  };
}
