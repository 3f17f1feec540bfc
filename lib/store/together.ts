import {
  type AliasedRawBuilder,
  type Expression,
  type Kysely,
  sql,
  type UpdateQueryBuilder,
  type UpdateResult,
} from 'kysely';
import { isShared } from './locks';
import { type Compilable, prepared } from './prepared';
import type { Schema } from './schema';
import type { Tx } from './store';

/**
 * What writes that go side by side in one transaction ask a server, asked by one statement for all of them: that costs
 * it little more than a statement for one.
 */

/** Answers that are asked for in one turn of the event loop, by their transaction. */
interface Gathering<V, A> {
  values: V[];
  answers: Promise<readonly A[]>;
}

/**
 * @param answerAll gives the answers in the order of the values; when it rejects, so do all that have asked
 * @returns asks for one; the statement leaves when everything that can go on now has gone on
 */
export function together<V, A>(
  answerAll: (tx: Tx, values: readonly V[]) => Promise<readonly A[]>,
): (tx: Tx, value: V) => Promise<A> {
  const gatherings = new WeakMap<Tx, Gathering<V, A>>();

  const begin = (tx: Tx): Gathering<V, A> => {
    const values: V[] = [];
    const turn = new Promise<void>((resolve) => process.nextTick(resolve));
    const answers = turn.then(() => {
      gatherings.delete(tx);
      return answerAll(tx, values);
    });
    const gathering = { values, answers };
    gatherings.set(tx, gathering);
    return gathering;
  };

  return async (tx, value) => {
    const { values, answers } = gatherings.get(tx) ?? begin(tx);
    const index = values.push(value) - 1;
    // There is an answer for each value.
    return (await answers)[index] as A;
  };
}

/** How the server is to read the fields of rows that are handed to it. */
export type Columns<Row> = { readonly [Field in keyof Row]: 'text' | 'integer' };

/**
 * Rows as a relation that a statement selects from: its text is the same for any number of them, so it stays prepared.
 * @param rows their `asJson`
 * @param name which the relation gets
 */
export function relation<Row>(
  rows: string,
  name: string,
  columns: Columns<Row>,
): AliasedRawBuilder<unknown, string> {
  const fields = Object.entries(columns).map(
    ([field, type]) => sql`${sql.id(field)} ${sql.raw(String(type))}`,
  );
  return sql`json_to_recordset(${rows}::json)`.as(sql`${sql.id(name)} (${sql.join(fields)})`);
}

/** What `JSON.stringify` makes of half a surrogate pair, among other things. */
const HALF_PAIR = /\\ud[89a-f]/;

/** As `JSON.stringify`, but half a surrogate pair becomes U+FFFD: so the server keeps it, here as in any other text. */
export function asJson(value: readonly unknown[]): string {
  const text = JSON.stringify(value);
  if (!HALF_PAIR.test(text)) return text;
  return JSON.stringify(value, (_, each: unknown) => (typeof each === 'string' ? each.toWellFormed() : each));
}

/** In place of the values, the columns of the relation that they are handed over in. */
const columnsOf = <V extends object>(): V =>
  new Proxy({}, { get: (_, name) => sql.ref(`given.${String(name)}`) }) as V;

/** Values that are handed over together, each with its number. */
const numbered = <V>(rows: string, columns: Columns<V>) =>
  relation(rows, 'given', { ...columns, number: 'integer' } as Columns<V & { number: number }>);

/**
 * Always true. The server takes it for rare and so expects one row of what it is handed: for many it would plan to read
 * tables through that have few rows now, and keep to that plan while they grow.
 */
const FEW = sql<boolean>`given.number = given.number + 0`;

/** @returns asks `statement` for all values; resolves to the rows for each */
function forAll<V, R>(
  statement: (tx: Tx, handed: { rows: string }) => Promise<(R & { number: number })[]>,
): (tx: Tx, values: readonly V[]) => Promise<R[][]> {
  return async (tx, values) => {
    const found = values.map((): R[] => []);
    const rows = asJson(values.map((value, number) => ({ ...value, number })));
    for (const row of await statement(tx, { rows })) found[row.number]?.push(row);
    return found;
  };
}

/**
 * A query of the write protocol for several values at once, on a server. It is made for one value and looked up for each
 * by itself, which the server plans like the query for one.
 * @param columns of the values
 * @param build as of `prepared`
 * @returns runs the query; resolves to the rows found for each value
 */
export function preparedForAll<V extends object, R>(
  columns: Columns<V>,
  build: (db: Kysely<Schema>, value: V) => Compilable<R> & Expression<unknown>,
): (tx: Tx, values: readonly V[]) => Promise<R[][]> {
  return forAll(
    prepared<{ rows: string }, R & { number: number }>(
      (db, { rows }) => sql`
        select given.number, found.*
        from ${numbered(rows, columns)}, lateral ${build(db, columnsOf<V>())} as found
        where ${FEW}`,
    ),
  );
}

/** A query as of `prepared`, which writes that go side by side on a server ask together. @param columns of the values */
export function preparedTogether<V extends Record<string, unknown>, R>(
  columns: Columns<V>,
  build: (db: Kysely<Schema>, value: V) => Compilable<R> & Expression<unknown>,
): (tx: Tx, value: V) => Promise<R[]> {
  const one = prepared<V, R>(build);
  const all = together(preparedForAll<V, R>(columns, build));
  return (tx, value) => (isShared(tx) ? all(tx, value) : one(tx, value));
}

/**
 * A change of rows that no other change under way finds. On a server, writes that go side by side change all their rows
 * by one statement.
 * @param columns of the values
 * @param build as of `prepared`; columns of tables are named with the table, for those of the values are there too
 * @returns makes the change; resolves to the rows that `build` returns
 */
export function updateTogether<V extends Record<string, unknown>, R = UpdateResult>(
  columns: Columns<V>,
  build: (db: Kysely<Schema>, value: V) => UpdateQueryBuilder<Schema, never, never, R>,
): (tx: Tx, value: V) => Promise<R[]> {
  const one = prepared<V, R>(build);
  const all = prepared<{ rows: string }, R & { number: number }>((db, { rows }) =>
    build(db, columnsOf<V>())
      .from(numbered(rows, columns))
      .where(FEW)
      .returning(sql<number>`given.number`.as('number')),
  );
  const change = together(forAll<V, R>(all));
  return (tx, value) => (isShared(tx) ? change(tx, value) : one(tx, value));
}
