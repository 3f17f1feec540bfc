import type { ExceptionCode, FailureKind, JsonValue } from '../../model';
import type { SystemError } from './errors';
import type { Slots } from './guard';
import type { CallObserver, ReserveCall } from './types';

/**
 * HTTP as every connector uses it. One `HttpClient` per connection; it owns keep-alive pool, time-outs,
 * authentication (one refresh at a time), the error table, the circuit breaker and the budgets.
 */
export interface HttpRequest {
  method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** Path below the base URL, or an absolute URL on the same origin (a vendor's next-page link). */
  path: string;
  query?: Record<string, string | number | boolean | undefined>;
  headers?: Record<string, string>;
  /** Sent as JSON. */
  json?: unknown;
  /** Sent as application/x-www-form-urlencoded. */
  form?: Record<string, string>;
  signal?: AbortSignal;
  timeoutMs?: number;
  /** Statuses besides 2xx that the caller handles itself; no error is thrown for them. */
  accept?: number[];
  /**
   * The vendor says that it is done with 204 and nothing else: with no body to look at, any other success may be the
   * empty page of something in between, and nothing is done.
   */
  noContent?: boolean;
  /**
   * True when repeating the call changes nothing (reads, token calls). For others a lost reply is
   * kind `unknown`, for these it is `transient`. Default: method is GET.
   */
  safe?: boolean;
}

export interface HttpResponse {
  status: number;
  headers: Record<string, string>;
  /** Parsed JSON; null for an empty body. Numbers that a JS number cannot hold exactly arrive as strings. */
  body: JsonValue;
}

export interface HttpClient {
  request(request: HttpRequest): Promise<HttpResponse>;
  health(): { breaker: 'closed' | 'open' | 'half-open'; inFlight: number; waiting: number };
  close(): Promise<void>;
}

/** Puts credentials on a request; `refresh` is called once after an answer of kind `auth`, single-flight. */
export interface Authenticator {
  /** Headers to add. `method` and `url` are given for schemes that sign (OAuth 1.0a). */
  headers(request: { method: string; url: URL }): Promise<Record<string, string>>;
  /**
   * Drops what was refused: the headers given by an earlier `headers()`. When another call has renewed them
   * meanwhile nothing is dropped. False = nothing can be renewed, the error stands.
   */
  refresh(refused: Record<string, string>): Promise<boolean>;
}

/** One row of a vendor's error table; the first row that matches wins. */
export interface ErrorRow {
  status?: number | readonly number[] | ((status: number) => boolean);
  /** Compared with what `codeOf` took from the body. */
  code?: string | RegExp;
  kind: FailureKind;
  /** Domain code (guides §13) where the default of the kind does not fit. */
  as?: ExceptionCode;
}

export interface ErrorTable {
  rows: readonly ErrorRow[];
  /** The vendor's own error code in a body, or null. */
  codeOf(body: JsonValue): string | null;
  /** The plain-language reason in a body: what a finance person should read. */
  reasonOf(body: JsonValue): string | null;
}

export interface HttpClientOptions {
  system: string;
  baseUrl: string;
  errors: ErrorTable;
  authenticator?: Authenticator;
  limits: { concurrency: number; requestsPerSecond?: number; timeoutMs: number };
  /** Asked before each call when `limits` has a rate. */
  reserveCall?: ReserveCall;
  /** Slots shared with other clients, where the vendor limits calls of a whole account; default: slots of its own. */
  slots?: Slots;
  headers?: Record<string, string>;
  /** Consecutive failures of the connection that open the breaker, and how long it stays open. */
  breaker?: { failures: number; openMs: number };
  onCall?: CallObserver;
}

/** `createHttpClient` in `http.ts`. */
export type CreateHttpClient = (options: HttpClientOptions) => HttpClient;
export type { SystemError };
