import { type CompiledQuery, type Kysely, type RawBuilder, sql } from 'kysely';
import type { Schema } from './schema';
import type { Tx } from './store';

/** Stands for a value while a query is compiled. */
class Placeholder {
  constructor(readonly name: string) {}
}

type Values = Record<string, unknown>;

/** What Kysely makes a statement of. */
export interface Compilable<R> {
  compile(db: Kysely<Schema>): CompiledQuery<R>;
}

/** What a driver answers. */
export interface Answer {
  rows: unknown[];
  /** Rows that the statement has given or, where it gives none, changed. */
  count: number;
}

/** Sends a statement to the driver. */
export type Direct = (sql: string, parameters: unknown[]) => Answer | Promise<Answer>;

const directOf = new WeakMap<Tx, Direct>();

/**
 * Lets the prepared queries of a transaction go to the driver directly: the way through Kysely's executor and its
 * promises costs more than a statement of SQLite.
 */
export function answerDirectly(tx: Tx, direct: Direct): void {
  directOf.set(tx, direct);
}

/**
 * A query of the write protocol, compiled once per dialect: building and compiling costs several times what SQLite
 * needs to run it, and each step of a run makes a handful of them.
 *
 * @param build makes the query; `value` holds a stand-in for each named value, to be used as that value only
 * @returns runs the query in a transaction with the values given, and resolves to its rows
 */
export function prepared<V extends Values, R = unknown>(
  build: (db: Kysely<Schema>, value: V) => Compilable<R>,
): (tx: Tx, values: V) => Promise<R[]> {
  const statement = compiledOnce(build);
  return async (tx, values) => {
    const { query, parameters } = statement(tx, values);
    const direct = directOf.get(tx);
    if (direct !== undefined) return (await direct(query.sql, parameters)).rows as R[];
    return (await tx.executeQuery<R>({ ...query, parameters })).rows;
  };
}

/**
 * As `prepared`, for a write that gives no rows.
 * @returns runs it, and resolves to how many rows it has changed
 */
export function preparedWrite<V extends Values>(
  build: (db: Kysely<Schema>, value: V) => Compilable<unknown>,
): (tx: Tx, values: V) => Promise<number> {
  const statement = compiledOnce(build);
  return async (tx, values) => {
    const { query, parameters } = statement(tx, values);
    const direct = directOf.get(tx);
    if (direct !== undefined) return (await direct(query.sql, parameters)).count;
    return Number((await tx.executeQuery({ ...query, parameters })).numAffectedRows);
  };
}

/** @returns the statement of the transaction's dialect, with the values in their places */
function compiledOnce<V extends Values, R>(
  build: (db: Kysely<Schema>, value: V) => Compilable<R>,
): (tx: Tx, values: V) => { query: CompiledQuery<R>; parameters: unknown[] } {
  const stand = new Proxy({}, { get: (_, name) => new Placeholder(String(name)) }) as V;
  const compiled = new Map<unknown, Compiled<R>>();

  return (tx, values) => {
    const dialect = tx.getExecutor().adapter.constructor;
    let known = compiled.get(dialect);
    if (known === undefined) {
      const query = build(tx, stand).compile(tx);
      const names = query.parameters.map((value) => (value instanceof Placeholder ? value.name : null));
      known = { query, names };
      compiled.set(dialect, known);
    }
    const { query, names } = known;
    const parameters = names.map((name, index) => (name === null ? query.parameters[index] : values[name]));
    return { query, parameters };
  };
}

/**
 * A limit that is a value of a prepared query. SQLite looks into a bare one for its plan, and then plans the query anew each
 * time that it is run; that takes many times what it takes to run it.
 */
export const boundLimit = (rows: number): RawBuilder<number> => sql<number>`cast(${rows} as integer)`;

interface Compiled<R> {
  query: CompiledQuery<R>;
  /** For each parameter the name of its value; null for one that is always the same. */
  names: (string | null)[];
}
