import { setTimeout as sleep } from 'node:timers/promises';
import {
  type CompiledQuery,
  type DatabaseConnection,
  type Driver,
  Kysely,
  type PostgresAdapter,
  PostgresIntrospector,
  PostgresQueryCompiler,
} from 'kysely';
import type { Pool, PoolClient, PoolConfig, QueryResult } from 'pg';
import { answerDirectly } from '../prepared';
import type { Schema } from '../schema';
import type { Tx } from '../store';
import { connectionLost, isConnectionLoss, type Place } from './failures';
import { GatheringSocket } from './socket';

/** Connections to the server, and what is done when they break. */

/** Waiting for the server to come back, in milliseconds. */
const RECONNECT_BASE_MS = 100;
const RECONNECT_MAX_MS = 2_000;

const INT8 = 20;

export async function openPool(config: PoolConfig): Promise<Pool> {
  const { pg } = await import('./pg-client');
  const pool = new pg.Pool({
    ...config,
    // Statements that do not wait for each other leave together and cost one way to the server.
    pipeline: true,
    stream: () => new GatheringSocket(),
    // Sums and counts come as int8. All of ours fit into a number.
    types: {
      getTypeParser: (oid: number, format?: 'text' | 'binary') =>
        oid === INT8 ? Number : pg.types.getTypeParser(oid, format),
    },
  });
  // Whoever uses a connection that breaks hears of it by the statement under way, and the pool drops idle ones. Without
  // these, either would end the process.
  pool.on('error', () => undefined);
  pool.on('connect', (client) => client.on('error', () => undefined));
  return pool;
}

/** Tries again while the connection is lost, for as long as the server is given to come back. */
export class Patience {
  private readonly until: number;
  private waitMs = RECONNECT_BASE_MS;

  constructor(
    private readonly place: Place,
    reconnectMs: number,
  ) {
    this.until = performance.now() + reconnectMs;
  }

  /**
   * Waits a while before the next attempt.
   * @throws the error itself if it is no loss of connection; Q2cError `STORE_CONNECTION_LOST` when time is up.
   */
  async afterFailure(error: unknown, isDecided = true): Promise<void> {
    if (!isConnectionLoss(error)) throw error;
    if (performance.now() + this.waitMs > this.until) throw connectionLost(error, this.place, isDecided);
    await sleep(this.waitMs);
    this.waitMs = Math.min(2 * this.waitMs, RECONNECT_MAX_MS);
  }
}

/** Runs one statement somewhere. */
type Ask = (text: string, values: unknown[]) => Promise<QueryResult>;

/** For reads outside a write: each statement takes any connection, and is asked again when that breaks. */
export function reading(pool: Pool, adapter: PostgresAdapter, patience: () => Patience): Kysely<Schema> {
  return kyselyOn(adapter, async (text, values) => {
    for (const patient = patience(); ; ) {
      try {
        return await pool.query(text, values);
      } catch (error) {
        await patient.afterFailure(error);
      }
    }
  });
}

/** Statements that the server is to keep prepared, per connection. Those with lists in them come in many lengths. */
const MAX_NAMED = 300;
const names = new Map<string, string>();

function nameOf(text: string): string | undefined {
  const known = names.get(text);
  if (known !== undefined || names.size >= MAX_NAMED) return known;
  const name = `q2c_${names.size}`;
  names.set(text, name);
  return name;
}

/** Runs the queries of one transaction, all on one connection, where the server parses and plans each statement once. */
export function within<T>(
  client: PoolClient,
  adapter: PostgresAdapter,
  work: (tx: Tx) => Promise<T>,
): Promise<T> {
  const ask: Ask = (text, values) => {
    const name = nameOf(text);
    return client.query({ text, values, ...(name === undefined ? {} : { name }) });
  };
  return kyselyOn(adapter, ask)
    .connection()
    .execute((tx) => {
      answerDirectly(tx, async (text, values) => {
        const { rows, rowCount } = await ask(text, values);
        return { rows, count: rowCount ?? 0 };
      });
      return work(tx);
    });
}

/** @param adapter of the store: what is known of a store, such as its keys, is found by it */
function kyselyOn(adapter: PostgresAdapter, ask: Ask): Kysely<Schema> {
  return new Kysely<Schema>({
    dialect: {
      createAdapter: () => adapter,
      createDriver: () => new StatementDriver(ask),
      createQueryCompiler: () => new PostgresQueryCompiler(),
      createIntrospector: (db) => new PostgresIntrospector(db),
    },
  });
}

/** Hands statements on. Transactions are the writer's, so there are none here. */
class StatementDriver implements Driver {
  private readonly connection: DatabaseConnection;

  constructor(ask: Ask) {
    this.connection = {
      async executeQuery<R>({ sql, parameters }: CompiledQuery) {
        const { rows, rowCount } = await ask(sql, [...parameters]);
        return { rows: rows as R[], numAffectedRows: BigInt(rowCount ?? 0) };
      },
      streamQuery: unsupported,
    };
  }

  async init(): Promise<void> {}
  async acquireConnection(): Promise<DatabaseConnection> {
    return this.connection;
  }
  beginTransaction = unsupported;
  commitTransaction = unsupported;
  rollbackTransaction = unsupported;
  async releaseConnection(): Promise<void> {}
  async destroy(): Promise<void> {}
}

function unsupported(): never {
  throw new Error('Use store.write for transactions; results are not streamed.');
}
