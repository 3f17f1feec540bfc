import type { Generated, Selectable } from 'kysely';
import type { CanonicalId, Instant } from '../../model';
import type { Sealed } from './sealed';

/** Cases, their policies and their history. */

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
  entity: Generated<string | null>;
  /** Key of the legal entity in the firm's set-up. */
  legal_entity: Generated<string | null>;
  region: Generated<string | null>;
  /** Whole units of the amount at risk, to sort by. */
  amount_whole: Generated<number | null>;
  /** JSON list of the fields of the subject that would cure it, with dots; null = it is not about a record's content. */
  fields: Generated<string | null>;
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

export type CaseRow = Selectable<CaseTable>;
export type CaseHistoryRow = Selectable<CaseHistoryTable>;
export type CaseApprovalRow = Selectable<CaseApprovalTable>;
