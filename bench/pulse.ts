/** A look into a running host: how long its event loop stands still, and its memory, told by a module loaded into it. */

export interface Pulse {
  /** Epoch milliseconds. */
  at: number;
  /** The event loop did not turn for so long until then, in milliseconds. */
  stallMs: number;
  /** Of that, what the thread was at work: for the rest it waited for the disk, or for its turn on a busy machine. */
  workMs: number;
  /** Resident memory in MB. */
  mb: number;
  /** What the heap of the main thread still held after its garbage was collected, in MB; NaN where it was not collected. */
  keptMb: number;
}

/** Stalls from this length on are told one by one. */
const TOLD_MS = 20;
const EVERY_MS = 250;
/** Garbage is collected so often, so that what is kept can be told from what is left over. That stall is not told. */
const COLLECT_MS = 60_000;

/**
 * The module to load into the host (`--require`), as plain JavaScript: a timer of 2 ms notices by how much it comes late.
 * @param file which it appends lines to: every stall, and the state of things a few times a second
 */
export const pulseProgram = (file: string): string => `
const { appendFileSync } = require('node:fs');
const { setFlagsFromString } = require('node:v8');
const { runInNewContext } = require('node:vm');
const { isMainThread } = require('node:worker_threads');
if (isMainThread) {
  const PERIOD_MS = 2;
  const mb = (bytes) => (bytes / 1048576).toFixed(1);
  let last = performance.now();
  let told = last;
  const work = () => {
    const { user, system } = process.threadCpuUsage();
    return (user + system) / 1000;
  };
  let worked = work();
  const tell = (stall, busy, kept) => {
    const line = [Date.now(), stall.toFixed(1), busy.toFixed(1), mb(process.memoryUsage.rss()), kept].join(' ');
    appendFileSync(${JSON.stringify(file)}, line + '\\n');
    told = last = performance.now();
    worked = work();
  };
  setInterval(() => {
    const now = performance.now();
    const stall = now - last - PERIOD_MS;
    last = now;
    const before = worked;
    worked = work();
    if (stall < ${TOLD_MS} && now - told < ${EVERY_MS}) return;
    tell(stall, worked - before, 'NaN');
  }, PERIOD_MS).unref();
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc');
  setInterval(() => {
    collect();
    tell(0, 0, mb(process.memoryUsage().heapUsed));
  }, ${COLLECT_MS}).unref();
}
`;

export function pulses(text: string): Pulse[] {
  return text
    .trim()
    .split('\n')
    .map((line) => {
      const [
        at = Number.NaN,
        stallMs = Number.NaN,
        workMs = Number.NaN,
        mb = Number.NaN,
        keptMb = Number.NaN,
      ] = line.split(' ').map(Number);
      return { at, stallMs, workMs, mb, keptMb };
    });
}
