import type { KeyObject } from 'node:crypto';
import { Worker } from 'node:worker_threads';
import { Channel, THREAD_LIMITS, type WireError } from '../thread';
import type { DurableCall } from './group-commit';

/** What the thread is started with. */
export interface ThreadData {
  path: string;
  /** As a keyring shares them. */
  keys: KeyObject[] | null;
}

/** What became of a call. */
export type Outcome = { ok: true; value: unknown } | { ok: false; error: WireError };

/**
 * The embedded store's own thread, seen from the host (docs/decisions/0018). It has a connection of its own, and writes
 * in turns with the host's: the committer sees to that.
 */
export class StoreThread {
  private readonly worker: Worker;
  private readonly channel: Channel;
  /** True while calls may be given to it. */
  ready = false;

  constructor(file: string, data: ThreadData) {
    this.worker = new Worker(file, { workerData: data, resourceLimits: THREAD_LIMITS });
    // Nothing that the thread could still do is a reason for the host to stay alive.
    this.worker.unref();
    const onNote = () => {
      this.ready = true;
    };
    this.channel = new Channel(this.worker, { onNote });
    this.worker.on('error', (error) => this.fail(error));
    this.worker.on('exit', () => this.fail(new Error('it has ended')));
  }

  /** @returns of each call what became of it; rejects when the thread is gone: nobody knows then */
  perform(calls: readonly DurableCall[]): Promise<Outcome>[] {
    return calls.map((call) => this.channel.ask(call) as Promise<Outcome>);
  }

  async close(): Promise<void> {
    this.ready = false;
    await this.worker.terminate();
  }

  private fail(cause: Error): void {
    this.ready = false;
    this.channel.fail(new Error(`The store's thread has failed: ${cause.message}`, { cause }));
  }
}
