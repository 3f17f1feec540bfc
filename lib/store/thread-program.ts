import { parentPort, workerData } from 'node:worker_threads';
import { Channel, toWire } from '../thread';
import type { DurableCall } from './group-commit';
import { Keyring } from './keyring';
import { performCall } from './procedure';
import { openCommitter } from './sqlite';
import type { Outcome, ThreadData } from './thread';

/**
 * The program of the embedded store's thread: performs calls, those that come together in one transaction, and answers
 * each once it is as durable as asked for. The file that starts it has imported the procedures before.
 */
export async function serve(): Promise<void> {
  if (parentPort === null) throw new Error('This program runs in a thread of the store.');
  const { path, keys } = workerData as ThreadData;
  const committer = await openCommitter(path, keys === null ? null : Keyring.of(keys));
  const perform = ({ durability, ...call }: DurableCall): Promise<Outcome> =>
    committer
      .write((tx) => performCall(tx, call), durability)
      .then(
        (value) => ({ ok: true, value }),
        (error: unknown) => ({ ok: false, error: toWire(error) }),
      );
  new Channel(parentPort, { onQuestion: perform }).note({ ready: true });
}
