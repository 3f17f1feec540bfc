import type { JsonObject } from '../../model';
import { SystemError } from '../kit/errors';
import { createHttpClient } from '../kit/http';
import type { HttpClient, HttpRequest } from '../kit/http-types';
import type { ClientDependencies, ConnectionConfig, SystemClient } from '../kit/types';
import { checkConnection } from './check';
import type { Collection } from './collections';
import { type Page, type Referenced, readEnvelope } from './envelope';
import { errorTable } from './errors';
import { DEFAULT_BASE_URL, DEFAULT_SERVICE_NAME, manifest } from './manifest';

/** The vendor's maximum; the default is 20. */
const ROWS_PER_PAGE = 200;

export type Query = Record<string, string | number | boolean | undefined>;

/** Kantata's REST conventions: envelopes, pages, roots of single and bulk creates. */
export interface KantataClient extends SystemClient {
  /** `service_name` of our external references. */
  readonly serviceName: string;
  /**
   * All rows of all pages, each with the external references that `include` asked for.
   * @throws SystemError `transient` when rows are missing at the end: something changed while it was read.
   */
  list<Row extends { id: string }>(collection: Collection<Row>, query: Query, signal?: AbortSignal): Promise<Referenced<Row>[]>;
  /**
   * Creates the objects, in as few calls as the vendor allows, and returns them with their external references.
   * @throws SystemError `unknown` when a reply does not name as many objects as were sent.
   */
  create<Row extends { id: string }>(collection: Collection<Row>, bodies: JsonObject[], signal?: AbortSignal): Promise<Referenced<Row>[]>;
  /** Changes the given attributes. An object that is gone (or archived) already is left alone. */
  updateIfPresent<Row extends { id: string }>(
    collection: Collection<Row>,
    id: string,
    body: JsonObject,
    signal?: AbortSignal,
  ): Promise<void>;
  /** Deletes; an object that is gone already is fine. */
  remove<Row extends { id: string }>(collection: Collection<Row>, id: string, signal?: AbortSignal): Promise<void>;
}

export function createKantataClient(config: ConnectionConfig, dependencies: ClientDependencies): KantataClient {
  const settings = settingsOf(config);
  const http = createHttpClient({
    system: manifest.id,
    baseUrl: settings.baseUrl,
    errors: errorTable,
    limits: { ...manifest.limits[config.environment], ...config.limits },
    authenticator: {
      headers: async () => ({ authorization: `Bearer ${config.values.accessToken ?? ''}` }),
      refresh: async () => false,
    },
    onCall: dependencies.onCall,
  });
  return new RestClient(http, settings, config.instance || settings.accountName || new URL(settings.baseUrl).hostname);
}

function settingsOf({ values }: ConnectionConfig) {
  return {
    accountName: values.accountName ?? '',
    serviceName: values.serviceName || DEFAULT_SERVICE_NAME,
    baseUrl: values.baseUrl || DEFAULT_BASE_URL,
  };
}

class RestClient implements KantataClient {
  readonly system = manifest.id;
  readonly instance: string;
  readonly settings: Readonly<Record<string, string>>;
  readonly serviceName: string;
  readonly #http: HttpClient;

  constructor(http: HttpClient, settings: ReturnType<typeof settingsOf>, instance: string) {
    this.#http = http;
    this.settings = settings;
    this.serviceName = settings.serviceName;
    this.instance = instance;
  }

  async list<Row extends { id: string }>(collection: Collection<Row>, query: Query, signal?: AbortSignal): Promise<Referenced<Row>[]> {
    const rows: Referenced<Row>[] = [];
    for (let number = 1; ; number += 1) {
      const page = await this.#page(collection, {
        method: 'GET',
        path: `/${collection.name}`,
        query: { ...query, page: number, per_page: ROWS_PER_PAGE },
        signal,
      });
      rows.push(...page.rows);
      if (number >= page.pageCount) return this.#complete(collection, rows, page.count);
    }
  }

  /** Pages are no snapshot: a row that moves between them is missing or doubled, and a page may come short. */
  #complete<Row extends { id: string }>(collection: Collection<Row>, rows: Referenced<Row>[], count: number): Referenced<Row>[] {
    const unique = [...new Map(rows.map((row) => [row.id, row])).values()];
    if (unique.length === count) return unique;
    throw new SystemError({
      system: this.system,
      kind: 'transient',
      reason: `${collection.name} were to be ${count} rows but ${unique.length} arrived; they are read again`,
    });
  }

  async create<Row extends { id: string }>(collection: Collection<Row>, bodies: JsonObject[], signal?: AbortSignal) {
    const rows: Referenced<Row>[] = [];
    // Newest objects stand on top in Kantata, so the last chunk goes first.
    for (const chunk of chunksOf(bodies, collection.bulkMax).reverse()) {
      rows.unshift(...(await this.#createChunk(collection, chunk, signal)));
    }
    return rows;
  }

  async #createChunk<Row extends { id: string }>(collection: Collection<Row>, bodies: JsonObject[], signal?: AbortSignal) {
    const page = await this.#page(collection, {
      method: 'POST',
      path: `/${collection.name}`,
      query: { include: 'external_references' },
      json: bodies.length === 1 ? { [collection.root]: bodies[0] } : { [collection.name]: bodies },
      signal,
    });
    if (page.rows.length === bodies.length) return page.rows;
    throw new SystemError({
      system: this.system,
      kind: 'unknown',
      reason: `the reply names ${page.rows.length} of ${bodies.length} new ${collection.name}`,
    });
  }

  async updateIfPresent<Row extends { id: string }>(collection: Collection<Row>, id: string, body: JsonObject, signal?: AbortSignal) {
    await this.#http.request({
      method: 'PUT',
      path: `/${collection.name}/${id}`,
      json: { [collection.root]: body },
      accept: [404],
      safe: true,
      signal,
    });
  }

  async remove<Row extends { id: string }>(collection: Collection<Row>, id: string, signal?: AbortSignal) {
    await this.#http.request({
      method: 'DELETE',
      path: `/${collection.name}/${id}`,
      accept: [404],
      safe: true,
      signal,
    });
  }

  async #page<Row extends { id: string }>(collection: Collection<Row>, request: HttpRequest): Promise<Page<Row>> {
    const { body } = await this.#http.request(request);
    try {
      return readEnvelope(body, collection);
    } catch (error) {
      const written = request.method !== 'GET';
      throw new SystemError({
        system: this.system,
        // After a write nobody knows what happened; a read of another shape is a changed interface.
        kind: written ? 'unknown' : 'rejected',
        code: written ? 'OUTCOME_UNKNOWN' : 'SCHEMA_CHANGED',
        reason: `the answer to ${request.method} ${request.path} cannot be understood: ${error instanceof Error ? error.message : String(error)}`,
        cause: error,
      });
    }
  }

  test() {
    return checkConnection(this.#http);
  }

  health() {
    return this.#http.health();
  }

  close() {
    return this.#http.close();
  }
}

export function chunksOf<T>(items: readonly T[], size: number): T[][] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, index) =>
    items.slice(index * size, (index + 1) * size),
  );
}
