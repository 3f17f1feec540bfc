import type { KeyObject } from 'node:crypto';
import { Worker } from 'node:worker_threads';
import { type ErrorCode, Q2cError } from '../model';
import type { Call } from './procedure';

/** What the thread is started with. */
export interface ThreadData {
  path: string;
  /** As a keyring shares them. */
  keys: KeyObject[] | null;
}

/** Calls that belong together, and what became of each. */
export interface Request {
  id: number;
  calls: Call[];
}

export interface Reply {
  id: number;
  outcomes: WireOutcome[];
}

export type WireOutcome =
  | { ok: true; value: unknown }
  | { ok: false; code: ErrorCode | null; message: string };

export type Outcome = { ok: true; value: unknown } | { ok: false; error: Error };

/** The first message of the thread: it has opened the file. */
export const READY = 'ready';

interface Waiting {
  resolve(outcomes: Outcome[]): void;
  reject(error: Error): void;
}

/**
 * The embedded store's own thread, seen from the host (docs/decisions/0018). It has a connection of its own, and writes
 * in turns with the host's: the committer sees to that.
 */
export class StoreThread {
  private readonly worker: Worker;
  private readonly waiting = new Map<number, Waiting>();
  private requests = 0;
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

  /** @throws when the thread is gone; whether the calls were committed is not known then */
  perform(calls: Call[]): Promise<Outcome[]> {
    const id = ++this.requests;
    return new Promise((resolve, reject) => {
      // First, for it throws when something is no plain data: then nobody is to wait for an answer.
      this.worker.postMessage({ id, calls } satisfies Request);
      this.waiting.set(id, { resolve, reject });
    });
  }

  async close(): Promise<void> {
    this.ready = false;
    await this.worker.terminate();
  }

  private settle({ id, outcomes }: Reply): void {
    const waiting = this.waiting.get(id);
    this.waiting.delete(id);
    waiting?.resolve(
      outcomes.map((outcome) => (outcome.ok ? outcome : { ok: false, error: errorOf(outcome) })),
    );
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
