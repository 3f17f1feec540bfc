import { existsSync, mkdirSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite';
import { Kysely, type SqliteDatabase, sql } from 'kysely';
import { type Instant, Q2cError } from '../model';
import { Checkpointer } from './checkpointer';
import { protect } from './encryption';
import { isStoreFailure, unavailable } from './failure';
import { lockFile } from './file-lock';
import { GroupCommitter } from './group-commit';
import type { Keyring } from './keyring';
import { migrate } from './migrate';
import { answerDirectly, type Direct } from './prepared';
import type { Schema } from './schema';
import { sqliteDialect } from './sqlite-dialect';
import type { Store, Tx } from './store';
import { StoreThread } from './thread';

/**
 * Opens the embedded store.
 *
 * The connection is synchronous, so a group of writes runs without letting other work in between; that is why jobs
 * may await nothing but their own queries. One host at a time has the file.
 *
 * @param keys encrypt payloads; null = they are kept readable
 * @throws Q2cError `STORE_UNAVAILABLE` when folder or file cannot be opened, `STORE_IN_USE` when another host has it.
 */
export async function openSqliteStore(
  path: string,
  keys: Keyring | null = null,
  threadFile = join(__dirname, 'store-thread.js'),
): Promise<Store> {
  if (path === ':memory:') return openDatabase(path, keys, null);
  const lock = await explained(path, () => {
    mkdirSync(dirname(path), { recursive: true });
    return lockFile(path);
  });
  try {
    const store = await openDatabase(path, keys, existsSync(threadFile) ? threadFile : null);
    return { ...store, close: () => store.close().finally(() => lock.release()) };
  } catch (error) {
    lock.release();
    throw error;
  }
}

async function openDatabase(path: string, keys: Keyring | null, threadFile: string | null): Promise<Store> {
  const { database, db, transact } = await explained(path, async () => connectSqlite(path));
  try {
    await migrate(
      db,
      {
        now: async () => new Date().toISOString(),
        autoIncrement: (column) => column.primaryKey().autoIncrement(),
        byteOrdered: sql`text`,
        clustered: (table) => table.modifyEnd(sql`without rowid`),
      },
      keys,
    );
  } catch (error) {
    await db.destroy();
    const cause = error instanceof Q2cError ? error.cause : error;
    throw isStoreFailure(cause) ? unavailable(path, cause) : error;
  }
  const log = path === ':memory:' ? null : await Log.open(path);
  const checkpointer =
    log === null ? null : new Checkpointer(path, () => database.exec('pragma wal_autocheckpoint = 4096'));
  const thread =
    threadFile === null ? null : new StoreThread(threadFile, { path, keys: keys?.share() ?? null });
  const committer = new GroupCommitter({
    async transact(work) {
      await transact(work);
      checkpointer?.committed();
    },
    perform(calls) {
      if (!thread?.ready) return null;
      checkpointer?.committed();
      return thread.perform(calls);
    },
    isFailure: isStoreFailure,
    ...(log === null ? {} : { flushes: log.flushes }),
  });
  return {
    kind: 'sqlite',
    exclusive: true,
    db,
    now: currentInstant,
    write: (job, durability = 'flushed') => committer.write(job, durability),
    perform: (procedure, args, durability = 'flushed') => committer.perform(procedure, args, durability),
    async close() {
      await committer.drain();
      await thread?.close();
      await checkpointer?.close();
      await log?.close();
      await db.destroy();
    },
  };
}

/**
 * Half of the steps that are usually under way: the host goes on with the answers to one group while the thread writes
 * the next one. All in one group, each would wait for the other.
 */
const THREAD_GROUP = 16;

/**
 * Pages of the file that a connection keeps. Few: the system keeps the file in memory anyway, the host's pages are dropped
 * whole whenever the thread has committed, and a commit that has split a page looks at all of them (docs/decisions/0032).
 */
const PAGES_MB = 8;

/** A connection to the file, with the way to write through it. */
function connectSqlite(path: string) {
  const database = connect(path);
  const statements = statementCache(database);
  const db = new Kysely<Schema>({ dialect: sqliteDialect(statements) });
  const direct: Direct = (text, parameters) => {
    const statement = statements.prepare(text);
    if (!statement.reader) return { rows: [], count: Number(statement.run(parameters).changes) };
    const rows = statement.all(parameters);
    return { rows, count: rows.length };
  };
  return { database, db, transact: transactor(database, db, direct) };
}

/** The way to write of the store's own thread, to a file that the host has opened. */
export async function openCommitter(path: string, keys: Keyring | null): Promise<GroupCommitter> {
  const { db, transact } = connectSqlite(path);
  if (keys !== null) protect(db, keys);
  const { flushes } = await Log.open(path);
  const medium = { transact, isFailure: isStoreFailure, flushes };
  return new GroupCommitter(medium, { maxGroup: THREAD_GROUP });
}

let instant = { ms: 0, text: '' };

/** The time of the host's clock. It is asked for several times within a millisecond, and to write it takes a microsecond. */
function currentInstant(): Instant {
  const ms = Date.now();
  if (ms !== instant.ms) instant = { ms, text: new Date(ms).toISOString() };
  return instant.text;
}

/**
 * Flushes at once. With one a commit waits for what is left of the flush before and then for its own; two take no longer
 * side by side than one.
 */
const FLUSHES = 2;

/** SQLite's log, to flush what was committed, by whichever connection. */
class Log {
  /** Each has a handle of its own: the system tells every handle once that something could not be written. */
  private constructor(private readonly handles: readonly FileHandle[]) {}

  static async open(path: string): Promise<Log> {
    const handles = Array.from({ length: FLUSHES }, () => open(`${path}-wal`, 'r'));
    return new Log(await Promise.all(handles));
  }

  get flushes(): (() => Promise<void>)[] {
    return this.handles.map((handle) => () => handle.datasync());
  }

  async close(): Promise<void> {
    for (const handle of this.handles) await handle.close();
  }
}

function connect(path: string): DatabaseSync {
  const database = new DatabaseSync(path, { timeout: 5000 });
  // NORMAL leaves it to us to flush the log after a commit: SQLite would block the event loop meanwhile
  // (docs/decisions/0008). It still flushes in the right order when it moves the log into the database.
  database.exec(
    'pragma journal_mode = wal; pragma synchronous = normal; pragma temp_store = memory;' +
      // The log is moved by the checkpointer.
      `pragma cache_size = -${PAGES_MB * 1024}; pragma wal_autocheckpoint = 0;`,
  );
  // A file that may only be read opens all the same; a transaction that writes tells.
  database.exec('begin immediate; rollback;');
  return database;
}

/** Says what to do when file or folder do not let us in. */
async function explained<T>(path: string, attempt: () => Promise<T>): Promise<T> {
  try {
    return await attempt();
  } catch (cause) {
    throw cause instanceof Q2cError ? cause : unavailable(path, cause);
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

/** Runs work between `begin` and `commit`, on the one connection there is. */
function transactor(database: DatabaseSync, db: Kysely<Schema>, direct: Direct) {
  const begin = database.prepare('begin immediate');
  const commit = database.prepare('commit');
  const rollback = database.prepare('rollback');
  return (work: (tx: Tx) => Promise<void>): Promise<void> =>
    db.connection().execute(async (tx) => {
      answerDirectly(tx, direct);
      begin.run();
      try {
        await work(tx);
        commit.run();
      } catch (error) {
        if (database.isTransaction) rollback.run();
        throw error;
      }
    });
}
