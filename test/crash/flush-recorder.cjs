/**
 * Preloaded into a host whose power will be cut (`node --require`). Notes beside each SQLite log, after every flush,
 * the header of the log's index as it was before the flush began: all frames that it counts are on the disk.
 */
const { existsSync, openSync, readlinkSync, readSync, writeSync } = require('node:fs');
const promises = require('node:fs/promises');

const HEADER_BYTES = 48;
/** Where the header has the number of frames and the salts of the log (SQLite's `WalIndexHdr`). */
const FRAMES_AT = 16;
const SALTS_AT = 32;
const files = new Map();

/** The index and the note beside a log. They stay open: closing any handle of the index would free SQLite's locks. */
function filesOf(log) {
  if (!files.has(log)) {
    const note = `${log}.flushed`;
    // Never truncated: the host may be killed between any two system calls.
    files.set(log, {
      index: openSync(log.replace(/-wal$/, '-shm'), 'r'),
      note: openSync(note, existsSync(note) ? 'r+' : 'w+'),
    });
  }
  return files.get(log);
}

function record(prototype) {
  const { datasync } = prototype;
  prototype.datasync = async function recordedDatasync() {
    const { index, note } = filesOf(readlinkSync(`/proc/self/fd/${this.fd}`));
    const header = Buffer.alloc(HEADER_BYTES);
    readSync(index, header, 0, HEADER_BYTES, 0);
    await datasync.call(this);
    // Of flushes under way at once, the one that began first may end last.
    if (isLater(header, noted(note))) writeSync(note, header, 0, HEADER_BYTES, 0);
  };
}

function noted(note) {
  const header = Buffer.alloc(HEADER_BYTES);
  return readSync(note, header, 0, HEADER_BYTES, 0) === HEADER_BYTES ? header : null;
}

/** In the same log, which its salts tell, by the number of frames. Numbers are in the byte order of the machine. */
function isLater(header, other) {
  if (other === null || !saltsOf(header).equals(saltsOf(other))) return true;
  return header.readUInt32LE(FRAMES_AT) >= other.readUInt32LE(FRAMES_AT);
}

const saltsOf = (header) => header.subarray(SALTS_AT, SALTS_AT + 8);

// The class of handles can only be had from a handle.
const { open } = promises;
promises.open = async (...args) => {
  const handle = await open(...args);
  if (promises.open !== open) record(Object.getPrototypeOf(handle));
  promises.open = open;
  return handle;
};

module.exports = { isLater };
