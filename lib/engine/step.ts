import { type Instant, Q2cError } from '../model';
import {
  type Durability,
  type Procedure,
  type Store,
  sideBySide,
  type WriteJob,
  type WriteOptions,
} from '../store';
import { CaseOpened, openCase } from './cases';
import { type DecisionMade, decisionOn, placeOf, withCorrection } from './decisions';
import { reach } from './failpoints';
import { externalId } from './identity';
import { type Begin, beginStep, journaled, otherContent } from './journal';
import { type Counts, confirmStep, recordFailure, settleEarlier } from './journal-outcomes';
import { KeyedMutex } from './keyed-mutex';
import type { Leases } from './leases';
import { delay, GivenUp, isExhausted, isRetriable, persist, stepDelay } from './retry';
import { keysAgain, keysInTurn, keysOf, type StepKeys, type UpdateOrder } from './step-keys';
import type { CallInfo, Failure, NewCase, RetryPolicy, Run, Step, StepOutcome, StepReply } from './types';

export interface StepRunnerOptions {
  store: Store;
  tenant: string;
  retry: RetryPolicy;
  now(): Instant;
  random(): number;
  /** Tells whether the run is still this host's, and when work on it must break off. */
  leases: Leases;
  /** Fires when the engine stops: no further call or probe is begun. */
  stopping: AbortSignal;
  /** Fires when the engine can wait no longer: calls under way are broken off. */
  cancelling: AbortSignal;
}

/** How often to look whether another host is through with the record, in milliseconds. */
const TURN_MS = 50;

type FinalState = 'rejected' | 'unknown' | 'failed';

type WrittenRecord = Pick<Step, 'system' | 'instance' | 'operation' | 'canonicalId'>;

/** A step that has to ask the target. */
type Plan = Extract<Begin, { do: 'call' }>;

/** What one round of call or probe came to. */
type Attempt =
  | { ok: true; reply: StepReply; origin: 'call' | 'probe' }
  /** `settled`: surely nothing of this step was processed. */
  | { ok: false; failure: Failure; cause: unknown; settled?: true };

/**
 * The write protocol (guides §13): journal the intent, call, journal the outcome; after anything uncertain
 * probe before any resend. Steps on the same record take turns, so that two deals of one customer cannot
 * create it twice.
 */
export class StepRunner {
  private readonly turns = new KeyedMutex();

  constructor(private readonly options: StepRunnerOptions) {}

  /** @param order of the passage's updates */
  run(run: Run, step: Step, order: UpdateOrder): Promise<StepOutcome> {
    return this.inTurn(step, () => this.execute(run, step, order));
  }

  /** Runs a task while no other step of this host works on the same record. */
  inTurn<T>({ system, instance, operation, canonicalId }: WrittenRecord, task: () => Promise<T>): Promise<T> {
    return this.turns.run([system, instance, operation, canonicalId].join('|'), task);
  }

  private async execute(run: Run, given: Step, order: UpdateOrder): Promise<StepOutcome> {
    const { store } = this.options;
    const startedAt = performance.now();
    const { leases } = this.options;
    const stopping = leases.guard(this.options.stopping);
    const cancelling = leases.guard(this.options.cancelling);
    stopping.throwIfAborted();

    // Decisions are about steps that have failed: a first attempt has none to look for.
    const decision = run.attempt === 1 ? null : await decisionOn(store.db, placeOf(run, given));
    const step = withCorrection(given, decision);
    const planned = keysInTurn(keysOf(this.options.tenant, run, step), run, step, order);
    const { plan, keys } = await this.begin(run, step, planned, decision, stopping);
    if (plan.do === 'answer') return { ...plan.result, origin: plan.origin };
    if (decision?.kind === 'skip') return { refs: [], origin: 'skipped' };
    if (decision?.kind === 'complete')
      return this.complete(run, step, keys, plan, decision.externalId, startedAt, cancelling);
    if (plan.do === 'refuse')
      throw await this.giveUp(run, step, keys, 'rejected', plan.failure, null, noCounts(), startedAt);

    if (!step.readOnly) reach('intent-journaled');

    const counts = noCounts();
    let probeNext = plan.probeBeforeCall;
    /** True while a call may have been processed that no probe has answered for. */
    let uncertain = plan.uncertain;
    // When an earlier attempt was sent is not known: it may be so recent that the target does not show it yet.
    let lastSentAt = plan.uncertain ? performance.now() : 0;
    for (let attempt = 1; ; attempt++) {
      const info: CallInfo = {
        idempotencyKey: keys.idempotencyKey,
        attempt: plan.calls + counts.calls + 1,
        signal: cancelling,
      };
      const found = probeNext
        ? await this.probe(run, step, keys, plan, info, counts, lastSentAt, stopping)
        : null;
      if (found === null) lastSentAt = performance.now();
      if (found === null || (!found.ok && found.settled)) uncertain = false;
      const outcome = found ?? (await this.call(step, info, counts, stopping));
      if (!step.readOnly) reach(found === null ? 'call-answered' : 'probe-answered');
      if (outcome.ok) return this.succeed(run, step, keys, outcome, counts, startedAt);

      const { failure } = outcome;
      if (found === null && failure.kind === 'unknown' && !step.readOnly) uncertain = true;
      const state = uncertain ? 'unknown' : stateOf(failure);
      if (!isRetriable(failure) || isExhausted(this.options.retry, attempt, startedAt, failure)) {
        const final = uncertain && found !== null ? undecided(failure) : failure;
        throw await this.giveUp(run, step, keys, state, final, outcome.cause, counts, startedAt);
      }
      if (uncertain) {
        await this.write(run, (tx) => recordFailure(tx, keys, 'unknown', failure, counts, null), 'committed');
        plan.calls += counts.calls;
        counts.calls = 0;
        counts.probes = 0;
        probeNext = true;
      }
      await delay(
        stepDelay(this.options.retry, attempt, failure.retryAfterMs ?? 0, this.options.random),
        stopping,
      );
    }
  }

  /** Journals the intent, when no other host works on the same record. @returns the keys that it is journaled under */
  private async begin(
    run: Run,
    step: Step,
    planned: StepKeys,
    decision: DecisionMade | null,
    stopping: AbortSignal,
  ): Promise<{ plan: Exclude<Begin, { do: 'again' }>; keys: StepKeys }> {
    let keys = planned;
    const request = {
      run: { id: run.id, attempt: run.attempt },
      step: journaled(step),
      wire: JSON.stringify(step.wire),
      skip: decision?.kind === 'skip',
      host: this.options.leases.owner,
    };
    for (;;) {
      const at = this.options.now();
      const durability = step.readOnly ? 'committed' : 'flushed';
      const plan = await this.perform(run, beginStep, { ...request, keys, at }, durability);
      if (plan?.do === 'again') keys = keysAgain(keys, run);
      else if (plan !== null) return { plan, keys };
      else await delay(TURN_MS, stopping);
    }
  }

  /** As `write`, for what is done for every step. */
  private perform<A, R>(run: Run, task: Procedure<A, R>, args: A, durability: Durability): Promise<R> {
    const { store } = this.options;
    if (store.exclusive) return store.perform(task, args, durability);
    return this.write(run, (tx) => task.perform(tx, args), durability, task);
  }

  /** A write for a run that is still this host's. @throws Q2cError `RUN_TAKEN_OVER` when it is not. */
  private write<T>(run: Run, job: WriteJob<T>, durability?: Durability, options?: WriteOptions): Promise<T> {
    const { store, leases } = this.options;
    if (store.exclusive) return store.write(job, durability);
    return store.write(
      async (tx) => {
        const [, value] = await sideBySide([leases.requireRun(tx, run.id), job(tx)]);
        return value;
      },
      durability,
      options,
    );
  }

  /**
   * Asks the target for what an earlier attempt may have written.
   * @returns the adopted record, a failure, or null when a call is due
   */
  private async probe(
    run: Run,
    step: Step,
    keys: StepKeys,
    plan: Plan,
    info: CallInfo,
    counts: Counts,
    lastSentAt: number,
    stopping: AbortSignal,
  ): Promise<Attempt | null> {
    if (step.probe === undefined) {
      const failure: Failure = {
        kind: 'rejected',
        code: 'OUTCOME_UNKNOWN',
        reason: `${step.operation} cannot be probed; look in ${step.system} before repeating it`,
      };
      return { ok: false, failure, cause: null };
    }
    try {
      const visibleAt = lastSentAt + step.visibleAfterMs;
      if (lastSentAt > 0 && visibleAt > performance.now())
        await delay(visibleAt - performance.now(), stopping);
      counts.probes++;
      this.checkLease(stopping);
      return await this.weigh(run, step, keys, plan, await step.probe(step.wire, info));
    } catch (cause) {
      return { ok: false, failure: this.classify(step, cause, stopping), cause };
    }
  }

  /**
   * What a probe's answer means for this step: its own write, somebody else's, or none.
   * @returns as `probe`
   */
  private async weigh(
    run: Run,
    step: Step,
    keys: StepKeys,
    plan: Plan,
    reply: StepReply | null,
  ): Promise<Attempt | null> {
    // An update that may or may not have arrived is sent again in any case, and answers for the other step too.
    const isOwn = plan.unsettled !== 'other_content';
    const isAdopted = reply !== null && isOwn && !(step.updates && (await this.isKnown(step)));
    if (plan.unsettled !== 'none') {
      await this.write(
        run,
        (tx) => settleEarlier(tx, step.canonicalId, keys, reply, this.options.now()),
        'committed',
      );
      if (reply === null) plan.unsettled = 'none';
    }
    if (isAdopted) return { ok: true, reply, origin: 'probe' };
    if (reply === null || step.updates) return null;
    return { ok: false, failure: otherContent(step), cause: null, settled: true };
  }

  /**
   * True when the target had a record of this canonical id before. Finding that proves nothing about an update, and
   * sending an update again is harmless; finding a record that was unknown proves our create.
   */
  private async isKnown({ canonicalId, system, instance, recordType }: Step): Promise<boolean> {
    return (await externalId(this.options.store.db, canonicalId, system, instance, recordType)) !== null;
  }

  /** A person has made the record: in place of a call, it is looked up under the id they gave, and taken over. */
  private async complete(
    run: Run,
    step: Step,
    keys: StepKeys,
    plan: Exclude<Begin, { do: 'answer' | 'again' }>,
    externalId: string,
    startedAt: number,
    signal: AbortSignal,
  ): Promise<StepOutcome> {
    const counts = noCounts();
    const info: CallInfo = { idempotencyKey: keys.idempotencyKey, attempt: 1, signal };
    try {
      const reply = await persist(
        async () => {
          counts.probes++;
          return (await step.adopt?.(externalId, step.wire, info)) ?? null;
        },
        step.classify,
        this.options,
      );
      if (reply === null) throw new GivenUp(noSuchRecord(step, externalId), null);
      return await this.succeed(run, step, keys, { reply, origin: 'manual' }, counts, startedAt);
    } catch (error) {
      if (!(error instanceof GivenUp)) throw error;
      const state = plan.do === 'call' && plan.uncertain ? 'unknown' : stateOf(error.failure);
      throw await this.giveUp(run, step, keys, state, error.failure, error.cause, counts, startedAt);
    }
  }

  private async call(step: Step, info: CallInfo, counts: Counts, stopping: AbortSignal): Promise<Attempt> {
    this.checkLease(stopping);
    counts.calls++;
    try {
      return { ok: true, reply: await step.call(step.wire, info), origin: 'call' };
    } catch (cause) {
      return { ok: false, failure: this.classify(step, cause, stopping), cause };
    }
  }

  /** @throws when this host has stood still for so long that others may have taken over */
  private checkLease(stopping: AbortSignal): void {
    this.options.leases.check();
    stopping.throwIfAborted();
  }

  private classify(step: Step, cause: unknown, stopping: AbortSignal): Failure {
    // Breaking off in the middle of a call leaves its outcome open; the journaled intent makes whoever goes on probe.
    stopping.throwIfAborted();
    return step.classify(cause);
  }

  private async succeed(
    run: Run,
    step: Step,
    keys: StepKeys,
    answer: { reply: StepReply; origin: 'call' | 'probe' | 'manual' },
    counts: Counts,
    startedAt: number,
  ): Promise<StepOutcome> {
    try {
      // Not flushed: the intent is, and the next call's will be before it leaves. Between them a power cut ends in a probe.
      const { reply, result } = answer.reply;
      const request = {
        runId: run.id,
        step: journaled(step),
        keys,
        origin: answer.origin,
        reply: JSON.stringify(reply),
        result: JSON.stringify(result),
        counts,
        at: this.options.now(),
        durationMs: since(startedAt),
      };
      await this.perform(run, confirmStep, request, 'committed');
    } catch (cause) {
      if (!(cause instanceof Q2cError) || cause.code !== 'DUPLICATE_SUSPECTED') throw cause;
      const failure: Failure = {
        kind: 'unknown',
        code: 'DUPLICATE_SUSPECTED',
        reason: cause.message,
        message: cause.message,
      };
      throw await this.giveUp(run, step, keys, 'unknown', failure, cause, counts, startedAt);
    }
    if (!step.readOnly) reach('outcome-journaled');
    return { ...answer.reply.result, origin: answer.origin };
  }

  /** Journals the final outcome and opens the case in one transaction. */
  private async giveUp(
    run: Run,
    step: Step,
    keys: StepKeys,
    state: FinalState,
    failure: Failure,
    cause: unknown,
    counts: Counts,
    startedAt: number,
  ): Promise<CaseOpened> {
    const at = this.options.now();
    const opened = await this.write(run, async (tx) => {
      await recordFailure(tx, keys, state, failure, counts, { at, durationMs: since(startedAt) });
      return openCase(tx, run, caseOf(step, failure, keys.key), at);
    });
    reach('case-opened');
    return new CaseOpened([opened], failure.code, cause);
  }
}

/** The case of a step that has failed for good. */
export function caseOf(step: Step, failure: Failure, stepKey: string | null): NewCase {
  const { node, system, operation, canonicalId } = step;
  const about = typeof step.about === 'function' ? step.about() : step.about;
  return {
    node,
    code: failure.code,
    ...(failure.message === undefined ? {} : { message: failure.message }),
    subject: canonicalId,
    about: {
      ...about,
      params: { operation, ...about.params, reason: failure.reason, ...failure.params },
    },
    ...(stepKey === null ? {} : { stepKey }),
    detail: { system, operation, reason: failure.reason },
  };
}

/**
 * A probe that was refused, or whose answer makes no sense, has not decided what became of the call: that is what the
 * case must say, and it is asked again (DESIGN §4). Two records under our key are for a person to sort out.
 */
function undecided(failure: Failure): Failure {
  const isRefusal =
    failure.kind === 'rejected' || failure.kind === 'not_found' || failure.kind === 'conflict';
  if (!isRefusal || failure.code === 'DUPLICATE_SUSPECTED') return failure;
  const { kind, reason, params } = failure;
  return { kind, reason, code: 'OUTCOME_UNKNOWN', ...(params === undefined ? {} : { params }) };
}

export function noSuchRecord({ recordType }: Step, externalId: string): Failure {
  return { kind: 'rejected', code: 'TARGET_REJECTED', reason: `there is no ${recordType} ${externalId}` };
}

function noCounts(): Counts {
  return { calls: 0, probes: 0 };
}

/** State of a step whose last call was surely not processed. */
function stateOf(failure: Failure): FinalState {
  return failure.kind === 'rejected' || failure.kind === 'not_found' || failure.kind === 'conflict'
    ? 'rejected'
    : 'failed';
}

/** @returns whole milliseconds since a moment of the monotonic clock */
const since = (moment: number): number => Math.round(performance.now() - moment);
