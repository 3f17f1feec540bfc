import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { sql } from 'kysely';
import { type Instant, Q2cError } from '../model';
import { appendAudit, type BulkRetryRow, type BulkRetryRunState, type Store, type Tx } from '../store';
import type { Author } from './decisions';
import type { Leases } from './leases';
import { requireReason } from './repair';
import { rerun } from './rerun';
import { failedRuns, type RetryFilter } from './retry-filter';

/**
 * Retries many failed runs, a few at a time, so that live work goes on beside them. How far it has come is in the store:
 * one of the hosts works on it, another one takes it up when that is gone, and any of them can cancel it.
 */

export interface RetryProgress {
  /** Runs that matched when it began. */
  total: number;
  /** Retried and not at an end yet. */
  underWay: number;
  completed: number;
  /** Failed once more. */
  failed: number;
  /** Not failed any more when their turn came, because somebody else was quicker, or not to be retried in bulk. */
  passedOver: number;
}

export interface BulkRetry extends Author {
  id: string;
  filter: RetryFilter;
  startedAt: Instant;
  /** Null while it goes on; cancelled, it ends with the last run under way. */
  endedAt: Instant | null;
  isCancelled: boolean;
  progress: RetryProgress;
}

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
  leases: Leases;
  now(): Instant;
  /** Fires when the engine stops. */
  stopping: AbortSignal;
  pump(sourceNode: string): void;
  /** Remembers work until it settles. */
  track<T>(promise: Promise<T>): Promise<T>;
  onFailure(what: string, error: unknown): void;
}

const ROLE = 'bulk-retry';
const AT_ONCE = 2;
/** How often ends are looked for: several hosts may work on the runs, so that no event of this one tells. */
const LOOK_EVERY_MS = 100;
/** Runs that are looked at in one write: most of them may have been retried by somebody else. */
const PAGE = 50;

export class BulkRetries {
  private working: Promise<void> | null = null;

  constructor(private readonly options: BulkRetriesOptions) {}

  /**
   * Begins to retry all failed runs that match. It goes on whatever becomes of this host.
   * @returns its id
   * @throws Q2cError `REASON_MISSING`
   */
  async start(
    filter: RetryFilter,
    author: Author,
    { atOnce = AT_ONCE, mayRetry }: Omit<RetryManyOptions, 'signal'> = {},
  ): Promise<string> {
    const { id } = await this.record(filter, author, atOnce, mayRetry);
    this.goOn();
    return id;
  }

  /** @throws Q2cError `BULK_RETRY_UNKNOWN` */
  async find(id: string): Promise<BulkRetry> {
    const { db } = this.options.store;
    const row = await bulkRetryById(db, id);
    return {
      id,
      actor: row.actor,
      reason: row.reason,
      filter: JSON.parse(row.filter) as RetryFilter,
      startedAt: row.started_at,
      endedAt: row.ended_at,
      isCancelled: row.state === 'cancelled',
      progress: await progressOf(db, id),
    };
  }

  /** Ids of those that go on, in order of their start. */
  async underWay(): Promise<string[]> {
    return (await unfinished(this.options.store.db)).map(({ id }) => id);
  }

  /**
   * Retries no further run; those under way go on. Cancelling one that has ended changes nothing.
   * @throws Q2cError `BULK_RETRY_UNKNOWN`
   */
  async cancel(id: string, actor: string): Promise<void> {
    const { store, now } = this.options;
    await store.write(async (tx) => {
      await bulkRetryById(tx, id);
      const cancelled = await tx
        .updateTable('bulk_retry')
        .set({ state: 'cancelled' })
        .where('id', '=', id)
        .where('state', '=', 'running')
        .where('ended_at', 'is', null)
        .returning('id')
        .executeTakeFirst();
      if (cancelled === undefined) return;
      const entry = { actor, action: 'runs.retry_cancelled', subject: 'runs', runId: null };
      await appendAudit(tx, { at: now(), ...entry, detail: { bulkRetry: id } });
    });
    this.goOn();
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
    const { store, stopping } = this.options;
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
      this.goOn();
      for (let isCancelled = false; !isOver; ) {
        stopping.throwIfAborted();
        if (signal?.aborted && !isCancelled) {
          await this.cancel(id, author.actor);
          isCancelled = true;
        }
        const { progress, endedAt } = await this.find(id);
        isOver = endedAt !== null;
        if (hasChanged(told, progress)) yield progress;
        told = progress;
        // It ends early when there is something to do at once.
        const ending = isCancelled ? stopping : cancelled;
        if (!isOver) await pause(LOOK_EVERY_MS, undefined, { signal: ending }).catch(() => undefined);
      }
    } finally {
      if (!isOver && !stopping.aborted) await this.cancel(id, author.actor);
    }
  }

  /** Works on what is unfinished, as long as there is something and no other host does. */
  work(): Promise<void> {
    this.working ??= this.workOff().finally(() => {
      this.working = null;
    });
    return this.working;
  }

  private goOn(): void {
    const { track, onFailure } = this.options;
    track(this.work()).catch((error: unknown) => onFailure('Runs could not be retried', error));
  }

  private async workOff(): Promise<void> {
    const { store, leases, stopping, pump } = this.options;
    while (!stopping.aborted) {
      const open = await unfinished(store.db);
      if (open.length === 0) return leases.leave(ROLE);
      if (!(await leases.take(ROLE))) return;
      for (const { id } of open) {
        const sources = await store.write((tx) => this.advance(tx, id));
        for (const source of new Set(sources)) pump(source);
      }
      // A pause ends early for one reason only: the engine stops.
      await pause(LOOK_EVERY_MS, undefined, { signal: stopping }).catch(() => undefined);
    }
  }

  /** Takes up ends, and retries as many runs as there is room for. @returns their source nodes */
  private async advance(tx: Tx, id: string): Promise<string[]> {
    const { leases, now } = this.options;
    await leases.requireRole(tx, ROLE);
    const row = await bulkRetryById(tx, id);
    const underWay = await settle(tx, id);
    const { sources, isLast } =
      row.state === 'running' ? await this.retryNext(tx, row, underWay) : { sources: [], isLast: true };
    if (isLast && underWay + sources.length === 0) {
      await tx.updateTable('bulk_retry').set({ ended_at: now() }).where('id', '=', id).execute();
    }
    return sources;
  }

  private async retryNext(
    tx: Tx,
    { id, at_once, actor, reason }: BulkRetryRow,
    underWay: number,
  ): Promise<{ sources: string[]; isLast: boolean }> {
    const waiting = await tx
      .selectFrom('bulk_retry_run')
      .selectAll()
      .where('bulk_retry', '=', id)
      .where('state', '=', sql.lit<BulkRetryRunState>('waiting'))
      .orderBy('run_seq')
      .limit(PAGE)
      .execute();
    const sources: string[] = [];
    for (const { run_seq, run_id } of waiting) {
      if (underWay + sources.length >= at_once) break;
      const run = await tx.selectFrom('run').selectAll().where('id', '=', run_id).executeTakeFirst();
      // Retried by somebody else, or so old that it was removed.
      if (run?.state !== 'failed') {
        await setRun(tx, id, run_seq, { state: 'passed_over' });
        continue;
      }
      await rerun(tx, run, { actor, reason }, this.options.now());
      await setRun(tx, id, run_seq, { state: 'under_way', attempt: run.attempt + 1 });
      sources.push(run.source_node);
    }
    return { sources, isLast: waiting.length === 0 };
  }

  private async record(
    filter: RetryFilter,
    author: Author,
    atOnce: number,
    mayRetry: MayRetry | undefined,
  ): Promise<{ id: string; total: number }> {
    requireReason(author);
    const { store, now } = this.options;
    const id = `retry_${randomUUID()}`;
    const at = now();
    const total = await store.write(async (tx) => {
      await tx
        .insertInto('bulk_retry')
        .values({
          ...{ id, filter: JSON.stringify(filter), at_once: atOnce, state: 'running', started_at: at },
          ...{ actor: author.actor, reason: author.reason },
        })
        .execute();
      const matching = failedRuns(tx, filter).select((run) => [
        run.val(id).as('bulk_retry'),
        'run.seq',
        'run.id',
        sql.lit<BulkRetryRunState>('waiting').as('state'),
      ]);
      await tx
        .insertInto('bulk_retry_run')
        .columns(['bulk_retry', 'run_seq', 'run_id', 'state'])
        .expression(matching)
        .execute();
      if (mayRetry !== undefined) await passOver(tx, id, mayRetry);
      const { total } = await progressOf(tx, id);
      const entry = { at, actor: author.actor, action: 'runs.retried', subject: 'runs', runId: null };
      const detail = { bulkRetry: id, reason: author.reason, filter: { ...filter }, total };
      await appendAudit(tx, { ...entry, detail });
      return total;
    });
    return { id, total };
  }
}

async function passOver(tx: Tx, id: string, mayRetry: MayRetry): Promise<void> {
  const rows = await tx
    .selectFrom('bulk_retry_run')
    .select(['run_seq', 'run_id'])
    .where('bulk_retry', '=', id)
    .execute();
  for (const { run_seq, run_id } of rows) {
    if (!(await mayRetry(tx, run_id))) await setRun(tx, id, run_seq, { state: 'passed_over' });
  }
}

const NONE: RetryProgress = { total: 0, underWay: 0, completed: 0, failed: 0, passedOver: 0 };

/** Null: it counts in the total only. */
const COUNTED: Record<BulkRetryRunState, Exclude<keyof RetryProgress, 'total'> | null> = {
  waiting: null,
  under_way: 'underWay',
  completed: 'completed',
  failed: 'failed',
  passed_over: 'passedOver',
};

async function progressOf(tx: Tx, id: string): Promise<RetryProgress> {
  const rows = await tx
    .selectFrom('bulk_retry_run')
    .select((row) => ['state', row.fn.countAll<number>().as('runs')])
    .where('bulk_retry', '=', id)
    .groupBy('state')
    .execute();
  const progress = { ...NONE };
  for (const { state, runs } of rows) {
    progress.total += runs;
    const counted = COUNTED[state];
    if (counted !== null) progress[counted] = runs;
  }
  return progress;
}

/** Takes up how runs under way have ended. @returns how many have not */
async function settle(tx: Tx, id: string): Promise<number> {
  const rows = await tx
    .selectFrom('bulk_retry_run as retried')
    .innerJoin('run', 'run.id', 'retried.run_id')
    .select(['retried.run_seq', 'retried.attempt as ours', 'run.attempt', 'run.state'])
    .where('retried.bulk_retry', '=', id)
    .where('retried.state', '=', sql.lit<BulkRetryRunState>('under_way'))
    .execute();
  let underWay = 0;
  for (const { run_seq, ours, attempt, state } of rows) {
    // Another attempt by itself means that ours has failed.
    if (state === 'failed' || attempt !== ours) await setRun(tx, id, run_seq, { state: 'failed' });
    else if (state === 'queued' || state === 'running') underWay++;
    else await setRun(tx, id, run_seq, { state: 'completed' });
  }
  return underWay;
}

async function setRun(
  tx: Tx,
  id: string,
  runSeq: number,
  values: { state: BulkRetryRunState; attempt?: number },
): Promise<void> {
  await tx
    .updateTable('bulk_retry_run')
    .set(values)
    .where('bulk_retry', '=', id)
    .where('run_seq', '=', runSeq)
    .execute();
}

function unfinished(tx: Tx): Promise<{ id: string }[]> {
  return tx
    .selectFrom('bulk_retry')
    .select('id')
    .where('ended_at', 'is', null)
    .orderBy('started_at')
    .orderBy('id')
    .execute();
}

/** @throws Q2cError `BULK_RETRY_UNKNOWN` */
async function bulkRetryById(tx: Tx, id: string): Promise<BulkRetryRow> {
  const row = await tx.selectFrom('bulk_retry').selectAll().where('id', '=', id).executeTakeFirst();
  if (row !== undefined) return row;
  throw new Q2cError('BULK_RETRY_UNKNOWN', `There is no retry of many runs ${id}.`);
}

async function count(tx: Tx, filter: RetryFilter): Promise<number> {
  const { runs } = await failedRuns(tx, filter)
    .select((run) => run.fn.countAll<number>().as('runs'))
    .executeTakeFirstOrThrow();
  return runs;
}

function hasChanged(before: RetryProgress, after: RetryProgress): boolean {
  return (Object.keys(after) as (keyof RetryProgress)[]).some((key) => before[key] !== after[key]);
}
