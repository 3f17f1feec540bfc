/** Moments at which the end of the process is hardest to survive: something was done that the next moment records. */
export const failpoints = [
  'event-accepted',
  'run-claimed',
  'intent-journaled',
  'call-answered',
  'probe-answered',
  'outcome-journaled',
  'case-opened',
  'run-ended',
] as const;

export type Failpoint = (typeof failpoints)[number];

/** Set by tests only: `<failpoint>:<n>` ends the process the n-th time it comes by. */
const [armed, times = '1'] = process.env.Q2C_FAILPOINT?.split(':') ?? [];

let left = Number(times);

/** Says that the moment has come. Ends the process as `kill -9` does if a test has armed it, else does nothing. */
export function reach(point: Failpoint): void {
  if (point !== armed) return;
  left--;
  if (left === 0) process.kill(process.pid, 'SIGKILL');
}
