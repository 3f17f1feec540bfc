// Not the package's index: it brings fetch, web sockets and mocks, which every start of the host would load.
import Pool from 'undici/lib/dispatcher/pool.js';
import type { JsonValue } from '../../model';
import { errorOfReply, softened } from './error-table';
import { SystemError } from './errors';
import { Breaker, BrokenCircuitError, createRateBudget, type RateBudget, Slots } from './guard';
import type {
  CreateHttpClient,
  HttpClient,
  HttpClientOptions,
  HttpRequest,
  HttpResponse,
} from './http-types';
import { parseJson } from './json';
import { plainReason } from './text';
import { exchange, type RawReply, TransportFailure } from './transport';
import type { ObservedCall } from './types';

const DEFAULT_BREAKER = { failures: 5, openMs: 10_000 };
const CONNECT_TIMEOUT_MS = 10_000;

/**
 * HTTP for one connection of one vendor, over keep-alive sockets (one per concurrent call, no pipelining).
 *
 * A call waits for a slot and for the rate budget, passes the circuit breaker, is signed and sent. An answer of
 * kind `auth` renews the credentials once and sends again. Whatever else goes wrong is a `SystemError` whose kind
 * says whether the vendor may have acted: a request that never left is `transient`; once it left, a lost answer is
 * `unknown`, or `transient` for requests that are `safe`.
 */
export const createHttpClient: CreateHttpClient = (options) => new PooledHttpClient(options);

class PooledHttpClient implements HttpClient {
  readonly #options: HttpClientOptions;
  readonly #origin: string;
  /** Path of the base URL without trailing slash; '' for a bare host. */
  readonly #prefix: string;
  readonly #pool: Pool;
  readonly #slots: Slots;
  readonly #rate: RateBudget;
  readonly #breaker: Breaker;

  constructor(options: HttpClientOptions) {
    const base = new URL(options.baseUrl);
    const { concurrency, requestsPerSecond, timeoutMs } = options.limits;
    this.#options = options;
    this.#origin = base.origin;
    this.#prefix = base.pathname.replace(/\/+$/, '');
    this.#pool = new Pool(base.origin, {
      connections: concurrency,
      pipelining: 1,
      connect: { timeout: Math.min(timeoutMs, CONNECT_TIMEOUT_MS) },
      // The deadline of each call bounds headers and body; undici's own timers would only be coarser.
      headersTimeout: 0,
      bodyTimeout: 0,
    });
    this.#slots = options.slots ?? new Slots(concurrency);
    this.#rate = createRateBudget(requestsPerSecond, options.reserveCall);
    this.#breaker = new Breaker(options.breaker ?? DEFAULT_BREAKER);
  }

  health() {
    return { breaker: this.#breaker.state, inFlight: this.#slots.inUse, waiting: this.#slots.waiting };
  }

  /** Waits for the calls in flight. Closing twice is harmless. */
  async close(): Promise<void> {
    if (!this.#pool.closed) await this.#pool.close();
  }

  async request(request: HttpRequest): Promise<HttpResponse> {
    const url = this.#urlOf(request);
    try {
      await this.#slots.take(request.signal);
    } catch (error) {
      throw this.#lostReply(error, request);
    }
    try {
      return await this.#authenticated(request, url);
    } catch (error) {
      throw this.#lostReply(error, request);
    } finally {
      this.#slots.give();
    }
  }

  async #authenticated(request: HttpRequest, url: URL): Promise<HttpResponse> {
    const { authenticator } = this.#options;
    if (!authenticator) return await this.#attempt(request, url, {});
    const first = await authenticator.headers({ method: request.method, url });
    try {
      return await this.#attempt(request, url, first);
    } catch (error) {
      if (!(error instanceof SystemError) || error.kind !== 'auth') throw error;
      if (!(await authenticator.refresh(first))) throw error;
      return await this.#attempt(request, url, await authenticator.headers({ method: request.method, url }));
    }
  }

  async #attempt(request: HttpRequest, url: URL, credentials: Record<string, string>): Promise<HttpResponse> {
    const safe = isSafe(request);
    const reply = await this.#send(request, url, credentials);
    const success = reply.status >= 200 && reply.status < 300;
    const parsed = parseBody(reply.text);
    if (!success && !request.accept?.includes(reply.status)) {
      throw errorOfReply(
        this.#options.system,
        this.#options.errors,
        { status: reply.status, headers: reply.headers, body: parsed ?? null },
        { what: whatOf(request, url), safe, secrets: secretsOf(credentials, request) },
      );
    }
    const flaw = success ? flawOf(request, reply, parsed) : null;
    if (flaw !== null) throw this.#strange(request, url, reply, flaw);
    return { status: reply.status, headers: reply.headers, body: parsed ?? null };
  }

  async #send(request: HttpRequest, url: URL, credentials: Record<string, string>): Promise<RawReply> {
    const { headers, onCall, limits } = this.#options;
    const body = bodyOf(request);
    const call = {
      method: request.method,
      path: url.pathname + url.search,
      headers: {
        accept: 'application/json',
        ...headers,
        ...body.headers,
        ...request.headers,
        ...credentials,
      },
      body: body.text,
      timeoutMs: request.timeoutMs ?? limits.timeoutMs,
      signal: request.signal,
    };
    let started: number | undefined;
    let observed: ObservedCall | undefined;
    let status: number | null = null;
    try {
      await this.#rate(request.signal);
      const reply = await this.#breaker.run(() => {
        observed = onCall?.({ method: call.method, path: url.pathname });
        if (observed?.headers !== undefined) Object.assign(call.headers, observed.headers);
        started = performance.now();
        return exchange(this.#pool, call);
      });
      status = reply.status;
      return reply;
    } catch (error) {
      throw this.#lostReply(error, request);
    } finally {
      if (started !== undefined) observed?.ended?.(status, performance.now() - started);
    }
  }

  #lostReply(error: unknown, request: HttpRequest): unknown {
    const { system } = this.#options;
    if (error instanceof BrokenCircuitError) {
      return new SystemError({
        system,
        kind: 'transient',
        reason: 'not called, because the last calls failed; it is tried again shortly',
        retryAfterMs: this.#breaker.retryAfterMs,
        cause: error,
      });
    }
    if (!(error instanceof TransportFailure)) return error;
    if (error.malformed)
      return new SystemError({ system, kind: 'rejected', reason: error.message, cause: error });
    return new SystemError({
      system,
      kind: error.sent ? softened('unknown', isSafe(request)) : 'transient',
      reason: error.message,
      cause: error,
    });
  }

  /** A login page of a proxy, a cut text: after a write nobody knows what happened, a read is a changed interface. */
  #strange(request: HttpRequest, url: URL, reply: RawReply, flaw: string): SystemError {
    const safe = isSafe(request);
    return new SystemError({
      system: this.#options.system,
      kind: safe ? 'rejected' : 'unknown',
      code: safe ? 'SCHEMA_CHANGED' : 'OUTCOME_UNKNOWN',
      status: reply.status,
      reason: `the answer to ${whatOf(request, url)} ${flaw}`,
    });
  }

  /** @throws SystemError `SCHEMA_CHANGED` for a link to another host: it would receive our credentials. */
  #urlOf(request: HttpRequest): URL {
    const { path } = request;
    const absolute = /^https?:\/\//i.test(path);
    const rooted = `/${path.replace(/^\/+/, '')}`;
    const below = rooted.startsWith(`${this.#prefix}/`) ? rooted : this.#prefix + rooted;
    const address = absolute ? path : this.#origin + below;
    const query = queryOf(request);
    const url = new URL(query ? `${address}${address.includes('?') ? '&' : '?'}${query}` : address);
    if (url.origin !== this.#origin) {
      throw new SystemError({
        system: this.#options.system,
        kind: 'rejected',
        code: 'SCHEMA_CHANGED',
        reason: `a link points to ${url.origin}, which is not the host of this connection (${this.#origin})`,
      });
    }
    return url;
  }
}

/** What makes an answer of success unlike the vendor's, or null. */
function flawOf(
  { method, noContent }: HttpRequest,
  reply: RawReply,
  body: JsonValue | undefined,
): string | null {
  const { status, text } = reply;
  if (body === undefined) return `is not JSON: ${plainReason(text).slice(0, 80)}`;
  if (body === null && method === 'GET' && status === 200) return 'is empty';
  return noContent && status !== 204 ? `has status ${status}, not 204 as when it is done` : null;
}

function isSafe(request: HttpRequest): boolean {
  return request.safe ?? request.method === 'GET';
}

/** A space is `%20`: `+` is form encoding, which some vendors read as a plus sign. */
function queryOf(request: HttpRequest): string {
  return Object.entries(request.query ?? {})
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(String(value))}`)
    .join('&');
}

/** `GET /services/data/v66.0/query`: no query string, it can hold personal data. */
function whatOf(request: HttpRequest, url: URL): string {
  return `${request.method} ${url.pathname}`;
}

/** Whatever a vendor might echo: header values with and without their scheme, and secrets of a login form. */
function secretsOf(credentials: Record<string, string>, { form = {} }: HttpRequest): string[] {
  const headers = Object.values(credentials).flatMap((value) => [value, value.slice(value.indexOf(' ') + 1)]);
  const fields = Object.entries(form).filter(([name]) => /secret|assertion|password|token$/.test(name));
  return [...headers, ...fields.map(([, value]) => value)];
}

function bodyOf(request: HttpRequest): { text: string | null; headers: Record<string, string> } {
  if (request.form !== undefined) {
    return {
      text: new URLSearchParams(request.form).toString(),
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
    };
  }
  if (request.json === undefined) return { text: null, headers: {} };
  return { text: JSON.stringify(request.json), headers: { 'content-type': 'application/json' } };
}

/** Null for an empty body, undefined for one that is not JSON. */
function parseBody(text: string): JsonValue | undefined {
  if (text.trim() === '') return null;
  try {
    return parseJson(text);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
