import { hostname } from 'node:os';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';
import { Q2cError } from '../model';

/** Time for a predecessor that is just closing, as in a deploy, to give the file away. */
const WAIT_MS = 2_000;
const LOOK_AGAIN_MS = 50;

interface Holder {
  pid: number;
  host: string;
  since: string;
}

/** Keeps a file for one process. */
export interface FileLock {
  release(): void;
}

/**
 * Takes a store's file for this process, until it is released or the process ends in whatever way: the lock is one
 * of the operating system, held through a small database beside the file. The store itself stays readable for others.
 *
 * @throws Q2cError `STORE_IN_USE`, naming the holder, when another process has it.
 */
export async function lockFile(path: string): Promise<FileLock> {
  const database = new DatabaseSync(`${path}-lock`, { timeout: 0 });
  try {
    database.exec('pragma journal_mode = memory; pragma synchronous = off');
    for (const deadline = performance.now() + WAIT_MS; !tryLock(database); ) {
      if (performance.now() > deadline) throw inUse(path, holderOf(database));
      await sleep(LOOK_AGAIN_MS);
    }
  } catch (error) {
    database.close();
    throw error;
  }
  return { release: () => database.close() };
}

/** Writes down who we are, for those that are refused, and keeps the right to write. */
function tryLock(database: DatabaseSync): boolean {
  try {
    database.exec(
      'begin immediate; create table if not exists holder (pid, host, since); delete from holder',
    );
    database
      .prepare('insert into holder values (?, ?, ?)')
      .run(process.pid, hostname(), new Date().toISOString());
    database.exec('commit; begin immediate');
    return true;
  } catch (error) {
    if (database.isTransaction) database.exec('rollback');
    if (isBusy(error)) return false;
    throw error;
  }
}

function holderOf(database: DatabaseSync): Holder | null {
  try {
    const row = database.prepare('select pid, host, since from holder').get();
    return row === undefined
      ? null
      : { pid: Number(row.pid), host: String(row.host), since: String(row.since) };
  } catch (error) {
    // It is just writing that down.
    if (isBusy(error) || isMissing(error)) return null;
    throw error;
  }
}

const SQLITE_ERROR = 1;
const SQLITE_BUSY = 5;

function isBusy(error: unknown): boolean {
  return resultCode(error) === SQLITE_BUSY;
}

function isMissing(error: unknown): boolean {
  return resultCode(error) === SQLITE_ERROR;
}

/** The low byte of SQLite's extended result code. */
function resultCode(error: unknown): number {
  const isCoded = typeof error === 'object' && error !== null && 'errcode' in error;
  return isCoded ? Number(error.errcode) & 0xff : 0;
}

function inUse(path: string, holder: Holder | null): Q2cError {
  const who = holder === null ? '' : ` (process ${holder.pid} on ${holder.host}, since ${holder.since})`;
  return new Q2cError(
    'STORE_IN_USE',
    `The store at ${path} is in use by another Node-RED${who}. Stop that one, or let several hosts share a PostgreSQL store.`,
  );
}
