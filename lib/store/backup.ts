import { existsSync } from 'node:fs';
import { chmod, copyFile, link, open, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { type Instant, Q2cError } from '../model';
import { type AuditCheck, appendAudit, checkAudit } from './audit';
import { isCorrupt, isLocked, reasonOf } from './failure';
import { migrationsOf } from './migrate';
import { openStoreFile } from './tool';

/** Backup and restore of the embedded store (docs/operations/store.md). */

/** What a store file was found to hold. */
export interface Inspection extends Omit<AuditCheck, 'brokenAt'> {
  /** Name of its last migration. */
  schema: string;
  /** Ids of the keys that open its payloads; none = they are readable. */
  keys: string[];
}

/**
 * Copies a store as it is at one moment into a new file, while the host goes on working, and checks the copy.
 *
 * `vacuum into` reads in one transaction; a copy page by page (`sqlite3_backup_step`) begins anew with every write of
 * another process, and never ends beside a busy host.
 *
 * @throws Q2cError `STORE_UNAVAILABLE` when there is no store or no room, `STORE_BACKUP_INVALID` when the copy is
 *   damaged, as the store then is.
 */
export async function backupStore(path: string, to: string): Promise<Inspection> {
  if (existsSync(to)) throw new Q2cError('STORE_UNAVAILABLE', `${to} exists already; name a new file.`);
  const part = `${to}.part`;
  await rm(part, { force: true });
  try {
    await vacuumInto(path, part);
    await chmod(part, (await stat(path)).mode);
    const inspection = await inspectStore(part);
    await flush(part);
    await rename(part, to);
    await flushFolder(to);
    return inspection;
  } finally {
    await rm(part, { force: true });
  }
}

async function vacuumInto(path: string, to: string): Promise<void> {
  const store = await openStoreFile(path, { readOnly: true });
  await store.close();
  const database = new DatabaseSync(path, { readOnly: true, timeout: 5000 });
  try {
    database.prepare('vacuum into ?').run(to);
  } catch (cause) {
    throw new Q2cError(
      'STORE_UNAVAILABLE',
      `The backup cannot be written to ${to}: ${reasonOf(cause)}. Check that the folder is writable and has space.`,
      { cause },
    );
  } finally {
    database.close();
  }
}

/**
 * Reads a store file through: pages, schema and audit chain.
 * @throws Q2cError `STORE_BACKUP_INVALID` when something does not fit.
 */
export async function inspectStore(path: string): Promise<Inspection> {
  const store = await openStoreFile(path, { readOnly: true }).catch((error: Error) => {
    throw isCorrupt(error.cause) ? invalid(path, reasonOf(error.cause), error) : error;
  });
  try {
    requireIntegrity(path);
    const { brokenAt, lines, head } = await checkAudit(store.db);
    if (brokenAt !== null) throw invalid(path, `its audit chain is broken at line ${brokenAt}`);
    const migrations = await migrationsOf(store.db);
    const knowsKeys = (await store.db.introspection.getTables()).some(
      ({ name }) => name === 'encryption_key',
    );
    const keys = knowsKeys ? await store.db.selectFrom('encryption_key').select('id').execute() : [];
    return { schema: migrations.at(-1) ?? '', keys: keys.map(({ id }) => id), lines, head };
  } catch (cause) {
    throw cause instanceof Q2cError ? cause : invalid(path, reasonOf(cause), cause);
  } finally {
    await store.close();
  }
}

function requireIntegrity(path: string): void {
  const database = new DatabaseSync(path, { readOnly: true });
  try {
    const found = database.prepare('pragma integrity_check(1)').get()?.integrity_check;
    if (found !== 'ok') throw invalid(path, String(found));
  } finally {
    database.close();
  }
}

export interface Restored extends Inspection {
  /** Where the replaced store is kept; null when there was none. */
  replaced: string | null;
}

/**
 * Puts a checked copy of a backup in the place of a store, in one step. The replaced store is kept beside it.
 *
 * @throws Q2cError `STORE_IN_USE` when a host has the store open, `STORE_BACKUP_INVALID` when the backup is damaged,
 *   `STORE_NEWER` when a newer version of the pack wrote it. The store is then as before.
 */
export async function restoreStore(from: string, path: string, at: Instant): Promise<Restored> {
  const copy = `${path}.restoring`;
  await rm(copy, { force: true });
  try {
    const inspection = await inspectStore(from);
    await vacuumInto(from, copy);
    await noteRestore(copy, from, at);
    await flush(copy);
    const replaced = existsSync(path) ? `${path}.replaced-${at.replaceAll(':', '-')}` : null;
    if (replaced !== null) await setAside(path, replaced);
    await rename(copy, path);
    await flushFolder(path);
    return { ...inspection, replaced };
  } finally {
    await rm(copy, { force: true });
  }
}

async function noteRestore(copy: string, from: string, at: Instant): Promise<void> {
  const store = await openStoreFile(copy, { readOnly: false });
  try {
    await store.write((tx) =>
      appendAudit(tx, {
        at,
        actor: 'q2c-store',
        action: 'store.restored',
        subject: basename(from),
        runId: null,
        detail: {},
      }),
    );
  } finally {
    await store.close();
  }
}

/** Keeps the present store under another name without taking it from its place; only its log is taken away. */
async function setAside(path: string, replaced: string): Promise<void> {
  const log = `${path}-wal`;
  const keptLog = `${replaced}-wal`;
  // SQLite throws a log away that it finds beside a damaged file.
  if (existsSync(log)) await copyFile(log, keptLog);
  let isDamaged = false;
  try {
    isDamaged = !takeLogIn(path);
  } finally {
    if (!isDamaged) await rm(keptLog, { force: true });
  }
  for (const rest of [log, `${path}-shm`]) await rm(rest, { force: true });
  // File systems without hard links get a copy.
  await link(path, replaced).catch(() => copyFile(path, replaced));
}

/**
 * Moves the log into the store file, which only the last connection to it can do.
 * @returns false when the store is damaged, which is what a backup is for
 * @throws Q2cError `STORE_IN_USE`
 */
function takeLogIn(path: string): boolean {
  const database = new DatabaseSync(path);
  try {
    database.exec('pragma journal_mode = delete');
    return true;
  } catch (cause) {
    if (!isLocked(cause)) return false;
    throw new Q2cError(
      'STORE_IN_USE',
      `A host has the store at ${path} open. Stop Node-RED first, then restore.`,
      { cause },
    );
  } finally {
    database.close();
  }
}

async function flush(path: string): Promise<void> {
  const file = await open(path, 'r+');
  try {
    await file.sync();
  } finally {
    await file.close();
  }
}

/** Makes a rename last; Windows has no such call and does it by itself. */
async function flushFolder(path: string): Promise<void> {
  if (process.platform === 'win32') return;
  const folder = await open(dirname(path), 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

function invalid(path: string, reason: string, cause?: unknown): Q2cError {
  return new Q2cError(
    'STORE_BACKUP_INVALID',
    `${path} is damaged: ${reason}. Use another backup; nothing was changed.`,
    { cause },
  );
}
