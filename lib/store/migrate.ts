import { setImmediate as nextTurn } from 'node:timers/promises';
import {
  type ColumnDefinitionBuilder,
  type CreateTableBuilder,
  type Kysely,
  type Migration,
  Migrator,
  type RawBuilder,
} from 'kysely';
import { type Instant, Q2cError } from '../model';
import { noteKeyInUse, protect, requireKeys } from './encryption';
import type { Keyring } from './keyring';
import { initial } from './migrations/0001-initial';
import { severalHosts } from './migrations/0002-several-hosts';
import { events } from './migrations/0003-events';
import { repair } from './migrations/0004-repair';
import { waiting } from './migrations/0005-waiting';
import { order } from './migrations/0006-order';
import { keeping } from './migrations/0007-keeping';
import { writeLocality } from './migrations/0008-write-locality';
import { deploys } from './migrations/0009-deploys';
import { token } from './migrations/0010-token';
import { bulkRetry } from './migrations/0011-bulk-retry';
import { governance } from './migrations/0020-governance';
import { observe } from './migrations/0021-observe';
import { mapping } from './migrations/0022-mapping';
import { api } from './migrations/0023-api';
import { corrections } from './migrations/0024-corrections';
import { console } from './migrations/0025-console';
import { lists } from './migrations/0026-lists';
import type { Schema } from './schema';

/** What differs between dialects when tables are made. */
export interface MigrationContext {
  /** Where the tables lie, if the dialect knows schemas and others may have tables of the same names. */
  schema?: string;
  /** The store's clock. */
  now(db: Kysely<Schema>): Promise<Instant>;
  /** Makes a column the ascending primary key. */
  autoIncrement(column: ColumnDefinitionBuilder): ColumnDefinitionBuilder;
  /** Type of a text column that is compared byte by byte, so that an index finds what begins with something. */
  byteOrdered: RawBuilder<unknown>;
  /** Stores a table by its primary key, where the dialect can: one page less to write per row. */
  clustered<T extends string, C extends string>(table: CreateTableBuilder<T, C>): CreateTableBuilder<T, C>;
}

/** All migrations in order, by name. Released ones are never edited or renamed, and leave what `SEALED` calls `row` alone. */
const MIGRATIONS: Record<string, (context: MigrationContext) => Migration> = {
  '0001-initial': initial,
  '0002-several-hosts': severalHosts,
  '0003-events': events,
  '0004-repair': repair,
  '0005-waiting': waiting,
  '0006-order': order,
  '0007-keeping': keeping,
  '0008-write-locality': writeLocality,
  '0009-deploys': deploys,
  '0010-token': token,
  '0011-bulk-retry': bulkRetry,
  '0020-governance': governance,
  '0021-observe': observe,
  '0022-mapping': mapping,
  '0023-api': api,
  '0024-corrections': corrections,
  '0025-console': console,
  '0026-lists': lists,
};

/**
 * Brings the tables to this version of the pack, in one transaction per migration, and its payloads under the key.
 * @param keys null = payloads are kept readable
 * @throws Q2cError `STORE_KEY_WRONG` when the store needs other keys; nothing is written then.
 * @throws Q2cError `STORE_NEWER` when the store was written by a newer version of the pack.
 * @throws Q2cError `STORE_MIGRATION_FAILED` when a migration fails; the store is then as before.
 */
export async function migrate(
  db: Kysely<Schema>,
  context: MigrationContext,
  keys: Keyring | null,
): Promise<void> {
  const migrations = Object.fromEntries(
    Object.entries(MIGRATIONS).map(([name, make]) => [name, inTurn(make(context))]),
  );
  const migrator = new Migrator({
    db,
    provider: { getMigrations: async () => migrations },
    migrationTableName: 'migration',
    migrationLockTableName: 'migration_lock',
    ...(context.schema === undefined ? {} : { migrationTableSchema: context.schema }),
  });

  await refuseNewer(db);
  await requireKeys(db, keys);
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
  if (keys === null) return;
  await noteKeyInUse(db, keys, await context.now(db));
  protect(db, keys);
}

/** The loop turns before each: an embedded store answers at once, so that all in a row would hold its host up. */
const inTurn = (migration: Migration): Migration => ({
  ...migration,
  async up(db) {
    await nextTurn();
    await migration.up(db);
  },
});

/** Names of the migrations that a store has been through, in order; none = it is new, or no store. */
export async function migrationsOf(db: Kysely<Schema>): Promise<string[]> {
  const tables = await db.introspection.getTables({ withInternalKyselyTables: true });
  if (!tables.some((table) => table.name === 'migration')) return [];
  const rows = await (db as unknown as Kysely<{ migration: { name: string } }>)
    .selectFrom('migration')
    .select('name')
    .orderBy('name')
    .execute();
  return rows.map(({ name }) => name);
}

/**
 * Refuses a store that names a migration this version does not know: writing to it could lose data.
 * @throws Q2cError `STORE_NEWER`
 */
export async function refuseNewer(db: Kysely<Schema>): Promise<void> {
  const unknown = (await migrationsOf(db)).filter((name) => !(name in MIGRATIONS));
  if (unknown.length > 0) {
    throw new Q2cError(
      'STORE_NEWER',
      `The store was written by a newer version of the pack (${unknown.join(', ')}). Install that version again or restore a backup.`,
    );
  }
}

/**
 * Refuses what is no store of this pack, or one that only a newer version knows.
 * @param place where it is, for people
 * @throws Q2cError `STORE_UNAVAILABLE`, `STORE_NEWER`
 */
export async function requireStore(db: Kysely<Schema>, place: string): Promise<void> {
  if ((await migrationsOf(db)).length === 0)
    throw noStore(place, 'what is there is not a store of this pack');
  await refuseNewer(db);
}

export function noStore(place: string, reason: string, cause?: unknown): Q2cError {
  return new Q2cError('STORE_UNAVAILABLE', `There is no store at ${place}: ${reason}. Check where it is.`, {
    cause,
  });
}
