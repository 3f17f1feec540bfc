import { mkdirSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { dirname } from 'node:path';
import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite';
import { Kysely, type SqliteDatabase, sql } from 'kysely';
import { Q2cError } from '../model';
import { Checkpointer } from './checkpointer';
import { isStoreFailure, unavailable, writeFailed } from './failure';
import type { Keyring } from './keyring';
import { migrate } from './migrate';
import { answerDirectly, type Direct } from './prepared';
import type { Schema } from './schema';
import { sqliteDialect } from './sqlite-dialect';
import type { Durability, Store, WriteJob } from './store';

/** Jobs sharing one commit. Bounds how long a group may hold the event loop (Node-RED: 50 ms). */
const MAX_GROUP = 48;

interface QueuedJob {
  durability: Durability;
  run: (tx: Kysely<Schema>) => Promise<void>;
  settle: () => void;
  fail: (error: unknown) => void;
}

/**
 * Opens the embedded store.
 *
 * Group commit: writes queued in one turn of the event loop share one transaction; if one of them throws, they are
 * run again one by one, so that it takes nothing else with it. Jobs may therefore run twice, and may await nothing but
 * their own queries: the connection is synchronous, so a group runs without letting other work in between.
 * A flushed write resolves when its commit is on the disk; one flush serves all groups committed before it began,
 * and further groups commit meanwhile.
 *
 * @param keys encrypt payloads; null = they are kept readable
 * @throws Q2cError `STORE_UNAVAILABLE` when folder or file cannot be opened.
 */
export async function openSqliteStore(path: string, keys: Keyring | null = null): Promise<Store> {
  const database = openDatabase(path);
  const statements = statementCache(database);
  const db = new Kysely<Schema>({ dialect: sqliteDialect(statements) });
  try {
    await migrate(
      db,
      {
        autoIncrement: (column) => column.primaryKey().autoIncrement(),
        clustered: (table) => table.modifyEnd(sql`without rowid`),
      },
      keys,
    );
  } catch (error) {
    await db.destroy();
    const cause = error instanceof Q2cError ? error.cause : error;
    throw isStoreFailure(cause) ? unavailable(path, cause) : error;
  }
  const log = path === ':memory:' ? null : await open(`${path}-wal`, 'r');
  const direct: Direct = (text, parameters) => {
    const statement = statements.prepare(text);
    if (statement.reader) return statement.all(parameters);
    statement.run(parameters);
    return [];
  };
  const checkpointer =
    log === null ? null : new Checkpointer(path, () => database.exec('pragma wal_autocheckpoint = 4096'));
  const committer = new GroupCommitter(database, db, direct, log, checkpointer);
  return {
    kind: 'sqlite',
    exclusive: true,
    db,
    write: (job, durability = 'flushed') => committer.write(job, durability),
    async close() {
      await committer.drain();
      await checkpointer?.close();
      await log?.close();
      await db.destroy();
    },
  };
}

function openDatabase(path: string): DatabaseSync {
  try {
    if (path !== ':memory:') mkdirSync(dirname(path), { recursive: true });
    const database = new DatabaseSync(path, { timeout: 5000 });
    // NORMAL leaves it to us to flush the log after a commit: SQLite would block the event loop meanwhile
    // (docs/decisions/0008). It still flushes in the right order when it moves the log into the database.
    database.exec(
      'pragma journal_mode = wal; pragma synchronous = normal; pragma temp_store = memory;' +
        // 64 MB keep the live part of tables and indexes in memory. The log is moved by the checkpointer.
        'pragma cache_size = -65536; pragma wal_autocheckpoint = 0;',
    );
    // A file that may only be read opens all the same; a transaction that writes tells.
    database.exec('begin immediate; rollback;');
    return database;
  } catch (cause) {
    throw unavailable(path, cause);
  }
}

/** The subset of a driver that Kysely needs, with statements prepared once per SQL text. */
export function statementCache(database: DatabaseSync): SqliteDatabase {
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
  private committing: Promise<void> | null = null;
  /** Committed jobs that wait for the next flush. */
  private unflushed: QueuedJob[] = [];
  private flushing: Promise<void> | null = null;
  private readonly control: Record<'begin' | 'commit' | 'rollback', StatementSync>;

  constructor(
    private readonly database: DatabaseSync,
    private readonly db: Kysely<Schema>,
    private readonly direct: Direct,
    /** The write-ahead log; null for a store in memory. */
    private readonly log: FileHandle | null,
    private readonly checkpointer: Checkpointer | null,
  ) {
    this.control = {
      begin: database.prepare('begin immediate'),
      commit: database.prepare('commit'),
      rollback: database.prepare('rollback'),
    };
  }

  write<T>(job: WriteJob<T>, durability: Durability): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      let value: T;
      this.queue.push({
        durability,
        run: async (tx) => {
          try {
            value = await job(tx);
          } catch (cause) {
            throw new JobFailed('', { cause });
          }
        },
        settle: () => resolve(value),
        fail: reject,
      });
      this.committing ??= this.commitQueue();
    });
  }

  /** Resolves when everything queued so far is on the disk or failed. */
  async drain(): Promise<void> {
    while (this.committing !== null || this.flushing !== null) {
      await this.committing;
      await this.flushing;
    }
  }

  private async commitQueue(): Promise<void> {
    while (this.queue.length > 0) {
      // One turn later: everything the current turn queues joins the group.
      await new Promise<void>((resolve) => setImmediate(resolve));
      await this.commit(this.queue.splice(0, MAX_GROUP));
    }
    this.committing = null;
  }

  /** One transaction for the whole group. If a job throws, the group is rolled back and each goes alone. */
  private async commit(group: QueuedJob[]): Promise<void> {
    try {
      await this.db.connection().execute((tx) => this.transact(group, tx));
    } catch (error) {
      if (!(error instanceof JobFailed)) {
        // The commit failed (disk full, file gone): nobody may rely on anything of the group.
        for (const job of group) job.fail(writeFailed(error));
      } else if (group.length === 1) {
        group[0]?.fail(isStoreFailure(error.cause) ? writeFailed(error.cause) : error.cause);
      } else {
        for (const job of group) await this.commit([job]);
      }
      return;
    }
    this.checkpointer?.committed();
    for (const job of group) {
      if (job.durability === 'committed' || this.log === null) job.settle();
      else this.unflushed.push(job);
    }
    if (this.unflushed.length > 0) this.flushing ??= this.flush();
  }

  private async flush(): Promise<void> {
    while (this.unflushed.length > 0) {
      const jobs = this.unflushed.splice(0);
      try {
        await this.log?.datasync();
      } catch (error) {
        for (const job of jobs) job.fail(writeFailed(error));
        continue;
      }
      for (const job of jobs) job.settle();
    }
    this.flushing = null;
  }

  private async transact(group: QueuedJob[], tx: Kysely<Schema>): Promise<void> {
    answerDirectly(tx, this.direct);
    this.control.begin.run();
    try {
      for (const job of group) await job.run(tx);
      this.control.commit.run();
    } catch (error) {
      if (this.database.isTransaction) this.control.rollback.run();
      throw error;
    }
  }
}

/** A job of a group threw; the cause is its own error. */
class JobFailed extends Error {}
