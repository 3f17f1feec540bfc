import type { Kysely } from 'kysely';
import type { Instant } from '../model';
import { type Keyring, keyMissing, sealingKey } from './keyring';
import type { Schema } from './schema';
import type { Sealed } from './tables/sealed';

/**
 * Payloads at rest (docs/operations/store.md): the columns that the schema calls `Sealed` are written through `seal`
 * and read through `open`. In a store without a key both hand the text through.
 */

/**
 * Columns that may be encrypted. `row` names the columns that tell a row apart before it is written; they are bound
 * to the value, so that a value put into another row or column does not open there. `order` is the table's own order.
 */
export const SEALED = {
  event: { columns: ['data'], row: ['source', 'event_id'], order: 'seq' },
  step: { columns: ['wire', 'reply', 'result', 'error_message'], row: ['key'], order: 'seq' },
  step_decision: { columns: ['value'], row: ['key'], order: 'key' },
  record_correction: { columns: ['content'], row: ['id'], order: 'id' },
  checked_document: { columns: ['content'], row: ['key'], order: 'key' },
  exception_case: { columns: ['message', 'detail'], row: ['id'], order: 'id' },
  case_approval: { columns: ['request'], row: ['id'], order: 'id' },
  case_history: { columns: ['detail'], row: ['case_id', 'at', 'action'], order: 'seq' },
  outbox: { columns: ['envelope'], row: ['event_id'], order: 'seq' },
  rejected_event: { columns: ['payload'], row: ['digest'], order: 'seq' },
  suspension: { columns: ['message', 'outcome'], row: ['place'], order: 'seq' },
  token: { columns: ['value'], row: ['name'], order: 'name' },
  signal: { columns: ['content'], row: ['event', 'match_key', 'id'], order: 'seq' },
  api_request: { columns: ['reply'], row: ['key'], order: 'key' },
} as const satisfies { [T in SealedTable]: SealedColumns<T> };

/** Every column of the schema that is `Sealed` must be listed: a forgotten one would not be re-encrypted. */
interface SealedColumns<T extends SealedTable> {
  columns: readonly SealedColumn<T>[];
  row: readonly (keyof Schema[T])[];
  order: keyof Schema[T];
}

type SealedColumn<T extends keyof Schema> = {
  [C in keyof Schema[T] & string]: Extract<Schema[T][C], Sealed> extends never ? never : C;
}[keyof Schema[T] & string];

export type SealedTable = {
  [T in keyof Schema]: SealedColumn<T> extends never ? never : T;
}[keyof Schema];

/** What tells a row of the table apart, as text. */
type RowKey<T extends SealedTable> = { [C in (typeof SEALED)[T]['row'][number]]: string };

/** Keyrings by the adapter of their store, which transactions and plugins share with it. */
const keyrings = new WeakMap<object, Keyring>();

/** From now on what is written to this store is sealed. */
export function protect(db: Kysely<Schema>, keys: Keyring): void {
  keyrings.set(db.getExecutor().adapter, keys);
}

/** Whether what is written to this store is sealed. */
export const isProtected = (db: Kysely<Schema>): boolean => keyrings.has(db.getExecutor().adapter);

/** The text as it is to be written into this column of this row. */
export function seal<T extends SealedTable>(
  db: Kysely<Schema>,
  table: T,
  column: SealedColumn<T>,
  row: RowKey<T>,
  text: string,
): Sealed {
  const keys = keyrings.get(db.getExecutor().adapter);
  return asSealed(keys === undefined ? text : keys.seal(placeOf(table, column, row), text));
}

/**
 * The text that this column of this row holds. Values from before the first key was set are plain and stay readable.
 * @throws Q2cError `STORE_KEY_WRONG` when it cannot be opened.
 */
export function open<T extends SealedTable, C extends SealedColumn<T>>(
  db: Kysely<Schema>,
  table: T,
  column: C,
  row: RowKey<T> & Record<C, Sealed>,
): string;
export function open<T extends SealedTable, C extends SealedColumn<T>>(
  db: Kysely<Schema>,
  table: T,
  column: C,
  row: RowKey<T> & Record<C, Sealed | null>,
): string | null;
export function open<T extends SealedTable, C extends SealedColumn<T>>(
  db: Kysely<Schema>,
  table: T,
  column: C,
  row: RowKey<T> & Record<C, Sealed | null>,
): string | null {
  const value: Sealed | null = row[column];
  const keys = keyrings.get(db.getExecutor().adapter);
  // A store without keys does not start when it has sealed values: a text that looks like one is just a text.
  if (value === null || keys === undefined) return value === null ? null : textOf(value);
  const text = textOf(value);
  return sealingKey(text) === null ? text : keys.open(placeOf(table, column, row), text);
}

/** Names the place of a value; bound to it, so that it opens in no other place. */
export function placeOf(table: SealedTable, column: string, row: Readonly<Record<string, unknown>>): string {
  return JSON.stringify([table, column, ...SEALED[table].row.map((name) => row[name])]);
}

/** The two ends of the opaque type: nothing else may take a payload for plain text, or plain text for a payload. */
const asSealed = (text: unknown): Sealed => text as Sealed;
const textOf = (value: unknown): string => value as string;

/**
 * Refuses a store whose values need other keys, before anything is written to it.
 * @throws Q2cError `STORE_KEY_WRONG`
 */
export async function requireKeys(db: Kysely<Schema>, keys: Keyring | null): Promise<void> {
  const tables = await db.introspection.getTables();
  if (!tables.some(({ name }) => name === 'encryption_key')) return;
  const rows = await db.selectFrom('encryption_key').select('id').execute();
  const missing = rows.map(({ id }) => id).filter((id) => keys === null || !keys.has(id));
  if (missing.length > 0) throw keyMissing(missing);
}

/** Notes that a host seals with the current key from now on, before it does. */
export async function noteKeyInUse(db: Kysely<Schema>, keys: Keyring, at: Instant): Promise<void> {
  await db
    .insertInto('encryption_key')
    .values({ id: keys.currentId, in_use_since: at })
    .onConflict((conflict) => conflict.column('id').doUpdateSet({ in_use_since: at }))
    .execute();
}
