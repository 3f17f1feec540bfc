import type { Failure, RetryPolicy } from './types';

export const DEFAULT_RETRY: RetryPolicy = {
  maxAttempts: 6,
  maxElapsedMs: 120_000,
  baseDelayMs: 250,
  maxDelayMs: 20_000,
  maxRunRetries: 12,
  runRetryBaseMs: 5_000,
  runRetryMaxMs: 30 * 60_000,
};

/**
 * Exponential backoff with full jitter: uniform between 0 and the ceiling, so that many deals hit by one
 * outage do not come back in step. A vendor's own wish is a lower bound.
 * @param attempt 1 for the delay after the first failure
 */
export function stepDelay(
  policy: RetryPolicy,
  attempt: number,
  retryAfterMs: number,
  random: () => number,
): number {
  const ceiling = Math.min(policy.maxDelayMs, policy.baseDelayMs * 2 ** (attempt - 1));
  return Math.max(retryAfterMs, Math.round(random() * ceiling));
}

/** Delay before a failed run is dispatched again, in milliseconds. */
export function runDelay(policy: RetryPolicy, attempt: number, random: () => number): number {
  const ceiling = Math.min(policy.runRetryMaxMs, policy.runRetryBaseMs * 2 ** (attempt - 1));
  return Math.round(ceiling / 2 + (random() * ceiling) / 2);
}

/** Resolves after `ms`, or rejects with the signal's reason when it fires first. */
export function delay(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) {
      reject(signal.reason);
      return;
    }
    const onAbort = () => {
      clearTimeout(timer);
      reject(signal.reason);
    };
    const timer = setTimeout(() => {
      signal.removeEventListener('abort', onAbort);
      resolve();
    }, ms);
    signal.addEventListener('abort', onAbort, { once: true });
  });
}

export function isRetriable({ kind }: Failure): boolean {
  return kind === 'transient' || kind === 'rate_limited' || kind === 'unknown' || kind === 'conflict';
}

export interface Patience {
  retry: RetryPolicy;
  random(): number;
  /** Fires when the engine stops: no further call is begun. */
  stopping: AbortSignal;
  /** Fires when the engine can wait no longer: calls under way are broken off. */
  cancelling: AbortSignal;
}

/** A call that was repeated in vain, or refused. */
export class GivenUp extends Error {
  constructor(
    readonly failure: Failure,
    cause: unknown,
  ) {
    super(failure.reason, { cause });
    this.name = 'GivenUp';
  }
}

/**
 * Makes a call that may be repeated without harm, until it succeeds, is refused, or the policy's patience ends.
 * @throws GivenUp with the last failure; the reason of a signal that fires first
 */
export async function persist<T>(
  call: () => Promise<T>,
  classify: (error: unknown) => Failure,
  { retry, random, stopping, cancelling }: Patience,
): Promise<T> {
  const startedAt = performance.now();
  for (let attempt = 1; ; attempt++) {
    stopping.throwIfAborted();
    try {
      return await call();
    } catch (cause) {
      cancelling.throwIfAborted();
      const failure = classify(cause);
      if (!isRetriable(failure) || isExhausted(retry, attempt, startedAt, failure)) {
        throw new GivenUp(failure, cause);
      }
      await delay(stepDelay(retry, attempt, failure.retryAfterMs ?? 0, random), stopping);
    }
  }
}

/**
 * True when the policy allows no further attempt within one step.
 * @param startedAt moment of the monotonic clock
 */
export function isExhausted(
  { maxAttempts, maxElapsedMs }: RetryPolicy,
  attempt: number,
  startedAt: number,
  failure: Failure,
): boolean {
  const elapsed = performance.now() - startedAt + (failure.retryAfterMs ?? 0);
  return attempt >= maxAttempts || elapsed >= maxElapsedMs;
}
