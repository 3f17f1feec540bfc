import { createHash, randomBytes } from 'node:crypto';
import pg from 'pg';
import {
  type Keyring,
  openPostgresStore,
  openSqliteStore,
  type PostgresOptions,
  type Store,
  settingsOfUrl,
} from '../../lib/store';

/** Stores for tests that run on both dialects. */

declare global {
  /** Set by the Jest project that runs the engine's tests on PostgreSQL. */
  var Q2C_TEST_STORE: Store['kind'] | undefined;
}

export const STORE_KINDS: Store['kind'][] = ['sqlite', 'postgres'];

const schemas = new Set<string>();

/**
 * Opens a store of its own, or again the one that was opened with the same path.
 * @param path file of the embedded store; on PostgreSQL it only tells stores apart
 */
export function openTestStore(
  path?: string,
  kind: Store['kind'] = testedKind(),
  keys: Keyring | null = null,
): Promise<Store> {
  return kind === 'sqlite' ? openSqliteStore(path ?? ':memory:', keys) : openTestPostgres(path, { keys });
}

/** The dialect that tests run on which do not name one. */
export function testedKind(): Store['kind'] {
  return globalThis.Q2C_TEST_STORE ?? 'sqlite';
}

/** A schema of its own in the database of the tests, dropped when the test file is through. */
export function openTestPostgres(name?: string, options?: PostgresOptions): Promise<Store> {
  return openPostgresStore({ ...settingsOfUrl(testDatabaseUrl()), schema: testSchema(name) }, options);
}

/** @param name the same name gives the same schema */
export function testSchema(name: string = randomBytes(8).toString('hex')): string {
  const schema = `t_${createHash('sha256').update(name).digest('hex').slice(0, 16)}`;
  schemas.add(schema);
  return schema;
}

export function testDatabaseUrl(): string {
  const url = process.env.Q2C_TEST_DATABASE_URL;
  if (url === undefined)
    throw new Error('This Jest project has not started PostgreSQL (test/support/postgres-once.ts)');
  return url;
}

/** Asks the database of the tests as its administrator. */
export async function askDatabase(...statements: string[]): Promise<pg.QueryResult[]> {
  const client = new pg.Client({ connectionString: testDatabaseUrl().replace(/\?.*/, '') });
  await client.connect();
  try {
    const results: pg.QueryResult[] = [];
    for (const statement of statements) results.push(await client.query(statement));
    return results;
  } finally {
    await client.end();
  }
}

afterAll(async () => {
  if (schemas.size > 0)
    await askDatabase(...[...schemas].map((schema) => `drop schema if exists ${schema} cascade`));
});
