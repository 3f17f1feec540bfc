import { setTimeout as pause } from 'node:timers/promises';
import type { Engine } from '../engine';
import { type CanonicalId, Q2cError } from '../model';
import type { BulkProgress, GatedResult } from './types';

/** Runs under way at a time, so that new deals go on beside a large bulk. */
const AT_ONCE = 4;
const LOOK_EVERY_MS = 100;

/**
 * The same action on many cases, one after another.
 * @param act does it; null = there is nothing to do, such as for the second case of a run that is replayed already
 */
export async function* bulk(
  { store }: Engine,
  caseIds: readonly CanonicalId[],
  act: (caseId: CanonicalId) => Promise<GatedResult | null>,
  signal?: AbortSignal,
): AsyncGenerator<BulkProgress> {
  const progress: BulkProgress = {
    total: caseIds.length,
    done: 0,
    pendingApproval: 0,
    failed: 0,
    lastError: null,
  };
  yield { ...progress };
  const begun: string[] = [];
  const isAborted = () => signal?.aborted === true;
  for (const caseId of caseIds) {
    if (isAborted()) return;
    try {
      const result = await act(caseId);
      if (result?.status === 'pending_approval') progress.pendingApproval++;
      else progress.done++;
      if (result?.status === 'done') begun.push(result.case.runId);
    } catch (error) {
      if (!(error instanceof Q2cError)) throw error;
      progress.failed++;
      progress.lastError = { caseId, code: error.code, message: error.message };
    }
    yield { ...progress };
    while ((await underWay(begun)) >= AT_ONCE && !isAborted()) await pause(LOOK_EVERY_MS);
  }

  async function underWay(runIds: string[]): Promise<number> {
    if (runIds.length < AT_ONCE) return 0;
    const rows = await store.db
      .selectFrom('run')
      .select('id')
      .where('id', 'in', runIds)
      .where('state', 'in', ['queued', 'running'])
      .execute();
    runIds.splice(0, runIds.length, ...rows.map(({ id }) => id));
    return rows.length;
  }
}
