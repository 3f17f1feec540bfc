import { Q2cError } from '../../model';
import { SystemError } from './errors';
import type { ConnectionCheck } from './types';

export interface CheckStep {
  id: string;
  label: string;
  /** Resolves to a message when something is wrong; throws when a call fails. */
  run: () => Promise<string | undefined>;
  /** When this one fails the following would only repeat its message: they are left out. */
  blocking?: boolean;
}

/** Runs the checks of a connection in order. Never throws: a failure is an answer here. */
export async function runChecks(steps: readonly CheckStep[]): Promise<ConnectionCheck[]> {
  const checks: ConnectionCheck[] = [];
  for (const { id, label, run, blocking } of steps) {
    const message = await run().catch(messageOf);
    const ok = message === undefined;
    checks.push({ id, label, ok, message: message ?? '' });
    if (!ok && blocking) break;
  }
  return checks;
}

function messageOf(error: unknown): string {
  if (error instanceof SystemError) return error.reason;
  // Anything else is a defect of ours; its message may hold anything, so only its kind is shown.
  return error instanceof Q2cError
    ? error.message
    : `the check itself failed (${error instanceof Error ? error.name : 'error'})`;
}
