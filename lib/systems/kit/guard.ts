import { setTimeout as sleep } from 'node:timers/promises';
import {
  BrokenCircuitError,
  type CircuitBreakerPolicy,
  CircuitState,
  ConsecutiveBreaker,
  circuitBreaker,
  handleWhen,
} from 'cockatiel';
// Not the package's index: it brings limiters for a dozen databases, which every start of the host would load.
import RateLimiterMemory from 'rate-limiter-flexible/lib/RateLimiterMemory.js';
import RateLimiterQueue from 'rate-limiter-flexible/lib/RateLimiterQueue.js';
import { type RawReply, TransportFailure } from './transport';
import type { ReserveCall } from './types';

/** At most `size` holders at once; the others wait in order of arrival. */
export class Slots {
  #free: number;
  readonly #size: number;
  readonly #waiting = new Set<() => void>();

  constructor(size: number) {
    this.#size = size;
    this.#free = size;
  }

  get inUse(): number {
    return this.#size - this.#free;
  }

  get waiting(): number {
    return this.#waiting.size;
  }

  /**
   * Resolves when a slot is free.
   * @throws TransportFailure (not sent, cancelled) when the signal fires first.
   */
  async take(signal?: AbortSignal): Promise<void> {
    if (signal?.aborted) throw cancelledBeforeSending();
    if (this.#free > 0) {
      this.#free -= 1;
      return;
    }
    await new Promise<void>((resolve, reject) => {
      const leave = () => {
        this.#waiting.delete(enter);
        reject(cancelledBeforeSending());
      };
      const enter = () => {
        signal?.removeEventListener('abort', leave);
        resolve();
      };
      this.#waiting.add(enter);
      signal?.addEventListener('abort', leave, { once: true });
    });
  }

  /** Hands the slot to the one who has waited longest. */
  give(): void {
    const [next] = this.#waiting;
    if (next) {
      this.#waiting.delete(next);
      next();
    } else this.#free += 1;
  }
}

/** Calls started per second. Resolves when the next call may start. */
export type RateBudget = (signal?: AbortSignal) => Promise<void>;

/**
 * Rates below one call a second become one call every n seconds.
 * @param reserve shares the rate with other hosts
 */
export function createRateBudget(requestsPerSecond: number | undefined, reserve?: ReserveCall): RateBudget {
  if (requestsPerSecond === undefined) return async () => {};
  const own = createOwnBudget(requestsPerSecond);
  if (reserve === undefined) return own;
  return async (signal) => {
    const waitMs = await reserve(requestsPerSecond).catch((cause: unknown) => {
      throw new TransportFailure('the rate shared with other hosts cannot be asked for', {
        sent: false,
        cause,
      });
    });
    if (waitMs === null) await own(signal);
    else if (waitMs > 0) await pause(waitMs, signal);
  };
}

async function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  try {
    await sleep(ms, undefined, { signal });
  } catch {
    // A sleep ends early for one reason only.
    throw cancelledBeforeSending();
  }
}

function createOwnBudget(requestsPerSecond: number): RateBudget {
  const points = Math.max(1, Math.floor(requestsPerSecond));
  const duration = requestsPerSecond < 1 ? 1 / requestsPerSecond : 1;
  const queue = new RateLimiterQueue(new RateLimiterMemory({ points, duration }));
  return async (signal) => {
    const turn = queue.removeTokens(1);
    if (signal) await orCancelled(turn, signal);
    else await turn;
  };
}

/** A cancelled waiter leaves its token to nobody: the budget is a bound, not a promise. */
function orCancelled<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const cancel = () => reject(cancelledBeforeSending());
    if (signal.aborted) cancel();
    signal.addEventListener('abort', cancel, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', cancel));
  });
}

function cancelledBeforeSending(): TransportFailure {
  return new TransportFailure('the call was cancelled', { sent: false, cancelled: true });
}

/**
 * Opens after `failures` in a row: no answer at all, or one with status 5xx. Refusals (4xx) prove that the
 * vendor works and close it. While open, calls fail at once instead of waiting for their time-outs.
 */
export class Breaker {
  readonly #policy: CircuitBreakerPolicy;
  readonly #openMs: number;
  #openedAt = 0;

  constructor({ failures, openMs }: { failures: number; openMs: number }) {
    const counts = handleWhen(
      (error) => error instanceof TransportFailure && !error.cancelled && !error.malformed,
    ).orWhenResult((reply) => (reply as RawReply).status >= 500);
    this.#openMs = openMs;
    this.#policy = circuitBreaker(counts, {
      halfOpenAfter: openMs,
      breaker: new ConsecutiveBreaker(failures),
    });
    this.#policy.onBreak(() => {
      this.#openedAt = performance.now();
    });
  }

  get state(): 'closed' | 'open' | 'half-open' {
    if (this.#policy.state === CircuitState.Closed) return 'closed';
    return this.#policy.state === CircuitState.HalfOpen ? 'half-open' : 'open';
  }

  /** Milliseconds until the next call is let through. */
  get retryAfterMs(): number {
    return Math.max(0, Math.ceil(this.#openedAt + this.#openMs - performance.now()));
  }

  /** @throws BrokenCircuitError while open. */
  run(work: () => Promise<RawReply>): Promise<RawReply> {
    return this.#policy.execute(work);
  }
}

export { BrokenCircuitError };
