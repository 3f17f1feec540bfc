import {
  correctionViews,
  type Engine,
  governCases,
  type RecordInput,
  type RetryFilter,
  type RetryManyOptions,
  type RetryProgress,
} from '../engine';
import { allowedTransitions, type CanonicalId, type Instant, type JsonObject } from '../model';
import { casePolicySchema } from '../rules';
import { type CaseRow, MaintenanceTask, open, type Tx } from '../store';
import { approvalsOf, listApprovals, refuse, takeBack } from './approvals';
import { blockedBy } from './blocked';
import { bulk } from './bulk';
import { Desk } from './desk';
import { GatedActions } from './gated-actions';
import { LifeCycle } from './life-cycle';
import type { Policies } from './policies';
import { readQueue } from './queue';
import { isClosed, lineById, mayAct, requireOwner } from './rows';
import { countQueues, groupCases } from './summaries';
import type {
  Approval,
  ApprovalState,
  BulkProgress,
  CaseAction,
  CaseEntry,
  CaseFilter,
  CaseGroup,
  CaseLine,
  CaseSort,
  CaseView,
  FlowGraph,
  GatedRequest,
  GatedResult,
  Page,
  PageRequest,
  Person,
  QueueCount,
} from './types';

export interface GovernanceOptions {
  engine: Engine;
  tenant: string;
  policies: Policies;
  flows?: FlowGraph;
  /** How often it is looked for cases whose time is over. */
  watchEveryMs?: number;
  onFailure(error: unknown): void;
}

const WATCH_EVERY_MS = 10_000;
/** Cases in one write: it holds the store as long as it lasts. */
const SWEEP = 50;

const NO_FLOWS: FlowGraph = { downstream: () => [] };

const byEngine = new WeakMap<Engine, Governance>();

/** The governance of an engine's cases. @throws Error when there is none: whoever made the engine must make it too */
export function governanceOf(engine: Engine): Governance {
  const known = byEngine.get(engine);
  if (known === undefined) throw new Error('This engine has no governance.');
  return known;
}

/**
 * Cases for pages and programs. Errors are Q2cError: `CASE_UNKNOWN`, `APPROVAL_UNKNOWN`; `CASE_CHANGED` when a version
 * is given and is not the case's any more; `NOT_PERMITTED` when the case belongs to another role, or the second person
 * is not a second one; `ILLEGAL_TRANSITION` when the status does not allow it; `REASON_MISSING`; `VALUE_INVALID`;
 * beside those of the engine's repairs.
 */
export class Governance {
  private readonly lifeCycle: LifeCycle;
  private readonly gated: GatedActions;
  private readonly watch: MaintenanceTask;
  private readonly leave: () => void;

  constructor(private readonly options: GovernanceOptions) {
    const { engine, policies, tenant, watchEveryMs = WATCH_EVERY_MS, onFailure } = options;
    const { store } = engine;
    this.lifeCycle = new LifeCycle(store, policies);
    this.gated = new GatedActions(engine, policies);
    this.watch = new MaintenanceTask(store, {
      name: 'case-sla',
      firstMs: watchEveryMs,
      lookMs: watchEveryMs,
      everyMs: watchEveryMs * 0.9,
      run: (signal) => this.sweep(signal),
      onFailure,
    });
    this.leave = governCases(store.db, new Desk(policies, tenant));
    byEngine.set(engine, this);
  }

  /** Knows the policies of earlier cases, and begins to watch the clock: on one host at a time. */
  async start(): Promise<void> {
    const { engine, policies } = this.options;
    for (const { content } of await engine.store.db.selectFrom('case_policy').select('content').execute()) {
      const parsed = casePolicySchema.safeParse(JSON.parse(content));
      // One that this version does not understand any more: its cases go by the firm's present one.
      if (parsed.success) policies.remember(parsed.data);
    }
    this.watch.start();
  }

  async stop(): Promise<void> {
    await this.watch.stop();
    this.leave();
  }

  /** Finds cases whose time is over, and those that have rested long enough. */
  async sweep(signal?: AbortSignal): Promise<void> {
    while (signal?.aborted !== true && (await this.lifeCycle.sweep(SWEEP)) > 0);
  }

  // ------------------------------------------------------------------ read

  queue(filter: CaseFilter, sort: CaseSort, page: PageRequest): Promise<Page<CaseLine>> {
    return readQueue(this.db, filter, sort, page);
  }

  groups(filter: CaseFilter): Promise<CaseGroup[]> {
    return groupCases(this.db, filter);
  }

  counts(): Promise<QueueCount[]> {
    return countQueues(this.db);
  }

  approvals(filter: { state?: ApprovalState; caseId?: string }, page: PageRequest): Promise<Page<Approval>> {
    return listApprovals(this.db, filter, page);
  }

  /** One case with all that its page shows; null when there is none. */
  async view(caseId: string, person: Person): Promise<CaseView | null> {
    const row = await this.db
      .selectFrom('exception_case')
      .selectAll()
      .where('id', '=', caseId)
      .executeTakeFirst();
    if (row === undefined) return null;
    return {
      ...(await lineById(this.db, row.id)),
      detail: JSON.parse(open(this.db, 'exception_case', 'detail', row)) as JsonObject,
      history: await this.history(row.id),
      approvals: await approvalsOf(this.db, row),
      blocked: await blockedBy(this.db, row, this.options.flows ?? NO_FLOWS),
      corrections: (await correctionViews(this.db, row.correlation_id)).filter(
        (each) => each.caseId === row.id,
      ),
      actions: actionsOn(row, person),
    };
  }

  private async history(caseId: CanonicalId): Promise<CaseEntry[]> {
    const rows = await this.db
      .selectFrom('case_history')
      .selectAll()
      .where('case_id', '=', caseId)
      .orderBy('seq')
      .execute();
    return rows.map((row) => ({
      at: row.at,
      by: row.actor,
      action: row.action,
      detail: JSON.parse(open(this.db, 'case_history', 'detail', row)) as JsonObject,
    }));
  }

  // ------------------------------------------------------------------ life cycle

  /** @param assignee null gives it back to its role; the status stays, for nothing leads back from `assigned` */
  assign(caseId: string, assignee: string | null, by: Person, version?: number): Promise<CaseLine> {
    return this.lifeCycle.assign(caseId, assignee, by, version);
  }

  comment(caseId: string, text: string, by: Person): Promise<CaseLine> {
    return this.lifeCycle.comment(caseId, text, by);
  }

  /** Out of the queue until then. The SLA goes on. */
  snooze(caseId: string, until: Instant, reason: string, by: Person, version?: number): Promise<CaseLine> {
    return this.lifeCycle.snooze(caseId, until, reason, by, version);
  }

  unsnooze(caseId: string, by: Person, version?: number): Promise<CaseLine> {
    return this.lifeCycle.unsnooze(caseId, by, version);
  }

  /** @param to role that is to own it; absent = as the policy says for a breach */
  escalate(
    caseId: string,
    to: string | undefined,
    reason: string,
    by: Person,
    version?: number,
  ): Promise<CaseLine> {
    return this.lifeCycle.escalate(caseId, to, reason, by, version);
  }

  startRepair(caseId: string, by: Person, version?: number): Promise<CaseLine> {
    return this.lifeCycle.startRepair(caseId, by, version);
  }

  readyToReplay(caseId: string, by: Person, version?: number): Promise<CaseLine> {
    return this.lifeCycle.readyToReplay(caseId, by, version);
  }

  /** What it was about is settled. @throws Q2cError also `CASE_NOT_SETTLED`, while its run is not through */
  resolve(caseId: string, reason: string, by: Person, version?: number): Promise<CaseLine> {
    return this.lifeCycle.resolve(caseId, reason, by, version);
  }

  // ------------------------------------------------------------------ what changes records or money

  /** At once, or stored until a second person agrees. */
  act(
    caseId: string,
    request: GatedRequest,
    reason: string,
    by: Person,
    version?: number,
  ): Promise<GatedResult> {
    return this.gated.act(caseId, request, reason, by, version);
  }

  /** The record that a check has refused, as whoever may correct it sees it. @throws Q2cError also `RECORD_NOT_KEPT` */
  async refusedRecord(caseId: string, by: Person): Promise<RecordInput> {
    const row = await this.db
      .selectFrom('exception_case')
      .select(['id', 'owner_role', 'assignee'])
      .where('id', '=', caseId)
      .executeTakeFirst();
    // An unknown case is told as such below.
    if (row !== undefined) requireOwner(row, by);
    return this.options.engine.repairs.records.input(caseId);
  }

  /** A retry or cancel of a run, whatever cases it has; `case` is null when it has none that is open. */
  actOnRun(
    runId: string,
    request: Extract<GatedRequest, { action: 'retry' | 'cancel' }>,
    reason: string,
    by: Person,
  ): ReturnType<GatedActions['actOnRun']> {
    return this.gated.actOnRun(runId, request, reason, by);
  }

  approve(approvalId: string, note: string, by: Person): Promise<GatedResult> {
    return this.gated.approve(approvalId, note, by);
  }

  async reject(approvalId: string, note: string, by: Person): Promise<Approval> {
    return (await refuse(this.options.engine.store, approvalId, note, by)).approval;
  }

  /** By the one who asked. */
  async withdraw(approvalId: string, by: Person): Promise<Approval> {
    return (await takeBack(this.options.engine.store, approvalId, by)).approval;
  }

  /** The same action on many cases; leaving the loop ends it before its next case. */
  bulk(
    caseIds: readonly CanonicalId[],
    request: GatedRequest | { action: 'assign'; assignee: string | null },
    reason: string,
    by: Person,
    signal?: AbortSignal,
  ): AsyncGenerator<BulkProgress> {
    const act = async (caseId: CanonicalId): Promise<GatedResult | null> => {
      if (request.action === 'assign') {
        await this.assign(caseId, request.assignee, by);
        return null;
      }
      const line = await lineById(this.db, caseId);
      if (request.action === 'retry' && line.status === 'replaying') return null;
      return this.act(caseId, request, reason, by);
    };
    return bulk(this.options.engine, caseIds, act, signal);
  }

  /** Retries all failed runs that match; those that need another role or a second person are passed over. */
  retryRuns(
    filter: RetryFilter,
    reason: string,
    by: Person,
    how: Pick<RetryManyOptions, 'atOnce' | 'signal'> = {},
  ): AsyncGenerator<RetryProgress> {
    const { repairs } = this.options.engine;
    return repairs.retryRuns(filter, { actor: by.name, reason }, { ...how, mayRetry: this.alone(by) });
  }

  /** As `retryRuns`, but it goes on whatever becomes of this host. @returns its id, for `engine.repairs.bulkRetries` */
  startRetryRuns(
    filter: RetryFilter,
    reason: string,
    by: Person,
    how: Pick<RetryManyOptions, 'atOnce'> = {},
  ): Promise<string> {
    const { bulkRetries } = this.options.engine.repairs;
    return bulkRetries.start(filter, { actor: by.name, reason }, { ...how, mayRetry: this.alone(by) });
  }

  private alone(by: Person) {
    return (tx: Tx, runId: string) => this.gated.mayRetryAlone(tx, runId, by);
  }

  private get db() {
    return this.options.engine.store.db;
  }
}

/** What this person may do with the case as it is. */
function actionsOn(row: CaseRow, person: Person): CaseAction[] {
  if (!mayAct(row, person)) return ['comment'];
  if (isClosed(row.state)) return ['comment'];
  const targets = allowedTransitions('exceptionCase.status', row.state).map(({ to }) => to);
  const can: [CaseAction, boolean][] = [
    ['assign', true],
    ['comment', true],
    ['snooze', row.snoozed_until === null],
    ['unsnooze', row.snoozed_until !== null],
    ['escalate', true],
    ['start_repair', row.state === 'open' || row.state === 'assigned'],
    ['ready_to_replay', targets.includes('ready_to_replay')],
    ['resolve', row.state === 'open' || row.state === 'assigned'],
    ['retry', row.state !== 'replaying'],
    ['correct', row.step_key !== null || row.fields !== null],
    ['complete', row.step_key !== null],
    ['skip', row.step_key !== null],
    ['cancel', true],
    ['waive', targets.includes('waived')],
  ];
  return can.filter(([, isPossible]) => isPossible).map(([action]) => action);
}
