import { createHash } from 'node:crypto';
import { hostname } from 'node:os';
import type { ConnectionOptions } from 'node:tls';
import type { Node, NodeAPI, NodeDef } from 'node-red';
import { type BrokerSettings, checkBroker, Publisher, topicFilter } from '../../lib/events';
import { registerReceiver, removeReceiver, type Store } from '../../lib/store';
import type { BrokerCredentials, BrokerNode } from '../_shared/broker-node';
import { ConnectionLog } from '../_shared/connection-log';
import { requireConfig, type StoreNode } from '../_shared/input';

import { isOn } from '../_shared/is-on';
import type { NodeTypes } from '../_shared/node-types';
import { stableId } from '../_shared/stable-id';
import { type BrokerProperties, defaults } from './types';

type Config = NodeDef & BrokerProperties;

/** Node-RED's own configuration of certificates. */
interface TlsConfigNode extends Node {
  addTLSOptions(options: ConnectionOptions): ConnectionOptions;
}

/** An MQTT broker. It publishes what waits for it in the store's outbox for as long as it is deployed. */
export default function nodeTypes(RED: NodeAPI): NodeTypes {
  function Broker(this: BrokerNode, config: Config) {
    RED.nodes.createNode(this, config);
    this.storeId = config.store;
    this.receiver = stableId(this);
    this.settings = settingsOf(RED, this, config);
    this.expirySeconds = hoursOf(config) * 3600;
    const prefix = config.clientId?.trim() || `q2c-${hostKey(RED)}`;
    this.clientId = (session) => `${prefix}-${session}`;
    this.test = () => {
      const { tenant } = requireConfig<StoreNode>(RED, config.store, 'store', 'q2c-store');
      return checkBroker(this.settings, topicFilter(tenant), this.expirySeconds);
    };

    let store: Store | null = null;
    let closed = false;
    const publishing = publish(this, isOn(config.announced ?? defaults.announced));
    publishing.catch((error: Error) => this.error(error.message));

    this.on('close', (removed: boolean, done: () => void) => {
      closed = true;
      // Asked for at once: in a deploy of everything the store closes too, and writes what it was asked for before.
      const left = removed ? store?.write((tx) => removeReceiver(tx, this.receiver)) : undefined;
      Promise.allSettled([left, publishing.then((stop) => stop?.())]).then(() => done());
    });

    /** @returns stops publishing; nothing when the node was closed meanwhile */
    async function publish(node: BrokerNode, announced: boolean): Promise<(() => Promise<void>) | undefined> {
      const { tenant, engine: opened } = requireConfig<StoreNode>(RED, config.store, 'store', 'q2c-store');
      const engine = await opened();
      if (closed) return undefined;
      store = engine.store;
      const receiver = { id: node.receiver, eventType: null };
      // As in `outboxSource`.
      const at = store.now();
      await store.write((tx) =>
        announced ? registerReceiver(tx, receiver, at) : removeReceiver(tx, node.receiver),
      );
      if (closed) return undefined;
      const log = new ConnectionLog(node);
      const role = `relay:${node.receiver}`;
      const publisher = new Publisher({
        store,
        settings: node.settings,
        clientId: node.clientId(`${node.receiver}-out`),
        tenant,
        receiver: node.receiver,
        acquire: () => engine.lead(role),
        up: () => log.up(),
        down: (error) => log.down(error),
        onFailure: (error, event) =>
          node.warn(event ? `${event.type} ${event.id}: ${error.message}` : error.message),
      });
      const forget = engine.onAnnounced(() => publisher.wake());
      publisher.start();
      return async () => {
        forget();
        await publisher.stop();
        await engine.stopLeading(role);
      };
    }
  }

  return { 'q2c-broker': Broker };
}

function settingsOf(RED: NodeAPI, node: BrokerNode, config: BrokerProperties): BrokerSettings {
  // A node without credentials has none at run time.
  const { user, password }: BrokerCredentials = node.credentials ?? {};
  const tls = config.tls ? (RED.nodes.getNode(config.tls) as TlsConfigNode | null) : null;
  return {
    url: config.url.trim(),
    protocolVersion: config.protocolVersion === '4' ? 4 : 5,
    ...(user ? { username: user } : {}),
    ...(password ? { password } : {}),
    ...(tls ? { tls: tls.addTLSOptions({}) } : {}),
  };
}

function hoursOf({ keepHours }: BrokerProperties): number {
  const hours = Number(keepHours);
  return Number.isInteger(hours) && hours > 0 ? hours : Number(defaults.keepHours);
}

/** Tells this host from others with the same flows, and is the same at every start. */
function hostKey(RED: NodeAPI): string {
  const name = `${hostname()}\n${RED.settings.userDir ?? process.cwd()}`;
  return createHash('sha256').update(name).digest('hex').slice(0, 8);
}
