import { createServer, type Socket } from 'node:net';
import mqtt, {
  type IConnectPacket,
  type IPublishPacket,
  type ISubscribePacket,
  type Packet,
} from 'mqtt-packet';
import type { BrokerCommand, BrokerReport } from '../broker.ts';

/**
 * A broker for tests that speaks MQTT 5, which Aedes does not: sessions that expire, shared subscriptions, reason
 * codes, content type and user properties. QoS 1, everything in memory, one process: `mqtt5.mts <port>`.
 * Numbers in brackets are sections and rules of MQTT 5.0.
 */

const version = { protocolVersion: 5 };
const TAKEN_OVER = 142;
const NO_SUBSCRIBERS = 16;
const WRONG_PASSWORD = 134;

class Session {
  readonly clientId: string;
  /** Filters without their group, by the filter as it was subscribed to. */
  readonly filters = new Map<string, { group: string | null; filter: string }>();
  readonly waiting: IPublishPacket[] = [];
  readonly inFlight = new Map<number, IPublishPacket>();
  expirySeconds = 0;
  receiveMaximum = 65_535;
  socket: Socket | null = null;
  expiry: NodeJS.Timeout | undefined;
  private lastId = 0;

  constructor(clientId: string) {
    this.clientId = clientId;
  }

  deliver(packet: IPublishPacket): void {
    this.waiting.push(packet);
    this.flush();
  }

  /** Sends what the client has room for (3.3.4 flow control). */
  flush(): void {
    while (this.socket !== null && this.waiting.length > 0 && this.inFlight.size < this.receiveMaximum) {
      const packet = { ...this.waiting.shift(), messageId: this.nextId() } as IPublishPacket;
      this.inFlight.set(Number(packet.messageId), packet);
      this.send(packet);
    }
  }

  /** What was not acknowledged comes again, first and with the same ids [MQTT-4.4.0-1]. */
  resume(): void {
    for (const packet of this.inFlight.values()) this.send({ ...packet, dup: true });
    this.flush();
  }

  send(packet: Packet): void {
    this.socket?.write(mqtt.generate(packet, version));
  }

  private nextId(): number {
    do this.lastId = (this.lastId % 65_535) + 1;
    while (this.inFlight.has(this.lastId));
    return this.lastId;
  }
}

const sessions = new Map<string, Session>();
/** Whose turn it is in each group. */
const turns = new Map<string, number>();
/** Faults, set by command. */
let passwords: Record<string, string> | null = null;
let refused: { topic: string; code: number } | null = null;
let silent = false;

let published = 0;

const server = createServer((socket) => {
  const parser = mqtt.parser(version);
  let session: Session | null = null;
  parser.on('packet', (packet) => {
    if (packet.cmd === 'connect') session = connect(packet, socket);
    else if (session?.socket === socket) receive(session, packet);
  });
  parser.on('error', () => socket.destroy());
  socket.on('data', (bytes) => parser.parse(bytes));
  socket.on('error', () => socket.destroy());
  socket.on('close', () => {
    if (session?.socket === socket) left(session);
  });
});
server.listen(Number(process.argv[2]), '127.0.0.1', () => tell({ listening: portOf() }));

function connect(packet: IConnectPacket, socket: Socket): Session | null {
  const answer = (reasonCode: number, sessionPresent = false) =>
    socket.write(
      mqtt.generate(
        { cmd: 'connack', reasonCode, sessionPresent, properties: { receiveMaximum: 20 } },
        version,
      ),
    );
  if (passwords !== null && passwords[packet.username ?? ''] !== packet.password?.toString()) {
    answer(WRONG_PASSWORD);
    socket.end();
    return null;
  }
  const known = sessions.get(packet.clientId);
  if (known?.socket) {
    known.send({ cmd: 'disconnect', reasonCode: TAKEN_OVER });
    known.socket.end();
  }
  const session = known === undefined || packet.clean ? new Session(packet.clientId) : known;
  clearTimeout(session.expiry);
  session.expirySeconds = packet.properties?.sessionExpiryInterval ?? 0;
  session.receiveMaximum = packet.properties?.receiveMaximum ?? 65_535;
  session.socket = socket;
  sessions.set(packet.clientId, session);
  answer(0, session === known);
  session.resume();
  return session;
}

function left(session: Session): void {
  session.socket = null;
  const end = () => sessions.delete(session.clientId);
  if (session.expirySeconds === 0) end();
  else session.expiry = setTimeout(end, session.expirySeconds * 1000).unref();
}

function receive(session: Session, packet: Packet): void {
  const { messageId } = packet;
  switch (packet.cmd) {
    case 'publish':
      publish(session, packet);
      break;
    case 'puback':
      session.inFlight.delete(Number(messageId));
      session.flush();
      break;
    case 'subscribe':
      subscribe(session, packet);
      break;
    case 'unsubscribe':
      for (const filter of packet.unsubscriptions) session.filters.delete(filter);
      session.send({ cmd: 'unsuback', messageId, granted: packet.unsubscriptions.map(() => 0) });
      break;
    case 'pingreq':
      session.send({ cmd: 'pingresp' });
      break;
    case 'disconnect':
      session.socket?.end();
      break;
  }
}

function subscribe(session: Session, { messageId, subscriptions }: ISubscribePacket): void {
  for (const { topic } of subscriptions) {
    const [, group = null, filter = topic] = /^\$share\/([^/]+)\/(.+)$/.exec(topic) ?? [];
    session.filters.set(topic, { group, filter });
  }
  session.send({ cmd: 'suback', messageId, granted: subscriptions.map(({ qos }) => Math.min(qos, 1)) });
}

function publish(from: Session, packet: IPublishPacket): void {
  published++;
  if (silent) return;
  if (refused !== null && packet.topic.includes(refused.topic)) {
    from.send({ cmd: 'puback', messageId: packet.messageId, reasonCode: refused.code });
    return;
  }
  const { topic, payload, properties, qos } = packet;
  const { topicAlias: _, ...kept } = properties ?? {};
  const copy: IPublishPacket = {
    cmd: 'publish',
    topic,
    payload,
    qos: qos === 0 ? 0 : 1,
    dup: false,
    retain: false,
    properties: kept,
  };
  const receivers = receiversOf(topic);
  for (const session of receivers) session.deliver(copy);
  if (qos === 0) return;
  const reasonCode = receivers.length === 0 ? NO_SUBSCRIBERS : 0;
  from.send({ cmd: 'puback', messageId: packet.messageId, reasonCode });
}

/** Everybody with a filter of their own, and of each group one that is there, by turns (4.8.2). */
function receiversOf(topic: string): Session[] {
  const own = new Set<Session>();
  const groups = new Map<string, Session[]>();
  for (const session of sessions.values()) {
    for (const { group, filter } of session.filters.values()) {
      if (!matches(filter, topic)) continue;
      if (group === null) own.add(session);
      else groups.set(`${group}/${filter}`, [...(groups.get(`${group}/${filter}`) ?? []), session]);
    }
  }
  const chosen = [...groups].map(([group, members]) => {
    const present = members.filter(({ socket }) => socket !== null);
    const candidates = present.length > 0 ? present : members;
    const turn = turns.get(group) ?? 0;
    turns.set(group, turn + 1);
    return candidates[turn % candidates.length];
  });
  return [...own, ...chosen.filter((session) => session !== undefined)];
}

function matches(filter: string, topic: string): boolean {
  const levels = topic.split('/');
  const wanted = filter.split('/');
  if (wanted.at(-1) === '#')
    return wanted.slice(0, -1).every((level, at) => level === '+' || level === levels[at]);
  return (
    wanted.length === levels.length && wanted.every((level, at) => level === '+' || level === levels[at])
  );
}

process.on('message', (command: BrokerCommand) => {
  if (command === 'status') {
    const present = [...sessions.values()].filter(({ socket }) => socket !== null);
    const filters = [...sessions.values()].flatMap((session) => [...session.filters.keys()]);
    tell({ clients: present.map(({ clientId }) => clientId), filters, published });
  } else {
    if (command.passwords !== undefined) passwords = command.passwords;
    if (command.refuse !== undefined) refused = command.refuse;
    if (command.silent !== undefined) silent = command.silent;
    tell({ obeyed: true });
  }
});
process.on('disconnect', () => process.exit());

function portOf(): number {
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}

function tell(report: BrokerReport): void {
  process.send?.(report);
}
