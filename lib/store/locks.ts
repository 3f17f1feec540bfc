import { createHash } from 'node:crypto';
import { PostgresAdapter, type SelectQueryBuilder } from 'kysely';
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

/** @returns false when another transaction holds the name */
export async function tryLock(tx: Tx, name: string): Promise<boolean> {
  if (!isShared(tx)) return true;
  const [row] = await tryAdvisoryLock(tx, { key: keyOf(name) });
  return row?.locked === true;
}

/** Locks the rows a query finds, leaving out those that another transaction has locked. */
export function skipLocked<T extends keyof Schema & string, O>(
  tx: Tx,
  table: T,
  query: SelectQueryBuilder<Schema, T, O>,
): SelectQueryBuilder<Schema, T, O> {
  return isShared(tx) ? query.forUpdate(table).skipLocked() : query;
}

function isShared(tx: Tx): boolean {
  return tx.getExecutor().adapter instanceof PostgresAdapter;
}

// Two stores in one database lie in different schemas, and their locks do too.
const advisoryLock = prepared<{ key: number }>((db, value) =>
  db.selectNoFrom(({ fn, val }) =>
    fn('pg_advisory_xact_lock', [fn('hashtext', [fn('current_schema', [])]), val(value.key)]).as('locked'),
  ),
);

const tryAdvisoryLock = prepared<{ key: number }, { locked: boolean }>((db, value) =>
  db.selectNoFrom(({ fn, val }) =>
    fn<boolean>('pg_try_advisory_xact_lock', [fn('hashtext', [fn('current_schema', [])]), val(value.key)]).as(
      'locked',
    ),
  ),
);

/** Names with the same key only wait for each other without need. */
function keyOf(name: string): number {
  return createHash('sha256').update(name).digest().readInt32BE(0);
}
