import { Kysely, PostgresAdapter, sql } from 'kysely';
import type { Pool } from 'pg';
import { type Instant, Q2cError } from '../../model';
import { protect } from '../encryption';
import { GroupCommitter } from '../group-commit';
import type { Keyring } from '../keyring';
import { migrate, requireStore } from '../migrate';
import type { Schema } from '../schema';
import type { Store } from '../store';
import { DatabaseClock } from './clock';
import { openPool, Patience, reading } from './connections';
import { isConflict, openFailure } from './failures';
import { OwnSchemaDialect } from './own-tables';
import { type PostgresSettings, placeOf, poolConfig, postgresDefaults } from './settings';
import { Writer } from './writer';

/** PostgreSQL 13 is the first that tells the fate of a transaction by the number we use. */
const OLDEST_SERVER = 13;

/** Transactions of one host at once: while one waits for the server or its disk, the other goes on. More make smaller groups. */
const LANES = 2;

const RECONNECT_MS = 60_000;

export interface PostgresOptions {
  /** How long reads and writes wait for a lost connection to come back, in milliseconds. */
  reconnectMs?: number;
  /** Encrypt payloads; null = they are kept readable. */
  keys?: Keyring | null;
}

/**
 * Opens a store that several hosts share, and brings its tables to this version.
 *
 * @throws Q2cError `STORE_UNREACHABLE`, `STORE_LOGIN_REFUSED`, `STORE_TLS_FAILED`, `STORE_DATABASE_MISSING`,
 *   `STORE_RIGHTS_MISSING`, `STORE_NEWER`, `STORE_KEY_WRONG`, `STORE_MIGRATION_FAILED`, `STORE_SETTINGS_INVALID` or else
 *   `STORE_UNAVAILABLE`, each saying what to do.
 */
export async function openPostgresStore(
  given: Partial<PostgresSettings>,
  { reconnectMs = RECONNECT_MS, keys = null }: PostgresOptions = {},
): Promise<Store> {
  const settings = checked({ ...postgresDefaults, ...given });
  await prepareTables(settings, keys);
  return connect(settings, reconnectMs, keys);
}

/**
 * Opens a store for a command, beside the hosts that work on it and without upgrading it.
 * @throws Q2cError `STORE_UNAVAILABLE` when there is none, else as `openPostgresStore`
 */
export async function attachPostgresStore(given: Partial<PostgresSettings>): Promise<Store> {
  const settings = checked({ ...postgresDefaults, ...given, poolSize: 2 });
  await signedIn(settings, (db) =>
    requireStore(db, `${placeOf(settings).address}, schema ${settings.schema}`),
  );
  return connect(settings, RECONNECT_MS, null);
}

async function connect(
  settings: PostgresSettings,
  reconnectMs: number,
  keys: Keyring | null,
): Promise<Store> {
  const place = placeOf(settings);
  const patience = () => new Patience(place, reconnectMs);
  const clock = new DatabaseClock();
  const adapter = new PostgresAdapter();
  const pool = await openPool(poolConfig(settings));
  const committer = new GroupCommitter(new Writer(pool, adapter, clock, patience), { lanes: LANES });
  // The clock is read with every write; from here on there is a time to tell.
  await committer.write(async () => undefined, 'committed');
  const db = reading(pool, adapter, patience);
  if (keys !== null) protect(db, keys);
  return {
    kind: 'postgres',
    exclusive: false,
    db,
    now: () => clock.now(),
    write: (job, durability = 'flushed', options) => committer.write(job, durability, options),
    perform: (procedure, args, durability = 'flushed') => committer.perform(procedure, args, durability),
    async close() {
      await committer.drain();
      await pool.end();
    },
  };
}

/**
 * Signs in and looks around, changing nothing.
 * @returns what the server is, for people
 * @throws as `openPostgresStore`
 */
export async function describePostgres(given: Partial<PostgresSettings>): Promise<string> {
  const settings = checked({ ...postgresDefaults, ...given });
  return signedIn(settings, async (db) => {
    const { rows } = await sql<{
      version: string;
    }>`select current_setting('server_version') as version`.execute(db);
    return `PostgreSQL ${rows[0]?.version}`;
  });
}

async function prepareTables(settings: PostgresSettings, keys: Keyring | null): Promise<void> {
  await signedIn(settings, async (db) => {
    await makeSchema(db, settings.schema);
    await migrate(
      db,
      {
        schema: settings.schema,
        now: databaseTime,
        autoIncrement: (column) => column.primaryKey().generatedAlwaysAsIdentity(),
        byteOrdered: sql`text collate "C"`,
        clustered: (table) => table,
      },
      keys,
    );
  });
}

async function signedIn<T>(settings: PostgresSettings, work: (db: Kysely<Schema>) => Promise<T>): Promise<T> {
  const pool = await openPool({ ...poolConfig(settings, true), max: 1 });
  try {
    await requireVersion(pool);
    return await work(new Kysely<Schema>({ dialect: new OwnSchemaDialect({ pool }, settings.schema) }));
  } catch (error) {
    throw openFailure(error, placeOf(settings));
  } finally {
    await pool.end();
  }
}

async function requireVersion(pool: Pool): Promise<void> {
  const { rows } = await pool.query<{ version: number; name: string }>(
    "select current_setting('server_version_num')::int as version, current_setting('server_version') as name",
  );
  if ((rows[0]?.version ?? 0) >= OLDEST_SERVER * 10_000) return;
  throw new Q2cError(
    'STORE_UNAVAILABLE',
    `The server is PostgreSQL ${rows[0]?.name}; the store needs version ${OLDEST_SERVER} or later.`,
  );
}

/** Hosts with clocks of their own must agree on which of them began last. */
async function databaseTime(db: Kysely<Schema>): Promise<Instant> {
  const { rows } = await sql<{ now: number }>`
    select extract(epoch from clock_timestamp())::float8 * 1000 as now`.execute(db);
  return new Date(rows[0]?.now ?? Number.NaN).toISOString();
}

/** Asked first: making a schema that is there already needs the right to make one. */
async function makeSchema(db: Kysely<Schema>, schema: string): Promise<void> {
  const { rows } = await sql`select 1 from pg_namespace where nspname = ${schema}`.execute(db);
  if (rows.length > 0) return;
  try {
    await db.schema.createSchema(schema).ifNotExists().execute();
  } catch (error) {
    // Another host that starts at the same time was faster.
    if (!isConflict(error)) throw error;
  }
}

function checked(settings: PostgresSettings): PostgresSettings {
  if (/^[a-z_][a-z0-9_]{0,62}$/.test(settings.schema)) return settings;
  throw new Q2cError(
    'STORE_SETTINGS_INVALID',
    `"${settings.schema}" cannot be the name of the store's schema. Use small letters, digits and _.`,
  );
}
