import { parentPort, workerData } from 'node:worker_threads';
import { Q2cError } from '../model';
import { Keyring } from './keyring';
import { performCall } from './procedure';
import { openCommitter } from './sqlite';
import { READY, type Reply, type Request, type ThreadData, type WireOutcome } from './thread';

/**
 * The program of the embedded store's thread: performs the calls of each request in one transaction. The file that
 * starts it has imported the procedures before.
 */
export function serve(): void {
  if (parentPort === null) throw new Error('This program runs in a thread of the store.');
  const port = parentPort;
  const { path, keys } = workerData as ThreadData;
  const committer = openCommitter(path, keys === null ? null : Keyring.of(keys));
  port.on('message', async ({ id, calls }: Request) => {
    const results = await Promise.allSettled(
      calls.map((call) => committer.write((tx) => performCall(tx, call), 'committed')),
    );
    port.postMessage({ id, outcomes: results.map(outcomeOf) } satisfies Reply);
  });
  port.postMessage(READY);
}

function outcomeOf(result: PromiseSettledResult<unknown>): WireOutcome {
  if (result.status === 'fulfilled') return { ok: true, value: result.value };
  const { reason } = result;
  return {
    ok: false,
    code: reason instanceof Q2cError ? reason.code : null,
    message: reason instanceof Error ? reason.message : String(reason),
  };
}
