import { DatabaseSync, type StatementSync } from 'node:sqlite';
import type { SimRecord } from './types';

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS record (
    type TEXT NOT NULL, id TEXT NOT NULL, data TEXT NOT NULL,
    created INTEGER NOT NULL, modified INTEGER NOT NULL, deleted INTEGER NOT NULL,
    PRIMARY KEY (type, id)
  ) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS value (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
`;

/**
 * What one simulated system has committed, in SQLite. A `kill -9` at any moment leaves whole transactions. (WAL with
 * synchronous=NORMAL survives the death of the process; only a power cut could lose the last commits, which a simulator
 * does not promise against.)
 */
export class StateFile {
  readonly #database: DatabaseSync;
  readonly #begin: StatementSync;
  readonly #end: StatementSync;
  readonly #putRecord: StatementSync;
  readonly #putValue: StatementSync;
  readonly #deleteValue: StatementSync;

  /** @param path made when missing */
  constructor(path: string) {
    this.#database = new DatabaseSync(path);
    this.#database.exec(`PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; ${SCHEMA}`);
    this.#begin = this.#database.prepare('BEGIN');
    this.#end = this.#database.prepare('COMMIT');
    this.#putRecord = this.#database.prepare(
      'INSERT OR REPLACE INTO record (type, id, data, created, modified, deleted) VALUES (?, ?, ?, ?, ?, ?)',
    );
    this.#putValue = this.#database.prepare('INSERT OR REPLACE INTO value (key, value) VALUES (?, ?)');
    this.#deleteValue = this.#database.prepare('DELETE FROM value WHERE key = ?');
  }

  values(): [key: string, value: string][] {
    const rows = this.#database.prepare('SELECT key, value FROM value').all();
    return rows.map(({ key, value }) => [String(key), String(value)]);
  }

  /** In order of creation. */
  records(): SimRecord[] {
    const rows = this.#database.prepare('SELECT * FROM record ORDER BY created').all();
    return rows.map((row) => ({
      id: String(row.id),
      type: String(row.type),
      data: JSON.parse(String(row.data)),
      created: Number(row.created),
      modified: Number(row.modified),
      deleted: row.deleted === 1,
    }));
  }

  /** Writes everything in one transaction; a value of null goes. @throws the error of SQLite, with nothing written */
  write(records: Iterable<SimRecord>, values: Iterable<readonly [key: string, value: string | null]>): void {
    this.#begin.run();
    try {
      for (const { type, id, data, created, modified, deleted } of records) {
        this.#putRecord.run(type, id, JSON.stringify(data), created, modified, deleted ? 1 : 0);
      }
      for (const [key, value] of values) {
        if (value === null) this.#deleteValue.run(key);
        else this.#putValue.run(key, value);
      }
      this.#end.run();
    } catch (error) {
      this.#database.exec('ROLLBACK');
      throw error;
    }
  }

  /** Empties the file for good, except for values whose key begins with `kept`. */
  clear(kept: string): void {
    this.#database.exec(`BEGIN; DELETE FROM record; DELETE FROM value WHERE key NOT LIKE '${kept}%'; COMMIT`);
  }

  close(): void {
    this.#database.close();
  }
}
