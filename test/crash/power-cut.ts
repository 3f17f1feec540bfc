import { existsSync, readFileSync, statSync, truncateSync } from 'node:fs';
import { join } from 'node:path';

/**
 * What a power cut does beyond the end of the process: everything that no flush had brought to the disk is gone. Of a
 * SQLite database in WAL mode that is the end of its log.
 */

/** Makes a host record its flushes; Linux only. */
export const recordFlushes = { NODE_OPTIONS: `--require ${join(__dirname, 'flush-recorder.cjs')}` };

const LOG_HEADER_BYTES = 32;
const FRAME_HEADER_BYTES = 24;

/**
 * Takes off the log what was not flushed, after the host was killed.
 * @returns bytes lost
 */
export function cutPower(database: string): number {
  const log = `${database}-wal`;
  if (!existsSync(log) || statSync(log).size <= LOG_HEADER_BYTES) return 0;
  const header = readFileSync(log).subarray(0, LOG_HEADER_BYTES);
  const index = readFileSync(`${database}-shm`);
  const generation = saltsOf(header, 16);
  // The log begins anew: all it holds was moved into the database, and SQLite flushed both for that.
  if (saltsOf(index, 32) !== generation) return 0;

  const flushed = existsSync(`${log}.flushed`) ? readFileSync(`${log}.flushed`) : null;
  const noted = flushed !== null && saltsOf(flushed, 32) === generation ? flushed.readUInt32LE(16) : 0;
  // SQLite flushes the log itself before it moves frames: those moved, and those it was about to move. Frames that a
  // restarted process has found in the log count among them, so a cut after a kill is milder than a real one.
  const frames = Math.max(noted, index.readUInt32LE(96), index.readUInt32LE(128));
  const end = frames === 0 ? 0 : LOG_HEADER_BYTES + frames * (FRAME_HEADER_BYTES + header.readUInt32BE(8));
  const used = LOG_HEADER_BYTES + index.readUInt32LE(16) * (FRAME_HEADER_BYTES + header.readUInt32BE(8));
  if (end < statSync(log).size) truncateSync(log, end);
  return Math.max(0, used - end);
}

/** Tell one generation of the log from the one before it in the same file. */
const saltsOf = (buffer: Buffer, at: number): string => buffer.subarray(at, at + 8).toString('hex');
