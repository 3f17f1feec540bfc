import { createHash } from 'node:crypto';
import { PostgresAdapter, type SelectQueryBuilder, sql } from 'kysely';
import { prepared } from './prepared';
import type { Schema } from './schema';
import type { Tx } from './store';

/**
 * Locks between hosts, held to the end of the transaction. SQLite has one host and one writer at a time, so nothing
 * need be locked there.
 */

/** Waits until no other transaction holds the name. Two that take several in different order are told apart by retry. */
export async function lock(tx: Tx, name: string): Promise<void> {
  if (isShared(tx)) await advisoryLock(tx, { key: keyOf(name) });
}

/** As `lock`, for several: in one order, so that two who take some of the same wait for each other instead of for ever. */
export async function lockAll(tx: Tx, names: readonly string[]): Promise<void> {
  if (isShared(tx)) await advisoryLocks(tx, { keys: [...new Set(names.map(keyOf))].sort((a, b) => a - b) });
}

/** Locks what can be locked at once. @returns those names; the others are held by another transaction */
export async function tryLocks(tx: Tx, names: readonly string[]): Promise<string[]> {
  if (!isShared(tx) || names.length === 0) return [...names];
  const keys = names.map(keyOf);
  const { rows } = await sql<{ key: number; locked: boolean }>`
    select key, pg_try_advisory_xact_lock(hashtext(current_schema()), key) as locked
    from unnest(${keys}::int[]) as key`.execute(tx);
  const locked = new Set(rows.filter((row) => row.locked).map(({ key }) => key));
  return names.filter((_, index) => locked.has(keys[index] ?? Number.NaN));
}

/** Locks the rows a query finds, leaving out those that another transaction has locked. */
export function skipLocked<T extends keyof Schema & string, O>(
  tx: Tx,
  table: T,
  query: SelectQueryBuilder<Schema, T, O>,
): SelectQueryBuilder<Schema, T, O> {
  return isShared(tx) ? query.forUpdate(table).skipLocked() : query;
}

/**
 * Keeps others from taking the rows a query finds with `skipLocked`, but not from changing them: what only their owner
 * changes need not wait.
 */
export function keyShared<T extends keyof Schema, O>(
  tx: Tx,
  query: SelectQueryBuilder<Schema, T, O>,
): SelectQueryBuilder<Schema, T, O> {
  return isShared(tx) ? query.forKeyShare() : query;
}

/** Keeps others from changing the rows a query finds; several transactions may do so at once. */
export function shareLocked<T extends keyof Schema, O>(
  tx: Tx,
  query: SelectQueryBuilder<Schema, T, O>,
): SelectQueryBuilder<Schema, T, O> {
  return isShared(tx) ? query.forShare() : query;
}

/** True when other hosts may work on the same rows at the same time. */
export function isShared(tx: Tx): boolean {
  return tx.getExecutor().adapter instanceof PostgresAdapter;
}

// Two stores in one database lie in different schemas, and their locks do too.
const advisoryLock = prepared<{ key: number }>((db, value) =>
  db.selectNoFrom(({ fn, val }) =>
    fn('pg_advisory_xact_lock', [fn('hashtext', [fn('current_schema', [])]), val(value.key)]).as('locked'),
  ),
);

const advisoryLocks = prepared<{ keys: readonly number[] }>(
  (_, value) => sql`
    select pg_advisory_xact_lock(hashtext(current_schema()), key) from unnest(${value.keys}::int[]) as key`,
);

/** Names with the same key only wait for each other without need. */
function keyOf(name: string): number {
  return createHash('sha256').update(name).digest().readInt32BE(0);
}
