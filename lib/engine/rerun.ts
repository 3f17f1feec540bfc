import { type Instant, Q2cError } from '../model';
import { appendAudit, type RunRow, type Tx } from '../store';
import { replayCases } from './cases';
import type { Author } from './decisions';
import { restartWaits } from './suspensions';

/** @throws Q2cError `RUN_UNKNOWN` */
export async function runById(tx: Tx, runId: string): Promise<RunRow> {
  const run = await tx.selectFrom('run').selectAll().where('id', '=', runId).executeTakeFirst();
  if (run !== undefined) return run;
  throw new Q2cError('RUN_UNKNOWN', `There is no run ${runId}.`);
}

/** Only an event can be sent again, and only when nobody works on it. @throws Q2cError `RUN_NOT_RETRIABLE` */
export function requireRetriable(run: RunRow): void {
  if (run.state !== 'failed' || run.event_seq === null) throw notRetriable(run);
}

const notRetriable = ({ id, state }: RunRow): Q2cError =>
  new Q2cError('RUN_NOT_RETRIABLE', `Run ${id} is ${state}; only failed runs of events can be retried.`);

/**
 * Queues a failed run as a new attempt: confirmed steps answer from the journal, reads are made anew.
 * @param author the reason may be empty where it is noted elsewhere
 */
export async function rerun(tx: Tx, run: RunRow, author: Author, at: Instant): Promise<void> {
  requireRetriable(run);
  const attempt = run.attempt + 1;
  const queued = await tx
    .updateTable('run')
    .set({ state: 'queued', resume: 0, attempt, retry_at: null })
    .where('seq', '=', run.seq)
    .where('state', '=', 'failed')
    .returning('seq')
    .executeTakeFirst();
  // Another host was quicker.
  if (queued === undefined) throw notRetriable(await runById(tx, run.id));
  await restartWaits(tx, [run.id]);
  await appendAudit(tx, {
    at,
    actor: author.actor,
    action: 'run.retried',
    subject: run.correlation_id,
    runId: run.id,
    detail: { attempt, ...(author.reason === '' ? {} : { reason: author.reason }) },
  });
  await replayCases(tx, run.id, author, at);
}
