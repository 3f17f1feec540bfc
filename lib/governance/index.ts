import type { CanonicalId, Instant } from '../model';
import type {
  Approval,
  ApprovalState,
  BulkProgress,
  CaseFilter,
  CaseGroup,
  CaseLine,
  CaseSort,
  CaseView,
  GatedRequest,
  GatedResult,
  Page,
  PageRequest,
  Person,
  QueueCount,
} from './types';

export * from './types';

/**
 * Cases for pages and programs. Errors are Q2cError: `CASE_UNKNOWN`, `APPROVAL_UNKNOWN`; `CASE_CHANGED` when
 * `version` is given and is not the case's any more; `NOT_PERMITTED` when the case belongs to another role, or the
 * approver asked for the action; `ILLEGAL_TRANSITION` when the case's status does not allow it; `REASON_MISSING`;
 * `VALUE_INVALID`; beside those of the engine's repairs.
 */
export interface CaseGovernance {
  // Read
  queue(filter: CaseFilter, sort: CaseSort, page: PageRequest): Promise<Page<CaseLine>>;
  groups(filter: CaseFilter): Promise<CaseGroup[]>;
  counts(): Promise<QueueCount[]>;
  /** Null when there is none. */
  view(caseId: string, person: Person): Promise<CaseView | null>;
  approvals(filter: { state?: ApprovalState; caseId?: string }, page: PageRequest): Promise<Page<Approval>>;

  // Life cycle. Each returns the case as it is then.
  assign(caseId: string, assignee: string | null, by: Person, version?: number): Promise<CaseLine>;
  comment(caseId: string, text: string, by: Person): Promise<CaseLine>;
  snooze(caseId: string, until: Instant, reason: string, by: Person, version?: number): Promise<CaseLine>;
  unsnooze(caseId: string, by: Person, version?: number): Promise<CaseLine>;
  /** @param to role that is to own it; absent = as the policy says */
  escalate(
    caseId: string,
    to: string | undefined,
    reason: string,
    by: Person,
    version?: number,
  ): Promise<CaseLine>;
  startRepair(caseId: string, by: Person, version?: number): Promise<CaseLine>;
  readyToReplay(caseId: string, by: Person, version?: number): Promise<CaseLine>;
  /** What it was about is settled without a replay. */
  resolve(caseId: string, reason: string, by: Person, version?: number): Promise<CaseLine>;

  // What changes records or money: at once, or when a second person has agreed.
  act(
    caseId: string,
    request: GatedRequest,
    reason: string,
    by: Person,
    version?: number,
  ): Promise<GatedResult>;
  /** A retry or cancel of a run, whatever cases it has. */
  actOnRun(
    runId: string,
    request: Extract<GatedRequest, { action: 'retry' | 'cancel' }>,
    reason: string,
    by: Person,
  ): Promise<GatedResult | { status: 'done'; case: null }>;
  approve(approvalId: string, note: string, by: Person): Promise<GatedResult>;
  reject(approvalId: string, note: string, by: Person): Promise<Approval>;
  /** By the one who asked. */
  withdraw(approvalId: string, by: Person): Promise<Approval>;

  /** The same action on many cases, a few at a time; leaving the loop ends it before its next case. */
  bulk(
    caseIds: readonly CanonicalId[],
    request: GatedRequest | { action: 'assign'; assignee: string | null },
    reason: string,
    by: Person,
    signal?: AbortSignal,
  ): AsyncGenerator<BulkProgress>;
}
