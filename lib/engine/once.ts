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
  { nodeId, key, guarantee }: OnceRequest,
  at: Instant,
): Promise<EarlierPassage | null> {
  const runId = active.run.id;
  const scope = key === null ? `run:${runId}` : `key:${key}`;
  const place = `${nodeId}|${scope}`;
  const state = guarantee === 'at_least_once' ? 'open' : 'passed';
  const inserted = await tx
    .insertInto('passage')
    .values({ node_id: nodeId, scope, run_id: runId, state, passed_at: at })
    .onConflict((conflict) => conflict.columns(['node_id', 'scope']).doNothing())
    .returning('run_id')
    .executeTakeFirst();
  if (inserted === undefined) {
    const first = await tx
      .selectFrom('passage')
      .leftJoin('run', 'run.id', 'passage.run_id')
      .select(['passage.run_id', 'passage.state', 'passage.passed_at', 'run.state as run_state'])
      .where('passage.node_id', '=', nodeId)
      .where('passage.scope', '=', scope)
      .executeTakeFirstOrThrow();
    const isOwn = first.run_id === runId;
    const isTaken = isOwn ? active.openPassages.has(place) : ALIVE.some((alive) => alive === first.run_state);
    if (first.state === 'passed' || isTaken) return { at: first.passed_at, run: first.run_id };
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
