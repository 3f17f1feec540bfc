/**
 * Preloaded into a host whose power will be cut (`node --require`). Notes beside each SQLite log, after every flush,
 * the header of the log's index as it was before the flush began: all frames that it counts are on the disk.
 */
const { existsSync, openSync, readlinkSync, readSync, writeSync } = require('node:fs');
const promises = require('node:fs/promises');

const HEADER_BYTES = 48;
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
    writeSync(note, header, 0, HEADER_BYTES, 0);
  };
}

// The class of handles can only be had from a handle.
const { open } = promises;
promises.open = async (...args) => {
  const handle = await open(...args);
  if (promises.open !== open) record(Object.getPrototypeOf(handle));
  promises.open = open;
  return handle;
};
