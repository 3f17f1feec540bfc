import type {
  CanonicalId,
  EntityName,
  ExceptionCode,
  FailureKind,
  Instant,
  JsonObject,
  JsonValue,
  Money,
  Severity,
} from '../model';
import type { UndoKind } from '../store';
import type { CaseFacts } from './case-desk';

/** The node a step, case or error belongs to. */
export interface NodeInfo {
  id: string;
  /** What people call it: its label on the canvas. */
  name: string;
}

/** A run as the nodes see it. */
export interface Run {
  id: string;
  attempt: number;
  correlationId: CanonicalId;
  orderingKey: CanonicalId;
  /** Node that dispatches it, or in which a run of its own began. */
  sourceNode: string;
  title: string;
}

/** A run handed to its source node to be sent into the flow. */
export interface DispatchedRun extends Run {
  /** Goes along with its messages: tells this passage from one that a deploy broke off. */
  dispatch: number;
  /** Changes of the record are missing for good: read it from its master, whatever the event says. */
  catchUp: boolean;
  /** Span of this passage (W3C Trace Context), where somebody traces. */
  traceparent?: string;
  /** Only to see what it would write (docs/decisions/0011): nothing outside may be changed on its way. */
  dryRun?: true;
  event: {
    id: string;
    type: string;
    source: string;
    subject: CanonicalId;
    time: Instant;
    data: JsonObject;
  };
}

/** What an error means for the write protocol; made from a vendor's error by whoever hands in the step. */
export interface Failure {
  kind: FailureKind;
  code: ExceptionCode;
  /** Plain words for the case. */
  reason: string;
  retryAfterMs?: number;
  /** Finished business message, where the pattern of the code does not fit. */
  message?: string;
  /** Further values for the message pattern of the code. */
  params?: Record<string, string>;
}

export interface CallInfo {
  idempotencyKey: string;
  /** 1 for the first call of this step, counted over restarts. */
  attempt: number;
  signal: AbortSignal;
  /** Look, but change nothing, not even to mark a record as ours. */
  lookOnly?: true;
}

/** A record to remember under a canonical id. */
export interface Reference {
  entity: EntityName;
  type: string;
  id: string;
  claims?: string | null;
}

/** A natural key (guides §2) that a record is to hold. */
export interface NaturalKeyClaim {
  entity: EntityName;
  key: string;
  id: CanonicalId;
  /** What people call the record. */
  name: string;
}

/** Who holds a natural key. */
export interface KeyHolder {
  id: CanonicalId;
  name: string;
}

export interface NewRef {
  id: CanonicalId;
  entity: EntityName;
  ref: {
    system: string;
    instance: string;
    type: string;
    id: string;
    role: 'master' | 'copy';
    url?: string;
  };
}

/** What a step gave, journaled and answered again on replay. */
export interface StepResult {
  refs: NewRef[];
  merge?: JsonObject;
  rows?: JsonValue;
  evidence?: JsonObject;
}

export interface StepReply {
  /** The vendor's reply as the operation read it, where undoing the step needs it; else null. */
  reply: JsonValue;
  result: StepResult;
}

/** One system call, described without knowing the vendor: what to call, how to probe, whether it can be undone. */
export interface Step {
  node: NodeInfo;
  system: string;
  instance: string;
  /** `<entity>.<verb>`, unique within the system. */
  operation: string;
  /** An operation that may meet an existing record and change it. Others refuse different content under one key. */
  updates: boolean;
  /** Changes nothing: never probed, read again when a person retries the run. */
  readOnly: boolean;
  /** The vendor keeps no key of ours, so a probe goes before every first call too. */
  probeFirst: boolean;
  canonicalId: CanonicalId;
  /** Vendor's record type of the canonical id, to know whether it exists there already. */
  recordType: string;
  businessVersion: string;
  /** The mapped payload without volatile fields; fingerprinted and journaled. */
  wire: JsonValue;
  visibleAfterMs: number;
  undo: UndoKind;
  /** `<label>+<hash>` of the mapping that the deal went through, for the journal and the audit. */
  mappingVersion?: string;
  /** @param wire `wire` above, or what a person has made of it */
  call(wire: JsonValue, info: CallInfo): Promise<StepReply>;
  /** Null = certainly not there. Throws `unknown` when it cannot decide. */
  probe?(wire: JsonValue, info: CallInfo): Promise<StepReply | null>;
  /**
   * Takes a record over that a person has made. May be repeated.
   * @param externalId the target's own id
   * @returns null when there is no such record
   */
  adopt?(externalId: string, wire: JsonValue, info: CallInfo): Promise<StepReply | null>;
  classify(error: unknown): Failure;
  /** For the case, if one must be opened. */
  about: CaseSubject | (() => CaseSubject);
}

/** What the journal keeps of a step: plain data, unlike the step itself. */
export type JournalStep = Pick<
  Step,
  | 'node'
  | 'system'
  | 'instance'
  | 'operation'
  | 'updates'
  | 'readOnly'
  | 'probeFirst'
  | 'canonicalId'
  | 'undo'
  | 'mappingVersion'
>;

/** Whom and what a case is about. */
export interface CaseSubject {
  /** Values for message patterns, such as system and document names. */
  params: Record<string, string>;
  /** Owner where the code leaves it to the domain (guides §13 "role by domain"). */
  ownerRole: string;
  amountAtRisk?: Money;
  facts?: CaseFacts;
  /** Names of people that the message may hold: only some may read them. Asked when a case is opened. */
  personal?(): readonly string[];
}

export interface StepOutcome extends StepResult {
  /**
   * `replayed`: answered from this run's journal; `earlier_run`: from another run with the same content; `manual`:
   * made by a person; `skipped`: a person goes on without it; `dry_run`: what is there, or a stand-in for it.
   */
  origin: 'call' | 'probe' | 'earlier_run' | 'replayed' | 'manual' | 'skipped' | 'dry_run';
}

export interface NewCase {
  node: NodeInfo;
  code: ExceptionCode;
  /** Finished business message; when absent the pattern of the code is filled with `about.params`. */
  message?: string;
  subject: CanonicalId;
  about: CaseSubject;
  /** Overrides the severity of code and policy. */
  severity?: Severity;
  /** Overrides the owner that code and policy say. */
  ownerRole?: string;
  stepKey?: string;
  /** Fields of the subject that would cure it, with dots; the document goes to `Engine.fail` along with the case. */
  fields?: string[];
  detail?: JsonObject;
}

export interface IntakeEvent {
  id: string;
  type: string;
  time: Instant;
  /** The record as its system names it, or its canonical id where the event carries that. */
  subject: Reference | CanonicalId;
  /** The thread of a deal and the key of order that the event names; both are the subject if absent. */
  thread?: { correlationId: CanonicalId; orderingKey: CanonicalId };
  title: string;
  data: JsonObject;
  /**
   * Number of the change among those of its record in this source: 1 for the first, without gaps. Changes are applied
   * in this order (guides §13).
   */
  version?: number;
  /**
   * When the record was as the data says, for sources that do not count changes. Of one record, a state older than one
   * accepted before is stale.
   */
  stamp?: Instant;
  /** Span outside that the event comes from (W3C Trace Context). */
  traceparent?: string;
}

/** What became of the events of a batch at once. */
export interface Intake {
  /** Got a run. */
  accepted: number;
  duplicates: number;
  /** Older than what was taken up before: recorded, no run. */
  stale: number;
  /** Wait for an earlier change of their record. */
  parked: number;
}

export interface IntakeBatch {
  /** Node that will dispatch the runs. */
  sourceNode: string;
  /** Where the records live, for cross-references of subjects. */
  system: string;
  instance: string;
  /** CloudEvents source; with the event id it makes duplicates visible. */
  source: string;
  events: IntakeEvent[];
  /** Saved under `source` in the same transaction; a source that is sent its events has none. */
  cursor?: JsonValue;
}

export interface RetryPolicy {
  /** Calls and probes within one step before it is given up for now. */
  maxAttempts: number;
  maxElapsedMs: number;
  baseDelayMs: number;
  maxDelayMs: number;
  /** Automatic dispatches of a run whose cases may heal by themselves. */
  maxRunRetries: number;
  runRetryBaseMs: number;
  runRetryMaxMs: number;
}

/** A message that is to be kept until something happens. */
export interface WaitRequest {
  node: NodeInfo;
  /** Type of a business event, or a name that flows and people agree on. */
  event: string;
  /** What it must be about: a canonical id, or any text that the other side knows too. */
  key: string;
  /** The suspension that the message went through before this one; 0 = none. */
  parent: number;
  /** When the time is over; null = never. A message that comes back keeps its first deadline. */
  deadline: Instant | null;
  /** Whether the message then goes on all the same, or its deal becomes a case. */
  onTimeout: 'send' | 'case';
  /**
   * Events that came before: `once` each for one run at this node, `always` for every run, `never`. They are known for
   * 30 days.
   */
  earlier: 'once' | 'always' | 'never';
  /** Whether later runs of the same record and source wait as well. */
  holdsOrder: boolean;
  message: JsonObject;
  about: CaseSubject;
}

/** Something that runs may wait for. */
export interface Signal {
  event: string;
  key: string;
  /** User name, or what it came from. */
  actor: string;
  data?: JsonObject;
  /** The same id is the same signal, sent again. */
  id?: string;
}

/** What a message that waited is given, as JSON. */
export type WaitedEvent = {
  id: string;
  type: string;
  key: string;
  time: Instant;
  /** CloudEvents source, or null for a signal. */
  source: string | null;
  actor: string | null;
  data: JsonObject;
};

/** Why a message goes on. */
export type WaitOutcome = { by: 'event'; event: WaitedEvent } | { by: 'timeout'; deadline: Instant };

/** A message goes on at once. */
export interface Passing {
  outcome: WaitOutcome;
  /** To be given as `parent` when the message comes to wait again. */
  suspension: number;
}

/** A message goes on from the node that kept it. */
export interface Resumption extends Passing {
  run: Run;
  dispatch: number;
  /** Span of this passage (W3C Trace Context), where somebody traces. */
  traceparent?: string;
  message: JsonObject;
}

/** How often a message may pass a node that guards what is not repeatable. */
export interface OnceRequest {
  nodeId: string;
  /** Once for this key over all runs; null = once per run. */
  key: string | null;
  /**
   * `at_most_once`: recorded before the message passes, so a crash right after it may swallow what follows.
   * `at_least_once`: recorded when the run has come through, so a crash before that lets it pass again.
   */
  guarantee: 'at_most_once' | 'at_least_once';
}

/** The passage that was first. */
export interface EarlierPassage {
  at: Instant;
  run: string;
}

export type Log = (level: 'debug' | 'info' | 'warn' | 'error', message: string, fields?: JsonObject) => void;
