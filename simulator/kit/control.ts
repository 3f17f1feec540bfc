import type { MountedSystem } from './mounted-system';
import { ControlError, type SimRecord } from './types';

/** What the control API needs of the host. */
export interface ControlledHost {
  systems: ReadonlyMap<string, MountedSystem>;
  /** Back to the seed (the current one when undefined): records, faults and logs of all systems. */
  reset(seed: number | undefined): Promise<{ seed: number }>;
}

export interface ControlRequest {
  method: string;
  /** Segments below `/_control/`, decoded. */
  path: string[];
  query: URLSearchParams;
  body: string;
}

export interface ControlAnswer {
  status: number;
  body: unknown;
}

const DEFAULT_LIMIT = 200;

/**
 * What stands outside the vendors: the person at their screens, and whoever breaks the network on purpose.
 *
 * | call | does |
 * | --- | --- |
 * | `GET systems` | `{systems: {id: {url, credentials, types}}}` |
 * | `POST reset {seed?}` | everything back to the seed, `{seed}` |
 * | `GET {system}/records` | `{types: {type: count}}` |
 * | `GET {system}/records/{type}?field=value&limit=` | `{total, records}`, text equality on top-level fields; `deleted=true` shows deleted ones too |
 * | `POST {system}/records/{type}` · `PATCH …/{id}` | what a person does in the vendor's screens; the record |
 * | `GET {system}/records/{type}/{id}` | the record |
 * | `GET {system}/requests?since=&limit=` · `DELETE` | `{total, requests}` · forgets them |
 * | `GET {system}/faults` · `POST` · `DELETE {system}/faults/{id}` · `DELETE {system}/faults` | `{faults}` · the fault with its id · removes |
 *
 * Vendors add their own (`SimulatedSystem.control.routes`). Every error is `{code, message}`.
 */
export async function control(request: ControlRequest, host: ControlledHost): Promise<ControlAnswer> {
  try {
    return await route(request, host);
  } catch (error) {
    if (error instanceof ControlError) {
      return { status: statusOf(error), body: { code: error.code, message: error.message } };
    }
    throw error;
  }
}

function statusOf(error: ControlError): number {
  if (error.code === 'NOT_FOUND') return 404;
  return error.code === 'METHOD_NOT_ALLOWED' ? 405 : 400;
}

async function route(request: ControlRequest, host: ControlledHost): Promise<ControlAnswer> {
  const [first, section, ...rest] = request.path;
  if (first === 'systems' && section === undefined)
    return only(request, { GET: () => ok(describeSystems(host)) });
  if (first === 'reset' && section === undefined) {
    return only(request, { POST: async () => ok(await host.reset(seedOf(jsonBody(request.body)))) });
  }
  const added = await vendorRoute(request, host);
  if (added) return added;
  const system = host.systems.get(first ?? '');
  if (!system) throw notFound(`There is no system or control call "${request.path.join('/')}"`);
  if (section === 'records') return records(request, system, rest);
  if (section === 'requests' && rest.length === 0) return requests(request, system);
  if (section === 'faults') return faults(request, system, rest);
  throw notFound(`There is no control call "${request.path.join('/')}"; known are records, requests, faults`);
}

async function vendorRoute(request: ControlRequest, host: ControlledHost): Promise<ControlAnswer | null> {
  const path = request.path.join('/');
  for (const mounted of host.systems.values()) {
    const route = mounted.system.control.routes?.find((r) => r.path === path && r.method === request.method);
    if (!route) continue;
    const body = jsonBody(request.body);
    return ok(await mounted.atomically(() => route.handle(body, mounted.context())));
  }
  return null;
}

function describeSystems(host: ControlledHost): unknown {
  const systems = [...host.systems].map(([id, mounted]) => [
    id,
    {
      url: mounted.baseUrl,
      credentials: mounted.system.credentials(mounted.context()),
      types: mounted.system.control.types,
    },
  ]);
  return { systems: Object.fromEntries(systems) };
}

async function records(
  request: ControlRequest,
  mounted: MountedSystem,
  path: string[],
): Promise<ControlAnswer> {
  const [type, id, ...more] = path;
  const { control: person } = mounted.system;
  if (type === undefined) {
    return only(request, { GET: () => ok({ types: countTypes(mounted) }) });
  }
  if (more.length > 0 || !(person.types.includes(type) || mounted.store.types().includes(type))) {
    throw notFound(
      `${mounted.system.id} has no record type "${path.join('/')}"; known are ${person.types.join(', ')}`,
    );
  }
  if (id === undefined) {
    return only(request, {
      GET: () => ok(listRecords(mounted, type, request.query)),
      POST: async () => ({ status: 201, body: await createRecord(mounted, type, jsonBody(request.body)) }),
    });
  }
  return only(request, {
    GET: () => ok(existing(mounted, type, id)),
    PATCH: async () => ok(await patchRecord(mounted, type, id, jsonBody(request.body))),
  });
}

function createRecord(
  mounted: MountedSystem,
  type: string,
  data: Record<string, unknown>,
): Promise<SimRecord> {
  return mounted.atomically(() => mounted.system.control.create(type, data, mounted.context()));
}

function patchRecord(
  mounted: MountedSystem,
  type: string,
  id: string,
  data: Record<string, unknown>,
): Promise<SimRecord> {
  return mounted.atomically(() => {
    existing(mounted, type, id);
    return mounted.system.control.patch(type, id, data, mounted.context());
  });
}

function existing(mounted: MountedSystem, type: string, id: string): SimRecord {
  const record = mounted.store.get(type, id);
  if (!record) throw notFound(`${mounted.system.id} has no ${type} with id ${id}`);
  return record;
}

function countTypes(mounted: MountedSystem): Record<string, number> {
  const types = new Set([...mounted.system.control.types, ...mounted.store.types()]);
  return Object.fromEntries([...types].map((type) => [type, mounted.store.count(type)]));
}

function listRecords(
  mounted: MountedSystem,
  type: string,
  query: URLSearchParams,
): { total: number; records: SimRecord[] } {
  const filters = [...query].filter(([name]) => name !== 'limit' && name !== 'deleted');
  const limit = integerParameter(query, 'limit', DEFAULT_LIMIT);
  const [first, ...others] = filters;
  const candidates =
    first && query.get('deleted') !== 'true'
      ? mounted.store.findBy(type, first[0], first[1])
      : mounted.store
          .list(type, { deleted: query.get('deleted') === 'true' })
          .filter((r) => !first || has(r, first));
  const found = candidates.filter((record) => others.every((filter) => has(record, filter)));
  return { total: found.length, records: found.slice(0, limit) };
}

function has(record: SimRecord, [field, value]: [string, string]): boolean {
  const actual = record.data[field];
  return actual !== null && actual !== undefined && String(actual) === value;
}

function requests(request: ControlRequest, { log }: MountedSystem): Promise<ControlAnswer> {
  return only(request, {
    GET: () => {
      const found = log.after(integerParameter(request.query, 'since', 0));
      return ok({
        total: log.total,
        requests: found.slice(0, integerParameter(request.query, 'limit', found.length)),
      });
    },
    DELETE: () => {
      log.clear();
      return ok({ total: 0 });
    },
  });
}

function faults(
  request: ControlRequest,
  { faults: list }: MountedSystem,
  path: string[],
): Promise<ControlAnswer> {
  const [id] = path;
  if (id !== undefined) {
    return only(request, {
      DELETE: () => {
        if (!list.remove(id)) throw notFound(`There is no fault ${id}`);
        return ok({ faults: list.list() });
      },
    });
  }
  return only(request, {
    GET: () => ok({ faults: list.list() }),
    POST: () => ({ status: 201, body: list.add(jsonBody(request.body)) }),
    DELETE: () => {
      list.clear();
      return ok({ faults: [] });
    },
  });
}

/** Answers by method; any other method is refused with the list of those that are. */
async function only(
  request: ControlRequest,
  methods: Record<string, () => ControlAnswer | Promise<ControlAnswer>>,
): Promise<ControlAnswer> {
  const handler = methods[request.method];
  if (!handler) {
    throw new ControlError(
      'METHOD_NOT_ALLOWED',
      `${request.method} is not possible here; use ${Object.keys(methods).join(', ')}`,
    );
  }
  return handler();
}

function ok(body: unknown): ControlAnswer {
  return { status: 200, body };
}

function notFound(message: string): ControlError {
  return new ControlError('NOT_FOUND', message);
}

/** An empty body counts as `{}`. */
function jsonBody(text: string): Record<string, unknown> {
  if (text.trim() === '') return {};
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new ControlError(
      'INVALID_JSON',
      `The body is not JSON: ${error instanceof Error ? error.message : error}`,
    );
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new ControlError('INVALID_JSON', 'The body must be a JSON object');
  }
  return Object.fromEntries(Object.entries(value));
}

function integerParameter(query: URLSearchParams, name: string, fallback: number): number {
  const text = query.get(name);
  if (text === null) return fallback;
  if (!/^\d{1,9}$/.test(text))
    throw new ControlError('INVALID_PARAMETER', `${name} must be a whole number, not "${text}"`);
  return Number(text);
}

function seedOf(body: Record<string, unknown>): number | undefined {
  const { seed } = body;
  if (seed === undefined) return undefined;
  if (typeof seed !== 'number' || !Number.isInteger(seed) || seed < 0) {
    throw new ControlError('INVALID_PARAMETER', 'seed must be a whole number');
  }
  return seed;
}
