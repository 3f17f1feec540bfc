import { setTimeout as sleep } from 'node:timers/promises';
import { Q2cError } from '../model';
import type { BrokerLink } from './broker';

/** What whoever watches a connection is told. */
export interface ConnectionListener {
  up(): void;
  /** @param failures attempts in a row that failed; 0 when a connection has just ended */
  down(error: Error, failures: number): void;
}

const BASE_DELAY_MS = 500;
const MAX_DELAY_MS = 30_000;

/** Keeps a connection to a broker: connects again, after a growing pause, whenever there is none. */
export class BrokerConnection {
  private readonly closing = new AbortController();
  private current: BrokerLink | null = null;
  private up = Promise.withResolvers<void>();
  private running: Promise<void> | null = null;

  /** @param open connects, and does what must be done before the connection counts as up */
  constructor(
    private readonly open: (signal: AbortSignal) => Promise<BrokerLink>,
    private readonly listener: ConnectionListener,
  ) {}

  start(): void {
    this.running ??= this.keep();
  }

  /** Resolves when there is a connection, or when it was closed for good. */
  ready(): Promise<void> {
    return this.up.promise;
  }

  get isUp(): boolean {
    return this.current !== null;
  }

  /** @throws Q2cError `BROKER_UNAVAILABLE` when there is no connection at the moment */
  get link(): BrokerLink {
    if (this.current !== null) return this.current;
    throw new Q2cError('BROKER_UNAVAILABLE', 'There is no connection to the broker at the moment.');
  }

  async close(): Promise<void> {
    this.closing.abort();
    this.up.resolve();
    await this.current?.close();
    await this.running;
  }

  private async keep(): Promise<void> {
    const { signal } = this.closing;
    for (let failures = 0; !signal.aborted; ) {
      try {
        const link = await this.open(signal);
        failures = 0;
        this.current = link;
        this.listener.up();
        this.up.resolve();
        if (signal.aborted) await link.close();
        const reason = await link.closed;
        if (!signal.aborted) this.listener.down(reason, 0);
      } catch (error) {
        if (signal.aborted) return;
        failures++;
        this.listener.down(error instanceof Error ? error : new Error(String(error)), failures);
      }
      if (this.current !== null) this.up = Promise.withResolvers();
      this.current = null;
      await pause(failures, signal);
    }
  }
}

/** Full jitter: hosts that lost the broker together do not come back together. */
async function pause(failures: number, signal: AbortSignal): Promise<void> {
  const longest = Math.min(MAX_DELAY_MS, BASE_DELAY_MS * 2 ** Math.min(failures, 10));
  await sleep(BASE_DELAY_MS / 2 + Math.random() * longest, undefined, { signal }).catch(() => undefined);
}
