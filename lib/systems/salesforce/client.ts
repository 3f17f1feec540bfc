import * as z from 'zod';
import type { JsonObject, JsonValue } from '../../model';
import {
  ANY_STATUS,
  afterWrite,
  anyJson,
  anyJsonObject,
  baseUrlOf,
  type CheckOptions,
  type ClientDependencies,
  type ConnectionCheck,
  type ConnectionConfig,
  createHttpClient,
  errorOfReply,
  type HttpClient,
  type HttpRequest,
  type HttpResponse,
  ifPresent,
  parseReply,
  readAllPages,
  readConnection,
  type SystemClient,
  SystemError,
} from '../kit';
import { checkConnection } from './check';
import { errors, isHalted, loginErrors } from './errors';
import { createAuthenticator, type LoginOptions, login } from './login';
import { manifest } from './manifest';
import { textLiteral } from './soql';

export const SYSTEM = 'salesforce';

/** Names us in the org's logs and in the origin of change events. */
const CALL_OPTIONS = { 'sforce-call-options': 'client=quote-to-cash' };

/** Answered without a login. */
const VERSIONS_PATH = '/services/data/';

/** From this share of the daily calls on, every further percent is worth a warning. */
const WARN_AT_PERCENT = 80;

/** Where records of a connection live; part of a reply, so that mappings need no client. */
export interface Home {
  instance: string;
  /** Base URL of the org's pages; null in the simulator, which has none. */
  webUrl: string | null;
}

const queryPage = z.object({
  totalSize: z.number(),
  done: z.boolean(),
  nextRecordsUrl: z.string().optional(),
  records: z.array(anyJsonObject),
});
export type QueryPage = z.infer<typeof queryPage>;

const upserted = z.object({ id: z.string().min(15), success: z.literal(true), created: z.boolean() });

const compositeReply = z.object({
  compositeResponse: z.array(
    z.object({ body: anyJson, httpStatusCode: z.number(), referenceId: z.string() }),
  ),
});

/** One part of a composite request. `path` is below `/services/data/vNN.N`. */
export interface Subrequest {
  method: 'GET' | 'PATCH' | 'POST' | 'DELETE';
  path: string;
  body?: JsonObject;
}

export interface WrittenRecord {
  id: string;
  created: boolean;
}

/** Salesforce's REST API as this connector needs it. Every method throws `SystemError`. */
export class SalesforceClient implements SystemClient {
  readonly system = SYSTEM;
  readonly instance: string;
  readonly settings: Readonly<Record<string, string>>;
  readonly #http: HttpClient;
  readonly #login: HttpClient;
  readonly #log: ClientDependencies['log'];
  readonly #webUrl: string | null;
  readonly #loginOptions: LoginOptions;
  #warnedAtPercent = WARN_AT_PERCENT - 1;

  constructor(config: ConnectionConfig, dependencies: ClientDependencies) {
    const values = readConnection(manifest, config);
    const simulated = config.environment === 'simulator';
    const baseUrl = baseUrlOf(manifest, values.value('host'));
    const common = { system: SYSTEM, baseUrl, headers: CALL_OPTIONS, onCall: dependencies.onCall };
    this.instance = config.instance || (simulated ? 'simulator' : new URL(baseUrl).hostname);
    this.settings = values.settings;
    this.#log = dependencies.log;
    this.#webUrl = simulated ? null : baseUrl;
    this.#login = createHttpClient({
      ...common,
      errors: loginErrors,
      limits: { ...values.limits, concurrency: 1 },
    });
    this.#loginOptions = {
      http: this.#login,
      scheme: config.auth,
      baseUrl,
      values,
      tokens: dependencies.tokens,
      checkHost: !simulated,
    };
    this.#http = createHttpClient({
      ...common,
      errors,
      limits: values.limits,
      reserveCall: dependencies.reserveCall,
      authenticator: createAuthenticator(this.#loginOptions),
    });
  }

  /** Where this connection's records live, for their cross-references. */
  get home(): Home {
    return { instance: this.instance, webUrl: this.#webUrl };
  }

  /** API name of the custom field that holds our canonical id. */
  get externalIdField(): string {
    return this.settings.externalIdField ?? '';
  }

  /** Host name of the connection. */
  get host(): string {
    return new URL(this.#loginOptions.baseUrl).host;
  }

  test(options?: CheckOptions): Promise<ConnectionCheck[]> {
    return checkConnection(this, options);
  }

  health() {
    return this.#http.health();
  }

  async close(): Promise<void> {
    await Promise.all([this.#http.close(), this.#login.close()]);
  }

  /** Whether somebody is there; whatever is answered, it is an answer. */
  knock(signal?: AbortSignal): Promise<HttpResponse> {
    return this.#login.request({ method: 'GET', path: VERSIONS_PATH, accept: ANY_STATUS, signal });
  }

  /** Logs in anew, whatever token is at hand. @throws SystemError kind `auth` when the login is refused. */
  async signIn(signal: AbortSignal): Promise<void> {
    await login(this.#loginOptions, signal);
  }

  /** The list of resources, open to every user with API access; `limits` would need a permission of its own. */
  resources(signal?: AbortSignal): Promise<HttpResponse> {
    return this.#request({ method: 'GET', path: `${this.#root}/`, signal });
  }

  /** The API versions of the org. Needs no login, costs no call of the daily budget. */
  async versions(signal?: AbortSignal): Promise<string[]> {
    const reply = await this.#login.request({ method: 'GET', path: VERSIONS_PATH, signal });
    const versions = this.#parse(
      z.array(z.object({ version: z.string() })),
      reply,
      'the list of API versions',
    );
    return versions.map(({ version }) => version);
  }

  /** `path` is below `/services/data/vNN.N`. */
  async get<S extends z.ZodType>(
    path: string,
    schema: S,
    what: string,
    signal?: AbortSignal,
  ): Promise<z.infer<S>> {
    return this.#parse(schema, await this.#request({ method: 'GET', path: this.#root + path, signal }), what);
  }

  /**
   * The record that carries our canonical id, as the upsert would have answered; null when there is none.
   * @throws SystemError kind `unknown` when several carry it: only a person can tell which one is meant.
   */
  async findByExternalId(
    type: string,
    externalId: string,
    signal?: AbortSignal,
  ): Promise<WrittenRecord | null> {
    const field = this.externalIdField;
    const rows = await this.query(
      `SELECT Id, CreatedDate, LastModifiedDate FROM ${type} WHERE ${field} = ${textLiteral(externalId)}`,
      signal,
    );
    if (rows.length > 1) {
      const reason = `${rows.length} ${type} records carry ${externalId} in ${field}; merge them in Salesforce`;
      throw new SystemError({ system: SYSTEM, kind: 'unknown', code: 'DUPLICATE_SUSPECTED', reason });
    }
    const [row] = rows;
    if (!row) return null;
    // Never changed since: what the upsert made is as it made it, and may be deleted again.
    return { id: String(row.Id), created: row.CreatedDate === row.LastModifiedDate };
  }

  /**
   * All rows of a SOQL query: every page, and every page of child lists inside the rows. A `COUNT()` query gives one
   * row `{count}`.
   */
  async query(soql: string, signal?: AbortSignal): Promise<JsonObject[]> {
    const first = await this.get(queryPath(soql), queryPage, 'the query', signal);
    return await this.remainingRows(first, signal);
  }

  /** The rows of a page and of all that follow it. */
  async remainingRows(first: QueryPage, signal?: AbortSignal): Promise<JsonObject[]> {
    if (first.records.length === 0 && first.done && first.totalSize > 0) return [{ count: first.totalSize }];
    const rows = await readAllPages<JsonObject, string>({
      system: SYSTEM,
      what: 'rows',
      fetch: async (next) => {
        const page = next === null ? first : await this.#nextPage(next, signal);
        if (!page.done && page.nextRecordsUrl === undefined) throw unfinished();
        return {
          rows: page.records,
          next: page.done ? null : (page.nextRecordsUrl ?? null),
          total: page.totalSize,
        };
      },
    });
    for (const row of rows) await this.#completeChildren(row, signal);
    return rows;
  }

  /** Creates or updates by our canonical id; Salesforce keeps the field unique. */
  async upsert(
    type: string,
    externalId: string,
    fields: JsonObject,
    signal?: AbortSignal,
  ): Promise<WrittenRecord> {
    const send = () =>
      this.#request({
        method: 'PATCH',
        path: `${this.#root}/sobjects/${type}/${this.externalIdField}/${encodeURIComponent(externalId)}`,
        json: fields,
        signal,
      });
    const reply = await send().catch((error: unknown) => {
      // Two first writes of one key: the loser is refused, and its repetition is an update.
      if (error instanceof SystemError && error.vendorCode === 'DUPLICATE_VALUE') return send();
      throw error;
    });
    if (reply.status === 204) return afterWrite(() => this.#writtenBefore(type, externalId, signal));
    const { id, created } = parseReply(upserted, reply, {
      system: SYSTEM,
      what: `writing the ${type}`,
      write: true,
    });
    return { id, created };
  }

  async update(type: string, id: string, fields: JsonObject, signal?: AbortSignal): Promise<void> {
    await this.#request({
      method: 'PATCH',
      path: `${this.#root}/sobjects/${type}/${id}`,
      json: fields,
      noContent: true,
      signal,
    });
  }

  /** Deletes a record; one that is gone already is as good. */
  async remove(type: string, id: string, signal?: AbortSignal): Promise<void> {
    const path = `${this.#root}/sobjects/${type}/${id}`;
    await ifPresent(() => this.#request({ method: 'DELETE', path, signal, noContent: true, safe: true }));
  }

  /**
   * Several requests in one call. All or nothing for writes; `safe` when all of them only read.
   * Resolves to the bodies in order.
   */
  async composite(
    parts: readonly Subrequest[],
    options: { safe: boolean; signal?: AbortSignal },
  ): Promise<JsonValue[]> {
    const { safe, signal } = options;
    const reply = await this.#request({
      method: 'POST',
      path: `${this.#root}/composite`,
      json: {
        allOrNone: true,
        compositeRequest: parts.map(({ method, path, body }, index) => ({
          method,
          url: this.#root + path,
          referenceId: `part${index}`,
          ...(body === undefined ? {} : { body }),
        })),
      },
      safe,
      signal,
    });
    const what = 'the composite request';
    const { compositeResponse } = parseReply(compositeReply, reply, { system: SYSTEM, what, write: !safe });
    const failed = compositeResponse.filter(
      ({ httpStatusCode }) => httpStatusCode < 200 || httpStatusCode >= 300,
    );
    const guilty = failed.find(({ body }) => !isHalted(body)) ?? failed[0];
    if (guilty) {
      const answer = { status: guilty.httpStatusCode, headers: reply.headers, body: guilty.body };
      throw errorOfReply(SYSTEM, errors, answer, { what, safe, secrets: [] });
    }
    if (compositeResponse.length !== parts.length) {
      const reason = `${parts.length} requests were sent in one call, but ${compositeResponse.length} answered`;
      throw new SystemError({ system: SYSTEM, kind: safe ? 'transient' : 'unknown', reason });
    }
    return compositeResponse.map(({ body }) => body);
  }

  get #root(): string {
    return `/services/data/v${this.settings.apiVersion}`;
  }

  async #request(request: HttpRequest): Promise<HttpResponse> {
    const reply = await this.#http.request(request);
    this.#watchDailyLimit(reply.headers['sforce-limit-info']);
    return reply;
  }

  #parse<S extends z.ZodType>(schema: S, reply: HttpResponse, what: string): z.infer<S> {
    return parseReply(schema, reply, { system: SYSTEM, what, write: false });
  }

  async #nextPage(path: string, signal?: AbortSignal): Promise<QueryPage> {
    return this.#parse(
      queryPage,
      await this.#request({ method: 'GET', path, signal }),
      'the next page of the query',
    );
  }

  /** Child lists are pages of their own: `{records, done, nextRecordsUrl}` becomes the array of all rows. */
  async #completeChildren(row: JsonObject, signal?: AbortSignal): Promise<void> {
    for (const [name, value] of Object.entries(row)) {
      if (typeof value !== 'object' || value === null || !('records' in value)) continue;
      const page = queryPage.safeParse(value);
      if (page.success) row[name] = await this.remainingRows(page.data, signal);
    }
  }

  /** Before version 46 an update answers 204 without a body; the id has to be read. */
  async #writtenBefore(type: string, externalId: string, signal?: AbortSignal): Promise<WrittenRecord> {
    const path = `/sobjects/${type}/${this.externalIdField}/${encodeURIComponent(externalId)}?fields=Id`;
    const { Id } = await this.get(path, z.object({ Id: z.string() }), `the ${type} just written`, signal);
    return { id: Id, created: false };
  }

  /** `api-usage=10018/100000`: calls of the last 24 hours, of all users and apps of the org. */
  #watchDailyLimit(header: string | undefined): void {
    const match = /(?:^|[ ;])api-usage=(\d+)\/(\d+)/.exec(header ?? '');
    if (!match) return;
    const percent = Math.floor((Number(match[1]) / Number(match[2])) * 100);
    if (percent <= this.#warnedAtPercent) return;
    this.#warnedAtPercent = percent;
    this.#log('warn', `Salesforce: ${percent} % of the API calls of the last 24 hours are used`, {
      used: Number(match[1]),
      allowed: Number(match[2]),
    });
  }
}

/** Path of a SOQL query, below the version's root. */
export function queryPath(soql: string): string {
  return `/query?q=${encodeURIComponent(soql)}`;
}

/** Reads a query's first page out of a composite answer. */
export function queryPageOf(body: JsonValue | undefined, what: string): QueryPage {
  return parseReply(
    queryPage,
    { status: 200, headers: {}, body: body ?? null },
    { system: SYSTEM, what, write: false },
  );
}

function unfinished(): SystemError {
  const reason = 'a query says it is not done, but not where it goes on';
  return new SystemError({ system: SYSTEM, kind: 'rejected', code: 'SCHEMA_CHANGED', reason });
}
