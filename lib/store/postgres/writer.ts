import type { PostgresAdapter } from 'kysely';
import type { Pool, PoolClient, QueryResult } from 'pg';
import { type CommitMedium, JobFailed } from '../group-commit';
import { sideBySide } from '../side-by-side';
import type { Durability, Tx } from '../store';
import { finish } from '../transaction-end';
import type { DatabaseClock } from './clock';
import { type Patience, within } from './connections';
import { isConflict, isConnectionLoss, isServerFailure } from './failures';

/** Attempts at a group that gets in the way of another host's. */
const MAX_ATTEMPTS = 5;

interface Begun {
  /** Number of the transaction, by which its fate can be asked for later. */
  xid: string;
  /** Database time, epoch ms. */
  now: number;
}

/**
 * Transactions on PostgreSQL. What failed because two hosts got in each other's way, or because the connection broke,
 * is done again; when it broke during the commit, the server is asked first what became of the transaction.
 */
export class Writer implements CommitMedium {
  constructor(
    private readonly pool: Pool,
    private readonly adapter: PostgresAdapter,
    private readonly clock: DatabaseClock,
    private readonly patience: () => Patience,
  ) {}

  async transact(work: (tx: Tx) => Promise<void>, durability: Durability): Promise<void> {
    const patience = this.patience();
    for (let attempt = 1; ; attempt++) {
      try {
        await this.attempt(work, durability);
        return;
      } catch (error) {
        const cause = error instanceof JobFailed ? error.cause : error;
        if (isConflict(cause) && attempt < MAX_ATTEMPTS) continue;
        if (!isConnectionLoss(cause)) throw error;
        await patience.afterFailure(cause);
      }
    }
  }

  isFailure(error: unknown): boolean {
    return isServerFailure(error);
  }

  private async attempt(work: (tx: Tx) => Promise<void>, durability: Durability): Promise<void> {
    const client = await this.pool.connect();
    let committing: string | null = null;
    try {
      await within(client, this.adapter, async (tx) => {
        const [{ xid }] = await sideBySide([this.begin(client, durability), work(tx)]);
        committing = xid;
        // What others wait for is held for as long as the server needs, and not until this host has an answer.
        await sideBySide([finish(tx), commit(client)]);
      });
      client.release();
    } catch (error) {
      const isLost = isConnectionLoss(error instanceof JobFailed ? error.cause : error);
      if (!isLost) await rollback(client);
      client.release(isLost);
      if (!isLost || committing === null || !(await this.wasCommitted(committing))) throw error;
    }
  }

  /** Everything a transaction begins with; it leaves together with the first statements of its work. */
  private async begin(client: PoolClient, durability: Durability): Promise<Begun> {
    // Whoever relies on a commit that is not flushed makes a flushed one first, and that flushes all before it.
    const lazy = durability === 'committed' ? 'set local synchronous_commit = off;' : '';
    const sentAt = performance.now();
    const answers: unknown = await client.query(
      `begin; ${lazy} select pg_current_xact_id()::text as xid, extract(epoch from clock_timestamp())::float8 * 1000 as now`,
    );
    const begun = (answers as QueryResult<Begun>[]).at(-1)?.rows[0];
    if (begun === undefined) throw new Error('The transaction has no number');
    this.clock.measured(begun.now, sentAt, performance.now());
    return begun;
  }

  /** What became of a transaction whose commit got no answer. The session may still be at it. */
  private async wasCommitted(xid: string): Promise<boolean> {
    for (const patience = this.patience(); ; ) {
      try {
        const { rows } = await this.pool.query<{ status: string | null }>(
          'select pg_xact_status($1::xid8) as status',
          [xid],
        );
        const status = rows[0]?.status;
        if (status === 'committed') return true;
        if (status === 'aborted') return false;
        throw new Error('Connection terminated while the commit goes on');
      } catch (error) {
        await patience.afterFailure(error, false);
      }
    }
  }
}

/** @throws when the server rolled back instead, which it says in its answer only */
async function commit(client: PoolClient): Promise<void> {
  const { command } = await client.query('commit');
  if (command !== 'COMMIT') throw new Error('a statement of the transaction had failed unnoticed');
}

/** When even this fails the connection is broken, and the server rolls back by itself. */
async function rollback(client: PoolClient): Promise<void> {
  await client.query('rollback').catch((error: unknown) => {
    if (!isConnectionLoss(error)) throw error;
  });
}
