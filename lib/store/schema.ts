import type { Generated, Insertable, Selectable } from 'kysely';
import type { CanonicalId, Instant } from '../model';

/**
 * The durable tables (DESIGN §7), the same on every dialect: text, integers and JSON as text only.
 * Instants are ISO-8601 UTC text, so that their text order is their time order.
 */

declare const sealed: unique symbol;

/** Payload text, encrypted when the store has a key: written through `seal`, read through `open` (encryption.ts). */
export interface Sealed {
  readonly [sealed]: true;
}
/**
 * What became of an event (guides §15, 10). `accepted`: its run is not at its end yet. `applied`: its run came through,
 * or a later one with the state that contains its change. `stale`: older than what was taken up before, so it has no
 * run. `parked`: an earlier change is missing. `case`: its run has failed. Duplicates are counted at the first arrival.
 */
export type Disposition = 'accepted' | 'applied' | 'stale' | 'parked' | 'case';

/** An accepted inbound event. `(source, event_id)` is unique: a second arrival only raises `duplicates`. */
export interface EventTable {
  seq: Generated<number>;
  source: string;
  event_id: string;
  type: string;
  /** Canonical id of the record the event is about. */
  subject: CanonicalId;
  time: Instant;
  received_at: Instant;
  data: Sealed;
  duplicates: number;
  /** Number of the change among those of its record, without gaps, where the source counts them. */
  version: number | null;
  /** When the record was as the event says, where the source tells; a later event with an earlier one is stale. */
  stamp: Instant | null;
  disposition: Generated<Disposition>;
  /** 1: it has come again since the key figures counted how often. */
  recount: Generated<number>;
}

/**
 * `parked`: waits for an earlier change of its record that is missing. `waiting`: its messages are kept at nodes that
 * wait for an event. `superseded`: failed, and a later run of the same record came through with its present content.
 * `cancelling`: its steps are being undone, or wait for somebody because one could not be.
 */
export type RunState =
  | 'parked'
  | 'queued'
  | 'running'
  | 'waiting'
  | 'completed'
  | 'failed'
  | 'superseded'
  | 'cancelling'
  | 'cancelled';

/** One passage of one event through a flow. */
export interface RunTable {
  /** Arrival order. */
  seq: Generated<number>;
  id: string;
  /** Null for a one-off run made from a message that no source node sent. */
  event_seq: number | null;
  /** Node that dispatches the run. */
  source_node: string;
  /** Canonical id of the aggregate; one running run per key, in arrival order. */
  ordering_key: CanonicalId;
  correlation_id: CanonicalId;
  /** What the run is about, for people: the name of the deal. */
  title: string;
  state: RunState;
  /** 1: what is left of the run are the messages kept at its waits; it goes on with those, not with its event. */
  resume: Generated<number>;
  /** 0: while it waits, later runs of the same record need not wait for it. */
  holds_key: Generated<number>;
  /** 1: changes of its record are missing for good; it applies what the master says now. */
  catch_up: Generated<number>;
  /** Raised by every retry of an ended run, not by a restart of the host. */
  attempt: number;
  /** When a failed run is dispatched again, or a cancelling one goes on, by itself; null = only by a person. */
  retry_at: Instant | null;
  lease_owner: string | null;
  lease_until: Instant | null;
  created_at: Instant;
  started_at: Instant | null;
  ended_at: Instant | null;
  /** JSON array of the nodes its messages were on their way to when a deploy broke it off; null once it went on. */
  at_nodes: string | null;
  /** Legal entity of the deal, as the flow has found out by the end of the run. */
  legal_entity: string | null;
}

/**
 * `intent`: journaled, the call may or may not have left. `confirmed`, `rejected`, `unknown`: the outcome.
 * `failed`: surely not processed and given up. `skipped`: surely not processed, and a person has let it go.
 * `undone`: was confirmed and taken back; whoever comes next does it anew.
 */
export type StepState = 'intent' | 'confirmed' | 'rejected' | 'unknown' | 'failed' | 'skipped' | 'undone';

/**
 * What undoing a step takes. `none`: it created nothing. `call`: the operation knows how, with the values of its own
 * call. `person`: it created something that only a person can take back.
 */
export type UndoKind = 'none' | 'call' | 'person';

/** One journaled system call, or one local decision that must come out the same on replay. */
export interface StepTable {
  seq: Generated<number>;
  /** The run's id and, after a colon, the SHA-256 of run, node, operation, canonical id and fingerprint. */
  key: string;
  run_id: string;
  /** The run's attempt that last worked on the step. */
  run_attempt: number;
  node_id: string;
  node_name: string;
  system: string;
  instance: string;
  /** `<entity>.<verb>`. */
  operation: string;
  canonical_id: CanonicalId;
  fingerprint: string;
  idempotency_key: string;
  state: StepState;
  /** Calls made, and probes made, over all attempts. */
  calls: number;
  probes: number;
  /**
   * How the result came about: by our call, found by a probe, taken from an earlier run's step, or made by a person
   * and checked in the target.
   */
  origin: 'call' | 'probe' | 'earlier_run' | 'manual' | null;
  wire: Sealed;
  reply: Sealed | null;
  result: Sealed | null;
  error_code: string | null;
  error_message: Sealed | null;
  started_at: Instant;
  ended_at: Instant | null;
  duration_ms: number | null;
  undo: Generated<UndoKind>;
  /** Key of the step that this one takes back. */
  undoes: string | null;
  /** `<label>+<hash>` of the mapping that its deal went through; null = none. */
  mapping_version: string | null;
}

/**
 * What a person has decided about a failed step. It holds for the step of this run, node, operation and record also
 * when that is reached again with other content.
 */
export interface StepDecisionTable {
  /** The run's id and, after a colon, the SHA-256 of node, operation and canonical id. */
  key: string;
  run_id: string;
  node_id: string;
  operation: string;
  canonical_id: CanonicalId;
  /** `correct`: send other content. `complete`: a person has made the record. `skip`: go on without it. */
  kind: 'correct' | 'complete' | 'skip';
  /** Of `correct`: the correction as JSON. */
  value: Sealed | null;
  /** Of `complete`: the target's own id of the record. */
  external_id: string | null;
  reason: string;
  actor: string;
  at: Instant;
}

/** Who wants a run taken back, and why. */
export interface CancellationTable {
  run_id: string;
  actor: string;
  reason: string;
  requested_at: Instant;
  /** Times that it has stopped at a step. */
  attempts: number;
}

/** The same action on many records. */
export interface BulkJobTable {
  id: string;
  /** What is done: names whoever can do it. */
  kind: string;
  /** JSON: what that has to know. */
  request: Sealed;
  /** Records under way at a time. */
  at_once: number;
  actor: string;
  reason: string;
  /** `cancelled`: no further record is begun; it ends with the last one under way. */
  state: 'running' | 'cancelled';
  started_at: Instant;
  ended_at: Instant | null;
  /** JSON: why the last one that failed did. */
  last_error: Sealed | null;
}

/** `passed_over`: was not to be done any more when its turn came. `pending_approval`: waits for a second person. */
export type BulkItemState =
  | 'waiting'
  | 'under_way'
  | 'completed'
  | 'failed'
  | 'passed_over'
  | 'pending_approval';

export interface BulkItemTable {
  job: string;
  /** Order in which the records are dealt with. */
  seq: number;
  /** Id of the record. */
  subject: string;
  /** The run with whose attempt it ends; null before, and where no run is sent again. */
  run_id: string | null;
  attempt: number | null;
  state: BulkItemState;
}

/** `(system, instance, type, external_id)` belongs to exactly one canonical id, and one of each per canonical id. */
export interface XrefTable {
  system: string;
  instance: string;
  type: string;
  external_id: string;
  canonical_id: CanonicalId;
  entity: string;
  role: 'master' | 'copy';
  url: string | null;
  created_at: Instant;
}

/** Who holds a natural key (guides §2), so that a second record with the same key is noticed. */
export interface NaturalKeyTable {
  entity: string;
  key: string;
  canonical_id: CanonicalId;
  /** What people call the holder, for the case of whoever claims the key next. */
  holder: string;
  created_at: Instant;
}

export type CaseState =
  | 'open'
  | 'assigned'
  | 'in_repair'
  | 'ready_to_replay'
  | 'replaying'
  | 'resolved'
  | 'waived';

/** Something stuck, with its owner. One line per deal, node, code and subject: seen again, it is refreshed. */
export interface CaseTable {
  id: CanonicalId;
  dedupe_key: string;
  code: string;
  message: Sealed;
  /** JSON: names of people in the message; null when there are none. */
  personal: Sealed | null;
  owner_role: string;
  severity: string;
  state: CaseState;
  correlation_id: CanonicalId;
  subject: CanonicalId;
  run_id: string;
  run_attempt: number;
  step_key: string | null;
  node_id: string;
  node_name: string;
  amount_at_risk: string | null;
  currency: string | null;
  /** Context for the repairer, masked. */
  detail: Sealed;
  occurrences: number;
  reopened: number;
  opened_at: Instant;
  updated_at: Instant;
  resolved_at: Instant | null;
  /** Raised by every change. */
  version: Generated<number>;
  /** User name of the person who deals with it. */
  assignee: Generated<string | null>;
  /** Until then the queue leaves it out. */
  snoozed_until: Generated<Instant | null>;
  /** When it must have been dealt with, and since when it is known that it was not. */
  sla_due_at: Generated<Instant | null>;
  sla_breached_at: Generated<Instant | null>;
  /** Times that it went to another role since it was opened. */
  escalations: Generated<number>;
  /** Policy that it was routed by. */
  policy_version: Generated<string | null>;
  /** Digest, equal for cases of the same cause. */
  cause: Generated<string>;
  system: Generated<string | null>;
  /** Of the connection whose call it is about; null when it is about none. */
  instance: Generated<string | null>;
  entity: Generated<string | null>;
  /** Key of the legal entity in the firm's set-up. */
  legal_entity: Generated<string | null>;
  region: Generated<string | null>;
  /** Whole units of the amount at risk, to sort by. */
  amount_whole: Generated<number | null>;
}

/** Policies that cases have been routed by, whole, so that what they said can be shown later. */
export interface CasePolicyTable {
  version: string;
  content: string;
  first_used_at: Instant;
}

/** `approved`: a second person has agreed, and it is being done. At most one of a case is `pending` or `approved`. */
export type ApprovalState = 'pending' | 'approved' | 'done' | 'failed' | 'rejected' | 'withdrawn';

/** An action on a case that needs a second person. */
export interface CaseApprovalTable {
  id: string;
  case_id: CanonicalId;
  state: ApprovalState;
  request: Sealed;
  /** Why it takes two. */
  because: string;
  policy_version: string;
  reason: string;
  requested_by: string;
  requested_at: Instant;
  decided_by: string | null;
  decided_at: Instant | null;
  /** Of the second person, or why it failed. */
  note: string | null;
}

export interface CaseHistoryTable {
  seq: Generated<number>;
  case_id: CanonicalId;
  at: Instant;
  actor: string;
  action: string;
  detail: Sealed;
}

/** Append-only and hash-chained: `hash` = SHA-256 of `prev_hash` and the line. Kept for ever, so it names no person. */
export interface AuditTable {
  seq: Generated<number>;
  at: Instant;
  actor: string;
  action: string;
  subject: string;
  run_id: string | null;
  detail: string;
  prev_hash: string;
  hash: string;
}

/** Business events to hand on, written in the transaction that made them true. */
export interface OutboxTable {
  seq: Generated<number>;
  event_id: string;
  type: string;
  subject: CanonicalId;
  /** Events of one key are handed on in the order of `seq`. */
  ordering_key: CanonicalId;
  envelope: Sealed;
  created_at: Instant;
  /** Since when nobody waits for the event any more. */
  sent_at: Instant | null;
}

/** Who is told every event announced from now on: a broker, or a node of the flow. */
export interface OutboxReceiverTable {
  /** Id of the receiver's node. */
  id: string;
  /** Pattern of SQL's `like` for the types it wants, such as one type; null = every type. */
  event_type: string | null;
  created_at: Instant;
}

/** One event for one receiver. It waits until the receiver has it. */
export interface OutboxDeliveryTable {
  receiver: string;
  outbox_seq: number;
  delivered_at: Instant | null;
}

/** An event from outside that could not be accepted. The same bytes again only raise `arrivals`. */
export interface RejectedEventTable {
  seq: Generated<number>;
  /** SHA-256 of node, topic and payload. */
  digest: string;
  node_id: string;
  topic: string;
  /** What could be read of it. */
  event_source: string | null;
  event_id: string | null;
  event_type: string | null;
  reason: string;
  /** As text, cut after 64 KiB. */
  payload: Sealed;
  arrivals: number;
  first_at: Instant;
  last_at: Instant;
}

/**
 * `waiting`: for its event. `fired`: the event has come, or the time is over, and the message has not gone on to its
 * end yet. `done`: it has. `cancelled`: its run begins anew, or was given up.
 */
export type SuspensionState = 'waiting' | 'fired' | 'done' | 'cancelled';

/** A message of a run that is kept at a node until an event comes; afterwards the journal of what came. */
export interface SuspensionTable {
  seq: Generated<number>;
  /**
   * Run, node, event, key, parent, and which of the messages it is that wait there for the same: a message of a run that
   * begins anew finds its place again.
   */
  place: string;
  run_id: string;
  node_id: string;
  node_name: string;
  /** Type or name of the event, and the key it must have. */
  event: string;
  match_key: string;
  /** The suspension that the message went through last; 0 = none. */
  parent: number;
  state: SuspensionState;
  /** 1: later runs of the same record and source wait as long as this does. */
  holds_order: number;
  deadline: Instant | null;
  on_timeout: 'send' | 'case';
  /** Whom and what a case is about, should the time be over. */
  about: string;
  /** Null when it has gone on to its end. */
  message: Sealed | null;
  /** The event or signal that let it go on. */
  occurrence: string | null;
  outcome: Sealed | null;
  created_at: Instant;
  ended_at: Instant | null;
}

/** Something announced or said that runs may wait for, kept for those that come to wait later. */
export interface SignalTable {
  seq: Generated<number>;
  event: string;
  match_key: string;
  id: string;
  content: Sealed;
  received_at: Instant;
}

/** What has passed a node that lets through only once. `open`: passes again unless its run comes through. */
export interface PassageTable {
  node_id: string;
  /** `run:<id>`, or `key:<key>` for once over all runs. */
  scope: string;
  run_id: string;
  state: 'open' | 'passed';
  passed_at: Instant;
}

/** Versions of one record as one source counts them. `taken`: the highest with a run; `applied`: that came through. */
export interface AggregateTable {
  source: string;
  subject: CanonicalId;
  taken: number;
  applied: number;
}

export interface CursorTable {
  source: string;
  value: string;
  updated_at: Instant;
}

/** Something that only one host at a time may do, such as polling for one source node. */
export interface LeaseTable {
  name: string;
  owner: string;
  until: Instant;
}

/** An access token that the hosts of a connection share, and the host that is getting a new one. */
export interface TokenTable {
  name: string;
  /** Null until the first login is through. */
  value: Sealed | null;
  login_owner: string | null;
  login_until: Instant | null;
  /** When a login was begun last. */
  updated_at: Instant;
}

/**
 * How far the calls of a connection are booked, over all hosts, in epoch microseconds: the theoretical arrival time of
 * the generic cell rate algorithm.
 */
export interface RateBudgetTable {
  name: string;
  next_at: number;
}

/** Keys whose values may be in the store. The one that came into use last seals. */
export interface EncryptionKeyTable {
  id: string;
  in_use_since: Instant;
}

/** Work that one host at a time does every now and then. */
export interface MaintenanceTable {
  task: string;
  /** When a host last took it on. */
  claimed_at: Instant;
}

/** A word, number or id that a deal is found by. It is put together from the audit, and may be made anew from it. */
export interface DealTermTable {
  term: string;
  correlation_id: CanonicalId;
  kind: 'name' | 'number' | 'external_id' | 'id';
  system: string | null;
}

/** An action of a program that was given a key, so that asking twice does it once. */
export interface ApiRequestTable {
  /** SHA-256 of caller and key. */
  key: string;
  /** SHA-256 of route and body. */
  fingerprint: string;
  /** Null while it is being done. */
  status: number | null;
  reply: Sealed | null;
  at: Instant;
}

/** With which another program may look things up. */
export interface ApiTokenTable {
  id: string;
  name: string;
  /** SHA-256 of the secret, which is kept nowhere. */
  hash: string;
  /** JSON array. */
  scopes: string;
  created_by: string;
  created_at: Instant;
  expires_at: Instant | null;
  /** To the hour. */
  last_used_at: Instant | null;
}

/** A version of a mapping set that deals went through. */
export interface MappingVersionTable {
  /** `<label>+<hash>`. */
  version: string;
  /** Node id of the set. */
  set_id: string;
  /** The set as JSON. */
  content: string;
  first_used_at: Instant;
}

/** What the key figures of each day hold of a run, a case (by its id) or the set-up of a deal (`setup:<thread>`). */
export interface KpiSourceTable {
  id: string;
  /** Tells whether it has changed since it was counted. */
  stamp: string;
  /** JSON array of `Fact` (lib/observe). */
  facts: string;
  /** Of a run: its thread and event. */
  correlation_id: string | null;
  event_seq: number | null;
  /** 1: the outcome of a write is not known, and may become so without the run. */
  is_undecided: number;
  /** 1: the run has made a project, or something to bill by. */
  has_project: number;
  has_billing: number;
}

/** One key figure of one day. */
export interface KpiDayTable {
  /** Date in the time zone of the legal entity. */
  day: string;
  kpi: string;
  /** Empty where it is not known, as of those below. */
  legal_entity: string;
  tier: string;
  system: string;
  /** Operation of a write, code of a case, or what kind of duplicate was prevented. */
  subject: string;
  count: number;
  /** JSON of `Samples` (lib/observe): durations. */
  samples: string;
}

export interface Schema {
  kpi_source: KpiSourceTable;
  kpi_day: KpiDayTable;
  event: EventTable;
  run: RunTable;
  step: StepTable;
  step_decision: StepDecisionTable;
  cancellation: CancellationTable;
  bulk_job: BulkJobTable;
  bulk_item: BulkItemTable;
  xref: XrefTable;
  natural_key: NaturalKeyTable;
  exception_case: CaseTable;
  case_history: CaseHistoryTable;
  case_policy: CasePolicyTable;
  case_approval: CaseApprovalTable;
  audit: AuditTable;
  outbox: OutboxTable;
  outbox_receiver: OutboxReceiverTable;
  outbox_delivery: OutboxDeliveryTable;
  rejected_event: RejectedEventTable;
  cursor: CursorTable;
  lease: LeaseTable;
  token: TokenTable;
  rate_budget: RateBudgetTable;
  encryption_key: EncryptionKeyTable;
  maintenance: MaintenanceTable;
  suspension: SuspensionTable;
  signal: SignalTable;
  passage: PassageTable;
  aggregate: AggregateTable;
  deal_term: DealTermTable;
  api_request: ApiRequestTable;
  api_token: ApiTokenTable;
  mapping_version: MappingVersionTable;
}

export type MappingVersionRow = Selectable<MappingVersionTable>;
export type EventRow = Selectable<EventTable>;
export type RunRow = Selectable<RunTable>;
export type StepRow = Selectable<StepTable>;
export type StepDecisionRow = Selectable<StepDecisionTable>;
export type BulkJobRow = Selectable<BulkJobTable>;
export type XrefRow = Selectable<XrefTable>;
export type NaturalKeyRow = Selectable<NaturalKeyTable>;
export type CaseRow = Selectable<CaseTable>;
export type CaseHistoryRow = Selectable<CaseHistoryTable>;
export type CaseApprovalRow = Selectable<CaseApprovalTable>;
export type SuspensionRow = Selectable<SuspensionTable>;
export type AuditRow = Selectable<AuditTable>;
export type NewStep = Insertable<StepTable>;
