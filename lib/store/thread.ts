import type { KeyObject } from 'node:crypto';
import { Worker } from 'node:worker_threads';
import { type ErrorCode, Q2cError } from '../model';
import type { DurableCall } from './group-commit';

/** What the thread is started with. */
export interface ThreadData {
  path: string;
  /** As a keyring shares them. */
  keys: KeyObject[] | null;
}

/** Calls, in the order in which they are to be committed. */
export type Request = (DurableCall & { id: number })[];

/** What became of some calls: of each as soon as it is as durable as was asked for. */
export type Reply = (WireOutcome & { id: number })[];

export type WireOutcome =
  | { ok: true; value: unknown }
  | { ok: false; code: ErrorCode | null; message: string };

export type Outcome = { ok: true; value: unknown } | { ok: false; error: Error };

/** The first message of the thread: it has opened the file. */
export const READY = 'ready';

interface Waiting {
  resolve(outcome: Outcome): void;
  reject(error: Error): void;
}

/**
 * The embedded store's own thread, seen from the host (docs/decisions/0018). It has a connection of its own, and writes
 * in turns with the host's: the committer sees to that.
 */
export class StoreThread {
  private readonly worker: Worker;
  private readonly waiting = new Map<number, Waiting>();
  private calls = 0;
  /** True while calls may be given to it. */
  ready = false;

  constructor(file: string, data: ThreadData) {
    this.worker = new Worker(file, { workerData: data });
    // Nothing that the thread could still do is a reason for the host to stay alive.
    this.worker.unref();
    this.worker.on('message', (message: typeof READY | Reply) => {
      if (message === READY) this.ready = true;
      else this.settle(message);
    });
    this.worker.on('error', (error) => this.fail(error));
    this.worker.on('exit', () => this.fail(new Error('it has ended')));
  }

  /** @returns of each call what became of it; rejects when the thread is gone: nobody knows then */
  perform(calls: readonly DurableCall[]): Promise<Outcome>[] {
    const request = calls.map(({ name, args, durability }) => ({ id: ++this.calls, name, args, durability }));
    try {
      this.worker.postMessage(request satisfies Request);
    } catch (error) {
      // Something is no plain data: nobody is to wait for an answer.
      return calls.map(() => Promise.reject(error));
    }
    return request.map(
      ({ id }) => new Promise((resolve, reject) => this.waiting.set(id, { resolve, reject })),
    );
  }

  async close(): Promise<void> {
    this.ready = false;
    await this.worker.terminate();
  }

  private settle(reply: Reply): void {
    for (const outcome of reply) {
      const waiting = this.waiting.get(outcome.id);
      this.waiting.delete(outcome.id);
      waiting?.resolve(outcome.ok ? outcome : { ok: false, error: errorOf(outcome) });
    }
  }

  private fail(cause: Error): void {
    this.ready = false;
    const waiting = [...this.waiting.values()];
    this.waiting.clear();
    for (const { reject } of waiting)
      reject(new Error(`The store's thread has failed: ${cause.message}`, { cause }));
  }
}

function errorOf({ code, message }: Extract<WireOutcome, { ok: false }>): Error {
  return code === null ? new Error(message) : new Q2cError(code, message);
}
