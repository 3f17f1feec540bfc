import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { sql } from 'kysely';
import { type Instant, type JsonObject, Q2cError } from '../model';
import {
  appendAudit,
  type BulkItemState,
  type BulkJobRow,
  open as openSealed,
  type Store,
  seal,
  type Tx,
} from '../store';
import type { Author } from './decisions';
import type { Leases } from './leases';
import { requireReason } from './repair';

/**
 * The same action on many records, a few at a time, so that live work goes on beside it. What is to be done and how far
 * it has come is in the store: one of the hosts works on it, another one takes it up when that is gone, and any of them
 * can cancel it. What the action is, its kind says.
 */

export interface BulkProgress {
  /** Records that it was begun for. */
  total: number;
  /** Begun and not at an end yet. */
  underWay: number;
  completed: number;
  /** Refused, or failed once more. */
  failed: number;
  /** Not to be done any more when their turn came, or not in bulk. */
  passedOver: number;
  /** Wait for a second person. */
  pendingApproval: number;
}

/** Why a record could not be dealt with. */
export interface BulkError {
  subject: string;
  code: string;
  message: string;
}

export interface BulkJob extends Author {
  id: string;
  kind: string;
  /** JSON: what the kind has to know to do it. */
  request: string;
  startedAt: Instant;
  /** Null while it goes on; cancelled, it ends with the last record under way. */
  endedAt: Instant | null;
  isCancelled: boolean;
  progress: BulkProgress;
  /** The latest. */
  lastError: BulkError | null;
}

/** One record of a job whose turn has come. */
export interface BulkItem extends Author {
  job: string;
  /** Order in which the records are dealt with. */
  seq: number;
  /** Id of the record. */
  subject: string;
  request: string;
}

/** What became of it. Under way, it ends with that attempt of that run. */
export type BulkOutcome =
  | { state: 'completed' | 'passed_over' | 'pending_approval' }
  | { state: 'under_way'; runId: string; attempt: number }
  | { state: 'failed'; code: string; message: string };

/**
 * Does the action of a kind on one record, and settles what became of it, in the same write where that is possible. A
 * host that dies in between leaves the record to another one, which does it again: doing it twice must be harmless.
 * What it throws is what the record has failed with.
 */
export type BulkWork = (
  item: BulkItem,
  settle: (tx: Tx, outcome: BulkOutcome) => Promise<void>,
) => Promise<void>;

export interface NewBulkJob extends Author {
  kind: string;
  request: string;
  /** Records under way at a time. */
  atOnce: number;
  /** Action and detail of the line in the audit that says who has begun what. */
  audit: { action: string; detail: JsonObject };
}

export interface BulkJobsOptions {
  store: Store;
  leases: Leases;
  now(): Instant;
  /** Fires when the engine stops. */
  stopping: AbortSignal;
  /** Remembers work until it settles. */
  track<T>(promise: Promise<T>): Promise<T>;
  onFailure(what: string, error: unknown): void;
}

const ROLE = 'bulk-job';
/** How often ends are looked for: several hosts may work on the runs, so that no event of this one tells. */
const LOOK_EVERY_MS = 100;
/** Records of one job before it is the turn of the next job. */
const TURN = 50;

const UNFORESEEN = {
  code: 'NODE_FAILED',
  message: 'It failed in a way that was not foreseen; the log of Node-RED says how.',
};

export class BulkJobs {
  private readonly kinds = new Map<string, BulkWork>();
  private working: Promise<void> | null = null;

  constructor(private readonly options: BulkJobsOptions) {}

  /** From now on this host does work of this kind. @returns ends that */
  register(kind: string, work: BulkWork): () => void {
    this.kinds.set(kind, work);
    return () => this.kinds.delete(kind);
  }

  /**
   * Writes a job down; `goOn` begins to work on it.
   * @param fill adds the items, within the same write
   * @throws Q2cError `REASON_MISSING`
   */
  async record(
    { kind, request, atOnce, actor, reason, audit }: NewBulkJob,
    fill: (tx: Tx, id: string) => Promise<void>,
  ): Promise<{ id: string; total: number }> {
    requireReason({ actor, reason });
    const { store, now } = this.options;
    const id = `bulk_${randomUUID()}`;
    const at = now();
    return store.write(async (tx) => {
      await tx
        .insertInto('bulk_job')
        .values({
          ...{ id, kind, actor, reason, at_once: atOnce, state: 'running', started_at: at },
          request: seal(tx, 'bulk_job', 'request', { id }, request),
        })
        .execute();
      await fill(tx, id);
      const { total } = await progressOf(tx, id);
      const detail = { bulkJob: id, reason, ...audit.detail, total };
      await appendAudit(tx, { at, actor, action: audit.action, subject: id, runId: null, detail });
      return { id, total };
    });
  }

  /** @throws Q2cError `BULK_JOB_UNKNOWN` */
  async find(id: string): Promise<BulkJob> {
    const { db } = this.options.store;
    return this.jobOf(await jobById(db, id));
  }

  /** The latest first. */
  async latest(limit: number): Promise<BulkJob[]> {
    const rows = await this.options.store.db
      .selectFrom('bulk_job')
      .selectAll()
      .orderBy('started_at', 'desc')
      .orderBy('id')
      .limit(limit)
      .execute();
    return Promise.all(rows.map((row) => this.jobOf(row)));
  }

  /** Ids of those that go on, in order of their start. */
  async underWay(): Promise<string[]> {
    return (await unfinished(this.options.store.db)).map(({ id }) => id);
  }

  /**
   * Begins no further record; those under way go on. Cancelling a job that has ended changes nothing.
   * @throws Q2cError `BULK_JOB_UNKNOWN`
   */
  async cancel(id: string, actor: string): Promise<void> {
    const { store, now } = this.options;
    await store.write(async (tx) => {
      await jobById(tx, id);
      const cancelled = await tx
        .updateTable('bulk_job')
        .set({ state: 'cancelled' })
        .where('id', '=', id)
        .where('state', '=', 'running')
        .where('ended_at', 'is', null)
        .returning('kind')
        .executeTakeFirst();
      if (cancelled === undefined) return;
      const entry = { actor, action: 'bulk.cancelled', subject: id, runId: null };
      await appendAudit(tx, { at: now(), ...entry, detail: { kind: cancelled.kind } });
    });
    this.goOn();
  }

  goOn(): void {
    const { track, onFailure } = this.options;
    track(this.work()).catch((error: unknown) => onFailure('Work on many records could not go on', error));
  }

  /** Works on what is unfinished, as long as there is something and no other host does. */
  work(): Promise<void> {
    this.working ??= this.workOff().finally(() => {
      this.working = null;
    });
    return this.working;
  }

  private async workOff(): Promise<void> {
    const { store, leases, stopping } = this.options;
    while (!stopping.aborted) {
      const open = await unfinished(store.db);
      if (open.length === 0) return leases.leave(ROLE);
      if (!(await leases.take(ROLE))) return;
      let isTurnOver = false;
      for (const job of open) isTurnOver = (await this.advance(job)) || isTurnOver;
      // A pause ends early for one reason only: the engine stops.
      if (!isTurnOver) await pause(LOOK_EVERY_MS, undefined, { signal: stopping }).catch(() => undefined);
    }
  }

  /** Takes up ends, and begins as many records as there is room for. @returns true when there is more to do at once */
  private async advance({
    id,
    at_once,
    kind,
  }: Pick<BulkJobRow, 'id' | 'at_once' | 'kind'>): Promise<boolean> {
    const { store, leases, stopping } = this.options;
    const work = this.kinds.get(kind);
    // Of a part that has not started yet, or of a newer version on another host.
    if (work === undefined) return false;
    for (let count = 0; count < TURN && !stopping.aborted; count++) {
      const item = await store.write(async (tx) => {
        await leases.requireRole(tx, ROLE);
        return this.next(tx, id, at_once);
      }, 'committed');
      if (item === null) return false;
      await this.deal(item, work);
    }
    return true;
  }

  private async deal(item: BulkItem, work: BulkWork): Promise<void> {
    const { store, stopping, onFailure } = this.options;
    try {
      await work(item, (tx, outcome) => this.settle(tx, item, outcome));
    } catch (error) {
      // Whoever goes on with the job finds out about this record.
      if (stopping.aborted || (error instanceof Q2cError && error.code === 'LEASE_LOST')) throw error;
      if (!(error instanceof Q2cError)) onFailure(`${item.subject} could not be dealt with`, error);
      const { code, message } = error instanceof Q2cError ? error : UNFORESEEN;
      await store.write((tx) => this.settle(tx, item, { state: 'failed', code, message }));
    }
  }

  /** The record whose turn it is; null when there is no room or nothing left, and then the job may have ended. */
  private async next(tx: Tx, id: string, atOnce: number): Promise<BulkItem | null> {
    const underWay = await settleRuns(tx, id);
    if (underWay >= atOnce) return null;
    const row = await jobById(tx, id);
    const waiting =
      row.state === 'cancelled'
        ? undefined
        : await tx
            .selectFrom('bulk_item')
            .select(['seq', 'subject'])
            .where('job', '=', id)
            .where('state', '=', sql.lit<BulkItemState>('waiting'))
            .orderBy('seq')
            .limit(1)
            .executeTakeFirst();
    if (waiting !== undefined) {
      return { job: id, ...waiting, actor: row.actor, reason: row.reason, request: requestOf(tx, row) };
    }
    if (underWay === 0) {
      await tx.updateTable('bulk_job').set({ ended_at: this.options.now() }).where('id', '=', id).execute();
    }
    return null;
  }

  private async settle(tx: Tx, { job, seq, subject }: BulkItem, outcome: BulkOutcome): Promise<void> {
    await this.options.leases.requireRole(tx, ROLE);
    const { state } = outcome;
    const run = state === 'under_way' ? { run_id: outcome.runId, attempt: outcome.attempt } : {};
    await setItem(tx, job, seq, { state, ...run });
    if (state !== 'failed') return;
    const error: BulkError = { subject, code: outcome.code, message: outcome.message };
    await tx
      .updateTable('bulk_job')
      .set({ last_error: seal(tx, 'bulk_job', 'last_error', { id: job }, JSON.stringify(error)) })
      .where('id', '=', job)
      .execute();
  }

  private async jobOf(row: BulkJobRow): Promise<BulkJob> {
    const { db } = this.options.store;
    const { id, kind, actor, reason } = row;
    const error = openSealed(db, 'bulk_job', 'last_error', row);
    return {
      ...{ id, kind, actor, reason, startedAt: row.started_at, endedAt: row.ended_at },
      request: requestOf(db, row),
      isCancelled: row.state === 'cancelled',
      progress: await progressOf(db, id),
      lastError: error === null ? null : (JSON.parse(error) as BulkError),
    };
  }
}

const requestOf = (tx: Tx, row: BulkJobRow): string => openSealed(tx, 'bulk_job', 'request', row);

const NONE: BulkProgress = {
  total: 0,
  underWay: 0,
  completed: 0,
  failed: 0,
  passedOver: 0,
  pendingApproval: 0,
};

/** Null: it counts in the total only. */
const COUNTED: Record<BulkItemState, Exclude<keyof BulkProgress, 'total'> | null> = {
  waiting: null,
  under_way: 'underWay',
  completed: 'completed',
  failed: 'failed',
  passed_over: 'passedOver',
  pending_approval: 'pendingApproval',
};

async function progressOf(tx: Tx, id: string): Promise<BulkProgress> {
  const rows = await tx
    .selectFrom('bulk_item')
    .select((row) => ['state', row.fn.countAll<number>().as('items')])
    .where('job', '=', id)
    .groupBy('state')
    .execute();
  const progress = { ...NONE };
  for (const { state, items } of rows) {
    progress.total += Number(items);
    const counted = COUNTED[state];
    if (counted !== null) progress[counted] = Number(items);
  }
  return progress;
}

/** Takes up how runs under way have ended. @returns how many have not */
async function settleRuns(tx: Tx, id: string): Promise<number> {
  const rows = await tx
    .selectFrom('bulk_item as item')
    .innerJoin('run', 'run.id', 'item.run_id')
    .select(['item.seq', 'item.attempt as ours', 'run.attempt', 'run.state'])
    .where('item.job', '=', id)
    .where('item.state', '=', sql.lit<BulkItemState>('under_way'))
    .execute();
  let underWay = 0;
  for (const { seq, ours, attempt, state } of rows) {
    // Another attempt by itself means that ours has failed.
    if (state === 'failed' || attempt !== ours) await setItem(tx, id, seq, { state: 'failed' });
    else if (state === 'queued' || state === 'running') underWay++;
    else await setItem(tx, id, seq, { state: 'completed' });
  }
  return underWay;
}

/** Within a write. */
export async function setItem(
  tx: Tx,
  job: string,
  seq: number,
  values: { state: BulkItemState; run_id?: string; attempt?: number },
): Promise<void> {
  await tx.updateTable('bulk_item').set(values).where('job', '=', job).where('seq', '=', seq).execute();
}

function unfinished(tx: Tx): Promise<Pick<BulkJobRow, 'id' | 'at_once' | 'kind'>[]> {
  return tx
    .selectFrom('bulk_job')
    .select(['id', 'at_once', 'kind'])
    .where('ended_at', 'is', null)
    .orderBy('started_at')
    .orderBy('id')
    .execute();
}

/** @throws Q2cError `BULK_JOB_UNKNOWN` */
async function jobById(tx: Tx, id: string): Promise<BulkJobRow> {
  const row = await tx.selectFrom('bulk_job').selectAll().where('id', '=', id).executeTakeFirst();
  if (row !== undefined) return row;
  throw new Q2cError('BULK_JOB_UNKNOWN', `There is no work on many records ${id}.`);
}
