import { type ExceptionCode, exceptionCodes, type Instant } from '../model';
import type { Tx } from '../store';
import { openCase, openCases, resolveCases } from './cases';
import { settlePassages } from './once';
import { settleEvent, settleSuperseded } from './order';
import { runDelay } from './retry';
import { supersede } from './runs';
import type { ActiveRun, FlowError } from './tracker';
import type { NewCase, RetryPolicy, Run } from './types';
import { cancelWaits, type OpenWaits, settleWaits } from './waiting';

/** What the end of a run depends on beside the run. */
export interface EndContext {
  retry: RetryPolicy;
  now(): Instant;
  random(): number;
}

/**
 * The run has failed when a case of this passage is open; otherwise it is through, or waits. Older cases are resolved
 * when it came through, or at least past the node that had raised them; not those of a call whose outcome nobody knows,
 * as long as that is so. A passage that only went on with kept messages says nothing about the rest of its run, so open
 * cases of that keep counting.
 * @returns what it still waits for
 */
export async function recordEnd(tx: Tx, active: ActiveRun, context: EndContext): Promise<OpenWaits> {
  const { run, errors, cases, passed, isResumption } = active;
  const at = context.now();
  for (const error of errors.filter(({ code }) => code === null)) {
    cases.add((await openCase(tx, run, nodeFailed(run, error), at)).id);
  }
  const open = await openCases(tx, run);
  const left = open.filter(
    ({ id, runId, nodeId }) => cases.has(id) || (isResumption && runId === run.id && !passed.has(nodeId)),
  );
  const waits = await settleWaits(tx, active);
  const isThrough = left.length === 0 && !waits.isWaiting;
  const cured = open.filter(
    ({ id, code, nodeId, isUndecided }) =>
      !isUndecided && code !== 'SEQUENCE_GAP' && (isThrough || (!cases.has(id) && passed.has(nodeId))),
  );
  await resolveCases(tx, run, cured, at);
  if (isThrough) await supersedeOlder(tx, run);
  if (left.length === 0) await settlePassages(tx, active);
  if (isThrough || left.length > 0) await settleEvent(tx, run, isThrough, at);
  const codes = left.map(({ code }) => code);
  await tx
    .updateTable('run')
    .set({
      state: left.length > 0 ? 'failed' : isThrough ? 'completed' : 'waiting',
      ...(waits.isWaiting ? { resume: 1, holds_key: waits.holdsOrder ? 1 : 0 } : {}),
      retry_at: active.repeatable ? retryAt(run, codes, context) : null,
      lease_owner: null,
      lease_until: null,
      ended_at: at,
    })
    .where('id', '=', run.id)
    .execute();
  return waits;
}

async function supersedeOlder(tx: Tx, run: Run): Promise<void> {
  const superseded = await supersede(tx, run);
  await cancelWaits(
    tx,
    superseded.map(({ id }) => id),
  );
  await settleSuperseded(
    tx,
    superseded.flatMap(({ event_seq }) => event_seq ?? []),
  );
}

/** When every case of the run may heal by itself, the time of its next attempt; else null. */
function retryAt(run: Run, codes: ExceptionCode[], { retry, now, random }: EndContext): Instant | null {
  if (codes.length === 0 || run.attempt > retry.maxRunRetries) return null;
  if (!codes.every((code) => exceptionCodes[code].autoRetry !== false)) return null;
  return new Date(Date.parse(now()) + runDelay(retry, run.attempt, random)).toISOString();
}

/** An error of a node that no Catch node has taken. */
function nodeFailed(run: Run, error: FlowError): NewCase {
  return {
    node: error.node,
    code: 'NODE_FAILED',
    subject: run.correlationId,
    about: { params: { node: error.node.name, reason: error.message }, ownerRole: 'integration_ops' },
    detail: { reason: error.message },
  };
}

/** A node has taken a message of the run and never said that it was done with it. */
export function runStalled(run: Run): NewCase {
  return {
    node: { id: '', name: '' },
    code: 'RUN_STALLED',
    subject: run.correlationId,
    about: { params: { node: 'A node', document: run.title }, ownerRole: 'integration_ops' },
  };
}
