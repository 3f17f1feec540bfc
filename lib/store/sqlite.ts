import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite';
import { Kysely, type SqliteDatabase, SqliteDialect } from 'kysely';
import { Q2cError } from '../model';
import { migrate } from './migrate';
import type { Schema } from './schema';
import type { Store, WriteJob } from './store';

/** Jobs sharing one commit. Bounds how long a group may hold the event loop (Node-RED: 50 ms). */
const MAX_GROUP = 48;
/** Turns of the event loop in which no further write arrives, before a group is committed. */
const TURNS = 2;

interface QueuedJob {
  run: (tx: Kysely<Schema>) => Promise<void>;
  settle: () => void;
  fail: (error: unknown) => void;
}

/**
 * Opens the embedded store.
 *
 * Group commit: writes queued in one turn of the event loop share one transaction with one fsync
 * (`synchronous=FULL`), each in a savepoint of its own, so that one that fails takes nothing else with it.
 * A write resolves only after the commit. Jobs may await nothing but their own queries: the connection is
 * synchronous, so a group runs without letting other work in between.
 *
 * @throws Q2cError `STORE_UNAVAILABLE` when folder or file cannot be opened.
 */
export async function openSqliteStore(path: string): Promise<Store> {
  const database = openDatabase(path);
  const db = new Kysely<Schema>({ dialect: new SqliteDialect({ database: statementCache(database) }) });
  try {
    await migrate(db, { autoIncrement: (column) => column.primaryKey().autoIncrement() });
  } catch (error) {
    await db.destroy();
    throw error;
  }
  const committer = new GroupCommitter(database, db);
  return {
    kind: 'sqlite',
    exclusive: true,
    db,
    write: (job) => committer.write(job),
    async close() {
      await committer.drain();
      await db.destroy();
    },
  };
}

function openDatabase(path: string): DatabaseSync {
  try {
    if (path !== ':memory:') mkdirSync(dirname(path), { recursive: true });
    const database = new DatabaseSync(path, { timeout: 5000 });
    // FULL: a confirmed write survives a power cut, which NORMAL does not promise under WAL.
    database.exec('pragma journal_mode = wal; pragma synchronous = full; pragma temp_store = memory;');
    return database;
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new Q2cError(
      'STORE_UNAVAILABLE',
      `The store cannot be opened at ${path}: ${reason}. Check that the folder exists, is writable and has space.`,
      { cause },
    );
  }
}

/** The subset of a driver that Kysely needs, with statements prepared once per SQL text. */
function statementCache(database: DatabaseSync): SqliteDatabase {
  const statements = new Map<string, ReturnType<SqliteDatabase['prepare']>>();
  const wrap = (statement: StatementSync) => ({
    reader: statement.columns().length > 0,
    all: (parameters: readonly unknown[]) => statement.all(...(parameters as SQLInputValue[])),
    run: (parameters: readonly unknown[]) => statement.run(...(parameters as SQLInputValue[])),
    iterate: (parameters: readonly unknown[]) =>
      statement.iterate(...(parameters as SQLInputValue[])) as IterableIterator<unknown>,
  });
  return {
    close: () => database.close(),
    prepare(sql) {
      let statement = statements.get(sql);
      if (statement === undefined) {
        statement = wrap(database.prepare(sql));
        statements.set(sql, statement);
      }
      return statement;
    },
  };
}

class GroupCommitter {
  private queue: QueuedJob[] = [];
  private flushing: Promise<void> | null = null;
  private readonly control: Record<
    'begin' | 'commit' | 'rollback' | 'savepoint' | 'release' | 'rollbackTo',
    StatementSync
  >;

  constructor(
    private readonly database: DatabaseSync,
    private readonly db: Kysely<Schema>,
  ) {
    this.control = {
      begin: database.prepare('begin immediate'),
      commit: database.prepare('commit'),
      rollback: database.prepare('rollback'),
      savepoint: database.prepare('savepoint job'),
      release: database.prepare('release job'),
      rollbackTo: database.prepare('rollback to job'),
    };
  }

  write<T>(job: WriteJob<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      let value: T;
      this.queue.push({
        run: async (tx) => {
          value = await job(tx);
        },
        settle: () => resolve(value),
        fail: reject,
      });
      this.flushing ??= this.flushLater();
    });
  }

  /** Resolves when everything queued so far is committed or failed. */
  async drain(): Promise<void> {
    while (this.flushing !== null) await this.flushing;
  }

  private async flushLater(): Promise<void> {
    do {
      await this.gather();
      const group = this.queue.splice(0, MAX_GROUP);
      await this.commit(group);
    } while (this.queue.length > 0);
    this.flushing = null;
  }

  /**
   * Waits turns of the event loop as long as each brings further writes: every commit blocks the loop for an fsync,
   * and one can serve all. An idle loop turns at once, so a lone writer loses nothing.
   */
  private async gather(): Promise<void> {
    for (let seen = -1; seen < this.queue.length && this.queue.length < MAX_GROUP; ) {
      seen = this.queue.length;
      for (let turn = 0; turn < TURNS; turn++) await new Promise<void>((resolve) => setImmediate(resolve));
    }
  }

  private async commit(group: QueuedJob[]): Promise<void> {
    const done: QueuedJob[] = [];
    try {
      await this.db.connection().execute(async (tx) => {
        this.control.begin.run();
        try {
          for (const job of group) {
            if (await this.runInSavepoint(job, tx)) done.push(job);
          }
          this.control.commit.run();
        } catch (error) {
          if (this.database.isTransaction) this.control.rollback.run();
          throw error;
        }
      });
    } catch (error) {
      // The commit itself failed (disk full, file gone): nothing of the group is stored.
      for (const job of done) job.fail(storeFailure(error));
      for (const job of group) if (!done.includes(job)) job.fail(storeFailure(error));
      return;
    }
    for (const job of done) job.settle();
  }

  private async runInSavepoint(job: QueuedJob, tx: Kysely<Schema>): Promise<boolean> {
    this.control.savepoint.run();
    try {
      await job.run(tx);
      this.control.release.run();
      return true;
    } catch (error) {
      this.control.rollbackTo.run();
      this.control.release.run();
      job.fail(error);
      return false;
    }
  }
}

function storeFailure(cause: unknown): Q2cError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new Q2cError(
    'STORE_WRITE_FAILED',
    `The store could not be written: ${reason}. Nothing of this write was kept.`,
    {
      cause,
    },
  );
}
