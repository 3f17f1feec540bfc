import type { Tx, WriteOptions } from './store';

/**
 * A write with a name, that takes and gives plain data: a store with a thread of its own does it there, so that the
 * host's event loop is free meanwhile. What is done for every step is a procedure; the rest are jobs (`WriteJob`).
 */
export interface Procedure<A, R> {
  readonly name: string;
  /** `WriteOptions`. */
  readonly isIndependent: boolean;
  /** Like a `WriteJob`: awaits nothing but queries on `tx`, and may be run again after a rollback. */
  perform(tx: Tx, args: A): Promise<R>;
}

/** Procedures of the program by name: a thread is told the name only. */
const procedures = new Map<string, Procedure<unknown, unknown>>();

/** Defines a procedure. Arguments and result must be plain data: they are copied from thread to thread. */
export function procedure<A, R>(
  name: string,
  perform: (tx: Tx, args: A) => Promise<R>,
  { isIndependent = false }: WriteOptions = {},
): Procedure<A, R> {
  if (procedures.has(name)) throw new Error(`There are two procedures ${name}.`);
  const defined = { name, perform, isIndependent };
  procedures.set(name, defined as Procedure<unknown, unknown>);
  return defined;
}

/** A procedure with its arguments. */
export interface Call {
  name: string;
  args: unknown;
}

/** Performs a call by name. */
export function performCall(tx: Tx, { name, args }: Call): Promise<unknown> {
  const called = procedures.get(name);
  if (called === undefined) throw new Error(`There is no procedure ${name}.`);
  return called.perform(tx, args);
}
