import { parentPort, workerData } from 'node:worker_threads';
import { Q2cError } from '../model';
import { Keyring } from './keyring';
import { performCall } from './procedure';
import { openCommitter } from './sqlite';
import { READY, type Reply, type Request, type ThreadData, type WireOutcome } from './thread';

/**
 * The program of the embedded store's thread: performs calls, those that come together in one transaction, and answers
 * each once it is as durable as asked for. The file that starts it has imported the procedures before.
 */
export async function serve(): Promise<void> {
  if (parentPort === null) throw new Error('This program runs in a thread of the store.');
  const port = parentPort;
  const { path, keys } = workerData as ThreadData;
  const committer = await openCommitter(path, keys === null ? null : Keyring.of(keys));
  const settled: Reply = [];
  const settle = (outcome: Reply[number]) => {
    // What one commit or one flush settles is settled before anything else can happen: it goes in one message.
    if (settled.push(outcome) === 1) queueMicrotask(() => port.postMessage(settled.splice(0)));
  };
  port.on('message', (request: Request) => {
    for (const { id, durability, ...call } of request) {
      committer
        .write((tx) => performCall(tx, call), durability)
        .then(
          (value) => settle({ id, ok: true, value }),
          (reason: unknown) => settle({ id, ...failed(reason) }),
        );
    }
  });
  port.postMessage(READY);
}

function failed(reason: unknown): WireOutcome {
  return {
    ok: false,
    code: reason instanceof Q2cError ? reason.code : null,
    message: reason instanceof Error ? reason.message : String(reason),
  };
}
