import * as z from 'zod';
import type { Engine } from '../engine';
import type { CaseGovernance } from '../governance';
import { type Classification, Q2cError, type Role, roles } from '../model';
import type { Firm } from '../rules';
import type { Store } from '../store';
import type { Services } from './services';

/**
 * What a route of the programs' interface is: data and one function. The host's web server loops over the table of them,
 * the OpenAPI document is made from it, and tests call it without a server.
 */

/** Rights of Node-RED's users (DESIGN §8). `q2c.read` and `q2c.write` follow the host's own `read` and `write`. */
export type Permission = 'q2c.read' | 'q2c.write' | 'q2c.approve' | 'q2c.unmask';

/** Who asks. Without logins everything is allowed to everybody, and nobody has a name. */
export interface Caller {
  /** User name, `anonymous` without a login. */
  name: string;
  isAnonymous: boolean;
  may(permission: Permission | `q2c.role.${string}`): boolean;
}

/** A connection of the flows as it stands now. */
export interface Connection {
  /** Id of its configuration node. */
  id: string;
  name: string;
  system: string;
  label: string;
  environment: 'simulator' | 'sandbox' | 'production';
  /** As in cross-references; null until it was connected for the first time. */
  instance: string | null;
  /** Null until it was connected for the first time. */
  health: { breaker: 'closed' | 'open' | 'half-open'; inFlight: number; waiting: number } | null;
  limits: { concurrency: number; requestsPerSecond?: number; timeoutMs: number };
}

export interface ConnectionCheck {
  id: string;
  label: string;
  ok: boolean;
  /** `unchecked`: it could not be found out, or there was no use in trying. */
  state: 'ok' | 'failed' | 'unchecked';
  message: string;
  /** What to do about it; empty when there is nothing to do. */
  advice: string;
}

/** What the host knows beside the store. */
export interface HostView {
  version: string;
  connections(): Promise<Connection[]>;
  /** Tries a connection, or a store or broker, by the id of its node. @throws Q2cError `CONFIG_MISSING` */
  test(nodeId: string): Promise<ConnectionCheck[]>;
  /** Time zone of a legal entity; of null, the firm's. */
  zoneOf(legalEntity: string | null): string;
  /** Set-ups of the firms that are deployed and valid. */
  firms(): Firm[];
  /** All metrics of the process and the store, in Prometheus' text format. */
  metrics(store: Store): Promise<{ contentType: string; text: string }>;
  /** Names of vendors' fields that hold what is masked, over all systems. */
  classifiedFields: Readonly<Record<string, Classification>>;
}

export interface ApiContext {
  engine: Engine;
  governance: CaseGovernance;
  host: HostView;
  services: Services;
  caller: Caller;
  /** Fires when the caller has gone away. */
  signal: AbortSignal;
  /**
   * Notes a payload that the reply may quote from: what is classified in it is then masked wherever it stands in the
   * reply, also in the middle of a sentence.
   */
  conceal(payload: unknown, operation?: string): void;
  /** As `conceal`, of words that are known to be classified. */
  concealWords(words: readonly string[]): void;
  /** For what is handed out as text: the sentence without anything classified, unless the caller asked to see it. */
  redact(text: string): string;
  /** Version of the resource that the caller has seen (`If-Match`); null when it does not matter to it. */
  expectedVersion: string | null;
  /** Of a stream that goes on: the last event that the caller has seen. */
  lastEventId: string | null;
}

export type Reply =
  | { kind: 'json'; schema: z.ZodType; status?: 200 | 201 | 202 }
  /** A `TextReply`, of one of these media types. */
  | { kind: 'text'; types: string[] }
  /** Goes on until the caller leaves or nothing is left to tell. */
  | { kind: 'stream'; type: 'text/event-stream' | 'application/x-ndjson'; schema: z.ZodType };

/** A document that is text. With a name it is saved, not shown. */
export interface TextReply {
  type: string;
  text: string;
  fileName?: string;
}

/** Values of a request before they are checked. */
export interface RawInput {
  params: Readonly<Record<string, string>>;
  query: Readonly<Record<string, unknown>>;
  body: unknown;
}

export interface Route {
  method: 'get' | 'post' | 'put' | 'delete';
  /** Below the root of the interface; parameters as `:name`. */
  path: string;
  /** Name of the function in generated clients. */
  id: string;
  tag: string;
  summary: string;
  /** At the door; some handlers ask for more, as their summary says. */
  permission: Permission;
  query: z.ZodObject | null;
  body: z.ZodType | null;
  reply: Reply;
  /** Shows payloads, so that whoever may can ask to see them unmasked. */
  hasPayload: boolean;
  /** Of an action: whether its reply is told again to who repeats it with the same `Idempotency-Key`. */
  isReplyKept: boolean;
  /** Of a resource: what its ETag begins with, and an action on it compares `If-Match` with. */
  version: ((reply: never) => string) | null;
  /** Of an action: it heeds `If-Match`. */
  isConditional: boolean;
  /** @throws Q2cError `VALUE_INVALID` for a request that does not fit; null = there is no such record */
  serve(input: RawInput, context: ApiContext): Promise<unknown>;
}

type Params = Readonly<Record<string, string>>;

interface Definition<Q extends z.ZodObject, B extends z.ZodType>
  extends Pick<Route, 'method' | 'path' | 'id' | 'tag' | 'summary' | 'permission' | 'reply'> {
  query?: Q;
  body?: B;
  hasPayload?: boolean;
  isReplyKept?: boolean;
  version?: Route['version'];
  isConditional?: boolean;
  handle(
    input: { params: Params; query: z.output<Q>; body: z.output<B> },
    context: ApiContext,
  ): Promise<unknown>;
}

export function defineRoute<Q extends z.ZodObject = z.ZodObject, B extends z.ZodType = z.ZodType>(
  definition: Definition<Q, B>,
): Route {
  const { query, body, handle } = definition;
  return {
    ...definition,
    query: query ?? null,
    body: body ?? null,
    hasPayload: definition.hasPayload ?? false,
    isReplyKept: definition.isReplyKept ?? true,
    version: definition.version ?? null,
    isConditional: definition.isConditional ?? false,
    serve: async (input, context) =>
      handle(
        {
          params: input.params,
          query: parse(query ?? z.strictObject({}), input.query, 'query') as z.output<Q>,
          body: parse(body ?? z.unknown(), input.body ?? {}, 'body') as z.output<B>,
        },
        context,
      ),
  };
}

function parse(schema: z.ZodType, value: unknown, where: string): unknown {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const places = parsed.error.issues.map(({ path, message }) => `${path.join('.') || where}: ${message}`);
  throw new Q2cError('VALUE_INVALID', `The request is not valid (${places.join('; ')}).`);
}

// ------------------------------------------------------------------ parts of schemas

/** A schema that the OpenAPI document names. */
export const component = <S extends z.ZodType>(id: string, schema: S): S => schema.meta({ id });

/** Several values of one parameter, repeated or with commas between. */
export const listOf = <V extends z.ZodType>(value: V) =>
  z.preprocess(
    (given) => (Array.isArray(given) ? given : [given]).flatMap((each) => String(each).split(',')),
    z.array(value).min(1),
  );

/** `true` and `false` as text. */
export const flag = z.stringbool({ truthy: ['true'], falsy: ['false'] });

/** Said with every repair; kept for the audit. */
export const reason = z.string().trim().min(1).max(2000);

// ------------------------------------------------------------------ rights beyond the door

/** Roles whose cases the caller may act on. Whoever may write may act on all. */
export const rolesOf = (caller: Caller): readonly Role[] | 'all' =>
  caller.may('q2c.write') ? 'all' : roles.filter((role) => caller.may(`q2c.role.${role}`));

/** Some cases are the caller's to act on; which ones, the case says. @throws Q2cError `PERMISSION_MISSING` */
export function requireActor(caller: Caller): void {
  if (rolesOf(caller).length > 0) return;
  throw new Q2cError(
    'PERMISSION_MISSING',
    `${caller.name} may look, but not act: that takes q2c.write, or q2c.role.<role> for the cases of a role.`,
  );
}

/** @throws Q2cError `PERMISSION_MISSING` */
export function requirePermission(caller: Caller, permission: Permission): void {
  if (caller.may(permission)) return;
  throw new Q2cError(
    'PERMISSION_MISSING',
    `${caller.name} lacks the permission ${permission}; an administrator of Node-RED can give it.`,
  );
}
