import { sql } from 'kysely';
import type { ExceptionCode, Instant } from '../model';
import { appendAudit, type RunState, type Store, type Tx } from '../store';
import type { Author } from './decisions';
import { requireReason } from './repair';
import { rerun, runById } from './rerun';
import { delay } from './retry';

/** Retries many failed runs, a few at a time, so that live work goes on beside them. */

export interface RetryFilter {
  /** Whom the runs wait for: `person`, or `time` for those that are retried by themselves. Both when absent. */
  waitingFor?: 'person' | 'time';
  /** Code of an open case of the run. */
  code?: ExceptionCode;
  /** System of a step that has failed, as it stands in cross-references. */
  system?: string;
  sourceNode?: string;
  /** Only runs that failed before, or not before, these instants. */
  failedBefore?: Instant;
  failedSince?: Instant;
}

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

export interface RetryManyOptions {
  /** Runs under way at a time. One source node dispatches more than that, so that new deals find room. */
  atOnce?: number;
  /** Ends it before its next run; those under way go on. */
  signal?: AbortSignal;
  /** Asked for each run when its turn has come; one that may not be retried is passed over. Default: all may. */
  mayRetry?(tx: Tx, runId: string): Promise<boolean>;
}

export interface RetryManyContext {
  store: Store;
  now(): Instant;
  /** Fires when the engine stops. */
  signal: AbortSignal;
  pump(sourceNode: string): void;
}

const AT_ONCE = 2;
/** How often ends are looked for: several hosts may work on the runs, so that no event of this one tells. */
const LOOK_EVERY_MS = 100;

/**
 * Yields the progress at the beginning and whenever it has changed; leaving the loop ends it like the signal.
 * @throws Q2cError `REASON_MISSING`
 */
export async function* retryMany(
  context: RetryManyContext,
  filter: RetryFilter,
  author: Author,
  { atOnce = AT_ONCE, signal: cancelled, mayRetry = async () => true }: RetryManyOptions = {},
): AsyncGenerator<RetryProgress> {
  requireReason(author);
  const waiting = await begin(context, filter, author);
  const progress: RetryProgress = {
    total: waiting.length,
    underWay: 0,
    completed: 0,
    failed: 0,
    passedOver: 0,
  };
  /** Attempt that each run under way is in. */
  const attempts = new Map<string, number>();
  yield { ...progress };

  for (;;) {
    const before = { ...progress };
    while (attempts.size < atOnce && cancelled?.aborted !== true) {
      const id = waiting.shift();
      if (id === undefined) break;
      const attempt = await retryOne(context, id, author, mayRetry);
      if (attempt === null) progress.passedOver++;
      else attempts.set(id, attempt);
    }
    for (const { id, end } of await ended(context.store, attempts)) {
      attempts.delete(id);
      progress[end]++;
    }
    progress.underWay = attempts.size;
    if (hasChanged(before, progress)) yield { ...progress };
    if (attempts.size === 0 && (waiting.length === 0 || cancelled?.aborted === true)) return;
    await delay(LOOK_EVERY_MS, context.signal);
  }
}

/** Ids of the runs, in order of arrival. */
async function begin(
  { store, now }: RetryManyContext,
  filter: RetryFilter,
  { actor, reason }: Author,
): Promise<string[]> {
  const ids = await matching(store, filter);
  await store.write((tx) =>
    appendAudit(tx, {
      at: now(),
      actor,
      action: 'runs.retried',
      subject: 'runs',
      runId: null,
      detail: { reason, filter: { ...filter }, total: ids.length },
    }),
  );
  return ids;
}

async function matching({ db }: Store, filter: RetryFilter): Promise<string[]> {
  const { waitingFor, code, system, sourceNode, failedBefore, failedSince } = filter;
  let query = db
    .selectFrom('run')
    .select('id')
    .where('state', '=', sql.lit<RunState>('failed'))
    .where('event_seq', 'is not', null)
    .orderBy('seq');
  if (waitingFor !== undefined) {
    query = query.where('retry_at', waitingFor === 'person' ? 'is' : 'is not', null);
  }
  if (sourceNode !== undefined) query = query.where('source_node', '=', sourceNode);
  if (failedBefore !== undefined) query = query.where('ended_at', '<', failedBefore);
  if (failedSince !== undefined) query = query.where('ended_at', '>=', failedSince);
  if (code !== undefined) {
    query = query.where((run) =>
      run.exists(
        run
          .selectFrom('exception_case as open')
          .select('open.id')
          .whereRef('open.run_id', '=', 'run.id')
          .where('open.code', '=', code)
          .where('open.state', 'not in', ['resolved', 'waived']),
      ),
    );
  }
  if (system !== undefined) {
    query = query.where((run) =>
      run.exists(
        run
          .selectFrom('step')
          .select('step.seq')
          .whereRef('step.run_id', '=', 'run.id')
          .where('step.system', '=', system)
          .where('step.state', 'in', ['rejected', 'unknown', 'failed']),
      ),
    );
  }
  return (await query.execute()).map(({ id }) => id);
}

/** @returns the run's new attempt, or null when it has not failed any more, or may not be retried */
async function retryOne(
  { store, now, pump }: RetryManyContext,
  id: string,
  author: Author,
  mayRetry: NonNullable<RetryManyOptions['mayRetry']>,
): Promise<number | null> {
  const run = await store.write(async (tx) => {
    const found = await runById(tx, id);
    if (found.state !== 'failed' || !(await mayRetry(tx, id))) return null;
    await rerun(tx, found, author, now());
    return found;
  });
  if (run === null) return null;
  pump(run.source_node);
  return run.attempt + 1;
}

async function ended(
  { db }: Store,
  attempts: ReadonlyMap<string, number>,
): Promise<{ id: string; end: 'completed' | 'failed' }[]> {
  if (attempts.size === 0) return [];
  const rows = await db
    .selectFrom('run')
    .select(['id', 'state', 'attempt'])
    .where('id', 'in', [...attempts.keys()])
    .execute();
  // Another attempt by itself means that ours has failed.
  const hasFailed = (row: (typeof rows)[number]) =>
    row.state === 'failed' || row.attempt !== attempts.get(row.id);
  return rows
    .filter((row) => hasFailed(row) || (row.state !== 'queued' && row.state !== 'running'))
    .map((row) => ({ id: row.id, end: hasFailed(row) ? 'failed' : 'completed' }));
}

function hasChanged(before: RetryProgress, after: RetryProgress): boolean {
  return (Object.keys(after) as (keyof RetryProgress)[]).some((key) => before[key] !== after[key]);
}
