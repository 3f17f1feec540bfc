import { setTimeout as pause } from 'node:timers/promises';
import { sql } from 'kysely';
import { type Instant, Q2cError } from '../model';
import { appendAudit } from './audit';
import { placeOf, SEALED, type SealedTable } from './encryption';
import { type Keyring, sealingKey } from './keyring';
import type { Store } from './store';

/** Rows of one write: few, because a host that writes to the same file waits for it. */
const BATCH = 50;

type Row = Record<string, string | number | null>;

/** How many values of each table were encrypted anew. */
export type Resealed = Record<SealedTable, number>;

export interface RotationOptions {
  actor: string;
  now(): Instant;
}

/**
 * Encrypts with the current key what is readable or under a former key, in small batches while hosts go on working;
 * afterwards former keys are no longer needed. Broken off, it goes on where it is begun again.
 *
 * @throws Q2cError `STORE_KEY_WRONG` when the host does not use the current key yet: it would go on writing values
 *   under the former one.
 */
export async function rotateKeys(store: Store, keys: Keyring, options: RotationOptions): Promise<Resealed> {
  await requireInUse(store, keys);
  const tables = Object.keys(SEALED) as SealedTable[];
  const counts = Object.fromEntries(tables.map((table) => [table, 0])) as Resealed;
  for (const table of tables) counts[table] = await resealTable(store, keys, table);
  await store.write(async (tx) => {
    await tx.deleteFrom('encryption_key').where('id', '!=', keys.currentId).execute();
    await appendAudit(tx, {
      at: options.now(),
      actor: options.actor,
      action: 'encryption.rotated',
      subject: keys.currentId,
      runId: null,
      detail: { values: counts },
    });
  });
  return counts;
}

async function requireInUse({ db }: Store, keys: Keyring): Promise<void> {
  const last = await db
    .selectFrom('encryption_key')
    .select('id')
    .orderBy('in_use_since', 'desc')
    .limit(1)
    .executeTakeFirst();
  if (last?.id === keys.currentId) return;
  throw new Q2cError(
    'STORE_KEY_WRONG',
    `No host has used the key of Q2C_ENCRYPTION_KEY (id ${keys.currentId}) last. Start the host with it first, ` +
      'and with the former key in Q2C_ENCRYPTION_KEYS_OLD.',
  );
}

async function resealTable(store: Store, keys: Keyring, table: SealedTable): Promise<number> {
  const { order } = SEALED[table];
  let count = 0;
  for (let after: Row[string] = null; ; ) {
    const rows: Row[] = await readPage(store, table, after);
    const changes = rows.flatMap((row) => changesOf(keys, table, row));
    if (changes.length > 0) {
      const startedAt = performance.now();
      await store.write(async (tx) => {
        for (const { column, before, value, at } of changes) {
          // A host that has written the value meanwhile did so under the current key: its value stays.
          await sql`update ${sql.table(table)} set ${sql.ref(column)} = ${value}
            where ${sql.ref(order)} = ${at} and ${sql.ref(column)} = ${before}`.execute(tx);
        }
      });
      count += changes.length;
      // The store is left to the host for as long as it was taken.
      await pause(performance.now() - startedAt);
    }
    after = rows.at(-1)?.[order] ?? null;
    if (rows.length < BATCH) return count;
  }
}

async function readPage({ db }: Store, table: SealedTable, after: Row[string]): Promise<Row[]> {
  const { columns, row, order } = SEALED[table];
  const names = sql.join([...new Set([order, ...row, ...columns])].map((name) => sql.ref(name)));
  const onward = after === null ? sql`` : sql`where ${sql.ref(order)} > ${after}`;
  const page = sql<Row>`select ${names} from ${sql.table(table)} ${onward}
    order by ${sql.ref(order)} limit ${sql.lit(BATCH)}`;
  return (await page.execute(db)).rows;
}

interface Change {
  column: string;
  before: string;
  value: string;
  /** Of its row, in the table's order. */
  at: Row[string] | undefined;
}

function changesOf(keys: Keyring, table: SealedTable, row: Row): Change[] {
  const { columns, order } = SEALED[table];
  return columns.flatMap((column) => {
    const before = row[column];
    if (typeof before !== 'string') return [];
    const id = sealingKey(before);
    if (id === keys.currentId) return [];
    const place = placeOf(table, column, row);
    const value = keys.seal(place, id === null ? before : keys.open(place, before));
    return [{ column, before, value, at: row[order] }];
  });
}
