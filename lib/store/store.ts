import type { Kysely } from 'kysely';
import type { Instant } from '../model';
import type { Procedure } from './procedure';
import type { Schema } from './schema';

/** A transaction in progress. */
export type Tx = Kysely<Schema>;

/** Work inside one transaction. It awaits nothing but queries on `tx`, and may be run again after a rollback. */
export type WriteJob<T> = (tx: Tx) => Promise<T>;

/**
 * What a resolved write survives. `flushed`: a power cut. `committed`: the end of the process; it is flushed no later
 * than the next flushed write, so whoever makes a flushed write before the next effect outside loses nothing by it.
 */
export type Durability = 'flushed' | 'committed';

export interface WriteOptions {
  /**
   * What it reads before it writes is nothing that another independent write of the same moment writes, or a second
   * look after its own write notices. On a server, such writes run side by side in one transaction: their statements leave
   * together instead of one after another.
   */
  isIndependent?: boolean;
}

/** The durable tables, opened. */
export interface Store {
  readonly kind: 'sqlite' | 'postgres';
  /** True when no other host can work on this store, so that all unfinished runs are ours. */
  readonly exclusive: boolean;
  /** For reads outside a write. */
  readonly db: Kysely<Schema>;
  /** The store's clock, one for all hosts that work on it: what leases, retries and due times go by. */
  now(): Instant;
  /** Runs a job in a transaction; resolves with its value after the commit, rejects if it threw or the commit failed. */
  write<T>(job: WriteJob<T>, durability?: Durability, options?: WriteOptions): Promise<T>;
  /** As `write`, for what is done so often that a store with a thread of its own does it there. */
  perform<A, R>(procedure: Procedure<A, R>, args: A, durability?: Durability): Promise<R>;
  /** Commits what is queued, then closes. */
  close(): Promise<void>;
}
