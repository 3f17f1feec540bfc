import type {
  BusinessEventType,
  CanonicalId,
  Classification,
  DealDocument,
  EntityName,
  ExternalRef,
  Instant,
  JsonObject,
  JsonValue,
} from '../../model';

/**
 * The contract between a system (one vendor folder) and everything else.
 * A vendor folder exports one `SystemModule`; the engine and the nodes know nothing more of it.
 */

/** Where a connection points. `simulator` needs no account: the simulated vendor is started or found. */
export type Environment = 'simulator' | 'sandbox' | 'production';

// ---------------------------------------------------------------- manifest (pure data)

/** One field of a form. `secret` fields are stored as Node-RED credentials and never leave the host. */
export interface FieldSpec {
  id: string;
  label: string;
  help?: string;
  type: 'text' | 'number' | 'select' | 'multiline';
  secret?: boolean;
  required?: boolean;
  default?: string;
  placeholder?: string;
  options?: { value: string; label: string }[];
}

export interface AuthScheme {
  id: string;
  label: string;
  help: string;
  fields: FieldSpec[];
}

export type Verb = 'read' | 'find' | 'query' | 'upsert' | 'create' | 'update';

export interface OperationManifest {
  label: string;
  /** One or two plain sentences: what happens in the vendor, what is added to the deal document. */
  description: string;
  /** True when the operation takes a free text (SOQL, SuiteQL) or parameters instead of the deal document. */
  parameters?: FieldSpec[];
}

export interface EventManifest {
  label: string;
  description: string;
  type: BusinessEventType;
  entity: EntityName;
}

/** Budgets of one connection; a connection form can lower them. */
export interface Limits {
  /** Calls in flight at once (NetSuite: shared by the whole account). */
  concurrency: number;
  /** Calls started per second; absent = no rate budget of our own. */
  requestsPerSecond?: number;
  timeoutMs: number;
}

export type Right = 'read' | 'create' | 'update';

/** What the login of a connection must be allowed to do with one kind of record. */
export interface ObjectAccess {
  /** As the vendor's API spells it. */
  object: string;
  rights: readonly Right[];
  /** Where an administrator gives these rights: a path in the vendor's screens, or a permission of the access group. */
  grant: string;
  /** The vendor's own key of the permission, where roles can be deployed as metadata. */
  permissionKey?: string;
  /** What must be switched on for the object, or for a standard field of it, to be there at all. */
  feature?: { name: string; field?: string };
  /** Label of the only event or operation that needs it; the others work without. */
  onlyFor?: string;
}

/** Type of a custom field. Numbers: `precision` counts all digits, `scale` those behind the point. */
export type CustomFieldType =
  | { kind: 'text'; length: number; key?: true }
  | { kind: 'picklist'; values: readonly string[]; open?: true }
  | { kind: 'number' | 'currency' | 'percent'; precision: number; scale: number };

/** A field that an administrator must create in the vendor before the pack can work. */
export interface CustomFieldManifest {
  object: string;
  name: string;
  /** Name on the vendor's screens. */
  label: string;
  type: CustomFieldType;
  /** The type as an administrator chooses it (`fieldTypeInWords`). */
  typeInWords: string;
  purpose: string;
  required: boolean;
  /** We write it, so the login must be allowed to edit it. */
  written: boolean;
}

export interface PreparationStep {
  id: string;
  /** One or two plain sentences with the vendor's own names of screens and settings. */
  text: string;
}

export interface SystemManifest {
  id: string;
  label: string;
  family: 'crm' | 'erp' | 'psa' | 'delivery';
  /** Palette colour, `#rrggbb`. */
  color: string;
  auth: AuthScheme[];
  /** Non-secret settings of a connection, besides environment and authentication. */
  settings: FieldSpec[];
  limits: Record<Environment, Limits>;
  /** Entity → verb → operation. The keys are what a node's form stores, for ever. */
  entities: Record<string, { label: string; operations: Partial<Record<Verb, OperationManifest>> }>;
  /** Event id (for example `opportunity-won`) → event. */
  events: Record<string, EventManifest>;
  /** Objects that the operations and events touch: what "Test connection" looks at and an administrator grants. */
  access: ObjectAccess[];
  customFields: CustomFieldManifest[];
  /** What an administrator does in the vendor before the first connection, in order. */
  preparation: PreparationStep[];
  /**
   * Fields of what is sent and read that only some people may see (guides §13): by name, wherever they stand, or as
   * `<entity>.<name>` in operations on that entity alone.
   */
  classifiedFields: Readonly<Record<string, Classification>>;
}

// ---------------------------------------------------------------- connection

export interface AccessToken {
  value: string;
  /** Null when the vendor does not say; then the token is used until it is refused. */
  expiresAt: Instant | null;
}

/** Where access tokens are kept. */
export interface TokenStore {
  /**
   * The kept token if it can be used (`isUsable`), else the one that a login gives, which is kept. Of all hosts that ask
   * at the same time one logs in, and the others get its token.
   *
   * @param key chosen by the client; different for each login of a connection, and never a secret
   * @param stale value of the token that the caller has found to be of no use
   * @throws what `login` throws; anything else means that the tokens cannot be reached
   */
  obtain(key: string, stale: string | null, login: () => Promise<AccessToken>): Promise<AccessToken>;
}

export interface ConnectionConfig {
  environment: Environment;
  /** Id of the chosen `AuthScheme`. */
  auth: string;
  /** Settings and secrets by field id. Never logged. */
  values: Record<string, string>;
  /**
   * Separates two orgs of one product in cross-references (guides: `ExternalRef.instance`).
   * Empty = the client derives it from its settings; it never holds a port or a secret.
   */
  instance?: string;
  limits?: Partial<Limits>;
}

/**
 * Reserves the next call where several hosts share the rate of one connection.
 * @returns milliseconds to wait before the call; null when no other host shares it
 */
export type ReserveCall = (requestsPerSecond: number) => Promise<number | null>;

export interface ClientDependencies {
  tokens: TokenStore;
  log: (level: 'debug' | 'info' | 'warn', message: string, fields?: JsonObject) => void;
  reserveCall?: ReserveCall;
  onCall?: CallObserver;
}

/**
 * Told of every HTTP call right before it leaves, for metrics and traces. Never receives query strings or bodies, and
 * must not throw.
 * @param path without query string
 */
export type CallObserver = (call: { method: string; path: string }) => ObservedCall;

export interface ObservedCall {
  /** To be sent along, such as `traceparent`. */
  headers?: Record<string, string>;
  /** @param status null = no complete answer */
  ended?(status: number | null, ms: number): void;
}

/** `unchecked`: it could not be found out, or there was no use in trying; the message says why. */
export type CheckState = 'ok' | 'failed' | 'unchecked';

/** A sentence by its key in `locales/<language>/_system.json`, below `check`, with the values in it. */
export interface CheckText {
  key: string;
  values: Readonly<Record<string, string>>;
}

/** What one look has found. A line that is ok may have findings too: what is worth knowing. */
export interface CheckOutcome {
  state: CheckState;
  findings: readonly CheckText[];
}

/** One line of "Test connection". The texts are English; `line` and `findings` say the same in every language. */
export interface ConnectionCheck {
  id: string;
  label: string;
  ok: boolean;
  state: CheckState;
  /** What was found, in plain words; empty when there is nothing to say. */
  message: string;
  /** What to do about it; empty when there is nothing to do. */
  advice: string;
  line: CheckText;
  findings: readonly CheckText[];
}

export interface CheckOptions {
  /** Ends the test: what is left stays `unchecked`. */
  signal?: AbortSignal;
  /** Told of all lines before the first is looked at. */
  onPlan?(lines: readonly Pick<ConnectionCheck, 'id' | 'label' | 'line'>[]): void;
  onCheck?(check: ConnectionCheck): void;
}

/** Health of the shared guard: breaker state and budget use. */
export interface Health {
  breaker: 'closed' | 'open' | 'half-open';
  inFlight: number;
  waiting: number;
}

export interface SystemClient {
  readonly system: string;
  readonly instance: string;
  readonly settings: Readonly<Record<string, string>>;
  /** Cheapest calls that prove host, login, permissions and required custom fields. Never throws, changes nothing. */
  test(options?: CheckOptions): Promise<ConnectionCheck[]>;
  /** Asked of the thread that makes the calls, where there is one. */
  health(): Health | Promise<Health>;
  close(): Promise<void>;
}

// ---------------------------------------------------------------- operations

/**
 * How a repeated create is made harmless.
 * `read-only`: changes nothing. `external-id`: upsert on our key, the vendor keeps it unique.
 * `idempotency-key`: the vendor remembers our key. `probe-first`: the vendor has neither, so the
 * engine probes before every create, also before the first.
 */
export type DuplicateSafety = 'read-only' | 'external-id' | 'idempotency-key' | 'probe-first';

/** What `select` yields: one journaled step is made of each. `id` is the canonical id the step is keyed by. */
export interface Item {
  id: CanonicalId;
}

export interface MappingContext {
  /** The whole deal document, for values that belong to other entities (a project needs its customer). */
  deal: DealDocument;
  system: string;
  instance: string;
  settings: Readonly<Record<string, string>>;
  /** Parameters typed into the node's form for operations that declare them. */
  parameters: Readonly<Record<string, string>>;
  /**
   * The firm's lookup table for this system, for example `lookup('subsidiary', legalEntityId)`.
   * @throws MappingError `MANDATORY_FIELD_MISSING` naming table and key when there is no entry.
   */
  lookup(table: string, key: string): string;
  /** As `lookup`, but undefined instead of an error: for values that may stay empty. */
  lookupOptional(table: string, key: string): string | undefined;
  /**
   * This system's own id of an entity of the deal, from its `externalRefs`.
   * @throws MappingError `MANDATORY_FIELD_MISSING` when the entity is not in this system yet.
   */
  refId(entity: { externalRefs?: ExternalRef[] } | undefined, type: string, what: string): string;
}

export interface ReadContext extends MappingContext {
  /** Canonical id of a record named by `references`; made once and remembered by the store. */
  idOf(entity: EntityName, type: string, externalId: string): CanonicalId;
}

export interface CallContext {
  /** Idempotency key of guides §2; the same for every attempt at the same content. */
  idempotencyKey: string;
  attempt: number;
  signal: AbortSignal;
  /** Look, but change nothing in the vendor, not even to mark a record as ours. */
  lookOnly?: true;
}

/**
 * What undoing a call did. `removed`: the record is gone, or is ours no longer. `inactive`: it is still there under our
 * key, out of use. `kept`: nothing was changed, because the record was there before or outlives the deal.
 */
export type UndoEffect = 'removed' | 'inactive' | 'kept';

/** A record in the vendor that must be known by a canonical id before `fromSystem` runs. */
export interface Reference {
  entity: EntityName;
  type: string;
  id: string;
  /** The canonical id the record itself carries (external-id field), if it is one of ours. */
  claims?: string | null;
}

/** What a step gives back. Plain JSON: it is journaled and answered again on replay. */
export interface OperationResult {
  /** Cross-references to record; also appended to the entity of the deal that has this id. */
  refs: { id: CanonicalId; entity: EntityName; ref: ExternalRef }[];
  /** Merged into the deal document: objects field by field, arrays element by element on `id`. */
  merge?: Partial<DealDocument>;
  /** Anything else for the flow (query rows); set on `msg.result`. */
  rows?: JsonValue;
  /** Short proof for the audit: digest, status, location. No personal data. */
  evidence?: JsonObject;
}

/**
 * One operation of one vendor.
 *
 * Order of a step: `select` → `toSystem` (pure; its value is fingerprinted and journaled) → `call` →
 * `references` → `fromSystem` (pure). After an unknown outcome `probe` runs before any resend.
 */
export interface Operation<
  C extends SystemClient = SystemClient,
  I extends Item = Item,
  Wire = unknown,
  Reply = unknown,
> {
  entity: string;
  verb: Verb;
  /** The vendor's record type as it stands in `ExternalRef.type`. */
  recordType: string;
  duplicateSafety: DuplicateSafety;
  /** How long after a write the vendor's own search may not show it yet. */
  visibleAfterMs: number;
  /** The items of the deal this operation works on; none = nothing to do, the message passes. */
  select(deal: DealDocument, parameters: Readonly<Record<string, string>>): I[];
  /** Pure. Throws `MappingError` with a domain code when something is missing. */
  toSystem(item: I, context: MappingContext): Wire;
  /** The vendor calls. Gives plain data: it crosses from thread to thread. Throws `SystemError`. */
  call(client: C, wire: Wire, context: CallContext): Promise<Reply>;
  references?(reply: Reply): Reference[];
  /** Pure. */
  fromSystem(reply: Reply, item: I, context: ReadContext): OperationResult;
  /**
   * Looks for what an earlier attempt may have written, by our own key.
   * Resolves to the reply as `call` would have given it, or null when it is certainly not there.
   * Throws `SystemError` kind `unknown` when it cannot decide (for example two matches).
   * Must exist on everything that is not `read-only`.
   */
  probe?(client: C, wire: Wire, context: CallContext): Promise<Reply | null>;
  /**
   * Undoes a confirmed call, with the values of that call. Absent = a human must. May be repeated: after a crash or a
   * lost answer it is simply called again, so what is gone already is fine.
   */
  compensate?(client: C, wire: Wire, reply: Reply, context: CallContext): Promise<UndoEffect>;
  /**
   * Takes a record over that a person has made in place of the call: puts our key on it, so that later calls find it,
   * and gives the reply that `call` would have given. May be repeated; with `lookOnly` it changes nothing.
   *
   * @param id the vendor's own id
   * @returns null when there is no such record
   * @throws SystemError when the record carries another one's key. Absent where one id cannot stand for what is made.
   */
  adopt?(client: C, id: string, wire: Wire, context: CallContext): Promise<Reply | null>;
}

// ---------------------------------------------------------------- events

export interface SourceEvent {
  /** Unique per source and stable over polls: built of the record id and its business content. */
  id: string;
  type: BusinessEventType;
  /** When the fact became true in the vendor. */
  time: Instant;
  /**
   * Last change of the record that the event is about, as of the state in `data`. With it, an older state that comes
   * after a newer one is stale, and a state that returns is news.
   */
  stamp?: Instant;
  /** The record the event is about; its canonical id becomes subject and ordering key. */
  subject: Reference;
  /** State as far as the poll saw it, in canonical field names; may be incomplete. */
  data: JsonObject;
  /**
   * Other records that the event names. Only such as no operation finds by a natural key: an id that is made here for
   * a customer would stand in the way of the deal that adopts the same customer later.
   */
  references?: Reference[];
  /** What `EventSource.link` needs of the vendor's record. */
  record?: unknown;
}

export interface PollContext {
  settings: Readonly<Record<string, string>>;
  /** Rows per page; vendors clamp it. */
  pageSize: number;
  /** Where to begin when there is no cursor yet. */
  startAt: Instant;
  signal: AbortSignal;
}

export interface PollResult {
  events: SourceEvent[];
  /** Where the next poll goes on. Saved in the same transaction as the events. */
  cursor: JsonValue;
  /** True = poll again at once. */
  more: boolean;
}

export interface EventSource<C extends SystemClient = SystemClient, Rec = unknown> {
  /** Key in `manifest.events`. */
  id: string;
  /** Gives plain data, as an operation's `call` does. */
  poll(client: C, cursor: JsonValue | null, context: PollContext): Promise<PollResult>;
  /** Fields of an event's data that hold canonical ids of its `references`. Pure. */
  link?(record: Rec, idOf: ReadContext['idOf']): JsonObject;
}

// ---------------------------------------------------------------- module

export interface SystemModule<C extends SystemClient = SystemClient> {
  manifest: SystemManifest;
  createClient(config: ConnectionConfig, dependencies: ClientDependencies): C;
  // biome-ignore lint/suspicious/noExplicitAny: items, wires and replies differ per operation; each operation is typed where it is defined
  operations: Operation<C, any, any, any>[];
  // biome-ignore lint/suspicious/noExplicitAny: as above, for the records of its own events
  events: EventSource<C, any>[];
}
