import type { Instant } from '../model';
import type { Tx } from '../store';
import type { ActiveRun } from './tracker';
import type { EarlierPassage, OnceRequest } from './types';

/** Runs that may still send on what they let pass: another run with the same key does not take their place. */
const ALIVE = ['queued', 'running', 'waiting'] as const;

/**
 * Lets a message pass a node once, for its run or for its key.
 * @returns null when it may pass, or the passage that was first
 */
export async function passOnce(
  tx: Tx,
  active: ActiveRun,
  request: OnceRequest,
  at: Instant,
): Promise<EarlierPassage | null> {
  const runId = active.run.id;
  const { nodeId, guarantee } = request;
  const scope = scopeOf(runId, request);
  const place = `${nodeId}|${scope}`;
  const state = guarantee === 'at_least_once' ? 'open' : 'passed';
  const inserted = await tx
    .insertInto('passage')
    .values({ node_id: nodeId, scope, run_id: runId, state, passed_at: at })
    .onConflict((conflict) => conflict.columns(['node_id', 'scope']).doNothing())
    .returning('run_id')
    .executeTakeFirst();
  if (inserted === undefined) {
    const first = await earlierPassage(tx, runId, request, active.openPassages.has(place));
    if (first !== null) return first;
    await tx
      .updateTable('passage')
      .set({ run_id: runId, state, passed_at: at })
      .where('node_id', '=', nodeId)
      .where('scope', '=', scope)
      .execute();
  }
  if (state === 'open') active.openPassages.add(place);
  return null;
}

const scopeOf = (runId: string, { key }: OnceRequest): string =>
  key === null ? `run:${runId}` : `key:${key}`;

/**
 * The passage because of which a message of a run may not pass.
 * @param isOwn it is of the very passage of the run that asks
 */
export async function earlierPassage(
  tx: Tx,
  runId: string,
  request: OnceRequest,
  isOwn = false,
): Promise<EarlierPassage | null> {
  const first = await tx
    .selectFrom('passage')
    .leftJoin('run', 'run.id', 'passage.run_id')
    .select(['passage.run_id', 'passage.state', 'passage.passed_at', 'run.state as run_state'])
    .where('passage.node_id', '=', request.nodeId)
    .where('passage.scope', '=', scopeOf(runId, request))
    .executeTakeFirst();
  if (first === undefined) return null;
  const isTaken = first.run_id === runId ? isOwn : ALIVE.some((alive) => alive === first.run_state);
  return first.state === 'passed' || isTaken ? { at: first.passed_at, run: first.run_id } : null;
}

/** The passage of the run came through: what it has let pass does not pass again. */
export async function settlePassages(tx: Tx, { run, openPassages }: ActiveRun): Promise<void> {
  if (openPassages.size === 0) return;
  await tx
    .updateTable('passage')
    .set({ state: 'passed' })
    .where('run_id', '=', run.id)
    .where('state', '=', 'open')
    .execute();
}
