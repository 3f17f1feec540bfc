import * as z from 'zod';
import type { Engine, RetryProgress } from '../engine';
import type { BulkProgress, CaseGovernance, Person } from '../governance';
import { type ExceptionCode, exceptionCodes, newUlid, Q2cError } from '../model';
import type { LiveFeed } from './live';
import { given } from './paging';
import { component, reason } from './route';
import { gatedRequest } from './schemas/cases';
import { instant } from './schemas/common';
import type { BulkJob } from './schemas/operations';

/** The same action on many records: begun, watched and ended by people. Progress lives with the host that does it. */

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

export interface BulkWork {
  engine: Engine;
  governance: CaseGovernance;
  person: Person;
}

/** Jobs that have ended and are still told of. */
const KEPT = 50;

export class BulkJobs {
  private readonly jobs = new Map<string, { job: BulkJob; cancel: AbortController }>();

  constructor(
    private readonly feed: LiveFeed,
    private readonly now: () => string,
  ) {}

  /** Newest first. */
  list(): BulkJob[] {
    return [...this.jobs.values()].map(({ job }) => ({ ...job })).reverse();
  }

  get(id: string): BulkJob | null {
    const found = this.jobs.get(id);
    return found === undefined ? null : { ...found.job };
  }

  /** @returns the job as it stands; it ends once the record under way is done */
  cancel(id: string): BulkJob | null {
    this.jobs.get(id)?.cancel.abort();
    return this.get(id);
  }

  /** Ends all work before its next record. */
  end(): void {
    for (const { cancel } of this.jobs.values()) cancel.abort();
  }

  start(request: BulkRequest, work: BulkWork): BulkJob {
    const job: BulkJob = {
      id: `bulk_${newUlid()}`,
      action: request.action === 'cases' ? request.request.action : request.action,
      actor: work.person.name,
      reason: request.reason,
      state: 'running',
      startedAt: this.now(),
      endedAt: null,
      total: 0,
      done: 0,
      failed: 0,
      underWay: 0,
      pendingApproval: 0,
      passedOver: 0,
      lastError: null,
    };
    const cancel = new AbortController();
    this.jobs.set(job.id, { job, cancel });
    this.forgetOldest();
    const ended = (state: BulkJob['state'], error?: unknown) => {
      job.state = state;
      job.endedAt = this.now();
      if (error !== undefined) job.lastError = { id: null, ...errorOf(error) };
      this.told(job);
    };
    this.work(job, progressOf(request, work, cancel.signal)).then(
      () => ended(cancel.signal.aborted ? 'cancelled' : 'completed'),
      (error: unknown) => ended('failed', error),
    );
    return { ...job };
  }

  private async work(job: BulkJob, progress: AsyncIterable<Partial<BulkJob>>): Promise<void> {
    for await (const each of progress) {
      Object.assign(job, each);
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

async function* progressOf(
  request: BulkRequest,
  { engine, governance, person }: BulkWork,
  signal: AbortSignal,
): AsyncGenerator<Partial<BulkJob>> {
  if (request.action === 'retry_runs') {
    for await (const each of retryEveryRun(engine, request, person.name, signal)) yield ofRuns(each);
    return;
  }
  const { caseIds, request: act, reason: why } = request;
  for await (const each of governance.bulk(caseIds, act, why, person, signal)) yield ofCases(each);
}

const ofRuns = ({ total, underWay, completed, failed, passedOver }: RetryProgress): Partial<BulkJob> => ({
  total,
  underWay,
  done: completed,
  failed,
  passedOver,
});

const ofCases = ({ total, done, pendingApproval, failed, lastError }: BulkProgress): Partial<BulkJob> => ({
  total,
  done,
  pendingApproval,
  failed,
  lastError:
    lastError === null ? null : { id: lastError.caseId, code: lastError.code, message: lastError.message },
});

/** @param signal ends it before its next run */
export function retryEveryRun(
  engine: Engine,
  request: { filter: z.output<typeof retryFilter>; reason: string; atOnce?: number | undefined },
  actor: string,
  signal: AbortSignal,
): AsyncGenerator<RetryProgress> {
  const { filter, reason: why, atOnce } = request;
  const author = { actor, reason: why };
  return engine.repairs.retryRuns(given(filter), author, { signal, ...(atOnce && { atOnce }) });
}

const errorOf = (error: unknown): { code: string; message: string } =>
  error instanceof Q2cError
    ? { code: error.code, message: error.message }
    : {
        code: 'NODE_FAILED',
        message: 'It failed in a way that was not foreseen; the log of Node-RED says how.',
      };
