import { createServer, type Socket } from 'node:net';
import { Aedes } from 'aedes';
import type { BrokerCommand, BrokerReport } from '../broker.ts';

/** The Aedes broker (MQTT 3.1.1), everything in memory, as a process of its own: `aedes.mts <port>`. */

const broker = await Aedes.createBroker();
const server = createServer((socket: Socket) => broker.handle(socket));
server.listen(Number(process.argv[2]), '127.0.0.1', () => tell({ listening: portOf() }));

const clients = new Set<string>();
broker.on('clientReady', ({ id }) => clients.add(id));
broker.on('clientDisconnect', ({ id }) => clients.delete(id));

const filters: string[] = [];
broker.on('subscribe', (subscriptions) => filters.push(...subscriptions.map(({ topic }) => topic)));

let published = 0;
broker.on('publish', (_, client) => {
  if (client !== null) published++;
});

process.on('message', (command: BrokerCommand) => {
  if (command === 'status') tell({ clients: [...clients], filters, published });
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
