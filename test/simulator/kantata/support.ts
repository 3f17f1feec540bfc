import { system } from '../../../simulator/kantata';
import { startHost } from '../../../simulator/kit/host';
import { type Reply, send } from '../support';

export type Attributes = Record<string, unknown>;

export interface Envelope {
  count: number;
  meta: { count: number; page_count: number; page_number: number; page_size: number };
  results: { key: string; id: string }[];
  errors: { type: string; message: string; field?: string }[];
  [collection: string]: unknown;
}

/** A running account with the calls a test makes. */
export interface TestAccount {
  url: string;
  token: string;
  /** Moves the simulator's clock forward. */
  advance(ms: number): void;
  /** A call to the API below `/api/v1/`. */
  call(
    method: string,
    path: string,
    body?: unknown,
    headers?: Record<string, string>,
  ): Promise<Reply<Envelope>>;
  /** Creates one object and returns its attributes; fails the test with the vendor's errors otherwise. */
  create(
    collection: string,
    root: string,
    attributes: Attributes,
    query?: string,
  ): Promise<Attributes & { id: string }>;
  /** The objects of a list, in the order of `results`. */
  list(path: string): Promise<(Attributes & { id: string })[]>;
  /** What a person does in the product. */
  byHand(method: 'POST' | 'PATCH', path: string, body: unknown): Promise<Reply<Attributes & { id: string }>>;
  control(method: string, path: string, body?: unknown): Promise<Reply<Attributes>>;
  close(): Promise<void>;
}

export async function startAccount(): Promise<TestAccount> {
  let shift = 0;
  const simulator = await startHost({ port: 0, systems: [system], clock: () => Date.now() + shift });
  const url = simulator.systems.kantata?.url ?? '';
  const token = simulator.systems.kantata?.credentials['access-token']?.accessToken ?? '';
  const call: TestAccount['call'] = (method, path, body, headers) =>
    send(`${url}/api/v1/${path}`, {
      method,
      body,
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json', ...headers },
    });
  const control: TestAccount['control'] = (method, path, body) =>
    send(`${simulator.url}/_control/kantata/${path}`, { method, body });
  return {
    url,
    token,
    advance: (ms) => {
      shift += ms;
    },
    call,
    control,
    async create(collection, root, attributes, query = '') {
      const { status, body } = await call('POST', `${collection}${query}`, { [root]: attributes });
      if (status !== 200) throw new Error(`${collection}: ${status} ${JSON.stringify(body.errors)}`);
      return objects(body)[0] ?? fail(collection);
    },
    async list(path) {
      const { status, body } = await call('GET', path);
      if (status !== 200) throw new Error(`${path}: ${status} ${JSON.stringify(body.errors)}`);
      return objects(body);
    },
    byHand: (method, path, body) =>
      send(`${simulator.url}/_control/kantata/records/${path}`, { method, body }),
    close: () => simulator.close(),
  };
}

function fail(what: string): never {
  throw new Error(`The answer holds no ${what}`);
}

/** The objects that `results` names, in its order. */
export function objects(body: Envelope): (Attributes & { id: string })[] {
  return body.results.map(({ key, id }) => object(body, key, id));
}

export function object(body: Envelope, key: string, id: string): Attributes & { id: string } {
  const map = body[key] as Record<string, Attributes & { id: string }>;
  return map[id] ?? fail(`${key} ${id}`);
}

/** A list of ids that an object shows. */
export const ids = (value: unknown): string[] => (Array.isArray(value) ? value.map(String) : []);

/** The fields the errors of a refusal name. */
export const fields = (reply: Reply<Envelope>): (string | undefined)[] =>
  reply.body.errors.map(({ field }) => field);

export const reference = (ref: string, more: Attributes = {}): Attributes => ({
  service_name: 'q2c',
  service_model: 'Opportunity',
  service_model_ref: ref,
  ...more,
});
