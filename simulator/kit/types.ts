import type { SeedWorld } from '../seed/world';

/**
 * A simulated vendor. The kit owns HTTP, request log, faults, control API, clock and storage;
 * a vendor folder owns the vendor's behaviour, written from the vendor's documents.
 */

export interface SimRequest {
  method: string;
  /** Path below `/<system>`, decoded no further than the URL parser does, for example `/services/data/v66.0/query`. */
  path: string;
  query: URLSearchParams;
  /** Lower-case names. */
  headers: Record<string, string>;
  /** Raw text of the body; '' when there is none. */
  body: string;
  /** URL as the caller wrote it (signatures are computed over it). */
  url: URL;
}

export interface SimResponse {
  status: number;
  headers?: Record<string, string>;
  /** Objects are sent as JSON, strings as they are, undefined = no body. */
  body?: unknown;
}

export interface SimRecord {
  id: string;
  type: string;
  data: Record<string, unknown>;
  /** Epoch milliseconds of the last write; strictly increasing per system. */
  modified: number;
  created: number;
  deleted: boolean;
}

/**
 * Records of one system. Synchronous; each handled request is one transaction, committed before its answer
 * leaves and rolled back when the handler throws. The data of a record is frozen: write a changed copy with `update`.
 */
export interface RecordStore {
  insert(type: string, id: string, data: Record<string, unknown>): SimRecord;
  /** Replaces the data of a record and moves `modified`. */
  update(type: string, id: string, data: Record<string, unknown>): SimRecord;
  get(type: string, id: string): SimRecord | undefined;
  /** Marks as deleted; `get` and `list` no longer show it unless asked. */
  remove(type: string, id: string): void;
  list(type: string, options?: { deleted?: boolean }): SimRecord[];
  /**
   * Records whose top-level data field equals the value (indexed for fields named in `SimulatedSystem.indexes`), in any
   * case of its letters if asked for.
   */
  findBy(type: string, field: string, value: string, options?: { anyCase?: boolean }): SimRecord[];
  count(type: string): number;
  /** Counter that outlives the host: 1, 2, 3 … */
  next(sequence: string): number;
  /** Small values (keys, tokens). Those whose key begins with `identity.` survive `POST /_control/reset`, so that credentials handed out at the start stay good. */
  getValue(key: string): string | null;
  setValue(key: string, value: string | null): void;
  /** Runs `work`; when it throws, only what it wrote is undone and the error goes on (all-or-nothing parts of a request). */
  savepoint<T>(work: () => T): T;
}

export interface SimContext {
  db: RecordStore;
  /** URL of this system without trailing slash, for example `http://127.0.0.1:4600/salesforce`. */
  baseUrl: string;
  /** Epoch milliseconds. */
  now(): number;
  /** True for this request when a `partial-page` fault matched: answer a list with fewer rows than asked, and say so as the vendor does. */
  partialPage: boolean;
  /** Calls of this system that have arrived and are not worked off, this one included: what a concurrency limit counts. */
  inFlight: number;
}

export interface SimulatedSystem {
  id: string;
  /** `type.field` pairs that `findBy` looks up by index. */
  indexes: string[];
  /** Fills an empty store; must give the same records for the same world. */
  seed(context: SimContext, world: SeedWorld): void | Promise<void>;
  /**
   * What a connection in Simulator mode needs, by the field ids of the connector's manifest, one object per
   * authentication scheme id.
   */
  credentials(context: SimContext): Record<string, Record<string, string>>;
  handle(request: SimRequest, context: SimContext): SimResponse | Promise<SimResponse>;
  /** The vendor's own answer when it is overloaded, for the `rate-limit` fault. */
  rateLimited(context: SimContext): SimResponse;
  /** The vendor's own body for a failure of the given status, for the `status` fault. */
  failure(status: number, context: SimContext): SimResponse;
  /** Makes all access tokens invalid, for the `expire-token` fault. */
  expireTokens(context: SimContext): void;
  /**
   * What a person does in the vendor's own screens. Same validation and side effects as the screens have
   * (required fields, roll-ups, change stamps), without API authentication. Throws `ControlError` on bad input.
   */
  control: {
    types: string[];
    create(type: string, data: Record<string, unknown>, context: SimContext): SimRecord;
    patch(type: string, id: string, data: Record<string, unknown>, context: SimContext): SimRecord;
    routes?: readonly ControlRoute[];
  };
}

/** A control call of one vendor beyond its records, for example `POST /_control/deals/close`. */
export interface ControlRoute {
  method: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  /** Below `/_control/`, for example `deals/close`. */
  path: string;
  /** The value is answered as JSON with 200. Throws `ControlError` on bad input. */
  handle(body: Record<string, unknown>, context: SimContext): unknown;
}

/** Answered as 400 with `{code, message}` by the control API. */
export class ControlError extends Error {
  readonly code: string;
  constructor(code: string, message: string) {
    super(message);
    this.name = 'ControlError';
    this.code = code;
  }
}

export type FaultKind =
  | 'latency'
  | 'status'
  | 'rate-limit'
  | 'reset'
  | 'commit-then-drop'
  | 'commit-then-timeout'
  | 'partial-page'
  | 'garble'
  | 'intercept'
  | 'expire-token';

/** How a `garble` fault spoils an answer, and with what an `intercept` answers. */
export type GarbleMode = 'html' | 'empty' | 'no-id';

export interface Fault {
  id: string;
  kind: FaultKind;
  /** `path` is a substring, or a regular expression between slashes. */
  match?: { method?: string; path?: string };
  /** Fires for the next n matching requests … */
  times?: number;
  /** … or for each with this probability, drawn from a generator with `seed`. */
  probability?: number;
  seed?: number;
  /** `latency`: milliseconds; `commit-then-timeout`: how long the socket stays open without answer (default 60000). */
  ms?: number;
  /** `status`: which one. */
  status?: number;
  /** What arrives instead of the answer: `garble` after the request was processed, `intercept` when nobody has seen it. */
  mode?: GarbleMode;
}
