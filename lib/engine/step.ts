import { hash } from 'node:crypto';
import { fingerprint, type Instant, idempotencyKey, Q2cError } from '../model';
import type { Durability, Store, WriteJob } from '../store';
import { CaseOpened, openCase } from './cases';
import { reach } from './failpoints';
import { externalId } from './identity';
import { isInProgress } from './in-progress';
import {
  type Begin,
  begin,
  type Counts,
  confirm,
  otherContent,
  recordFailure,
  type StepKeys,
  settleEarlier,
} from './journal';
import { KeyedMutex } from './keyed-mutex';
import type { Leases } from './leases';
import { delay, stepDelay } from './retry';
import type { CallInfo, Failure, RetryPolicy, Run, Step, StepOutcome, StepReply } from './types';

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

  run(run: Run, step: Step): Promise<StepOutcome> {
    const record = [step.system, step.instance, step.operation, step.canonicalId].join('|');
    return this.turns.run(record, () => this.execute(run, step));
  }

  private async execute(run: Run, step: Step): Promise<StepOutcome> {
    const keys = this.keysOf(run, step);
    const startedAt = Date.now();
    const { leases } = this.options;
    const stopping = leases.guard(this.options.stopping);
    const cancelling = leases.guard(this.options.cancelling);
    stopping.throwIfAborted();

    const plan = await this.begin(run, step, keys, stopping);
    if (plan.do === 'answer') return { ...plan.result, origin: plan.origin };
    if (plan.do === 'refuse')
      throw await this.giveUp(run, step, keys, 'rejected', plan.failure, null, noCounts(), startedAt);

    if (!step.readOnly) reach('intent-journaled');

    const counts = noCounts();
    let probeNext = plan.probeBeforeCall;
    /** True while a call may have been processed that no probe has answered for. */
    let uncertain = plan.uncertain;
    // When an earlier attempt was sent is not known: it may be so recent that the target does not show it yet.
    let lastSentAt = plan.uncertain ? Date.now() : 0;
    for (let attempt = 1; ; attempt++) {
      const info: CallInfo = {
        idempotencyKey: keys.idempotencyKey,
        attempt: plan.calls + counts.calls + 1,
        signal: cancelling,
      };
      const found = probeNext
        ? await this.probe(run, step, keys, plan, info, counts, lastSentAt, stopping)
        : null;
      if (found === null) lastSentAt = Date.now();
      if (found === null || (!found.ok && found.settled)) uncertain = false;
      const outcome = found ?? (await this.call(step, info, counts, stopping));
      if (!step.readOnly) reach(found === null ? 'call-answered' : 'probe-answered');
      if (outcome.ok) return this.succeed(run, step, keys, outcome, counts, startedAt);

      const { failure } = outcome;
      if (found === null && failure.kind === 'unknown' && !step.readOnly) uncertain = true;
      const state = uncertain ? 'unknown' : stateOf(failure);
      if (!isRetriable(failure) || this.exhausted(attempt, startedAt, failure)) {
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

  /** Journals the intent, when no other host works on the same record. */
  private async begin(run: Run, step: Step, keys: StepKeys, stopping: AbortSignal): Promise<Begin> {
    const { now } = this.options;
    for (;;) {
      const plan = await this.write(
        run,
        async (tx) => ((await isInProgress(tx, run, step, now())) ? null : begin(tx, run, step, keys, now())),
        step.readOnly ? 'committed' : 'flushed',
      );
      if (plan !== null) return plan;
      await delay(TURN_MS, stopping);
    }
  }

  /** A write for a run that is still this host's. @throws Q2cError `RUN_TAKEN_OVER` when it is not. */
  private write<T>(run: Run, job: WriteJob<T>, durability?: Durability): Promise<T> {
    const { store, leases } = this.options;
    if (store.exclusive) return store.write(job, durability);
    return store.write(async (tx) => {
      // What the job does meanwhile is undone with the transaction; it must be over before that.
      const [held, done] = await Promise.allSettled([leases.requireRun(tx, run.id), job(tx)]);
      if (held.status === 'rejected') throw held.reason;
      if (done.status === 'rejected') throw done.reason;
      return done.value;
    }, durability);
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
      if (lastSentAt > 0 && visibleAt > Date.now()) await delay(visibleAt - Date.now(), stopping);
      counts.probes++;
      this.checkLease(stopping);
      return await this.weigh(run, step, keys, plan, await step.probe(info));
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

  private async call(step: Step, info: CallInfo, counts: Counts, stopping: AbortSignal): Promise<Attempt> {
    this.checkLease(stopping);
    counts.calls++;
    try {
      return { ok: true, reply: await step.call(info), origin: 'call' };
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
    answer: { reply: StepReply; origin: 'call' | 'probe' },
    counts: Counts,
    startedAt: number,
  ): Promise<StepOutcome> {
    try {
      // Not flushed: the intent is, and the next call's will be before it leaves. Between them a power cut ends in a probe.
      await this.write(
        run,
        (tx) => confirm(tx, run, step, keys, answer, counts, this.options.now(), Date.now() - startedAt),
        'committed',
      );
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

  private exhausted(attempt: number, startedAt: number, failure: Failure): boolean {
    const { maxAttempts, maxElapsedMs } = this.options.retry;
    const elapsed = Date.now() - startedAt + (failure.retryAfterMs ?? 0);
    return attempt >= maxAttempts || elapsed >= maxElapsedMs;
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
      await recordFailure(tx, keys, state, failure, counts, { at, durationMs: Date.now() - startedAt });
      return openCase(
        tx,
        run,
        {
          node: step.node,
          code: failure.code,
          message: failure.message,
          subject: step.canonicalId,
          about: {
            ...step.about,
            params: {
              operation: step.operation,
              ...step.about.params,
              reason: failure.reason,
              ...failure.params,
            },
          },
          stepKey: keys.key,
          detail: { system: step.system, operation: step.operation, reason: failure.reason },
        },
        at,
      );
    });
    reach('case-opened');
    return new CaseOpened([opened], failure.code, cause);
  }

  private keysOf(run: Run, step: Step): StepKeys {
    const print = fingerprint(step.wire);
    const identity = [run.id, step.node.id, step.operation, step.canonicalId, print].join('|');
    return {
      fingerprint: print,
      key: `${run.id}:${hash('sha256', identity)}`,
      idempotencyKey: idempotencyKey({
        tenant: this.options.tenant,
        system: step.system,
        instance: step.instance,
        operation: step.operation,
        canonicalId: step.canonicalId,
        businessVersion: step.businessVersion,
      }),
    };
  }
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

function noCounts(): Counts {
  return { calls: 0, probes: 0 };
}

function isRetriable(failure: Failure): boolean {
  return (
    failure.kind === 'transient' ||
    failure.kind === 'rate_limited' ||
    failure.kind === 'unknown' ||
    failure.kind === 'conflict'
  );
}

/** State of a step whose last call was surely not processed. */
function stateOf(failure: Failure): FinalState {
  return failure.kind === 'rejected' || failure.kind === 'not_found' || failure.kind === 'conflict'
    ? 'rejected'
    : 'failed';
}
