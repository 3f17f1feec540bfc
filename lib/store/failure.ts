import { Q2cError } from '../model';

/** What went wrong outside of us when a file of the store was opened or written, and what to do. */

/** By SQLite's primary result code (https://www.sqlite.org/rescode.html). */
const REMEDIES: Record<number, string> = {
  3: 'Give Node-RED the right to write to the file and its folder.',
  5: 'Another program keeps the file locked: end it.',
  6: 'Another program keeps the file locked: end it.',
  7: 'There is not enough memory.',
  8: 'Give Node-RED the right to write to the file and its folder.',
  10: 'The disk reports an error: check it, and the mount.',
  11: 'The file is damaged: restore a backup (npx q2c-store restore).',
  13: 'The disk is full: make room.',
  14: 'Check that the folder exists and that Node-RED may write to it.',
  26: 'The file is no store: choose another one, or restore a backup (npx q2c-store restore).',
};

/** True when the disk, the file or its rights are the cause, not the statement. */
export function isStoreFailure(error: unknown): boolean {
  return remedyOf(error) !== undefined;
}

/** Codes of writes that failed for a reason outside of us: they may be tried again as they are. */
export function isStoreRefusal(code: string | null): boolean {
  return code === 'STORE_WRITE_FAILED' || code === 'STORE_CONNECTION_LOST';
}

/** A write that failed for a reason outside of us: nothing of it is in the store, and it may be tried again. */
export function writeFailed(cause: unknown): Q2cError {
  const remedy = remedyOf(cause) ?? 'Check the disk.';
  return new Q2cError(
    'STORE_WRITE_FAILED',
    `The store could not be written: ${reasonOf(cause)}. ${remedy} Runs wait, and go on by themselves afterwards.`,
    { cause },
  );
}

/** A store that cannot be opened, or opened only to read. */
export function unavailable(path: string, cause: unknown): Q2cError {
  const remedy = remedyOf(cause) ?? 'Check that the folder exists, is writable and has space.';
  return new Q2cError(
    'STORE_UNAVAILABLE',
    `The store cannot be opened at ${path}: ${reasonOf(cause)}. ${remedy}`,
    { cause },
  );
}

/** SQLite's primary result code; extended ones hold it in their lowest byte. */
function resultCode(error: unknown): number | undefined {
  const code = typeof error === 'object' && error !== null && 'errcode' in error ? error.errcode : undefined;
  return typeof code === 'number' ? code & 0xff : undefined;
}

/** SQLITE_BUSY or SQLITE_LOCKED. */
export function isLocked(error: unknown): boolean {
  const code = resultCode(error);
  return code === 5 || code === 6;
}

/** SQLITE_CORRUPT. */
export function isCorrupt(error: unknown): boolean {
  return resultCode(error) === 11;
}

function remedyOf(error: unknown): string | undefined {
  const code = resultCode(error);
  return code === undefined ? undefined : REMEDIES[code];
}

export function reasonOf(error: unknown): string {
  return typeof error === 'object' && error !== null && 'message' in error
    ? String(error.message)
    : String(error);
}
