import { setTimeout as pause } from 'node:timers/promises';
import { sql } from 'kysely';
import type { Instant } from '../model';
import type { BulkItemState, Store, Tx } from '../store';
import { type BulkItem, type BulkJobs, type BulkProgress, type BulkWork, setItem } from './bulk-jobs';
import type { Author } from './decisions';
import { requireReason } from './repair';
import { rerun } from './rerun';
import { failedRuns, type RetryFilter } from './retry-filter';

/** Retries many failed runs: a job on many records whose runs must be retried once each, whatever becomes of the host. */

/** No retry waits for a second person here: those that need one are passed over. */
export type RetryProgress = Omit<BulkProgress, 'pendingApproval'>;

export interface RetryManyOptions {
  /** Runs under way at a time. One source node dispatches more than that, so that new deals find room. */
  atOnce?: number;
  /** Ends it before its next run; those under way go on. */
  signal?: AbortSignal;
  /** Asked for each run at the beginning; one that may not be retried is passed over. Default: all may. */
  mayRetry?: MayRetry;
}

export type MayRetry = (tx: Tx, runId: string) => Promise<boolean>;

export interface BulkRetriesOptions {
  store: Store;
  jobs: BulkJobs;
  now(): Instant;
  /** Fires when the engine stops. */
  stopping: AbortSignal;
  pump(sourceNode: string): void;
}

/** Kind of its jobs. */
export const RETRY_RUNS = 'retry_runs';

const AT_ONCE = 2;
/** How often the progress is looked for. */
const LOOK_EVERY_MS = 100;

export class BulkRetries {
  constructor(private readonly options: BulkRetriesOptions) {
    options.jobs.register(RETRY_RUNS, (item, settle) => this.retry(item, settle));
  }

  /**
   * Begins to retry all failed runs that match. It goes on whatever becomes of this host.
   * @returns its id, for `BulkJobs`
   * @throws Q2cError `REASON_MISSING`
   */
  async start(
    filter: RetryFilter,
    author: Author,
    { atOnce = AT_ONCE, mayRetry }: Omit<RetryManyOptions, 'signal'> = {},
  ): Promise<string> {
    const { id } = await this.record(filter, author, atOnce, mayRetry);
    this.options.jobs.goOn();
    return id;
  }

  /**
   * Retries as `start` and tells the progress at the beginning and whenever it has changed. Leaving the loop cancels it
   * like the signal; the end of this host does not.
   * @throws Q2cError `REASON_MISSING`
   */
  async *watch(
    filter: RetryFilter,
    author: Author,
    { atOnce = AT_ONCE, signal, mayRetry }: RetryManyOptions = {},
  ): AsyncGenerator<RetryProgress> {
    const { store, stopping, jobs } = this.options;
    requireReason(author);
    if (signal?.aborted) {
      yield { ...NONE, total: await count(store.db, filter) };
      return;
    }
    const { id, total } = await this.record(filter, author, atOnce, mayRetry);
    let told: RetryProgress = { ...NONE, total };
    let isOver = false;
    const cancelled = signal === undefined ? stopping : AbortSignal.any([stopping, signal]);
    try {
      yield told;
      jobs.goOn();
      for (let isCancelled = false; !isOver; ) {
        stopping.throwIfAborted();
        if (signal?.aborted && !isCancelled) {
          await jobs.cancel(id, author.actor);
          isCancelled = true;
        }
        const { progress, endedAt } = await jobs.find(id);
        const { pendingApproval: _none, ...tells } = progress;
        isOver = endedAt !== null;
        if (hasChanged(told, tells)) yield tells;
        told = tells;
        // It ends early when there is something to do at once.
        const ending = isCancelled ? stopping : cancelled;
        if (!isOver) await pause(LOOK_EVERY_MS, undefined, { signal: ending }).catch(() => undefined);
      }
    } finally {
      if (!isOver && !stopping.aborted) await jobs.cancel(id, author.actor);
    }
  }

  /** Retry and outcome are one write: a run is not retried twice, whenever a host dies. */
  private async retry({ subject, actor, reason }: BulkItem, settle: Parameters<BulkWork>[1]): Promise<void> {
    const { store, now, pump } = this.options;
    const source = await store.write(async (tx) => {
      const run = await tx.selectFrom('run').selectAll().where('id', '=', subject).executeTakeFirst();
      // Retried by somebody else, or so old that it was removed.
      if (run?.state !== 'failed') {
        await settle(tx, { state: 'passed_over' });
        return null;
      }
      await rerun(tx, run, { actor, reason }, now());
      await settle(tx, { state: 'under_way', runId: subject, attempt: run.attempt + 1 });
      return run.source_node;
    });
    if (source !== null) pump(source);
  }

  private record(
    filter: RetryFilter,
    author: Author,
    atOnce: number,
    mayRetry: MayRetry | undefined,
  ): Promise<{ id: string; total: number }> {
    const request = JSON.stringify({ filter });
    const audit = { action: 'runs.retried', detail: { filter: { ...filter } } };
    return this.options.jobs.record(
      { ...author, kind: RETRY_RUNS, request, atOnce, audit },
      async (tx, id) => {
        const matching = failedRuns(tx, filter).select((run) => [
          run.val(id).as('job'),
          'run.seq',
          'run.id as subject',
          sql.lit<BulkItemState>('waiting').as('state'),
        ]);
        await tx
          .insertInto('bulk_item')
          .columns(['job', 'seq', 'subject', 'state'])
          .expression(matching)
          .execute();
        if (mayRetry !== undefined) await passOver(tx, id, mayRetry);
      },
    );
  }
}

async function passOver(tx: Tx, id: string, mayRetry: MayRetry): Promise<void> {
  const rows = await tx.selectFrom('bulk_item').select(['seq', 'subject']).where('job', '=', id).execute();
  for (const { seq, subject } of rows) {
    if (!(await mayRetry(tx, subject))) await setItem(tx, id, seq, { state: 'passed_over' });
  }
}

const NONE: RetryProgress = { total: 0, underWay: 0, completed: 0, failed: 0, passedOver: 0 };

async function count(tx: Tx, filter: RetryFilter): Promise<number> {
  const { runs } = await failedRuns(tx, filter)
    .select((run) => run.fn.countAll<number>().as('runs'))
    .executeTakeFirstOrThrow();
  return runs;
}

function hasChanged(before: RetryProgress, after: RetryProgress): boolean {
  return (Object.keys(after) as (keyof RetryProgress)[]).some((key) => before[key] !== after[key]);
}
