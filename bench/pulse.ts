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
}

/** Stalls from this length on are told one by one. */
const TOLD_MS = 20;
const EVERY_MS = 250;

/**
 * The module to load into the host (`--require`), as plain JavaScript: a timer of 2 ms notices by how much it comes late.
 * @param file which it appends lines to: every stall, and the state of things a few times a second
 */
export const pulseProgram = (file: string): string => `
const { appendFileSync } = require('node:fs');
const { isMainThread } = require('node:worker_threads');
if (isMainThread) {
  const PERIOD_MS = 2;
  let last = performance.now();
  let told = last;
  const work = () => {
    const { user, system } = process.threadCpuUsage();
    return (user + system) / 1000;
  };
  let worked = work();
  setInterval(() => {
    const now = performance.now();
    const stall = now - last - PERIOD_MS;
    last = now;
    const before = worked;
    worked = work();
    if (stall < ${TOLD_MS} && now - told < ${EVERY_MS}) return;
    told = now;
    const mb = Math.round(process.memoryUsage.rss() / 1048576);
    appendFileSync(${JSON.stringify(file)}, [Date.now(), stall.toFixed(1), (worked - before).toFixed(1), mb].join(' ') + '\\n');
    last = performance.now();
    worked = work();
  }, PERIOD_MS).unref();
}
`;

export function pulses(text: string): Pulse[] {
  return text
    .trim()
    .split('\n')
    .map((line) => {
      const [at = Number.NaN, stallMs = Number.NaN, workMs = Number.NaN, mb = Number.NaN] = line
        .split(' ')
        .map(Number);
      return { at, stallMs, workMs, mb };
    });
}
