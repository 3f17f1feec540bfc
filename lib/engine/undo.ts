import { hash } from 'node:crypto';
import { type CanonicalId, fingerprint, type Instant, type JsonValue, Q2cError } from '../model';
import { appendAudit, open, type RunRow, type StepRow, type Store, seal, type Tx } from '../store';
import { ENGINE, openCase, resolveCasesOfStep } from './cases';
import { externalId } from './identity';
import { replyOf, resultOf, wireOf } from './journal-rows';
import { delay, GivenUp, isRetriable, type Patience, persist } from './retry';
import { toRun } from './runs';
import type { TargetOperation, Targets, UndoEffect } from './targets';
import type { CallInfo, Failure } from './types';

/**
 * Takes one step back, as a journaled step of its own: intent, call, outcome. An undo names the very records of its
 * step's reply and may be repeated, so after a crash or a lost answer it is simply made again (docs/decisions/0010).
 */

/** `absent`: a probe has shown that the step never came through. */
export type Effect = UndoEffect | 'absent';

/** Why something is left as it is. */
export type KeptBecause = 'shared' | 'made_by_hand' | 'target' | 'person';

export interface UndoResult {
  effect: Effect;
  why?: KeptBecause;
}

/** Undoing has stopped at this step, and its case is open. */
export interface Stuck {
  caseId: CanonicalId;
  /** May heal by itself. */
  isPassing: boolean;
}

export interface UndoOptions extends Patience {
  store: Store;
  targets: Targets;
  now(): Instant;
  /** Waits for steps on the same record that are under way, and keeps others out. */
  inTurn<T>(
    record: { system: string; instance: string; operation: string; canonicalId: CanonicalId },
    task: () => Promise<T>,
  ): Promise<T>;
}

/** Key of the step that undoes another one. */
export const undoKeyOf = (key: string): string => `${key}:undo`;

export const isUncertain = ({ state }: Pick<StepRow, 'state'>): boolean =>
  state === 'intent' || state === 'unknown';

export class Undo {
  constructor(private readonly options: UndoOptions) {}

  /** @returns null when the step is dealt with */
  take(run: RunRow, step: StepRow): Promise<Stuck | null> {
    const { system, instance, operation, canonical_id: canonicalId } = step;
    return this.options.inTurn({ system, instance, operation, canonicalId }, () => this.execute(run, step));
  }

  private async execute(run: RunRow, step: StepRow): Promise<Stuck | null> {
    const { store, now } = this.options;
    const isKept = await store.write(async (tx) => {
      const why = await keptBecause(tx, run, step);
      await insertIntent(tx, step, now());
      if (why !== null) await recordUndo(tx, step, { effect: 'kept', why }, ENGINE, now());
      return why !== null;
    });
    if (isKept) return null;
    try {
      const result = await this.call(step);
      await store.write((tx) => recordUndo(tx, step, result, ENGINE, now()));
      return null;
    } catch (error) {
      const failure = failureOf(error);
      return store.write((tx) => recordStuck(tx, run, step, failure, now()));
    }
  }

  private async call(step: StepRow): Promise<UndoResult> {
    if (step.undo === 'person') throw refused(`${step.operation} declares no way back`);
    const operation = await this.options.targets.operationOf(step);
    const { undo } = operation;
    if (undo === undefined) throw refused(`the connector cannot undo ${step.operation} any more`);
    const { db } = this.options.store;
    const wire = wireOf(db, step);
    let reply = replyOf(db, step);
    if (isUncertain(step)) {
      reply = await this.probe(operation, step, wire);
      if (reply === null) return { effect: 'absent' };
      // An update of what was there before has nothing of its own to take away.
      if (await this.wasThere(step, operation)) return { effect: 'kept', why: 'target' };
    }
    if (reply === null) throw refused(`the reply of ${step.operation} was not kept`);
    const effect = await this.persist(operation, (info) => undo(wire, reply, info), step);
    return effect === 'kept' ? { effect, why: 'target' } : { effect };
  }

  /** What a call of unknown outcome has written, or null when it was certainly not processed. */
  private async probe(operation: TargetOperation, step: StepRow, wire: JsonValue): Promise<JsonValue | null> {
    const { probe, visibleAfterMs } = operation;
    if (probe === undefined) throw refused(`what became of ${step.operation} cannot be looked up`);
    await delay(visibleAfterMs, this.options.stopping);
    return this.persist(operation, (info) => probe(wire, { ...info, lookOnly: true }), step);
  }

  private async wasThere(step: StepRow, { recordType }: TargetOperation): Promise<boolean> {
    const { canonical_id, system, instance } = step;
    return (await externalId(this.options.store.db, canonical_id, system, instance, recordType)) !== null;
  }

  private persist<T>(
    { classify }: TargetOperation,
    call: (info: CallInfo) => Promise<T>,
    { key }: StepRow,
  ): Promise<T> {
    const info = { idempotencyKey: keyOf(key), attempt: 1, signal: this.options.cancelling };
    return persist(() => call(info), classify, this.options);
  }
}

/** Null = it is this run's alone and can be taken back. */
async function keptBecause(tx: Tx, run: RunRow, step: StepRow): Promise<KeptBecause | null> {
  if (step.origin === 'manual') return 'made_by_hand';
  return (await isUsedElsewhere(tx, run, step)) ? 'shared' : null;
}

/**
 * True when another run has worked with the record in this system, and still counts. Of two runs that are taken back at
 * the same time, the older one takes the record with it.
 */
async function isUsedElsewhere(tx: Tx, run: RunRow, step: StepRow): Promise<boolean> {
  const user = await tx
    .selectFrom('step')
    .innerJoin('run', 'run.id', 'step.run_id')
    .select('step.seq')
    .where('step.canonical_id', '=', step.canonical_id)
    .where('step.system', '=', step.system)
    .where('step.instance', '=', step.instance)
    .where('step.run_id', '!=', step.run_id)
    .where('step.undoes', 'is', null)
    .where('step.state', 'in', ['confirmed', 'intent', 'unknown'])
    .where('run.state', '!=', 'cancelled')
    .where((other) => other.or([other('run.state', '!=', 'cancelling'), other('run.seq', '<', run.seq)]))
    .limit(1)
    .executeTakeFirst();
  return user !== undefined;
}

/** Journals the intent, or takes an earlier one up again. */
async function insertIntent(tx: Tx, step: StepRow, at: Instant): Promise<void> {
  const key = undoKeyOf(step.key);
  const reply = replyOf(tx, step);
  const again = {
    state: 'intent',
    started_at: at,
    ended_at: null,
    error_code: null,
    error_message: null,
  } as const;
  await tx
    .insertInto('step')
    .values({
      key,
      run_id: step.run_id,
      run_attempt: step.run_attempt,
      node_id: step.node_id,
      node_name: step.node_name,
      system: step.system,
      instance: step.instance,
      operation: step.operation,
      canonical_id: step.canonical_id,
      wire: seal(tx, 'step', 'wire', { key }, JSON.stringify(reply)),
      fingerprint: fingerprint(reply),
      idempotency_key: keyOf(step.key),
      undo: 'none',
      undoes: step.key,
      calls: 0,
      probes: 0,
      ...again,
    })
    .onConflict((conflict) => conflict.column('key').doUpdateSet(again))
    .execute();
}

/**
 * Records that a step was undone, or is left as it is on purpose.
 * @param actor a person's name for what was settled by hand
 */
export async function recordUndo(
  tx: Tx,
  step: StepRow,
  result: UndoResult,
  actor: string,
  at: Instant,
): Promise<void> {
  const key = undoKeyOf(step.key);
  const { effect } = result;
  const isCalled = actor === ENGINE && (effect === 'removed' || effect === 'inactive');
  await tx
    .updateTable('step')
    .set((row) => ({
      state: effect === 'kept' ? 'skipped' : 'confirmed',
      origin: actor === ENGINE ? 'call' : 'manual',
      calls: row('calls', '+', isCalled ? 1 : 0),
      result: seal(tx, 'step', 'result', { key }, JSON.stringify({ refs: [], evidence: result })),
      error_code: null,
      error_message: null,
      ended_at: at,
    }))
    .where('key', '=', key)
    .execute();
  if (effect === 'removed') await removeRefs(tx, step);
  if (effect !== 'kept') await forget(tx, step);
  else if (isUncertain(step)) await setState(tx, step, 'undone');
  if (effect === 'absent') await setState(tx, step, 'failed');
  const detail = { operation: step.operation, system: step.system, ...result };
  await resolveCasesOfStep(tx, { key, run_id: step.run_id }, actor, detail, at);
  await appendAudit(tx, {
    at,
    actor,
    action: effect === 'kept' ? 'step.kept' : 'step.undone',
    subject: step.canonical_id,
    runId: step.run_id,
    detail,
  });
}

/** The record is gone: neither this step nor an equal one of a run taken back before may answer for it any more. */
async function forget(tx: Tx, step: StepRow): Promise<void> {
  await setState(tx, step, 'undone');
  await tx
    .updateTable('step')
    .set({ state: 'undone' })
    .where('canonical_id', '=', step.canonical_id)
    .where('system', '=', step.system)
    .where('instance', '=', step.instance)
    .where('operation', '=', step.operation)
    .where('undoes', 'is', null)
    .where('state', '=', 'confirmed')
    .execute();
}

async function setState(tx: Tx, { key }: StepRow, state: 'undone' | 'failed'): Promise<void> {
  await tx.updateTable('step').set({ state }).where('key', '=', key).execute();
}

async function removeRefs(tx: Tx, step: StepRow): Promise<void> {
  for (const { id, ref } of resultOf(tx, step).refs) {
    await tx
      .deleteFrom('xref')
      .where('system', '=', ref.system)
      .where('instance', '=', ref.instance)
      .where('type', '=', ref.type)
      .where('external_id', '=', ref.id)
      .where('canonical_id', '=', id)
      .execute();
  }
}

async function recordStuck(
  tx: Tx,
  run: RunRow,
  step: StepRow,
  failure: Failure,
  at: Instant,
): Promise<Stuck> {
  const key = undoKeyOf(step.key);
  await tx
    .updateTable('step')
    .set((row) => ({
      state: failure.kind === 'unknown' ? 'unknown' : 'failed',
      calls: row('calls', '+', 1),
      error_code: failure.code,
      error_message: seal(tx, 'step', 'error_message', { key }, failure.reason),
      ended_at: at,
    }))
    .where('key', '=', key)
    .execute();
  const opened = await openCase(
    tx,
    toRun(run),
    {
      node: { id: step.node_id, name: step.node_name },
      code: 'COMPENSATION_FAILED',
      subject: step.canonical_id,
      about: {
        params: { step: `"${step.node_name}" (${step.system}: ${failure.reason})` },
        ownerRole: 'integration_ops',
      },
      stepKey: key,
      detail: { system: step.system, operation: step.operation, reason: failure.reason, code: failure.code },
    },
    at,
  );
  return { caseId: opened.id, isPassing: isRetriable(failure) };
}

/** What the undo of a step came to, as it was recorded. */
export const undoResultOf = (tx: Tx, undo: StepRow): UndoResult =>
  (JSON.parse(open(tx, 'step', 'result', undo) ?? '{}') as { evidence: UndoResult }).evidence;

function failureOf(error: unknown): Failure {
  if (error instanceof GivenUp) return error.failure;
  // A deploy may bring the connection back.
  if (error instanceof Q2cError && error.code === 'TARGET_NOT_CONNECTED') {
    return { kind: 'transient', code: 'TARGET_UNAVAILABLE', reason: error.message };
  }
  throw error;
}

const refused = (reason: string): GivenUp =>
  new GivenUp({ kind: 'rejected', code: 'COMPENSATION_FAILED', reason }, null);

const keyOf = (key: string): string => hash('sha256', undoKeyOf(key));
