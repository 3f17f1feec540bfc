import {
  type ColumnDefinitionBuilder,
  type CreateTableBuilder,
  type Kysely,
  type Migration,
  Migrator,
} from 'kysely';
import { Q2cError } from '../model';
import { initial } from './migrations/0001-initial';
import { events } from './migrations/0003-events';
import { writeLocality } from './migrations/0008-write-locality';
import { deploys } from './migrations/0009-deploys';
import type { Schema } from './schema';

/** What differs between dialects when tables are made. */
export interface MigrationContext {
  /** Makes a column the ascending primary key. */
  autoIncrement(column: ColumnDefinitionBuilder): ColumnDefinitionBuilder;
  /** Stores a table by its primary key, where the dialect can: one page less to write per row. */
  clustered<T extends string, C extends string>(table: CreateTableBuilder<T, C>): CreateTableBuilder<T, C>;
}

/** All migrations in order, by name. Released ones are never edited or renamed. */
const MIGRATIONS: Record<string, (context: MigrationContext) => Migration> = {
  '0001-initial': initial,
  '0003-events': events,
  '0008-write-locality': writeLocality,
  '0009-deploys': deploys,
};

/**
 * Brings the tables to this version of the pack, in one transaction per migration.
 * @throws Q2cError `STORE_NEWER` when the store was written by a newer version of the pack.
 * @throws Q2cError `STORE_MIGRATION_FAILED` when a migration fails; the store is then as before.
 */
export async function migrate(db: Kysely<Schema>, context: MigrationContext): Promise<void> {
  const migrations = Object.fromEntries(
    Object.entries(MIGRATIONS).map(([name, make]) => [name, make(context)]),
  );
  const migrator = new Migrator({
    db,
    provider: { getMigrations: async () => migrations },
    migrationTableName: 'migration',
    migrationLockTableName: 'migration_lock',
  });

  await refuseNewer(db, Object.keys(migrations));
  const { error, results } = await migrator.migrateToLatest();
  if (error !== undefined) {
    const failed =
      results?.find((result) => result.status === 'Error')?.migrationName ?? 'the first migration';
    throw new Q2cError(
      'STORE_MIGRATION_FAILED',
      `The store could not be upgraded: ${failed} failed. Nothing was changed.`,
      {
        cause: error,
      },
    );
  }
}

/** Refuses a store that names a migration this version does not know: writing to it could lose data. */
async function refuseNewer(db: Kysely<Schema>, known: string[]): Promise<void> {
  const tables = await db.introspection.getTables({ withInternalKyselyTables: true });
  if (!tables.some((table) => table.name === 'migration')) return;
  const rows = await (db as unknown as Kysely<{ migration: { name: string } }>)
    .selectFrom('migration')
    .select('name')
    .execute();
  const unknown = rows.map((row) => row.name).filter((name) => !known.includes(name));
  if (unknown.length > 0) {
    throw new Q2cError(
      'STORE_NEWER',
      `The store was written by a newer version of the pack (${unknown.join(', ')}). Install that version again or restore a backup.`,
    );
  }
}
