import { setTimeout as sleep } from 'node:timers/promises';
import { type BusinessEvent, type CanonicalId, type Instant, Q2cError } from '../model';
import { type Delivery, markDelivered, type Store, waitingDeliveries } from '../store';

export interface RelayOptions {
  store: Store;
  /** Whose deliveries are handed on. */
  receiver: string;
  /** Resolves when the receiver can be reached, or the relay was stopped. */
  ready?(): Promise<void>;
  /**
   * Takes or keeps the right to relay for this receiver, where several hosts share a store; asked before each batch.
   * A host that loses it in the middle of a batch may still send what it began: the same events, never others.
   */
  acquire?(): Promise<boolean>;
  /** Resolves when the receiver has the event for good. */
  send(event: BusinessEvent): Promise<void>;
  now?(): Instant;
  /** Told of each event the receiver refused, and of each failure to read or write the store. */
  onFailure(error: Error, event?: BusinessEvent): void;
}

const BATCH = 256;
/** Ordering keys under way at once. */
const PARALLEL_KEYS = 32;
/** Between looks for events that nobody woke us for: another host has put them there. */
const IDLE_MS = 1_000;
const BASE_DELAY_MS = 1_000;
const MAX_DELAY_MS = 5 * 60_000;
/** With more refused keys than this, not the events are the reason but the receiver: the relay waits. */
const MAX_REFUSED_KEYS = 200;

/** An ordering key whose oldest event was refused: the ones behind it wait too. */
interface RefusedKey {
  failures: number;
  /** When it is tried again, in ms since the epoch. */
  until: number;
}

/**
 * Hands the events that wait for one receiver on to it: in order per ordering key, keys in parallel, each event marked
 * only after the receiver has it. A crash in between sends an event again with the same id, and never another one
 * before it.
 */
export class Relay {
  private readonly stopping = new AbortController();
  private readonly refused = new Map<CanonicalId, RefusedKey>();
  private woken = Promise.withResolvers<void>();
  private running: Promise<void> | null = null;
  private done: number[] = [];
  private marking: Promise<void> | null = null;
  private markProblem: Error | null = null;

  constructor(private readonly options: RelayOptions) {}

  start(): void {
    this.running ??= this.run();
  }

  /** Something may wait. */
  wake(): void {
    this.woken.resolve();
  }

  /** Begins nothing more. Resolves when what is under way has come to an end. */
  async stop(): Promise<void> {
    this.stopping.abort();
    this.wake();
    await this.running;
  }

  private get stopped(): boolean {
    return this.stopping.signal.aborted;
  }

  private async run(): Promise<void> {
    for (let failures = 0; !this.stopped; ) {
      this.woken = Promise.withResolvers();
      try {
        await this.options.ready?.();
        const more = await this.relayBatch();
        failures = 0;
        if (!more) await this.idle();
      } catch (error) {
        if (this.stopped) return;
        this.options.onFailure(asError(error));
        const { signal } = this.stopping;
        await sleep(delayMs(++failures), undefined, { signal }).catch(() => undefined);
      }
    }
  }

  private async idle(): Promise<void> {
    const timer = setTimeout(() => this.wake(), IDLE_MS);
    await this.woken.promise;
    clearTimeout(timer);
  }

  /** @returns whether some were sent, so that more may wait */
  private async relayBatch(): Promise<boolean> {
    const { store, receiver, acquire } = this.options;
    if (this.stopped || (acquire !== undefined && !(await acquire()))) return false;
    const now = performance.now();
    const resting = [...this.refused].filter(([, { until }]) => until > now).map(([key]) => key);
    if (resting.length >= MAX_REFUSED_KEYS) return false;
    const batch = await waitingDeliveries(store.db, receiver, BATCH, resting);
    if (batch.length === 0) return false;
    // What the store has shown may not be on the disk yet: nobody may hear of what a power cut could undo.
    await store.write(async () => undefined, 'flushed');
    return (await this.sendAll(batch)) > 0;
  }

  /** @returns how many were sent */
  private async sendAll(batch: readonly Delivery[]): Promise<number> {
    const keys = [...Map.groupBy(batch, ({ orderingKey }) => orderingKey).values()];
    let sent = 0;
    const worker = async () => {
      for (let key = keys.shift(); key !== undefined; key = keys.shift()) sent += await this.sendInOrder(key);
    };
    await Promise.all(Array.from({ length: Math.min(PARALLEL_KEYS, keys.length) }, worker));
    await this.marking;
    const problem = this.markProblem;
    this.markProblem = null;
    if (problem !== null) throw problem;
    return sent;
  }

  private async sendInOrder(deliveries: readonly Delivery[]): Promise<number> {
    let sent = 0;
    for (const { seq, orderingKey, event } of deliveries) {
      if (this.stopped) break;
      try {
        await this.options.send(event);
      } catch (error) {
        // Without a connection nothing was refused; all of it is sent when there is one again.
        if (this.stopped || isOutage(error)) break;
        this.refuse(orderingKey);
        this.options.onFailure(asError(error), event);
        break;
      }
      sent++;
      this.refused.delete(orderingKey);
      this.done.push(seq);
      this.marking ??= this.mark();
    }
    return sent;
  }

  private refuse(key: CanonicalId): void {
    const failures = (this.refused.get(key)?.failures ?? 0) + 1;
    this.refused.set(key, { failures, until: performance.now() + delayMs(failures) });
  }

  /** Marks what was sent meanwhile in one write; the next sends do not wait for it. */
  private async mark(): Promise<void> {
    const { store, receiver, now = () => store.now() } = this.options;
    try {
      while (this.done.length > 0) {
        const seqs = this.done;
        this.done = [];
        // Losing the mark in a power cut only sends an event twice, so it need not wait for the disk.
        await store.write((tx) => markDelivered(tx, receiver, seqs, now()), 'committed');
      }
    } catch (error) {
      this.markProblem = asError(error);
    } finally {
      this.marking = null;
    }
  }
}

const delayMs = (failures: number): number =>
  Math.min(MAX_DELAY_MS, BASE_DELAY_MS * 2 ** Math.min(failures - 1, 10)) * (0.5 + Math.random() / 2);

const isOutage = (error: unknown): boolean =>
  error instanceof Q2cError && (error.code === 'BROKER_UNAVAILABLE' || error.code === 'BROKER_TLS_FAILED');

const asError = (error: unknown): Error => (error instanceof Error ? error : new Error(String(error)));
