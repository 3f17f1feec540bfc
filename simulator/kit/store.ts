import { frozenCopy } from './frozen';
import { StateFile } from './state-file';
import type { RecordStore, SimRecord } from './types';

/** Values under such keys say who the simulated account is; they survive a reset. */
const IDENTITY = 'identity.';

/** Records of one type with the look-ups declared for it. */
interface TypeTable {
  records: Map<string, SimRecord>;
  /** field → value in any case → ids; lists, because most values are those of one record. */
  indexes: Map<string, Map<string, string[]>>;
}

/** A write since the last commit, with what was there before it. */
type Change =
  | { record: SimRecord; before: SimRecord | undefined }
  | { key: string; before: string | undefined };

/**
 * Records of one simulated system.
 *
 * The working copy is in memory; a file, when there is one, holds what was committed. `commit` writes everything a
 * request changed in one transaction before the answer leaves, `rollback` forgets it, so a `kill -9` at any moment
 * leaves exactly the answered requests.
 *
 * Data is copied and frozen on the way in: a handler that changed a record in place would answer from memory
 * what the file does not hold.
 */
export class TransactionalStore implements RecordStore {
  readonly #file: StateFile | null;
  readonly #clock: () => number;
  readonly #types = new Map<string, TypeTable>();
  readonly #indexed = new Map<string, string[]>();
  readonly #values = new Map<string, string>();
  /** Oldest first. */
  readonly #changes: Change[] = [];
  #stamp = 0;

  /**
   * @param file path of the state; null = it ends with the process
   * @param indexes `type.field` pairs for `findBy`
   */
  constructor(file: string | null, indexes: readonly string[], clock: () => number) {
    this.#clock = clock;
    for (const pair of indexes) {
      const dot = pair.indexOf('.');
      if (dot < 1) throw new Error(`Index "${pair}" is not of the form type.field`);
      const type = pair.slice(0, dot);
      this.#indexed.set(type, [...(this.#indexed.get(type) ?? []), pair.slice(dot + 1)]);
    }
    this.#file = file === null ? null : new StateFile(file);
    if (this.#file) this.#load(this.#file);
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
  findBy(type: string, field: string, value: string, { anyCase = false } = {}): SimRecord[] {
    const wanted = anyCase ? folded(value) : value;
    const isWanted = ({ data }: SimRecord): boolean => {
      const text = textOf(data[field]);
      return text !== null && (anyCase ? folded(text) : text) === wanted;
    };
    const table = this.#table(type);
    const index = table.indexes.get(field);
    if (!index) return this.list(type).filter(isWanted);
    const found: SimRecord[] = [];
    for (const id of index.get(folded(value)) ?? []) {
      const record = table.records.get(id);
      if (record && isWanted(record)) found.push(record);
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
    this.#changes.push({ key, before: this.#values.get(key) });
    if (value === null) this.#values.delete(key);
    else this.#values.set(key, value);
  }

  savepoint<T>(work: () => T): T {
    const mark = this.#changes.length;
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
    if (this.#changes.length === 0) return;
    try {
      this.#file?.write(...this.#written());
    } catch (error) {
      this.rollback();
      throw error;
    }
    this.#changes.length = 0;
  }

  /** Forgets what was written since the last commit. */
  rollback(): void {
    this.#undoTo(0);
  }

  /** Empties the store for good, except for values that begin with `identity.`; `modified` goes on from where it was. */
  clear(): void {
    this.#file?.clear(IDENTITY);
    this.#types.clear();
    for (const key of this.#values.keys()) if (!key.startsWith(IDENTITY)) this.#values.delete(key);
    this.#changes.length = 0;
  }

  close(): void {
    this.#file?.close();
  }

  #load(file: StateFile): void {
    for (const [key, value] of file.values()) this.#values.set(key, value);
    for (const record of file.records()) {
      this.#place({ ...record, data: frozenCopy(record.data) }, undefined);
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
    const before = this.#table(record.type).records.get(record.id);
    this.#place(record, before);
    this.#changes.push({ record, before });
    return record;
  }

  #place(record: SimRecord, before: SimRecord | undefined): void {
    const { records, indexes } = this.#table(record.type);
    records.set(record.id, record);
    reindex(indexes, before, record);
  }

  #displace(record: SimRecord): void {
    const { records, indexes } = this.#table(record.type);
    records.delete(record.id);
    reindex(indexes, record, undefined);
  }

  #undoTo(mark: number): void {
    for (const change of this.#changes.splice(mark).reverse()) this.#undo(change);
  }

  #undo(change: Change): void {
    if ('key' in change) {
      if (change.before === undefined) this.#values.delete(change.key);
      else this.#values.set(change.key, change.before);
    } else if (change.before) this.#place(change.before, change.record);
    else this.#displace(change.record);
  }

  /** What the changes have led to: each record and each value once, as it is now. */
  #written(): Parameters<StateFile['write']> {
    const records = new Set<SimRecord>();
    const values = new Map<string, string | null>();
    for (const change of this.#changes) {
      if ('key' in change) values.set(change.key, this.getValue(change.key));
      else {
        if (change.before) records.delete(change.before);
        records.add(change.record);
      }
    }
    return [records, values];
  }

  #nextStamp(): number {
    this.#stamp = Math.max(this.#clock(), this.#stamp + 1);
    return this.#stamp;
  }
}

/** Moves a record in the indexes of the fields whose value is another one now. Deleted records are in none. */
function reindex(
  indexes: TypeTable['indexes'],
  before: SimRecord | undefined,
  after: SimRecord | undefined,
): void {
  for (const [field, index] of indexes) {
    const [from, to] = [indexKey(before, field), indexKey(after, field)];
    if (from === to) continue;
    if (before && from !== null) withdraw(index, from, before.id);
    if (after && to !== null) enter(index, to, after.id);
  }
}

function enter(index: Map<string, string[]>, key: string, id: string): void {
  const ids = index.get(key);
  if (ids) ids.push(id);
  else index.set(key, [id]);
}

function withdraw(index: Map<string, string[]>, key: string, id: string): void {
  const ids = index.get(key);
  if (!ids) return;
  // From the end: what is taken back most often was entered last.
  ids.splice(ids.lastIndexOf(id), 1);
  if (ids.length === 0) index.delete(key);
}

function indexKey(record: SimRecord | undefined, field: string): string | null {
  if (record === undefined || record.deleted) return null;
  const text = textOf(record.data[field]);
  return text === null ? null : folded(text);
}

/** Both ways, because neither alone makes ß and SS one. */
function folded(text: string): string {
  return text.toUpperCase().toLowerCase();
}

function textOf(value: unknown): string | null {
  return value === null || value === undefined ? null : String(value);
}
