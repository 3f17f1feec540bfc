import { DatabaseSync } from 'node:sqlite';
import { Kysely } from 'kysely';
import { reasonOf } from './failure';
import { noStore, requireStore } from './migrate';
import type { Schema } from './schema';
import { statementCache } from './sqlite';
import { sqliteDialect } from './sqlite-dialect';
import type { Store, WriteJob } from './store';

/**
 * Opens the file of an embedded store for a command: beside the host that has it open, without upgrading it, one
 * short transaction per write, each on the disk before it resolves.
 *
 * @throws Q2cError `STORE_UNAVAILABLE` when the file is missing or no store, `STORE_NEWER` when it is of a newer version.
 */
export async function openStoreFile(path: string, { readOnly }: { readOnly: boolean }): Promise<Store> {
  const database = openFile(path, readOnly);
  const db = new Kysely<Schema>({ dialect: sqliteDialect(statementCache(database)) });
  try {
    await requireStore(db, path);
  } catch (error) {
    await db.destroy();
    throw error;
  }
  const write = <T>(job: WriteJob<T>): Promise<T> =>
    db.connection().execute(async (tx) => {
      database.exec('begin immediate');
      try {
        const value = await job(tx);
        database.exec('commit');
        return value;
      } catch (error) {
        if (database.isTransaction) database.exec('rollback');
        throw error;
      }
    });
  return {
    kind: 'sqlite',
    exclusive: false,
    db,
    now: () => new Date().toISOString(),
    write,
    perform: (procedure, args) => write((tx) => procedure.perform(tx, args)),
    close: () => db.destroy(),
  };
}

function openFile(path: string, readOnly: boolean): DatabaseSync {
  let database: DatabaseSync | undefined;
  try {
    // A read-only connection comes first in any case: a writable one would make a missing file.
    database = new DatabaseSync(path, { readOnly: true });
    database.prepare('select count(*) from sqlite_schema').get();
    if (readOnly) return database;
    database.close();
    database = new DatabaseSync(path, { timeout: 5000 });
    database.exec('pragma synchronous = full');
    return database;
  } catch (cause) {
    if (database?.isOpen) database.close();
    throw noStore(path, reasonOf(cause), cause);
  }
}
