/**
 * Preloaded into a host whose power will be cut (`node --require`). Notes beside each SQLite log, after every flush,
 * the header of the log's index as it was before the flush began: all frames that it counts are on the disk.
 */
const { openSync, readFileSync, readlinkSync, writeSync, existsSync } = require('node:fs');
const { open } = require('node:fs/promises');

const HEADER_BYTES = 48;
const notes = new Map();

/** Never truncated: the host may be killed between any two system calls. */
function noteOf(log) {
  const file = `${log}.flushed`;
  if (!notes.has(log)) notes.set(log, openSync(file, existsSync(file) ? 'r+' : 'w+'));
  return notes.get(log);
}

open(__filename).then(async (handle) => {
  const prototype = Object.getPrototypeOf(handle);
  await handle.close();
  const { datasync } = prototype;
  prototype.datasync = async function recordedDatasync() {
    const log = readlinkSync(`/proc/self/fd/${this.fd}`);
    const header = readFileSync(log.replace(/-wal$/, '-shm')).subarray(0, HEADER_BYTES);
    await datasync.call(this);
    writeSync(noteOf(log), header, 0, HEADER_BYTES, 0);
  };
});
