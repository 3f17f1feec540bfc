import { setTimeout as sleep } from 'node:timers/promises';
import type { BusinessEvent, BusinessEventType, Instant } from '../model';
import type { Store } from '../store';
import { type BrokerLink, type BrokerSettings, connectBroker } from './broker';
import type { EventMessage } from './cloudevents';
import { BrokerConnection, type ConnectionListener } from './connection';
import { readBusinessEvent } from './incoming';
import { recordRejected } from './rejected';

export interface SubscriberOptions extends ConnectionListener {
  store: Store;
  settings: BrokerSettings;
  clientId: string;
  /** Seconds the broker keeps messages while we are away. */
  expirySeconds: number;
  /** Id of the node, under which rejected events are kept. */
  nodeId: string;
  filter: string;
  /** The only type that is wanted; others are acknowledged and left. */
  eventType?: BusinessEventType;
  /** Resolves when the event is stored; only then the broker hears that we have it. */
  accept(event: BusinessEvent): Promise<void>;
  onRejected(reason: string, topic: string): void;
  /** The store could not take an event. It is tried again until it can. */
  onFailure(error: Error): void;
  now?(): Instant;
}

const RETRY_MS = 1_000;
const MAX_RETRY_MS = 30_000;

/**
 * A durable subscription: a session that the broker keeps while we are away. Each event is stored, or recorded as
 * rejected with the reason, before it is acknowledged.
 */
export class Subscriber {
  private readonly connection: BrokerConnection;

  constructor(private readonly options: SubscriberOptions) {
    this.connection = new BrokerConnection((signal) => this.open(signal), options);
  }

  start(): void {
    this.connection.start();
  }

  /** The session stays with the broker. */
  stop(): Promise<void> {
    return this.connection.close();
  }

  /** Stops for good: the broker is not to keep anything for us. Without a connection that ends with its patience. */
  async leave(): Promise<void> {
    try {
      await this.connection.link.unsubscribe(this.options.filter);
    } finally {
      await this.connection.close();
    }
  }

  private async open(signal: AbortSignal): Promise<BrokerLink> {
    const { settings, clientId, expirySeconds, filter } = this.options;
    const onMessage = (message: EventMessage, ended: AbortSignal) => this.take(message, ended);
    const link = await connectBroker(settings, { clientId, expirySeconds, onMessage }, signal);
    try {
      await this.leaveEarlier(link);
      await link.subscribe(filter);
    } catch (error) {
      await link.close();
      throw error;
    }
    return link;
  }

  /** A session remembers every subscription: that of the node before its form was changed would go on for ever. */
  private async leaveEarlier(link: BrokerLink): Promise<void> {
    const { store, clientId, filter, now = () => store.now() } = this.options;
    const source = `subscription/${clientId}`;
    const earlier = await store.db
      .selectFrom('cursor')
      .select('value')
      .where('source', '=', source)
      .executeTakeFirst();
    const value = JSON.stringify(filter);
    if (earlier?.value === value) return;
    if (earlier !== undefined) await link.unsubscribe(JSON.parse(earlier.value) as string);
    await store.write((tx) =>
      tx
        .insertInto('cursor')
        .values({ source, value, updated_at: now() })
        .onConflict((conflict) => conflict.column('source').doUpdateSet({ value, updated_at: now() }))
        .execute(),
    );
  }

  /** Tries until the store has it: an event that was not acknowledged would only come again on the next connection. */
  private async take(message: EventMessage, ended: AbortSignal): Promise<void> {
    for (let waitMs = RETRY_MS; ; waitMs = Math.min(MAX_RETRY_MS, waitMs * 2)) {
      try {
        await this.store(message);
        return;
      } catch (error) {
        ended.throwIfAborted();
        this.options.onFailure(error instanceof Error ? error : new Error(String(error)));
        await sleep(waitMs, undefined, { signal: ended });
      }
    }
  }

  private async store(message: EventMessage): Promise<void> {
    const { store, nodeId, eventType, accept, onRejected, now = () => store.now() } = this.options;
    const at = now();
    const incoming = readBusinessEvent(message, at);
    if ('event' in incoming) {
      if (eventType === undefined || incoming.event.type === eventType) await accept(incoming.event);
      return;
    }
    await store.write((tx) => recordRejected(tx, nodeId, message, incoming.refused, at));
    onRejected(incoming.refused.reason, message.topic);
  }
}
