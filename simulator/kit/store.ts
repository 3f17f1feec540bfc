import { DatabaseSync, type StatementSync } from 'node:sqlite';
import type { RecordStore, SimRecord } from './types';

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS record (
    type TEXT NOT NULL, id TEXT NOT NULL, data TEXT NOT NULL,
    created INTEGER NOT NULL, modified INTEGER NOT NULL, deleted INTEGER NOT NULL,
    PRIMARY KEY (type, id)
  ) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS value (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
`;

/** Values under such keys say who the simulated account is; they survive a reset. */
const IDENTITY = 'identity.';

/** Records of one type with the look-ups declared for it. */
interface TypeTable {
  records: Map<string, SimRecord>;
  /** field → value → ids */
  indexes: Map<string, Map<string, Set<string>>>;
}

/**
 * Records of one simulated system.
 *
 * The working copy is in memory; SQLite holds what was committed. `commit` writes everything a request
 * changed in one transaction before the answer leaves, `rollback` forgets it, so a `kill -9` at any moment
 * leaves exactly the answered requests. (WAL with synchronous=NORMAL survives the death of the process; only
 * a power cut could lose the last commits, which a simulator does not promise against.)
 *
 * Data is copied and frozen on the way in: a handler that changed a record in place would answer from memory
 * what the file does not hold.
 */
export class SqliteRecordStore implements RecordStore {
  readonly #database: DatabaseSync;
  readonly #clock: () => number;
  readonly #types = new Map<string, TypeTable>();
  readonly #indexed = new Map<string, string[]>();
  readonly #values = new Map<string, string>();
  readonly #dirtyRecords = new Set<SimRecord>();
  readonly #dirtyValues = new Set<string>();
  readonly #begin: StatementSync;
  readonly #end: StatementSync;
  readonly #putRecord: StatementSync;
  readonly #putValue: StatementSync;
  readonly #deleteValue: StatementSync;
  #undo: (() => void)[] = [];
  #stamp = 0;

  /** @param file path of the database, or `:memory:`. @param indexes `type.field` pairs for `findBy`. */
  constructor(file: string, indexes: readonly string[], clock: () => number) {
    this.#clock = clock;
    for (const pair of indexes) {
      const dot = pair.indexOf('.');
      if (dot < 1) throw new Error(`Index "${pair}" is not of the form type.field`);
      const type = pair.slice(0, dot);
      this.#indexed.set(type, [...(this.#indexed.get(type) ?? []), pair.slice(dot + 1)]);
    }
    this.#database = new DatabaseSync(file);
    this.#database.exec(`PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; ${SCHEMA}`);
    this.#begin = this.#database.prepare('BEGIN');
    this.#end = this.#database.prepare('COMMIT');
    this.#putRecord = this.#database.prepare(
      'INSERT OR REPLACE INTO record (type, id, data, created, modified, deleted) VALUES (?, ?, ?, ?, ?, ?)',
    );
    this.#putValue = this.#database.prepare('INSERT OR REPLACE INTO value (key, value) VALUES (?, ?)');
    this.#deleteValue = this.#database.prepare('DELETE FROM value WHERE key = ?');
    this.#load();
  }

  insert(type: string, id: string, data: Record<string, unknown>): SimRecord {
    if (this.#table(type).records.has(id)) throw new Error(`${type} ${id} exists already`);
    const stamp = this.#nextStamp();
    return this.#write({ id, type, data: frozenCopy(data), created: stamp, modified: stamp, deleted: false });
  }

  update(type: string, id: string, data: Record<string, unknown>): SimRecord {
    return this.#write({ ...this.#existing(type, id), data: frozenCopy(data), modified: this.#nextStamp() });
  }

  remove(type: string, id: string): void {
    this.#write({ ...this.#existing(type, id), deleted: true, modified: this.#nextStamp() });
  }

  get(type: string, id: string): SimRecord | undefined {
    const record = this.#table(type).records.get(id);
    return record?.deleted ? undefined : record;
  }

  /** In order of creation. */
  list(type: string, options: { deleted?: boolean } = {}): SimRecord[] {
    const all = [...this.#table(type).records.values()];
    return options.deleted ? all : all.filter((record) => !record.deleted);
  }

  /** In order of creation. Compares the text form; null and missing fields match nothing. */
  findBy(type: string, field: string, value: string): SimRecord[] {
    const table = this.#table(type);
    const index = table.indexes.get(field);
    if (!index) return this.list(type).filter((record) => indexText(record.data[field]) === value);
    const found: SimRecord[] = [];
    for (const id of index.get(value) ?? []) {
      const record = table.records.get(id);
      if (record) found.push(record);
    }
    return found.sort((a, b) => a.created - b.created);
  }

  count(type: string): number {
    let count = 0;
    for (const record of this.#table(type).records.values()) if (!record.deleted) count++;
    return count;
  }

  next(sequence: string): number {
    const key = `sequence.${sequence}`;
    const value = Number(this.#values.get(key) ?? '0') + 1;
    this.setValue(key, String(value));
    return value;
  }

  getValue(key: string): string | null {
    return this.#values.get(key) ?? null;
  }

  setValue(key: string, value: string | null): void {
    const before = this.#values.get(key);
    this.#undo.push(() => (before === undefined ? this.#values.delete(key) : this.#values.set(key, before)));
    if (value === null) this.#values.delete(key);
    else this.#values.set(key, value);
    this.#dirtyValues.add(key);
  }

  savepoint<T>(work: () => T): T {
    const mark = this.#undo.length;
    try {
      return work();
    } catch (error) {
      this.#undoTo(mark);
      throw error;
    }
  }

  /** Types that have records, deleted ones included. */
  types(): string[] {
    return [...this.#types.keys()].filter((type) => this.#table(type).records.size > 0);
  }

  /** Makes what was written since the last commit permanent, in one transaction. */
  commit(): void {
    if (this.#dirtyRecords.size === 0 && this.#dirtyValues.size === 0) return;
    this.#begin.run();
    try {
      for (const { type, id, data, created, modified, deleted } of this.#dirtyRecords) {
        this.#putRecord.run(type, id, JSON.stringify(data), created, modified, deleted ? 1 : 0);
      }
      for (const key of this.#dirtyValues) {
        const value = this.#values.get(key);
        if (value === undefined) this.#deleteValue.run(key);
        else this.#putValue.run(key, value);
      }
      this.#end.run();
    } catch (error) {
      this.#database.exec('ROLLBACK');
      this.rollback();
      throw error;
    }
    this.#forgetChanges();
  }

  /** Forgets what was written since the last commit. */
  rollback(): void {
    this.#undoTo(0);
    this.#forgetChanges();
  }

  /** Empties the store for good, except for values that begin with `identity.`; `modified` goes on from where it was. */
  clear(): void {
    this.#database.exec(
      `BEGIN; DELETE FROM record; DELETE FROM value WHERE key NOT LIKE '${IDENTITY}%'; COMMIT`,
    );
    this.#types.clear();
    for (const key of this.#values.keys()) if (!key.startsWith(IDENTITY)) this.#values.delete(key);
    this.#forgetChanges();
  }

  close(): void {
    this.#database.close();
  }

  #load(): void {
    for (const row of this.#database.prepare('SELECT key, value FROM value').all()) {
      this.#values.set(String(row.key), String(row.value));
    }
    for (const row of this.#database.prepare('SELECT * FROM record ORDER BY created').all()) {
      const record: SimRecord = {
        id: String(row.id),
        type: String(row.type),
        data: frozenCopy(JSON.parse(String(row.data))),
        created: Number(row.created),
        modified: Number(row.modified),
        deleted: row.deleted === 1,
      };
      this.#place(record, undefined);
      this.#stamp = Math.max(this.#stamp, record.modified);
    }
  }

  #table(type: string): TypeTable {
    let table = this.#types.get(type);
    if (!table) {
      const fields = this.#indexed.get(type) ?? [];
      table = { records: new Map(), indexes: new Map(fields.map((field) => [field, new Map()])) };
      this.#types.set(type, table);
    }
    return table;
  }

  #existing(type: string, id: string): SimRecord {
    const record = this.get(type, id);
    if (!record) throw new Error(`${type} ${id} does not exist`);
    return record;
  }

  #write(record: SimRecord): SimRecord {
    const { records } = this.#table(record.type);
    const before = records.get(record.id);
    this.#place(record, before);
    if (before) this.#dirtyRecords.delete(before);
    this.#dirtyRecords.add(record);
    this.#undo.push(() => {
      this.#dirtyRecords.delete(record);
      if (before) {
        this.#place(before, record);
        this.#dirtyRecords.add(before);
      } else {
        this.#unindex(record);
        records.delete(record.id);
      }
    });
    return record;
  }

  #place(record: SimRecord, before: SimRecord | undefined): void {
    const table = this.#table(record.type);
    if (before) this.#unindex(before);
    table.records.set(record.id, record);
    if (record.deleted) return;
    for (const [field, index] of table.indexes) {
      const value = indexText(record.data[field]);
      if (value === null) continue;
      const ids = index.get(value);
      if (ids) ids.add(record.id);
      else index.set(value, new Set([record.id]));
    }
  }

  #unindex(record: SimRecord): void {
    for (const [field, index] of this.#table(record.type).indexes) {
      const value = indexText(record.data[field]);
      if (value !== null) index.get(value)?.delete(record.id);
    }
  }

  #undoTo(mark: number): void {
    while (this.#undo.length > mark) this.#undo.pop()?.();
  }

  #forgetChanges(): void {
    this.#undo = [];
    this.#dirtyRecords.clear();
    this.#dirtyValues.clear();
  }

  #nextStamp(): number {
    this.#stamp = Math.max(this.#clock(), this.#stamp + 1);
    return this.#stamp;
  }
}

function indexText(value: unknown): string | null {
  return value === null || value === undefined ? null : String(value);
}

/** A deeply frozen copy of JSON data, as it would come back from the file: fields set to undefined are absent. */
function frozenCopy(data: Record<string, unknown>): Record<string, unknown> {
  const copy: Record<string, unknown> = {};
  for (const [field, value] of Object.entries(data)) {
    if (value !== undefined) copy[field] = frozenValue(value, field);
  }
  return Object.freeze(copy);
}

function frozenValue(value: unknown, path: string): unknown {
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return value;
  if (typeof value === 'number' && Number.isFinite(value)) return value;
  if (Array.isArray(value)) return Object.freeze(value.map((item, i) => frozenValue(item, `${path}[${i}]`)));
  if (typeof value === 'object' && Object.getPrototypeOf(value) === Object.prototype) {
    return frozenCopy(Object.fromEntries(Object.entries(value)));
  }
  throw new TypeError(`Field ${path} holds ${String(value)}, which JSON cannot`);
}
