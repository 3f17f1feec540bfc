import { DatabaseSync } from 'node:sqlite';
import { auditBreak } from '../../lib/api/reports';
import { openSqliteStore } from '../../lib/store';

/** Looks into a store from outside of the hosts that work on it, also while none does. */
export interface StoreReader {
  rows(sql: string): Promise<Record<string, unknown>[]>;
  /** Number of the first audit line that does not fit the chain, or null. No host may have the store open. */
  auditBreak(): Promise<number | null>;
}

export function sqliteReader(path: string): StoreReader {
  return {
    async rows(sql) {
      const db = new DatabaseSync(path, { readOnly: true });
      try {
        return db.prepare(sql).all();
      } finally {
        db.close();
      }
    },
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
