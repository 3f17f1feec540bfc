import { sql } from 'kysely';
import { type ExceptionCode, exceptionCodes, type Instant } from '../model';
import {
  type CaseState,
  preparedTogether,
  procedure,
  type StepRow,
  type StepState,
  sideBySide,
  type Tx,
  updateTogether,
} from '../store';
import type { UnfinishedMeeting } from './branches';
import { endReplay, openCase, openCases, resolveCases } from './cases';
import { holdsRun } from './leases';
import { settlePassages } from './once';
import { settleEvent, settleSuperseded } from './order';
import { runDelay } from './retry';
import { supersede } from './runs';
import { endWaits, type OpenWaits, openWaits, settleWaits } from './suspensions';
import type { ActiveRun, FlowError } from './tracker';
import type { NewCase, NodeInfo, RetryPolicy, Run } from './types';

/** What the end of a run depends on beside the run. */
export interface EndContext {
  retry: RetryPolicy;
  now(): Instant;
  random(): number;
}

export interface RecordedEnd extends OpenWaits {
  /** `queued`: it begins anew at once. */
  state: 'completed' | 'failed' | 'waiting' | 'queued';
}

const updateEnded = updateTogether<{
  id: string;
  state: RecordedEnd['state'];
  resume: 0 | 1;
  holdsKey: 0 | 1;
  retryAt: Instant | null;
  legalEntity: string | null;
  at: Instant | null;
}>(
  {
    id: 'text',
    state: 'text',
    resume: 'integer',
    holdsKey: 'integer',
    retryAt: 'text',
    legalEntity: 'text',
    at: 'text',
  },
  (db, value) =>
    db
      .updateTable('run')
      .set((run) => ({
        state: value.state,
        resume: value.resume,
        holds_key: value.holdsKey,
        retry_at: value.retryAt,
        lease_owner: null,
        lease_until: null,
        ended_at: value.at,
        // A passage that only went on with kept messages may not have come by what tells.
        legal_entity: run.fn.coalesce(run.val(value.legalEntity), 'run.legal_entity'),
      }))
      .where('run.id', '=', value.id),
);

/** What the store's thread needs to end a run. */
export interface Completion {
  run: Run;
  /** The host that has it. */
  owner: string;
  legalEntity: string | null;
  at: Instant;
}

/** Nothing went wrong in this passage, and it left nothing to settle: it may have come through like most runs do. */
export const isPlain = ({
  errors,
  cases,
  isBroken,
  isResumption,
  openPassages,
  branches,
}: ActiveRun): boolean =>
  !isBroken &&
  !isResumption &&
  errors.length === 0 &&
  cases.size === 0 &&
  openPassages.size === 0 &&
  branches.unfinished.length === 0;

/**
 * Ends a plain run about which nothing is open or undecided either, as almost every run is. All others end by
 * `recordEnd`, in the host: who is told of cases is known only there.
 * @returns false when it is another's; nothing was changed then
 */
export const completeRun = procedure(
  'run.complete',
  async (tx, { run, owner, legalEntity, at }: Completion): Promise<boolean> => {
    const [isHeld, undecided, cases, { isWaiting }] = await sideBySide([
      holdsRun(tx, run.id, owner),
      undecidedSteps(tx, run),
      openCases(tx, run),
      openWaits(tx, run),
    ]);
    if (!isHeld || undecided.length > 0 || cases.length > 0 || isWaiting) return false;
    const end = { id: run.id, state: 'completed', resume: 0, holdsKey: 0, retryAt: null } as const;
    await sideBySide([
      supersedeOlder(tx, run),
      settleEvent(tx, run, 'applied', at),
      updateEnded(tx, { ...end, legalEntity, at }),
    ]);
    return true;
  },
  // Of the runs of one record only one is under way.
  { isIndependent: true },
);

/**
 * The run has failed when a case of this passage is open; otherwise it is through, or waits. Older cases are resolved
 * when it came through, or at least past the node that had raised them; not those of a call whose outcome nobody knows,
 * as long as that is so. A passage that only went on with kept messages says nothing about the rest of its run, so open
 * cases of that keep counting. Where branches have come together for some of those messages only, the run begins anew:
 * then all of them come, and what they waited for has happened.
 * @param at when the write was asked for: a claim that is asked for after it begins no earlier
 * @returns how it has ended, and what it still waits for
 */
export async function recordEnd(
  tx: Tx,
  active: ActiveRun,
  at: Instant,
  context: EndContext,
): Promise<RecordedEnd> {
  const { run, errors, passed, isResumption } = active;
  // A copy: the write may have to be repeated, and then opens its cases anew.
  const cases = new Set(active.cases);
  for (const error of errors.filter(({ code }) => code === null)) {
    cases.add((await openCase(tx, run, nodeFailed(run, error), at)).id);
  }
  for (const step of await undecidedSteps(tx, run)) {
    cases.add((await openCase(tx, run, leftBehind(step, run), at)).id);
  }
  const waits = await settleWaits(tx, active);
  const isPartly = !waits.isWaiting && cases.size === 0 && active.branches.unfinished.length > 0;
  if (isPartly && !(isResumption && active.repeatable)) {
    for (const meeting of active.branches.unfinished) {
      cases.add((await openCase(tx, run, branchMissing(meeting, run), at)).id);
    }
  }
  const open = await openCases(tx, run);
  const left = open.filter(
    ({ id, runId, nodeId }) => cases.has(id) || (isResumption && runId === run.id && !passed.has(nodeId)),
  );
  const isThrough = left.length === 0 && !waits.isWaiting && !isPartly;
  const cured = open.filter(
    ({ id, code, nodeId, isUndecided }) =>
      !isUndecided && code !== 'SEQUENCE_GAP' && (isThrough || (!cases.has(id) && passed.has(nodeId))),
  );
  await resolveCases(tx, run, cured, at);
  const stillOpen = open.filter((each) => !cured.includes(each) && each.runId === run.id);
  await endReplay(
    tx,
    run,
    stillOpen.filter(({ state }) => state === 'replaying'),
    at,
  );
  if (isThrough) await supersedeOlder(tx, run);
  if (left.length === 0) await settlePassages(tx, active);
  await settleEvent(tx, run, left.length > 0 ? 'case' : isThrough ? 'applied' : 'accepted', at);
  const codes = left.map(({ code }) => code);
  const state = left.length > 0 ? 'failed' : isThrough ? 'completed' : waits.isWaiting ? 'waiting' : 'queued';
  await updateEnded(tx, {
    id: run.id,
    state,
    resume: waits.isWaiting ? 1 : 0,
    holdsKey: waits.holdsOrder ? 1 : 0,
    legalEntity: active.legalEntity,
    retryAt: active.repeatable ? retryAt(run, codes, context) : null,
    at: state === 'queued' ? null : at,
  });
  return { ...waits, state };
}

async function supersedeOlder(tx: Tx, run: Run): Promise<void> {
  const superseded = await supersede(tx, run);
  await endWaits(
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

type UndecidedStep = Pick<StepRow, 'key' | 'node_id' | 'node_name' | 'system' | 'operation' | 'canonical_id'>;

const selectUndecided = preparedTogether<{ runId: string }, UndecidedStep>({ runId: 'text' }, (db, value) =>
  db
    .selectFrom('step')
    .select(['key', 'node_id', 'node_name', 'system', 'operation', 'canonical_id'])
    .where('run_id', '=', value.runId)
    .where((where) =>
      where.or([
        where('state', '=', sql.lit<StepState>('intent')),
        where('state', '=', sql.lit<StepState>('unknown')),
      ]),
    )
    .where((where) =>
      where.not(
        where.exists(
          where
            .selectFrom('exception_case')
            .select('exception_case.id')
            .where('exception_case.run_id', '=', value.runId)
            .whereRef('exception_case.step_key', '=', 'step.key')
            .where('exception_case.state', 'not in', [
              sql.lit<CaseState>('resolved'),
              sql.lit<CaseState>('waived'),
            ]),
        ),
      ),
    ),
);

/**
 * Calls of the run that may have been processed, and that this passage has not come by again: the flow was changed
 * while the host was down, or another branch was taken. Somebody has to know of them (invariant 11).
 */
const undecidedSteps = (tx: Tx, { id }: Run): Promise<UndecidedStep[]> => selectUndecided(tx, { runId: id });

function leftBehind(step: UndecidedStep, run: Run): NewCase {
  return {
    node: { id: step.node_id, name: step.node_name },
    code: 'OUTCOME_UNKNOWN',
    message: `Whether ${step.system} has processed ${step.operation} for ${run.title} is not known, and the flow no longer comes by “${step.node_name}”. Look in ${step.system}.`,
    subject: step.canonical_id,
    about: { params: {}, ownerRole: 'integration_ops' },
    stepKey: step.key,
    detail: { system: step.system, operation: step.operation },
  };
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

/** A deploy has taken away the node that a message of the run was on its way to. */
export function nodeGone(run: Run, node: NodeInfo): NewCase {
  return {
    node,
    code: 'RUN_STALLED',
    message: `A deploy took “${node.name}” out of the flow while ${run.title} was on its way to it. Check the flow, then retry the run.`,
    subject: run.correlationId,
    about: { params: { node: node.name, document: run.title }, ownerRole: 'integration_ops' },
  };
}

/** The other branches of a message are through, this one has sent nothing and no case says why. */
function branchMissing({ node, missing }: UnfinishedMeeting, run: Run): NewCase {
  const params = { node: node.name, document: run.title, missing: missing.join(', ') || 'another branch' };
  return {
    node,
    code: 'BRANCH_MISSING',
    subject: run.correlationId,
    about: { params, ownerRole: 'integration_ops' },
    detail: { missing },
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
