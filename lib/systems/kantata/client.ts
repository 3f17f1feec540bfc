import type { JsonObject } from '../../model';
import {
  ANY_STATUS,
  baseUrlOf,
  type CheckOptions,
  type ClientDependencies,
  type ConnectionConfig,
  createHttpClient,
  type HttpClient,
  type HttpResponse,
  ifPresent,
  parseReply,
  readAllPages,
  readConnection,
  type SystemClient,
  SystemError,
} from '../kit';
import { checkConnection } from './check-connection';
import { type Collection, type ExternalReference, externalReferences, type Identified } from './collections';
import { envelopeOf, type Page, type Referenced } from './envelope';
import { errorTable } from './errors';
import { manifest } from './manifest';

/** The vendor's maximum; its default is 20. */
const ROWS_PER_PAGE = 200;

export type Query = Record<string, string | number | boolean | undefined>;

/** Kantata's REST conventions: envelopes, pages, single and bulk creates. */
export interface KantataClient extends SystemClient {
  /** `service_name` of our external references. */
  readonly serviceName: string;
  /**
   * All rows of all pages, each with the external references that `include` asked for.
   * @throws SystemError `transient` when rows are missing or doubled: pages are no snapshot.
   */
  list<Row extends Identified>(
    collection: Collection<Row>,
    query: Query,
    signal: AbortSignal,
  ): Promise<Referenced<Row>[]>;
  /** One object with its external references, archived ones included; null when there is none. */
  show<Row extends Identified>(
    collection: Collection<Row>,
    id: string,
    signal: AbortSignal,
  ): Promise<Referenced<Row> | null>;
  /** Puts an external reference on an object, or changes the one that it has under its service name. */
  putReference(
    collection: Collection<Identified>,
    id: string,
    reference: JsonObject,
    signal: AbortSignal,
  ): Promise<ExternalReference>;
  /**
   * Creates the objects, in as few calls as the vendor allows, and returns them with their external references.
   * @throws SystemError `unknown` when a reply does not name as many objects as were sent.
   */
  create<Row extends Identified>(
    collection: Collection<Row>,
    bodies: JsonObject[],
    signal: AbortSignal,
  ): Promise<Referenced<Row>[]>;
  /** Changes the given attributes; an object that is gone or archived already stays as it is. */
  updateIfPresent(
    collection: Collection<Identified>,
    id: string,
    body: JsonObject,
    signal: AbortSignal,
  ): Promise<void>;
  /** Deletes; an object that is gone already is fine. */
  remove(collection: Collection<Identified>, id: string, signal: AbortSignal): Promise<void>;
  /** Host name of the API. */
  readonly host: string;
  /** Whether somebody is there, asked without credentials; whatever is answered, it is an answer. */
  knock(signal: AbortSignal): Promise<HttpResponse>;
  /** Reads one object, to see whether the user may. */
  readOne(collection: Collection<Identified>, path: string, signal: AbortSignal): Promise<void>;
}

/** @throws Q2cError `MANDATORY_FIELD_MISSING` when the configuration is incomplete. */
export function createKantataClient(
  config: ConnectionConfig,
  dependencies: ClientDependencies,
): KantataClient {
  const { value, settings, limits } = readConnection(manifest, config);
  const baseUrl = baseUrlOf(manifest, value('baseUrl'));
  const common = { system: manifest.id, baseUrl, errors: errorTable, onCall: dependencies.onCall };
  const visitor = createHttpClient({ ...common, limits: { ...limits, concurrency: 1 } });
  const http = createHttpClient({
    ...common,
    limits,
    authenticator: {
      headers: async () => ({ authorization: `Bearer ${value('accessToken')}` }),
      // The token neither expires nor can it be renewed: a refused one was revoked.
      refresh: async () => false,
    },
    reserveCall: dependencies.reserveCall,
  });
  const instance = config.instance || value('accountName') || manifest.id;
  return new RestClient({ http, visitor, host: new URL(baseUrl).host }, settings, instance);
}

class RestClient implements KantataClient {
  readonly system = manifest.id;
  readonly instance: string;
  readonly settings: Readonly<Record<string, string>>;
  readonly serviceName: string;
  readonly host: string;
  readonly #http: HttpClient;
  /** Without credentials. */
  readonly #visitor: HttpClient;

  constructor(
    { http, visitor, host }: { http: HttpClient; visitor: HttpClient; host: string },
    settings: Readonly<Record<string, string>>,
    instance: string,
  ) {
    this.#http = http;
    this.#visitor = visitor;
    this.host = host;
    this.settings = settings;
    this.serviceName = settings.serviceName ?? '';
    this.instance = instance;
  }

  list<Row extends Identified>(collection: Collection<Row>, query: Query, signal: AbortSignal) {
    return readAllPages<Referenced<Row>, number>({
      system: this.system,
      what: collection.name,
      idOf: (row) => row.id,
      fetch: async (next) => {
        const number = next ?? 1;
        const page = await this.#read(
          collection,
          { ...query, page: number, per_page: ROWS_PER_PAGE },
          signal,
        );
        return { rows: page.rows, next: number < page.pageCount ? number + 1 : null, total: page.count };
      },
    });
  }

  async show<Row extends Identified>(collection: Collection<Row>, id: string, signal: AbortSignal) {
    const path = `/${collection.name}/${encodeURIComponent(id)}`;
    const query = { include: 'external_references', include_archived: collection.archivable || undefined };
    const reply = await ifPresent(() => this.#http.request({ method: 'GET', path, query, signal }));
    if (reply === null) return null;
    return this.#page(collection, reply, `GET /${collection.name}/{id}`, false).rows[0] ?? null;
  }

  async putReference(
    { type }: Collection<Identified>,
    id: string,
    reference: JsonObject,
    signal: AbortSignal,
  ) {
    const path = `/${externalReferences.name}/create_or_update`;
    const reply = await this.#http.request({
      method: 'POST',
      path,
      json: { [externalReferences.root]: { ...reference, subject_type: type, subject_id: Number(id) } },
      safe: true,
      signal,
    });
    return this.#written(externalReferences, reply, `POST ${path}`);
  }

  async create<Row extends Identified>(
    collection: Collection<Row>,
    bodies: JsonObject[],
    signal: AbortSignal,
  ) {
    const rows: Referenced<Row>[] = [];
    // New objects go on top in Kantata: the last chunk must be sent first to keep the order.
    for (const chunk of chunksOf(bodies, collection.bulkMax).reverse()) {
      rows.unshift(...(await this.#createChunk(collection, chunk, signal)));
    }
    return rows;
  }

  async updateIfPresent(
    collection: Collection<Identified>,
    id: string,
    body: JsonObject,
    signal: AbortSignal,
  ) {
    const path = `/${collection.name}/${id}`;
    const json = { [collection.root]: body };
    const request = { method: 'PUT', path, json, safe: true, signal } as const;
    const reply = await ifPresent(() => this.#http.request(request));
    if (reply !== null) this.#written(collection, reply, `PUT ${path}`);
  }

  async remove({ name }: Collection<Identified>, id: string, signal: AbortSignal) {
    const path = `/${name}/${id}`;
    const request = { method: 'DELETE', path, noContent: true, safe: true, signal } as const;
    await ifPresent(() => this.#http.request(request));
  }

  knock(signal: AbortSignal) {
    return this.#visitor.request({ method: 'GET', path: '/users/me', accept: ANY_STATUS, signal });
  }

  async readOne(collection: Collection<Identified>, path: string, signal: AbortSignal) {
    const reply = await this.#http.request({ method: 'GET', path, query: { per_page: 1 }, signal });
    this.#page(collection, reply, `GET ${path}`, false);
  }

  test(options?: CheckOptions) {
    return checkConnection(this, options);
  }

  health() {
    return this.#http.health();
  }

  async close() {
    await Promise.all([this.#http.close(), this.#visitor.close()]);
  }

  async #read<Row extends Identified>(collection: Collection<Row>, query: Query, signal: AbortSignal) {
    const path = `/${collection.name}`;
    const reply = await this.#http.request({ method: 'GET', path, query, signal });
    return this.#page(collection, reply, `GET ${path}`, false);
  }

  async #createChunk<Row extends Identified>(
    collection: Collection<Row>,
    bodies: JsonObject[],
    signal: AbortSignal,
  ) {
    const path = `/${collection.name}`;
    const reply = await this.#http.request({
      method: 'POST',
      path,
      query: { include: 'external_references' },
      json: bodies.length === 1 ? { [collection.root]: bodies[0] } : { [collection.name]: bodies },
      signal,
    });
    const { rows } = this.#page(collection, reply, `POST ${path}`, true);
    if (rows.length === bodies.length) return rows;
    throw new SystemError({
      system: this.system,
      kind: 'unknown',
      reason: `the answer to POST ${path} names ${rows.length} of ${bodies.length} new objects`,
    });
  }

  /** What a write of one object answers with. @throws SystemError `unknown` when the answer does not name it */
  #written<Row extends Identified>(collection: Collection<Row>, reply: HttpResponse, what: string) {
    const [row] = this.#page(collection, reply, what, true).rows;
    if (row !== undefined) return row;
    const reason = `the answer to ${what} does not name what was written`;
    throw new SystemError({ system: this.system, kind: 'unknown', reason });
  }

  #page<Row extends Identified>(
    collection: Collection<Row>,
    reply: HttpResponse,
    what: string,
    write: boolean,
  ): Page<Row> {
    return parseReply(envelopeOf(collection), reply, { system: this.system, what, write });
  }
}

export function chunksOf<T>(items: readonly T[], size: number): T[][] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, index) =>
    items.slice(index * size, (index + 1) * size),
  );
}
