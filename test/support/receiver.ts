import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A system that takes JSON, as a chat or a mail gateway does. */
export class Receiver {
  /** Bodies of the requests so far. */
  readonly received: Record<string, string>[] = [];
  /** Methods and paths of the requests so far, such as `PUT /1`. */
  readonly lines: string[] = [];
  /** What it answers with. */
  status = 204;

  private constructor(private readonly server: Server) {}

  static async start(): Promise<Receiver> {
    const server = createServer((request, response) => {
      void bodyOf(request).then((body) => {
        receiver.lines.push(`${request.method} ${request.url}`);
        receiver.received.push(body);
        response.writeHead(receiver.status).end();
      });
    });
    const receiver = new Receiver(server);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return receiver;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }
}

async function bodyOf(request: IncomingMessage): Promise<Record<string, string>> {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part as Buffer);
  return JSON.parse(Buffer.concat(parts).toString());
}
