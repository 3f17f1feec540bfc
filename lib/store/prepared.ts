import type { CompiledQuery, Kysely } from 'kysely';
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

/** Runs a statement and gives its rows. */
export type Direct = (sql: string, parameters: unknown[]) => unknown[] | Promise<unknown[]>;

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
  const stand = new Proxy({}, { get: (_, name) => new Placeholder(String(name)) }) as V;
  const compiled = new Map<unknown, Compiled<R>>();

  return async (tx, values) => {
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
    const direct = directOf.get(tx);
    if (direct !== undefined) return direct(query.sql, parameters) as R[] | Promise<R[]>;
    return (await tx.executeQuery<R>({ ...query, parameters })).rows;
  };
}

interface Compiled<R> {
  query: CompiledQuery<R>;
  /** For each parameter the name of its value; null for one that is always the same. */
  names: (string | null)[];
}
