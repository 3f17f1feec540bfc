import { type Insertable, type RawBuilder, sql } from 'kysely';
import { isShared } from './locks';
import { prepared, preparedWrite } from './prepared';
import type { Schema } from './schema';
import type { Tx } from './store';
import { asJson, type Columns, relation, together } from './together';

/**
 * An insert of the write protocol that leaves alone what is there already. On a server, writes that go side by side insert
 * all their rows by one statement.
 *
 * @param columns of the rows
 * @param identity columns that tell the rows of one statement apart, among them all that must be unique
 * @returns inserts a row, and resolves to whether it is new
 */
export function insertOnce<T extends keyof Schema & string, Row extends Insertable<Schema[T]>>(
  table: T,
  columns: Columns<Row>,
  identity: readonly (keyof Row & string)[],
): (tx: Tx, row: Row) => Promise<boolean> {
  const names = Object.keys(columns);
  const insert = (rows: RawBuilder<unknown>) => sql`
    insert into ${sql.table(table)} (${list(names)}) ${rows}
    on conflict do nothing`;

  const insertOne = preparedWrite<Row & Record<string, unknown>>((_, value) =>
    insert(sql`values (${sql.join(names.map((name) => value[name]))})`),
  );
  const insertAll = prepared<{ rows: string }, Row>(
    (_, { rows }) => sql<Row>`
      ${insert(sql`select ${list(names)} from ${relation(rows, 'given', columns)}`)} returning ${list(identity)}`,
  );

  const identityOf = (row: Row) => asJson(identity.map((name) => row[name]));
  const areNew = together(async (tx, rows: readonly Row[]) => {
    const inserted = new Set((await insertAll(tx, { rows: asJson(rows) })).map(identityOf));
    // Of two that are the same the first is new.
    return rows.map((row) => inserted.delete(identityOf(row)));
  });
  return async (tx, row) => (isShared(tx) ? areNew(tx, row) : (await insertOne(tx, row)) > 0);
}

const list = (names: readonly string[]): RawBuilder<unknown> => sql.join(names.map((name) => sql.ref(name)));
