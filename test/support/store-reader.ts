import { existsSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import pg from 'pg';
import { auditBreak } from '../../lib/api/reports';
import { openPostgresStore, openSqliteStore, settingsOfUrl } from '../../lib/store';

/** Looks into a store from outside of the hosts that work on it, also while none does. */
export interface StoreReader {
  /** False until the first host has made its tables. */
  isReady(): Promise<boolean>;
  rows(sql: string): Promise<Record<string, unknown>[]>;
  /** Number of the first audit line that does not fit the chain, or null. No host may have the store open. */
  auditBreak(): Promise<number | null>;
  close(): Promise<void>;
}

export function sqliteReader(path: string): StoreReader {
  const read = (sql: string) => {
    const db = new DatabaseSync(path, { readOnly: true, timeout: 5_000 });
    try {
      return db.prepare(sql).all();
    } finally {
      db.close();
    }
  };
  return {
    rows: async (sql) => read(sql),
    isReady: async () =>
      existsSync(path) && read("select name from sqlite_master where name = 'run'").length > 0,
    async auditBreak() {
      const store = await openSqliteStore(path);
      try {
        return await auditBreak(store);
      } finally {
        await store.close();
      }
    },
    close: async () => undefined,
  };
}

/** @param schema of the store, in the database of the connection string */
export function postgresReader(url: string, schema: string): StoreReader {
  const pool = new pg.Pool({
    connectionString: url.replace(/\?.*/, ''),
    options: `-c search_path=${schema}`,
    max: 2,
  });
  // An idle connection that the server has ended is told so; whatever is asked next makes another one, or fails itself.
  pool.on('error', () => undefined);
  const read = async (sql: string): Promise<Record<string, unknown>[]> => (await pool.query(sql)).rows;
  return {
    rows: read,
    isReady: async () => {
      const [row] = await read(`select to_regclass('${schema}.run') as name`);
      return row?.name !== null;
    },
    async auditBreak() {
      const store = await openPostgresStore({ ...settingsOfUrl(url), schema });
      try {
        return await auditBreak(store);
      } finally {
        await store.close();
      }
    },
    close: () => pool.end(),
  };
}
