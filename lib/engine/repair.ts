import { fingerprint, type Instant, type JsonObject, type JsonValue, Q2cError } from '../model';
import { appendAudit, lock, type StepRow, type Store, type Tx } from '../store';
import { noteOnCases } from './cases';
import {
  type Author,
  type Correction,
  corrected,
  type Decision,
  type DecisionMade,
  decisionOn,
  isSameDecision,
  type StepPlace,
  saveDecision,
} from './decisions';
import { reasonOf, wireOf } from './journal-rows';
import { requireRetriable, rerun, runById } from './rerun';
import { GivenUp, type Patience, persist } from './retry';
import type { TargetOperation, Targets } from './targets';
import type { CallInfo } from './types';

/** What people do about a step that has failed: send other content, complete it by hand, or go on without it. */

export interface RepairOptions extends Patience {
  store: Store;
  targets: Targets;
  now(): Instant;
  /** The runs of this source node may be dispatched. */
  pump(sourceNode: string): void;
}

/** A failed step as the form of its repair shows it. */
export interface StepInput {
  runId: string;
  operation: string;
  /** What was sent. */
  wire: JsonValue;
  error: { code: string; message: string } | null;
  decision: DecisionMade | null;
}

/**
 * Each decision is stored, audited and shown with the step, and sends the failed run again at once; the step takes it
 * into account when the run reaches it. The same decision sent twice counts once.
 *
 * All methods throw Q2cError: `STEP_UNKNOWN`; `REASON_MISSING`; `RUN_NOT_RETRIABLE` when somebody works on the run, or
 * has ended it; `STEP_SETTLED` for a step whose record is there; `STEP_UNDECIDED` when nobody knows whether it is.
 */
export class Repair {
  constructor(private readonly options: RepairOptions) {}

  async stepInput(stepKey: string): Promise<StepInput> {
    const { db } = this.options.store;
    const step = await stepByKey(db, stepKey);
    return {
      runId: step.run_id,
      operation: step.operation,
      wire: wireOf(db, step),
      error: step.error_code === null ? null : { code: step.error_code, message: reasonOf(db, step) },
      decision: await decisionOn(db, placeOfRow(step)),
    };
  }

  /**
   * Sends other content in place of what was refused. A patch is applied to what the step would send when it is reached
   * again, which may have changed with the master.
   */
  async correct(stepKey: string, correction: Correction, author: Author): Promise<void> {
    await this.decide(stepKey, { kind: 'correct', correction }, author, (step) => {
      const before = wireOf(this.options.store.db, step);
      return { before: fingerprint(before), after: fingerprint(corrected(before, correction)) };
    });
  }

  /**
   * "I created it myself: id 4711." The record is looked up now, and taken over when the run reaches the step.
   *
   * @param externalId the target's own id
   * @throws Q2cError `RECORD_NOT_FOUND`; `RECORD_TAKEN` when the record belongs to another one of ours, or the target
   *   says so; `STEP_NOT_COMPLETABLE` where one id cannot stand for what the step makes; `TARGET_NOT_CONNECTED`
   */
  async complete(stepKey: string, externalId: string, author: Author): Promise<void> {
    const step = await stepByKey(this.options.store.db, stepKey);
    const operation = await this.options.targets.operationOf(step);
    await this.settle(step, operation);
    await this.look(step, operation, externalId);
    await this.decide(stepKey, { kind: 'complete', externalId }, author, () => ({ externalId }));
  }

  /** Goes on without the step. What comes after it finds no record of it. */
  async skip(stepKey: string, author: Author): Promise<void> {
    const step = await stepByKey(this.options.store.db, stepKey);
    if (isUncertain(step)) await this.settle(step, await this.options.targets.operationOf(step));
    await this.decide(stepKey, { kind: 'skip' }, author, () => ({}));
  }

  private async decide(
    stepKey: string,
    decision: Decision,
    author: Author,
    detailOf: (step: StepRow) => JsonObject,
  ): Promise<void> {
    requireReason(author);
    const source = await this.options.store.write(async (tx) => {
      const at = this.options.now();
      // One after the other, whichever host they reach: the second of two equal ones must find the first.
      await lock(tx, `repair|${(await stepByKey(tx, stepKey)).run_id}`);
      const step = await stepByKey(tx, stepKey);
      const run = await runById(tx, step.run_id);
      const place = placeOfRow(step);
      const made = await decisionOn(tx, place);
      if (run.state !== 'failed' && made !== null && isSameDecision(made, decision)) return null;
      await requireNotDone(tx, step);
      requireRetriable(run);
      await saveDecision(tx, place, { ...decision, ...author, at });
      if (decision.kind === 'skip') {
        await tx
          .updateTable('step')
          .set({ state: 'skipped', ended_at: at })
          .where('key', '=', stepKey)
          .execute();
      }
      const detail = { operation: step.operation, system: step.system, ...detailOf(step) };
      await noteOnCases(tx, step, { action: ACTIONS[decision.kind], author, detail }, at);
      await rerun(tx, run, { ...author, reason: '' }, at);
      await appendAudit(tx, {
        at,
        actor: author.actor,
        action: `step.${ACTIONS[decision.kind]}`,
        subject: step.canonical_id,
        runId: run.id,
        detail: { reason: author.reason, ...detail },
      });
      return run.source_node;
    });
    if (source !== null) this.options.pump(source);
  }

  /**
   * Finds out what became of a call whose outcome is unknown: only what is certainly not there may be made by hand or
   * done without.
   */
  private async settle(step: StepRow, operation: TargetOperation): Promise<void> {
    if (!isUncertain(step)) return;
    const undecided = `What became of ${step.operation} in ${step.system} is not known`;
    if (operation.probe === undefined) {
      throw new Q2cError('STEP_UNDECIDED', `${undecided}, and it cannot be looked up. Retry the run later.`);
    }
    const { probe } = operation;
    const wire = wireOf(this.options.store.db, step);
    const found = await persist(() => probe(wire, this.info()), operation.classify, this.options).catch(
      (error: unknown) => {
        if (!(error instanceof GivenUp)) throw error;
        const reason = error.failure.reason;
        throw new Q2cError('STEP_UNDECIDED', `${undecided}: ${reason}. Try again later.`, { cause: error });
      },
    );
    if (found !== null) {
      throw new Q2cError(
        'STEP_SETTLED',
        `${step.operation} has come through: the record is in ${step.system} under our key. Retry the run.`,
      );
    }
    await this.options.store.write((tx) =>
      tx
        .updateTable('step')
        .set({ state: 'failed' })
        .where('key', '=', step.key)
        .where('state', 'in', ['intent', 'unknown'])
        .execute(),
    );
  }

  private async look(step: StepRow, operation: TargetOperation, externalId: string): Promise<void> {
    const { look, recordType, classify } = operation;
    if (look === undefined) {
      throw new Q2cError(
        'STEP_NOT_COMPLETABLE',
        `${step.operation} in ${step.system} cannot be completed with one id. Correct its input, or skip it.`,
      );
    }
    const { db } = this.options.store;
    const { system, instance } = step;
    const record = `${recordType} ${externalId} in ${system}`;
    const holder = await db
      .selectFrom('xref')
      .select('canonical_id')
      .where('system', '=', system)
      .where('instance', '=', instance)
      .where('type', '=', recordType)
      .where('external_id', '=', externalId)
      .executeTakeFirst();
    if (holder !== undefined && holder.canonical_id !== step.canonical_id) {
      throw new Q2cError('RECORD_TAKEN', `${record} belongs to ${holder.canonical_id} already.`);
    }
    const wire = wireOf(this.options.store.db, step);
    const isThere = await persist(() => look(externalId, wire, this.info()), classify, this.options).catch(
      (error: unknown) => {
        if (!(error instanceof GivenUp)) throw error;
        throw new Q2cError('RECORD_TAKEN', `${record} cannot be taken: ${error.failure.reason}.`, {
          cause: error,
        });
      },
    );
    if (!isThere) throw new Q2cError('RECORD_NOT_FOUND', `There is no ${record}. Check the id.`);
  }

  /** Nothing is written here: that is the run's to do. */
  private info(): CallInfo {
    return { idempotencyKey: '', attempt: 1, signal: this.options.cancelling, lookOnly: true };
  }
}

/** Past tenses for audit and history. */
const ACTIONS = { correct: 'corrected', complete: 'completed_by_hand', skip: 'skipped' } as const;

/** @throws Q2cError `REASON_MISSING` */
export function requireReason({ reason }: Author): void {
  if (reason.trim() === '')
    throw new Q2cError('REASON_MISSING', 'Say why: the reason is kept for the audit.');
}

/** @throws Q2cError `STEP_UNKNOWN` */
export async function stepByKey(tx: Tx, key: string): Promise<StepRow> {
  const step = await tx.selectFrom('step').selectAll().where('key', '=', key).executeTakeFirst();
  if (step !== undefined) return step;
  throw new Q2cError('STEP_UNKNOWN', `There is no step ${key}.`);
}

/** The step may have been done meanwhile, also with other content: then there is nothing left to decide. */
async function requireNotDone(tx: Tx, step: StepRow): Promise<void> {
  const rows = await tx
    .selectFrom('step')
    .select(['seq', 'state'])
    .where('canonical_id', '=', step.canonical_id)
    .where('run_id', '=', step.run_id)
    .where('node_id', '=', step.node_id)
    .where('operation', '=', step.operation)
    .execute();
  if (rows.some(isUncertain)) {
    throw new Q2cError(
      'STEP_UNDECIDED',
      `What became of ${step.operation} in ${step.system} is not known. Retry the run: that looks it up first.`,
    );
  }
  if (rows.some(({ seq, state }) => state === 'confirmed' && seq >= step.seq)) {
    throw new Q2cError(
      'STEP_SETTLED',
      `${step.operation} in ${step.system} is done. Cancel the run to undo it.`,
    );
  }
}

const isUncertain = ({ state }: Pick<StepRow, 'state'>): boolean => state === 'intent' || state === 'unknown';

export const placeOfRow = (step: StepRow): StepPlace => ({
  runId: step.run_id,
  nodeId: step.node_id,
  operation: step.operation,
  canonicalId: step.canonical_id,
});
