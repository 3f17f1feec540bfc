import * as z from 'zod';
import type { BulkRetry, Engine } from '../engine';
import type { BulkProgress, CaseGovernance, Person } from '../governance';
import { type ExceptionCode, exceptionCodes, newUlid, Q2cError } from '../model';
import type { LiveFeed } from './live';
import { given } from './paging';
import { component, reason } from './route';
import { gatedRequest } from './schemas/cases';
import { instant } from './schemas/common';
import type { BulkJob } from './schemas/operations';

/**
 * The same action on many records: begun, watched and ended by people. Retries of runs are in the store, go on after a
 * restart and on other hosts; work on cases lives with the host that does it.
 */

const codes = Object.keys(exceptionCodes) as [ExceptionCode, ...ExceptionCode[]];

/** Whom and what a retry of many runs is about. */
export const retryFilter = component(
  'RetryFilter',
  z
    .strictObject({
      waitingFor: z.enum(['person', 'time']),
      code: z.enum(codes),
      system: z.string(),
      sourceNode: z.string(),
      failedBefore: instant,
      failedSince: instant,
    })
    .partial(),
);

const MOST_CASES = 5_000;

export const bulkRequest = component(
  'BulkRequest',
  z.discriminatedUnion('action', [
    z.strictObject({
      action: z.literal('retry_runs'),
      filter: retryFilter,
      reason,
      atOnce: z.int().min(1).max(50).optional(),
    }),
    z.strictObject({
      action: z.literal('cases'),
      caseIds: z.array(z.string()).min(1).max(MOST_CASES),
      request: z.union([
        gatedRequest,
        z.strictObject({ action: z.literal('assign'), assignee: z.string().trim().min(1).nullable() }),
      ]),
      reason,
    }),
  ]),
);
export type BulkRequest = z.output<typeof bulkRequest>;

type CaseRequest = Extract<BulkRequest, { action: 'cases' }>;

/** Jobs that have ended and are still told of. */
const KEPT = 50;

export class BulkJobs {
  private readonly jobs = new Map<string, { job: BulkJob; cancel: AbortController }>();

  constructor(
    private readonly engine: Engine,
    private readonly feed: LiveFeed,
  ) {}

  /** Newest first. */
  async list(): Promise<BulkJob[]> {
    const rows = await this.engine.store.db
      .selectFrom('bulk_retry')
      .select('id')
      .orderBy('started_at', 'desc')
      .limit(KEPT)
      .execute();
    const retries: BulkJob[] = [];
    for (const { id } of rows) retries.push(ofRetry(await this.engine.repairs.bulkRetries.find(id)));
    return [...[...this.jobs.values()].map(({ job }) => ({ ...job })), ...retries].sort((a, b) =>
      a.startedAt < b.startedAt ? 1 : -1,
    );
  }

  /** @throws Q2cError `BULK_RETRY_UNKNOWN` */
  async get(id: string): Promise<BulkJob> {
    const found = this.jobs.get(id);
    return found === undefined ? ofRetry(await this.engine.repairs.bulkRetries.find(id)) : { ...found.job };
  }

  /**
   * @returns the job as it stands; it ends once the record under way is done
   * @throws Q2cError `BULK_RETRY_UNKNOWN`
   */
  async cancel(id: string, actor: string): Promise<BulkJob> {
    const found = this.jobs.get(id);
    if (found === undefined) await this.engine.repairs.bulkRetries.cancel(id, actor);
    else found.cancel.abort();
    return this.get(id);
  }

  /** Ends all work of this host before its next record; retries of runs go on at the next start. */
  end(): void {
    for (const { cancel } of this.jobs.values()) cancel.abort();
  }

  async start(request: BulkRequest, governance: CaseGovernance, person: Person): Promise<BulkJob> {
    if (request.action === 'cases') return this.startCases(request, governance, person);
    const { filter, reason: why, atOnce } = request;
    const id = await governance.startRetryRuns(given(filter), why, person, { ...(atOnce && { atOnce }) });
    this.feed.retryBegun(id);
    return this.get(id);
  }

  private startCases(request: CaseRequest, governance: CaseGovernance, person: Person): BulkJob {
    const job: BulkJob = {
      ...NOTHING_DONE,
      id: `bulk_${newUlid()}`,
      action: request.request.action,
      actor: person.name,
      reason: request.reason,
      state: 'running',
      startedAt: this.engine.store.now(),
      endedAt: null,
    };
    const cancel = new AbortController();
    this.jobs.set(job.id, { job, cancel });
    this.forgetOldest();
    const ended = (state: BulkJob['state'], error?: unknown) => {
      job.state = state;
      job.endedAt = this.engine.store.now();
      if (error !== undefined) job.lastError = { id: null, ...errorOf(error) };
      this.told(job);
    };
    const { caseIds, request: act, reason: why } = request;
    this.work(job, governance.bulk(caseIds, act, why, person, cancel.signal)).then(
      () => ended(cancel.signal.aborted ? 'cancelled' : 'completed'),
      (error: unknown) => ended('failed', error),
    );
    return { ...job };
  }

  private async work(job: BulkJob, progress: AsyncIterable<BulkProgress>): Promise<void> {
    for await (const { total, done, pendingApproval, failed, lastError } of progress) {
      const error = lastError && { id: lastError.caseId, code: lastError.code, message: lastError.message };
      Object.assign(job, { total, done, pendingApproval, failed, lastError: error });
      this.told(job);
    }
  }

  private told({ id, state }: BulkJob): void {
    this.feed.publish({ what: 'bulk', action: `bulk.${state}`, subject: id, runId: null });
  }

  private forgetOldest(): void {
    const ended = [...this.jobs].filter(([, { job }]) => job.endedAt !== null);
    for (const [id] of ended.slice(0, Math.max(0, ended.length - KEPT))) this.jobs.delete(id);
  }
}

const NOTHING_DONE = {
  total: 0,
  done: 0,
  failed: 0,
  underWay: 0,
  pendingApproval: 0,
  passedOver: 0,
  lastError: null,
} as const;

function ofRetry({ id, actor, reason: why, startedAt, endedAt, isCancelled, progress }: BulkRetry): BulkJob {
  const { total, completed: done, failed, underWay, passedOver } = progress;
  const state = isCancelled ? 'cancelled' : endedAt === null ? 'running' : 'completed';
  return {
    ...NOTHING_DONE,
    ...{ id, action: 'retry_runs', actor, reason: why, state, startedAt, endedAt },
    ...{ total, done, failed, underWay, passedOver },
  };
}

const errorOf = (error: unknown): { code: string; message: string } =>
  error instanceof Q2cError
    ? { code: error.code, message: error.message }
    : {
        code: 'NODE_FAILED',
        message: 'It failed in a way that was not foreseen; the log of Node-RED says how.',
      };
