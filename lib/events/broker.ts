import { connect as connectTcp, isIP, type Socket } from 'node:net';
import { type ConnectionOptions, connect as connectTls } from 'node:tls';
import type { IClientOptions, IConnackPacket, IPublishPacket } from 'mqtt';
import { Q2cError } from '../model';
import { connectionLost, refusal } from './broker-errors';
import type { EventMessage } from './cloudevents';
import type { MqttClient } from './mqtt-client';

export interface BrokerSettings {
  /** `mqtt://host:port` or `mqtts://host:port`. */
  url: string;
  /** 5, or 4 for MQTT 3.1.1: without content type, user properties and shared subscriptions. */
  protocolVersion: 5 | 4;
  username?: string;
  password?: string;
  /** Certificates and their check, for `mqtts`. */
  tls?: ConnectionOptions;
}

export interface Session {
  clientId: string;
  /** Seconds the broker keeps session and messages while we are away; 0 = no session. MQTT 3.1.1 knows no seconds. */
  expirySeconds: number;
  /**
   * Takes what the session receives, one message after the other. The broker gets its acknowledgement when this
   * resolves; if it rejects the connection ends, and the message comes again with the next one.
   * @param ended fires when the connection has ended, so that an acknowledgement has no use any more
   */
  onMessage?(message: EventMessage, ended: AbortSignal): Promise<void>;
}

/** One connection to a broker, from CONNECT to its end. It never connects again: whoever needs that makes the next. */
export interface BrokerLink {
  /** What the broker says it can do; empty with MQTT 3.1.1. */
  readonly features: NonNullable<IConnackPacket['properties']>;
  /** Resolves when the connection has ended, with the reason. */
  readonly closed: Promise<Q2cError>;
  /** Publishes with QoS 1. Resolves on PUBACK. @throws Q2cError `BROKER_UNAVAILABLE`, `BROKER_REFUSED` */
  publish(message: EventMessage): Promise<void>;
  /** @throws Q2cError `BROKER_UNAVAILABLE`, `BROKER_REFUSED` */
  subscribe(filter: string): Promise<void>;
  unsubscribe(filter: string): Promise<void>;
  close(): Promise<void>;
}

const CONNECT_TIMEOUT_MS = 10_000;
/** Time for the last packets when we close by ourselves. */
const CLOSE_TIMEOUT_MS = 1_000;
const QOS_REFUSED = 0x80;

/**
 * Connects to a broker and signs in.
 * @throws Q2cError `CONNECTION_INVALID` when the address cannot be used, `BROKER_UNAVAILABLE` when there is no answer,
 *   `BROKER_TLS_FAILED` when it is not the one we trust, `BROKER_REFUSED` when the broker does not let us in
 */
export async function connectBroker(
  settings: BrokerSettings,
  session: Session,
  signal?: AbortSignal,
): Promise<BrokerLink> {
  const address = addressOf(settings.url);
  const { MqttClient } = await import('./mqtt-client');
  signal?.throwIfAborted();
  const client = new MqttClient(() => openStream(address, settings.tls), clientOptions(settings, session));
  const { onMessage } = session;
  const ended = new AbortController();
  let problem: unknown;
  // The client sends PUBACK when this calls back. Without a call the message stays with the broker.
  client.handleMessage = (packet, callback) => {
    if (onMessage === undefined) return callback();
    onMessage(eventMessage(packet), ended.signal).then(
      () => callback(),
      (error: unknown) => {
        problem ??= error;
        client.stream.destroy();
      },
    );
  };
  client.on('error', (error) => {
    problem ??= error;
  });
  client.on('disconnect', ({ reasonCode }) => {
    problem ??= refusal(address.label, reasonCode ?? 0);
  });
  const closed = new Promise<Q2cError>((resolve) => {
    client.once('close', () => {
      ended.abort();
      resolve(connectionLost(address.label, problem));
    });
  });
  const abort = () => client.stream.destroy();
  signal?.addEventListener('abort', abort);
  try {
    const connack = await Promise.race([
      new Promise<IConnackPacket>((resolve) => client.once('connect', resolve)),
      closed.then((error) => Promise.reject(error)),
    ]);
    return linkOf(client, address.label, connack, closed);
  } finally {
    signal?.removeEventListener('abort', abort);
  }
}

function linkOf(
  client: MqttClient,
  broker: string,
  { properties = {} }: IConnackPacket,
  closed: Promise<Q2cError>,
): BrokerLink {
  // A connection that ends takes its open packets along; the client itself would wait for them for ever.
  const open = new Set<(reason: Q2cError) => void>();
  let lost: Q2cError | null = null;
  closed.then((reason) => {
    lost = reason;
    for (const reject of open) reject(reason);
  });
  const orLost = <T>(work: () => Promise<T>): Promise<T> =>
    new Promise<T>((resolve, reject) => {
      if (lost !== null) return reject(lost);
      open.add(reject);
      work()
        .then(resolve, (error: unknown) => reject(connectionLost(broker, error)))
        .finally(() => open.delete(reject));
    });
  return {
    features: properties,
    closed,
    async publish({ topic, payload, contentType, attributes }) {
      const options =
        client.options.protocolVersion === 5
          ? {
              qos: 1 as const,
              properties: { contentType, payloadFormatIndicator: true, userProperties: { ...attributes } },
            }
          : { qos: 1 as const };
      await orLost(() => client.publishAsync(topic, payload, options));
    },
    async subscribe(filter) {
      const [grant] = await orLost(() => client.subscribeAsync(filter, { qos: 1 }));
      if (grant === undefined || grant.qos >= QOS_REFUSED) throw refusal(broker, grant?.qos ?? QOS_REFUSED);
    },
    async unsubscribe(filter) {
      await orLost(() => client.unsubscribeAsync(filter));
    },
    async close() {
      if (!client.connected) return;
      client.end(Object.keys(client.outgoing).length > 0);
      const timer = setTimeout(() => client.stream.destroy(), CLOSE_TIMEOUT_MS);
      await closed;
      clearTimeout(timer);
    },
  };
}

function clientOptions(
  { protocolVersion, username, password }: BrokerSettings,
  { clientId, expirySeconds }: Session,
): IClientOptions {
  return {
    clientId,
    protocolVersion,
    clean: expirySeconds === 0,
    ...(username ? { username } : {}),
    ...(password ? { password } : {}),
    ...(protocolVersion === 5 ? { properties: { sessionExpiryInterval: expirySeconds } } : {}),
    connectTimeout: CONNECT_TIMEOUT_MS,
    reconnectPeriod: 0,
    resubscribe: false,
    timerVariant: 'native',
  };
}

interface Address {
  host: string;
  port: number;
  secure: boolean;
  /** The address as it may stand in messages. */
  label: string;
}

/** The words leave the address itself out: a wrong one may hold a password. */
function addressOf(url: string): Address {
  const address = URL.canParse(url) ? new URL(url) : null;
  if (address === null || address.hostname === '' || !/^mqtts?:$/.test(address.protocol)) {
    throw new Q2cError(
      'CONNECTION_INVALID',
      'The address of the broker cannot be used. Write it as mqtt://host:1883 or, with TLS, mqtts://host:8883.',
    );
  }
  if (address.username !== '' || address.password !== '') {
    throw new Q2cError(
      'CONNECTION_INVALID',
      'The address of the broker holds a user name or password. Move them to the fields of the form for them.',
    );
  }
  const secure = address.protocol === 'mqtts:';
  return {
    host: address.hostname.replace(/^\[|\]$/g, ''),
    port: Number(address.port || (secure ? 8883 : 1883)),
    secure,
    label: `${address.protocol}//${address.host}`,
  };
}

function openStream({ host, port, secure }: Address, tls: ConnectionOptions = {}): Socket {
  if (!secure) return connectTcp({ host, port });
  // Servers are asked for by name; an address is no name (RFC 6066 §3).
  return connectTls({ host, port, ...(isIP(host) === 0 ? { servername: host } : {}), ...tls });
}

function eventMessage({ topic, payload, properties }: IPublishPacket): EventMessage {
  const attributes = Object.entries(properties?.userProperties ?? {}).map(([name, value]) => [
    name,
    typeof value === 'string' ? value : (value.at(-1) ?? ''),
  ]);
  return {
    topic,
    payload: typeof payload === 'string' ? Buffer.from(payload) : payload,
    ...(properties?.contentType === undefined ? {} : { contentType: properties.contentType }),
    attributes: Object.fromEntries(attributes),
  };
}
