import { type Expression, type Kysely, type RawBuilder, sql } from 'kysely';
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
export function relation<Row>(rows: string, name: string, columns: Columns<Row>): RawBuilder<unknown> {
  const fields = Object.entries(columns).map(
    ([field, type]) => sql`${sql.id(field)} ${sql.raw(String(type))}`,
  );
  return sql`json_to_recordset(${rows}::json) as ${sql.id(name)} (${sql.join(fields)})`;
}

/** What `JSON.stringify` makes of half a surrogate pair, among other things. */
const HALF_PAIR = /\\ud[89a-f]/;

/** As `JSON.stringify`, but half a surrogate pair becomes U+FFFD: so the server keeps it, here as in any other text. */
export function asJson(value: readonly unknown[]): string {
  const text = JSON.stringify(value);
  if (!HALF_PAIR.test(text)) return text;
  return JSON.stringify(value, (_, each: unknown) => (typeof each === 'string' ? each.toWellFormed() : each));
}

/**
 * A query of the write protocol for several values at once, on a server. It is made for one value and looked up for each
 * by itself, which the server plans like the query for one: by an index, however few rows there were when it planned.
 * @param columns of the values
 * @param build as of `prepared`
 * @returns runs the query; resolves to the rows found for each value
 */
export function preparedForAll<V extends object, R>(
  columns: Columns<V>,
  build: (db: Kysely<Schema>, value: V) => Compilable<R> & Expression<unknown>,
): (tx: Tx, values: readonly V[]) => Promise<R[][]> {
  const ofOne = new Proxy({}, { get: (_, name) => sql.ref(`asked.${String(name)}`) }) as V;
  const numbered = { ...columns, number: 'integer' } as Columns<V & { number: number }>;
  const select = prepared<{ rows: string }, R & { number: number }>(
    (db, { rows }) => sql`
      select asked.number, found.* from ${relation(rows, 'asked', numbered)}, lateral ${build(db, ofOne)} as found`,
  );
  return async (tx, values) => {
    const found = values.map((): R[] => []);
    const rows = asJson(values.map((value, number) => ({ ...value, number })));
    for (const row of await select(tx, { rows })) found[row.number]?.push(row);
    return found;
  };
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
