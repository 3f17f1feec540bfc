import type { Log } from './types';

const SILENCE_MS = 60_000;

/** Work beside the flows: what is done every now and then, and what `stop` has to wait for. */
export class Background {
  private readonly work = new Set<Promise<unknown>>();
  /** When a kind of failure was last logged: one that lasts is told once a minute. */
  private readonly logged = new Map<string, number>();
  private timers: NodeJS.Timeout[] = [];

  constructor(private readonly log: Log) {}

  /** Does a task every so often, never twice at a time, until `end`. */
  every(ms: number, task: () => Promise<void>): void {
    let busy = false;
    const timer = setInterval(() => {
      if (busy) return;
      busy = true;
      this.track(
        task()
          .catch((error: unknown) => this.logFailure('Housekeeping of the engine failed', error))
          .finally(() => {
            busy = false;
          }),
      );
    }, ms);
    timer.unref();
    this.timers.push(timer);
  }

  /** Remembers work until it settles, so that `settled` can wait for it. */
  track<T>(promise: Promise<T>): Promise<T> {
    this.work.add(promise);
    const forget = () => this.work.delete(promise);
    promise.then(forget, forget);
    return promise;
  }

  /** Logs a failure that the work outlives. */
  logFailure(what: string, error: unknown): void {
    const last = this.logged.get(what);
    if (last !== undefined && performance.now() - last < SILENCE_MS) return;
    this.logged.set(what, performance.now());
    this.log('error', `${what}: ${messageOf(error)}`);
  }

  /** No further task is begun. */
  end(): void {
    for (const timer of this.timers) clearInterval(timer);
    this.timers = [];
  }

  /** Resolves when all work known now has settled. */
  async settled(): Promise<void> {
    await Promise.allSettled(this.work);
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
