import * as z from 'zod';
import { type Engine, type BulkJob as EngineBulkJob, RETRY_RUNS } from '../engine';
import { bulkCaseAction, type CaseGovernance, type Person } from '../governance';
import { type ExceptionCode, exceptionCodes } from '../model';
import type { LiveFeed } from './live';
import { given } from './paging';
import { component, reason } from './route';
import { gatedRequest, role } from './schemas/cases';
import { instant } from './schemas/common';
import type { BulkJob } from './schemas/operations';

/** The same action on many records: begun, watched and ended by people. It is in the store, and goes on after a restart. */

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
        z.strictObject({ action: z.literal('snooze'), until: instant }),
        z.strictObject({ action: z.literal('escalate'), to: role.optional() }),
      ]),
      reason,
    }),
  ]),
);
export type BulkRequest = z.output<typeof bulkRequest>;

/** Jobs that are told of: those under way, and as many that began lately. */
const TOLD = 50;

export class BulkJobs {
  constructor(
    private readonly engine: Engine,
    private readonly feed: LiveFeed,
  ) {}

  /** Newest first. */
  async list(): Promise<BulkJob[]> {
    return (await this.jobs.latest(TOLD)).map(viewOf);
  }

  /** @throws Q2cError `BULK_JOB_UNKNOWN` */
  async get(id: string): Promise<BulkJob> {
    return viewOf(await this.jobs.find(id));
  }

  /**
   * @returns the job as it stands; it ends once the records under way are done
   * @throws Q2cError `BULK_JOB_UNKNOWN`
   */
  async cancel(id: string, actor: string): Promise<BulkJob> {
    await this.jobs.cancel(id, actor);
    return this.get(id);
  }

  async start(wanted: BulkRequest, governance: CaseGovernance, person: Person): Promise<BulkJob> {
    const id = await begin(wanted, governance, person);
    this.feed.bulkBegun(id);
    return this.get(id);
  }

  private get jobs() {
    return this.engine.repairs.bulkJobs;
  }
}

function begin(wanted: BulkRequest, governance: CaseGovernance, person: Person): Promise<string> {
  if (wanted.action === 'retry_runs') {
    const { filter, reason: why, atOnce } = wanted;
    return governance.startRetryRuns(given(filter), why, person, { ...(atOnce && { atOnce }) });
  }
  const { caseIds, request, reason: why } = wanted;
  return governance.startBulk(caseIds, request, why, person);
}

function viewOf(job: EngineBulkJob): BulkJob {
  const { id, kind, actor, reason: why, startedAt, endedAt, isCancelled, lastError } = job;
  const { completed: done, ...progress } = job.progress;
  const state = isCancelled ? 'cancelled' : endedAt === null ? 'running' : 'completed';
  return {
    ...{ id, action: kind === RETRY_RUNS ? kind : bulkCaseAction(job), actor, reason: why, state },
    ...{ startedAt, endedAt, done, ...progress },
    lastError: lastError && { id: lastError.subject, code: lastError.code, message: lastError.message },
  };
}
