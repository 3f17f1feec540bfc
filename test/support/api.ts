import { type Answer, answer, type Caller, type HostView, routes, servicesOf } from '../../lib/api';
import { Governance, Policies } from '../../lib/governance';
import type { Store } from '../../lib/store';
import { manifests } from '../../lib/systems';
import { startEngine, type TestEngine } from './engine';

/** The programs' interface without a web server, on an engine of its own. */

export const ALL = ['*'];

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

  static async start(store?: Store): Promise<TestApi> {
    const engine = await startEngine(store === undefined ? {} : { store });
    const governance = new Governance({
      engine: engine.engine,
      tenant: 'test',
      policies: new Policies(),
      onFailure: (error) => {
        throw error;
      },
    });
    return new TestApi(engine, governance);
  }

  async stop(): Promise<void> {
    await this.governance.stop();
    await this.engine.stop();
  }

  /** @param path with values in place of parameters: `/runs/run_1` */
  async ask(method: string, path: string, asked: Asked = {}): Promise<Answer> {
    const { query = {}, body, headers = {}, as = kim, signal = new AbortController().signal } = asked;
    for (const route of routes) {
      const names = [...route.path.matchAll(/:(\w+)/g)].map(([, name]) => name ?? '');
      const values = new RegExp(`^${route.path.replace(/:\w+/g, '([^/]+)')}$`).exec(path);
      if (route.method !== method.toLowerCase() || values === null) continue;
      const params = Object.fromEntries(
        names.map((name, at) => [name, decodeURIComponent(values[at + 1] ?? '')]),
      );
      const request = { params, query, body, header: (name: string) => headers[name] };
      const surroundings = {
        engine: this.engine.engine,
        governance: this.governance,
        host: HOST,
        services: servicesOf(this.engine.engine, (error) => this.faults.push(error)),
        caller: as,
        signal,
      };
      return answer(route, request, surroundings, (error) => this.faults.push(error));
    }
    throw new Error(`There is no route ${method} ${path}`);
  }

  /** The JSON of an answer that must be a success. */
  async get<T>(path: string, query: Record<string, unknown> = {}, asked: Asked = {}): Promise<T> {
    const given = await this.ask('GET', path, { ...asked, query });
    return jsonOf<T>(given);
  }
}

export function jsonOf<T>({ status, body }: Answer): T {
  if (status >= 300 || body === null || !('json' in body)) {
    throw new Error(`${status} ${JSON.stringify(body)}`);
  }
  return body.json as T;
}

const HOST: HostView = {
  version: '0.0.0',
  connections: () => [
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
  test: async () => [{ id: 'login', label: 'Login', ok: true, message: '' }],
  firms: () => [],
  metrics: async () => ({ contentType: 'text/plain', text: '# nothing\n' }),
  zoneOf: () => 'Europe/Berlin',
  classifiedFields: Object.assign({}, ...Object.values(manifests).map((each) => each.classifiedFields)),
};
