import { existsSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { auditBreak } from '../../lib/api/reports';
import { openSqliteStore } from '../../lib/store';

/** Looks into a store from outside of the hosts that work on it, also while none does. */
export interface StoreReader {
  /** False until the first host has made its tables. */
  isReady(): Promise<boolean>;
  rows(sql: string): Promise<Record<string, unknown>[]>;
  /** Number of the first audit line that does not fit the chain, or null. No host may have the store open. */
  auditBreak(): Promise<number | null>;
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
  };
}
