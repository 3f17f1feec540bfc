import { mkdirSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { generateWorld } from '../seed/generate';
import { control } from './control';
import type { FaultEffect } from './faults';
import { garbled } from './garble';
import { MountedSystem } from './mounted-system';
import { maskQuery } from './request-log';
import type { SimRequest, SimResponse, SimulatedSystem } from './types';

const LOOPBACK = ['127.0.0.1', '::1', 'localhost'];
const MAX_BODY_BYTES = 16 * 1024 * 1024;
const DEFAULT_SEED = 1;

export interface HostOptions {
  /** 0 = any free one. */
  port: number;
  /** Take any free port when that one is in use. */
  otherPort?: boolean;
  /** Loopback only: the simulators accept well-known credentials. */
  host?: string;
  /** Folder for the state, made when missing; without it the state ends with the process. */
  stateDir?: string;
  /** Seed of the world. Default: the one of the state, else 1. */
  seed?: number;
  systems: readonly SimulatedSystem[];
  /** Epoch milliseconds, for tests of expiry. */
  clock?: () => number;
}

export interface RunningSimulator {
  url: string;
  /** What a connection in Simulator mode needs: base URL and credentials by authentication scheme. */
  systems: Record<string, { url: string; credentials: Record<string, Record<string, string>> }>;
  close(): Promise<void>;
}

/**
 * Starts an HTTP server with each system under `/<id>` and the control API under `/_control`.
 * Resolves when everything is seeded and answers.
 * @throws Error naming the port when it is in use, or the seed when the state was made with another.
 */
export async function startHost(options: HostOptions): Promise<RunningSimulator> {
  const address = options.host ?? '127.0.0.1';
  if (!LOOPBACK.includes(address))
    throw new Error(`The simulator listens on loopback only, not on ${address}`);
  const host = new Host(options);
  const server = createServer((request, response) => host.answer(request, response));
  server.keepAliveTimeout = 65_000;
  const { port } = await listen(server, options.port, address).catch((error: Error) => {
    if (!options.otherPort || !isPortTaken(error)) throw error;
    return listen(server, 0, address);
  });
  const url = `http://${address === '::1' ? '[::1]' : address}:${port}`;
  try {
    await host.mount(url);
  } catch (error) {
    await host.close(server);
    throw error;
  }
  const systems = [...host.systems].map(([id, mounted]) => [
    id,
    { url: mounted.baseUrl, credentials: mounted.system.credentials(mounted.context()) },
  ]);
  return { url, systems: Object.fromEntries(systems), close: () => host.close(server) };
}

function listen(server: Server, port: number, host: string): Promise<AddressInfo> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const used = error.code === 'EADDRINUSE';
      reject(used ? new Error(`Port ${port} is already in use`, { cause: error }) : error);
    });
    server.listen(port, host, () => {
      const address = server.address();
      if (address === null || typeof address === 'string') reject(new Error('The server has no TCP address'));
      else resolve(address);
    });
  });
}

/** `listen` says which port is taken in words of its own; the code is that of the cause. */
function isPortTaken({ cause }: Error): boolean {
  return cause instanceof Error && 'code' in cause && cause.code === 'EADDRINUSE';
}

class Host {
  readonly systems = new Map<string, MountedSystem>();
  readonly #options: HostOptions;
  readonly #timers = new Set<NodeJS.Timeout>();

  constructor(options: HostOptions) {
    this.#options = options;
  }

  async mount(url: string): Promise<void> {
    const { stateDir, systems, seed, clock = Date.now } = this.#options;
    if (stateDir !== undefined) mkdirSync(stateDir, { recursive: true });
    for (const system of systems) {
      const file = stateDir === undefined ? null : join(stateDir, `${system.id}.sqlite`);
      const mounted = new MountedSystem({ system, file, baseUrl: `${url}/${system.id}`, clock });
      this.systems.set(system.id, mounted);
      if (mounted.seed === null) await mounted.reset(generateWorld(seed ?? DEFAULT_SEED));
      else if (seed !== undefined && mounted.seed !== seed) {
        throw new Error(
          `The state of ${system.id} was made with seed ${mounted.seed}, not ${seed}; use another folder`,
        );
      }
    }
  }

  async reset(seed: number | undefined): Promise<{ seed: number }> {
    const [first] = this.systems.values();
    const chosen = seed ?? first?.seed ?? DEFAULT_SEED;
    const world = generateWorld(chosen);
    for (const mounted of this.systems.values()) await mounted.reset(world);
    return { seed: chosen };
  }

  answer(request: IncomingMessage, response: ServerResponse): void {
    this.#route(request, response).catch((error: unknown) => {
      // A client that hung up in the middle is its own affair; anything else is a fault of the simulator.
      if (!request.complete && request.destroyed) return;
      console.error(`${request.method} ${request.url?.split('?')[0]}:`, error);
      if (!response.headersSent)
        send(response, { status: 500, body: { code: 'SIMULATOR_ERROR', message: String(error) } });
      else response.destroy();
    });
  }

  async #route(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const arrived = Date.now();
    const url = parseUrl(request);
    if (!url)
      return send(response, {
        status: 400,
        body: { code: 'INVALID_URL', message: 'The request line holds no valid URL' },
      });
    const id = url.pathname.slice(1, nextSlash(url.pathname));
    const mounted = this.systems.get(id);
    if (mounted) return this.#call(mounted, request, response, url, arrived);
    if (id !== '_control') {
      const message = `Nothing is here; systems are ${[...this.systems.keys()].join(', ')}`;
      return send(response, { status: 404, body: { code: 'NOT_FOUND', message } });
    }
    const body = await readBody(request);
    if (body === null)
      return send(response, {
        status: 413,
        body: { code: 'BODY_TOO_LARGE', message: 'The body is too large' },
      });
    const path = url.pathname.split('/').slice(2).filter(Boolean).map(decodeSegment);
    send(
      response,
      await control({ method: request.method ?? 'GET', path, query: url.searchParams, body }, this),
    );
  }

  async #call(
    mounted: MountedSystem,
    request: IncomingMessage,
    response: ServerResponse,
    url: URL,
    arrived: number,
  ): Promise<void> {
    const method = request.method ?? 'GET';
    const path = url.pathname.slice(mounted.system.id.length + 1) || '/';
    const effect = mounted.faults.draw(method, path);
    const finish = (status: number | null): void =>
      mounted.log.add({
        time: new Date(arrived).toISOString(),
        method,
        path,
        query: maskQuery(url.search),
        status,
        ms: Date.now() - arrived,
        faults: effect?.applied ?? [],
      });
    const answer = await mounted.counted(async () => {
      // Read first: what has arrived is processed, also when its caller is gone before the delay is over.
      const body = await readBody(request);
      if (effect?.delayMs) await this.#sleep(effect.delayMs);
      if (effect?.refusal?.kind === 'reset') return null;
      if (body === null) return mounted.system.failure(413, mounted.context());
      const call = { method, path, query: url.searchParams, headers: flat(request), body, url };
      return await this.#process(mounted, call, effect);
    });
    if (answer === null) {
      request.socket.resetAndDestroy();
      return finish(null);
    }
    if (effect?.lostReply) {
      if (effect.lostReply.afterMs > 0) await this.#sleep(effect.lostReply.afterMs);
      request.socket.destroy();
      return finish(null);
    }
    const sent = effect?.garble ? garbled(answer, effect.garble) : answer;
    send(response, sent);
    finish(sent.status);
  }

  async #process(
    mounted: MountedSystem,
    request: SimRequest,
    effect: FaultEffect | null,
  ): Promise<SimResponse> {
    const { system } = mounted;
    if (effect?.refusal?.kind === 'status') return system.failure(effect.refusal.status, mounted.context());
    if (effect?.refusal?.kind === 'intercept') return garbled({ status: 200 }, effect.refusal.mode);
    if (effect?.refusal?.kind === 'rate-limit') return system.rateLimited(mounted.context());
    if (effect?.expireTokens) await mounted.atomically(() => system.expireTokens(mounted.context()));
    try {
      return await mounted.handle(request, effect?.partialPage ?? false);
    } catch (error) {
      console.error(`${system.id} ${request.method} ${request.path}:`, error);
      return system.failure(500, mounted.context());
    }
  }

  /** Never ends when the host closes meanwhile: its request is cut off like any other. */
  #sleep(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => {
        this.#timers.delete(timer);
        resolve();
      }, ms);
      this.#timers.add(timer);
    });
  }

  /** Cuts open connections, then closes the state: nothing can be answered that is not committed. */
  async close(server: Server): Promise<void> {
    for (const timer of this.#timers) clearTimeout(timer);
    this.#timers.clear();
    await new Promise<void>((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
    for (const mounted of this.systems.values()) mounted.close();
    this.systems.clear();
  }
}

function parseUrl(request: IncomingMessage): URL | null {
  return URL.parse(request.url ?? '/', `http://${request.headers.host ?? 'localhost'}`);
}

function nextSlash(pathname: string): number {
  const slash = pathname.indexOf('/', 1);
  return slash === -1 ? pathname.length : slash;
}

function decodeSegment(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment; // a stray % is part of the name then, and will not be found
  }
}

function flat(request: IncomingMessage): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(request.headers)) {
    if (value !== undefined) headers[name] = Array.isArray(value) ? value.join(', ') : value;
  }
  return headers;
}

/** The body as UTF-8 text, null when it is larger than the limit. Rejects when the client hangs up before the end. */
function readBody(request: IncomingMessage): Promise<string | null> | string {
  if (request.headers['content-length'] === undefined && request.headers['transfer-encoding'] === undefined)
    return '';
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    request.on('data', (chunk: Buffer) => {
      size += chunk.length;
      if (size <= MAX_BODY_BYTES) chunks.push(chunk);
    });
    request.on('end', () => resolve(size > MAX_BODY_BYTES ? null : Buffer.concat(chunks).toString('utf8')));
    request.on('error', reject);
  });
}

function send(response: ServerResponse, { status, headers, body }: SimResponse): void {
  if (body === undefined) {
    response.writeHead(status, headers).end();
    return;
  }
  const [text, type] =
    typeof body === 'string' ? [body, 'text/plain'] : [JSON.stringify(body), 'application/json'];
  const length = Buffer.byteLength(text);
  response
    .writeHead(status, { 'content-type': `${type};charset=UTF-8`, 'content-length': length, ...headers })
    .end(text);
}
