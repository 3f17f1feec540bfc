import type { CancelReport, Correction, CorrectionView } from '../engine';
import type { CanonicalId, Instant, JsonObject, Money, Role, Severity } from '../model';
import type { GatedAction } from '../rules';
import type { ApprovalState, CaseState } from '../store';

export type { ApprovalState, CaseState, GatedAction };

/** Who acts on a case, as the host's login knows the person. */
export interface Person {
  name: string;
  /** Roles whose cases the person may act on; `all` where the host knows no roles, or for an administrator. */
  roles: readonly string[] | 'all';
  /** May be the second person. */
  mayApprove: boolean;
}

/** An open case, or one that was, as the queue shows it. */
export interface CaseLine {
  id: CanonicalId;
  /** Raised by every change: an ETag. */
  version: number;
  code: string;
  /** A few words for the code. */
  title: string;
  /** For business readers. */
  message: string;
  status: CaseState;
  severity: Severity;
  ownerRole: Role;
  assignee: string | null;
  correlationId: CanonicalId;
  subject: CanonicalId;
  /** The deal as people call it. */
  deal: string;
  runId: string;
  stepKey: string | null;
  node: { id: string; name: string };
  system: string | null;
  entity: string | null;
  legalEntity: string | null;
  region: string | null;
  amountAtRisk: Money | null;
  sla: { due: Instant | null; breachedAt: Instant | null };
  snoozedUntil: Instant | null;
  escalations: number;
  occurrences: number;
  reopened: number;
  openedAt: Instant;
  updatedAt: Instant;
  resolvedAt: Instant | null;
  /** Equal for cases of the same cause: a filter of the queue, and the key of its group. */
  cause: string;
  policyVersion: string | null;
  /** Whether something waits for the second person. */
  approvalPending: boolean;
}

/** One case with all that its page shows. */
export interface CaseView extends CaseLine {
  /** Context for the repairer, masked. */
  detail: JsonObject;
  history: CaseEntry[];
  approvals: Approval[];
  blocked: BlockedWork;
  /** What people have put in place of what was refused, oldest first. */
  corrections: CorrectionView[];
  /** What this person may do now; the others are refused with a reason. */
  actions: CaseAction[];
}

export interface CaseEntry {
  at: Instant;
  by: string;
  /** Past tense: `opened`, `assigned`, `commented`, `sla_breached`, `waived` … */
  action: string;
  detail: JsonObject;
}

/** What cannot go on because of a case. */
export interface BlockedWork {
  /** Nodes behind the case's node that the run has not come by, nearest first; empty where the flow is not known. */
  nodes: { id: string; name: string; type: string }[];
  /** Runs of the same record that wait for their turn. */
  runs: { id: string; title: string }[];
  /** Other open cases of the same deal. */
  cases: { id: CanonicalId; code: string; message: string; ownerRole: string }[];
}

/** The deployed flows, as far as cases need them. */
export interface FlowGraph {
  /** All nodes behind one, nearest first, without the node itself; empty when it is not deployed. */
  downstream(nodeId: string): { id: string; name: string; type: string }[];
}

export interface CaseFilter {
  /** Default `open`: neither resolved nor waived. */
  status?: 'open' | 'closed' | 'all' | readonly CaseState[];
  ownerRoles?: readonly string[];
  /** A user name, or `null` = nobody's. */
  assignee?: string | null;
  codes?: readonly string[];
  severities?: readonly Severity[];
  system?: string;
  entity?: string;
  legalEntity?: string;
  region?: string;
  cause?: string;
  correlationId?: CanonicalId;
  runId?: string;
  nodeIds?: readonly string[];
  /** Only those whose SLA is over. */
  breached?: boolean;
  /** Default `false`: without those that are snoozed; `true`: only those; `any`. */
  snoozed?: boolean | 'any';
  openedSince?: Instant;
  openedBefore?: Instant;
}

/** `due`: next SLA first. `amount`: largest first. `opened`: oldest first. `updated`: latest first. `severity`: worst first. */
export type CaseSort = 'due' | 'amount' | 'opened' | 'updated' | 'severity';

export interface PageRequest {
  /** 1–500. */
  limit: number;
  /** As given by the page before; of the same filter and sort. */
  cursor?: string;
}

export interface Page<T> {
  items: T[];
  /** Null = the last page. */
  next: string | null;
}

/** The same cause on one deal or many, as one line. */
export interface CaseGroup {
  cause: string;
  code: string;
  title: string;
  /** Message of the oldest case, to stand for all. */
  example: string;
  ownerRole: Role;
  system: string | null;
  severity: Severity;
  cases: number;
  deals: number;
  /** Per currency, each deal counted once. */
  amountAtRisk: Money[];
  oldestOpenedAt: Instant;
  nextDue: Instant | null;
}

/** Counts of open cases, for badges and the overview. */
export interface QueueCount {
  ownerRole: Role;
  open: number;
  breached: number;
  snoozed: number;
  /** Per currency, each deal counted once. */
  amountAtRisk: Money[];
}

/** What can be done about a case. */
export type CaseAction =
  | 'assign'
  | 'comment'
  | 'snooze'
  | 'unsnooze'
  | 'escalate'
  | 'start_repair'
  | 'ready_to_replay'
  | 'resolve'
  | GatedAction;

export type GatedRequest =
  | { action: 'retry' }
  | { action: 'correct'; correction: Correction }
  | { action: 'complete'; externalId: string }
  | { action: 'skip' }
  | { action: 'cancel' }
  | { action: 'waive' };

export interface Approval {
  id: string;
  caseId: CanonicalId;
  request: GatedRequest;
  /** Why a second person is needed, in words. */
  because: string;
  state: ApprovalState;
  requestedBy: string;
  reason: string;
  requestedAt: Instant;
  decidedBy: string | null;
  decidedAt: Instant | null;
  note: string | null;
  amountAtRisk: Money | null;
  policyVersion: string;
}

/** `done`, or stored until a second person agrees. */
export type GatedResult =
  | { status: 'done'; case: CaseLine; cancel?: CancelReport }
  | { status: 'pending_approval'; case: CaseLine; approval: Approval };

/** Of a bulk action; yielded at the beginning and after each case. */
export interface BulkProgress {
  total: number;
  done: number;
  pendingApproval: number;
  failed: number;
  /** Why the last one failed. */
  lastError: { caseId: CanonicalId; code: string; message: string } | null;
}
