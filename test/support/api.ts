import {
  type Answer,
  answer,
  type Caller,
  endServices,
  type HostView,
  type Request,
  type Route,
  routes,
  servicesOf,
} from '../../lib/api';
import type { EngineOptions } from '../../lib/engine';
import { Governance, Policies } from '../../lib/governance';
import { manifests } from '../../lib/systems';
import { startEngine, type TestEngine } from './engine';

/** The programs' interface without a web server, on an engine of its own. */

/** A user with these permissions, by Node-RED's rule. */
export function user(name: string, ...permissions: string[]): Caller {
  const may = (permission: string) =>
    permissions.some(
      (given) =>
        given === '*' ||
        given === permission ||
        (/^(read|write)$/.test(given) && permission.endsWith(`.${given}`)),
    );
  return { name, isAnonymous: false, may };
}

export const kim = user('kim', '*');
export const anonymous: Caller = { name: 'anonymous', isAnonymous: true, may: () => true };

export interface Asked {
  query?: Record<string, unknown>;
  body?: unknown;
  headers?: Record<string, string>;
  as?: Caller;
  signal?: AbortSignal;
}

export class TestApi {
  readonly faults: unknown[] = [];

  private constructor(
    readonly engine: TestEngine,
    private readonly governance: Governance,
  ) {}

  /** @param options of the engine; its runs are retried by people alone */
  static async start(options: Partial<EngineOptions> = {}): Promise<TestApi> {
    const engine = await startEngine({ retry: { maxRunRetries: 0 }, ...options });
    const governance = new Governance({
      engine: engine.engine,
      tenant: 'test',
      policies: new Policies(),
      onFailure: (error) => {
        throw error;
      },
    });
    await governance.start();
    return new TestApi(engine, governance);
  }

  async stop(): Promise<void> {
    endServices(this.engine.engine);
    await this.governance.stop();
    await this.engine.stop();
  }

  /** @param path with values in place of parameters: `/runs/run_1` */
  async ask(method: string, path: string, asked: Asked = {}): Promise<Answer> {
    const { query = {}, body, headers = {}, as = kim, signal = new AbortController().signal } = asked;
    const found = routeOf(method, path);
    return this.answer(found.route, { ...found, query, body, header: (name) => headers[name] }, as, signal);
  }

  /** Of any route, also one that is not in the table. */
  answer(route: Route, request: Request, caller: Caller, signal: AbortSignal): Promise<Answer> {
    const surroundings = {
      engine: this.engine.engine,
      governance: this.governance,
      host: HOST,
      services: this.services,
      caller,
      signal,
    };
    return answer(route, request, surroundings, (error) => this.faults.push(error));
  }

  get services() {
    return servicesOf(this.engine.engine, (error) => this.faults.push(error));
  }

  /** The JSON of an answer that must be a success. */
  async get<T>(path: string, query: Record<string, unknown> = {}, asked: Asked = {}): Promise<T> {
    const given = await this.ask('GET', path, { ...asked, query });
    return jsonOf<T>(given);
  }
}

/** The route that a path calls, as the web server finds it: the first that fits. */
export function routeOf(method: string, path: string): { route: Route; params: Record<string, string> } {
  for (const route of routes) {
    const values = new RegExp(`^${route.path.replace(/:\w+/g, '([^/]+)')}$`).exec(path);
    if (route.method !== method.toLowerCase() || values === null) continue;
    const names = [...route.path.matchAll(/:(\w+)/g)].map(([, name]) => name ?? '');
    const given = names.map((name, at) => [name, decodeURIComponent(values[at + 1] ?? '')]);
    return { route, params: Object.fromEntries(given) };
  }
  throw new Error(`There is no route ${method} ${path}`);
}

export function jsonOf<T>({ status, body }: Answer): T {
  if (status >= 300 || body === null || !('json' in body)) {
    throw new Error(`${status} ${JSON.stringify(body)}`);
  }
  return body.json as T;
}

const HOST: HostView = {
  version: '0.0.0',
  connections: async () => [
    {
      id: 'c1',
      name: 'NetSuite',
      system: 'netsuite',
      label: 'NetSuite',
      environment: 'simulator',
      instance: 'main',
      health: { breaker: 'closed', inFlight: 0, waiting: 0 },
      limits: { concurrency: 5, timeoutMs: 1_000 },
    },
  ],
  test: async () => [{ id: 'login', label: 'Login', ok: true, state: 'ok', message: '', advice: '' }],
  firms: () => [],
  metrics: async () => ({ contentType: 'text/plain', text: '# nothing\n' }),
  zoneOf: () => 'Europe/Berlin',
  classifiedFields: Object.assign({}, ...Object.values(manifests).map((each) => each.classifiedFields)),
};
