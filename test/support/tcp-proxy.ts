import { createServer, connect as dial, type Server, type Socket } from 'node:net';

/** Stands between a client and a server and breaks the way between them when told. */
export class TcpProxy {
  private readonly sockets = new Set<Socket>();
  private server: Server | null = null;
  private port = 0;
  /** Asked for every piece that the client sends: what becomes of it. */
  fate: (sent: Buffer) => 'pass' | 'cut' | 'cut after the reply' = () => 'pass';

  constructor(private readonly target: { host: string; port: number }) {}

  /** Begins to listen, each time at the same port. */
  async up(): Promise<number> {
    const server = createServer((client) => this.join(client));
    await new Promise<void>((resolve) => server.listen(this.port, '127.0.0.1', resolve));
    const address = server.address();
    if (address === null || typeof address === 'string') throw new Error('The system gave no port');
    this.port = address.port;
    this.server = server;
    return address.port;
  }

  /** Breaks all connections and takes no new ones. */
  async down(): Promise<void> {
    const { server } = this;
    this.server = null;
    const closed = new Promise((resolve) => (server === null ? resolve(null) : server.close(resolve)));
    for (const socket of this.sockets) socket.destroy();
    await closed;
  }

  private join(client: Socket): void {
    const server = dial(this.target);
    for (const [socket, other] of [
      [client, server],
      [server, client],
    ] as const) {
      this.sockets.add(socket);
      // Breaking connections is what this is for.
      socket.on('error', () => undefined);
      socket.on('close', () => {
        this.sockets.delete(socket);
        other.destroy();
      });
    }
    let dropReply = false;
    client.on('data', (piece) => {
      const fate = this.fate(piece);
      if (fate === 'cut') {
        client.destroy();
        return;
      }
      dropReply = fate === 'cut after the reply';
      server.write(piece);
    });
    server.on('data', (piece) => {
      if (dropReply) server.destroy();
      else client.write(piece);
    });
  }
}
