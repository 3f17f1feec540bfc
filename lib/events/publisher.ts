import type { BusinessEvent } from '../model';
import type { Store } from '../store';
import { type BrokerSettings, connectBroker } from './broker';
import { toMessage } from './cloudevents';
import { BrokerConnection, type ConnectionListener } from './connection';
import { Relay, type RelayOptions } from './relay';
import { topicOf } from './topics';

export interface PublisherOptions extends ConnectionListener, Pick<RelayOptions, 'acquire' | 'onFailure'> {
  store: Store;
  settings: BrokerSettings;
  clientId: string;
  tenant: string;
  /** Receiver of the outbox that stands for the broker. */
  receiver: string;
}

/** Time for acknowledgements that are under way when we stop; what has none then is published again at the next start. */
const STOP_TIMEOUT_MS = 2_000;

/** Publishes what waits in the outbox for a broker, as soon as and as often as there is a connection. */
export class Publisher {
  private readonly connection: BrokerConnection;
  private readonly relay: Relay;

  constructor({
    store,
    settings,
    clientId,
    tenant,
    receiver,
    acquire,
    onFailure,
    ...listener
  }: PublisherOptions) {
    // No session: there is nothing that the broker would have to keep for us.
    const session = { clientId, expirySeconds: 0 };
    this.connection = new BrokerConnection((signal) => connectBroker(settings, session, signal), listener);
    this.relay = new Relay({
      store,
      receiver,
      acquire,
      onFailure,
      ready: () => this.connection.ready(),
      send: (event: BusinessEvent) =>
        this.connection.link.publish(toMessage(event, topicOf(tenant, event.type, event.subject))),
    });
  }

  start(): void {
    this.connection.start();
    this.relay.start();
  }

  wake(): void {
    this.relay.wake();
  }

  async stop(): Promise<void> {
    const relayStopped = this.relay.stop();
    if (this.connection.isUp) {
      const timeout = Promise.withResolvers<void>();
      const timer = setTimeout(timeout.resolve, STOP_TIMEOUT_MS);
      await Promise.race([relayStopped, timeout.promise]);
      clearTimeout(timer);
    }
    await this.connection.close();
    await relayStopped;
  }
}
