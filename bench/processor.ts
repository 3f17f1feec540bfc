import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';

/** Processor time of processes, and the cores that they may use, as Linux tells and sets them. */

/** What `/proc` counts in: `getconf CLK_TCK` is 100 on every Linux that Node.js runs on. */
const TICK_MS = 10;

/** Milliseconds of processor time that a process, and those of its children that have ended, have used. */
export function processorMs(pid: number): number {
  return (statOf(pid)?.ticks ?? 0) * TICK_MS;
}

/** The process that has started another one; null when there is none. */
export function parentOf(pid: number): number | null {
  return statOf(pid)?.parent ?? null;
}

/** Ids of the processes that a process has started. */
export function childrenOf(pid: number): number[] {
  return readdirSync('/proc')
    .map(Number)
    .filter((id) => id > 0 && parentOf(id) === pid);
}

/**
 * Keeps a process, and what it starts from now on, to some cores.
 * @param cores as `taskset` takes them, such as `2-3`
 */
export function keepTo(cores: string, pid: number): void {
  execFileSync('taskset', ['--all-tasks', '--cpu-list', '--pid', cores, String(pid)]);
}

/** Fields of `/proc/<pid>/stat`, see proc(5); null when the process has ended. */
function statOf(pid: number): { parent: number; ticks: number } | null {
  const text = contentOf(`/proc/${pid}/stat`);
  // The name, in brackets, may hold anything; behind it come the state, the parent and then numbers.
  const fields = text
    ?.slice(text.lastIndexOf(')') + 2)
    .split(' ')
    .map(Number);
  if (fields === undefined) return null;
  const ticks = fields.slice(11, 15).reduce((sum, each) => sum + each, 0);
  return { parent: fields[1] ?? 0, ticks };
}

function contentOf(file: string): string | null {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    // ESRCH: it ended between the opening and the reading.
    if (/ENOENT|ESRCH/.test(String(error))) return null;
    throw error;
  }
}
