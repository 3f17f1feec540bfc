import { sql } from 'kysely';
import type { CanonicalId, Instant } from '../model';
import {
  insertOnce,
  open,
  prepared,
  preparedTogether,
  procedure,
  type Sealed,
  type StepRow,
  type StepState,
  seal,
  sideBySide,
  type Tx,
} from '../store';
import { isInProgress } from './in-progress';
import { recordSkipped } from './journal-outcomes';
import { isUncertain, resultOf } from './journal-rows';
import type { StepKeys } from './step-keys';
import type { Failure, JournalStep, Run, Step, StepResult } from './types';

/** What the step journal is told before every call (guides §13, write protocol). */

export type Begin =
  /** The outcome is known already: no call. */
  | { do: 'answer'; result: StepResult; origin: 'replayed' | 'earlier_run' }
  | { do: 'refuse'; failure: Failure }
  /** An earlier attempt of the run came by it, and its record was updated otherwise since: it is one more step. */
  | { do: 'again' }
  | {
      do: 'call';
      /** An earlier attempt may have been processed, and no probe has said otherwise. */
      uncertain: boolean;
      /**
       * That attempt was made by another step under the same key, with this content or another one: a record that
       * the probe finds is then what that step has written.
       */
      unsettled: 'none' | 'same_content' | 'other_content';
      probeBeforeCall: boolean;
      /** Calls made before, over restarts. */
      calls: number;
    };

/** What the journal keeps of a step. */
export function journaled(step: Step): JournalStep {
  const { node, system, instance, operation, updates, readOnly, probeFirst, canonicalId, undo } = step;
  const { mappingVersion } = step;
  const { id, name } = node;
  return {
    node: { id, name },
    system,
    instance,
    operation,
    updates,
    readOnly,
    probeFirst,
    canonicalId,
    undo,
    mappingVersion,
  };
}

type JournalRun = Pick<Run, 'id' | 'attempt'>;

interface BeginRequest {
  run: JournalRun;
  step: JournalStep;
  keys: StepKeys;
  /** As JSON. */
  wire: string;
  /** A person goes on without this step, unless it is done already. */
  skip: boolean;
  /** The one that asks. */
  host: string;
  at: Instant;
}

/** Journals the intent. Gives null while another host works on the same record: it is to be asked for again. */
export const beginStep = procedure(
  'step.begin',
  async (tx, request: BeginRequest): Promise<Begin | null> => {
    const { keys, at } = request;
    const next = await begin(tx, request);
    if (next === null) return null;
    if (request.skip && (next.do === 'call' || next.do === 'refuse')) await recordSkipped(tx, keys, at);
    return next;
  },
  { isIndependent: true },
);

/**
 * Journals the intent, or finds that there is nothing left to do, or gives null as `beginStep`. Most steps are new, so
 * the intent is inserted first and read back only when it was there. Likewise hardly ever another host is at the same
 * record, and the look for that waits for nobody else's answer.
 */
async function begin(tx: Tx, { run, step, keys, wire, host, at }: BeginRequest): Promise<Begin | null> {
  const [isBusy, isNew, earlier] = await sideBySide([
    isInProgress(tx, run, step, host, at),
    insertIntent(tx, identityOf(tx, run, step, keys, wire, at)),
    step.readOnly ? undefined : earlierStep(tx, step.canonicalId, keys),
  ]);
  if (isBusy) {
    if (isNew) await deleteIntent(tx, { key: keys.key });
    return null;
  }
  const [own] = isNew ? [] : await selectStep(tx, { key: keys.key });
  if (own !== undefined && (await isOutdated(tx, run, step, own))) return { do: 'again' };
  if (own?.state === 'confirmed' && !(step.readOnly && own.run_attempt !== run.attempt)) {
    return { do: 'answer', result: resultOf(tx, own), origin: 'replayed' };
  }

  if (earlier?.state === 'confirmed') {
    if (earlier.fingerprint === keys.fingerprint) {
      await answerFromEarlier(tx, run, keys, earlier, at);
      return { do: 'answer', result: resultOf(tx, earlier), origin: 'earlier_run' };
    }
    if (!step.updates) {
      return { do: 'refuse', failure: otherContent(step) };
    }
  }

  if (own !== undefined) await resumeIntent(tx, run, step, own, at);
  const uncertain = !step.readOnly && (isUncertain(own?.state) || isUncertain(earlier?.state));
  return {
    do: 'call',
    uncertain,
    unsettled: unsettledBy(step, earlier, keys),
    probeBeforeCall: uncertain || step.probeFirst,
    calls: own?.calls ?? 0,
  };
}

/** Why a create is refused whose record is there already, made of other content. */
export function otherContent(step: Pick<Step, 'operation'>): Failure {
  return {
    kind: 'rejected',
    code: 'IDEMPOTENCY_MISMATCH',
    reason: `${step.operation} was done before with other content`,
  };
}

function unsettledBy(step: JournalStep, earlier: EarlierStep | undefined, keys: StepKeys) {
  if (step.readOnly || !isUncertain(earlier?.state)) return 'none';
  return earlier?.fingerprint === keys.fingerprint ? 'same_content' : 'other_content';
}

const selectStep = prepared<{ key: string }, StepRow>((db, value) =>
  db.selectFrom('step').selectAll().where('key', '=', value.key),
);

type EarlierStep = Pick<StepRow, 'seq' | 'key' | 'state' | 'fingerprint' | 'reply' | 'result'>;

const selectEarlier = preparedTogether<
  { canonicalId: CanonicalId; idempotencyKey: string; key: string },
  EarlierStep
>({ canonicalId: 'text', idempotencyKey: 'text', key: 'text' }, (db, value) =>
  db
    .selectFrom('step')
    .select(['seq', 'key', 'state', 'fingerprint', 'reply', 'result'])
    // Part of the idempotency key, and what the index begins with.
    .where('canonical_id', '=', value.canonicalId)
    .where('idempotency_key', '=', value.idempotencyKey)
    .where('key', '!=', value.key)
    // Not `in`: SQLite would build a table of the states for each search.
    .where((where) =>
      where.or(
        (['confirmed', 'intent', 'unknown'] as const).map((state) =>
          where('state', '=', sql.lit<StepState>(state)),
        ),
      ),
    )
    .orderBy('seq', 'desc')
    .limit(sql.lit(1)),
);

/** The latest other step under the same idempotency key whose outcome matters to a new one. */
async function earlierStep(
  tx: Tx,
  canonicalId: CanonicalId,
  { idempotencyKey, key }: StepKeys,
): Promise<EarlierStep | undefined> {
  return (await selectEarlier(tx, { canonicalId, idempotencyKey, key }))[0];
}

/**
 * True for an update of an earlier attempt after which the record was updated otherwise: a retry that comes by it again
 * wants the record as it says, and not as it was left. A step of its own, because numbers are the order of updates. One
 * of unknown outcome is never among them: the other update has found out what became of it.
 */
async function isOutdated(tx: Tx, run: JournalRun, step: JournalStep, own: StepRow): Promise<boolean> {
  if (!step.updates || own.run_attempt === run.attempt || isUncertain(own.state)) return false;
  const keys = { key: own.key, fingerprint: own.fingerprint, idempotencyKey: own.idempotency_key };
  const other = await earlierStep(tx, step.canonicalId, keys);
  return other !== undefined && other.fingerprint !== own.fingerprint && other.seq > own.seq;
}

/**
 * What the journal says about a step, without journaling anything. `isDone`: it would answer from what this run has done
 * before.
 */
export async function lookUp(
  tx: Tx,
  run: JournalRun,
  step: JournalStep,
  keys: StepKeys,
): Promise<{ own: StepRow | undefined; isDone: boolean; earlier: EarlierStep | undefined }> {
  const [own] = await selectStep(tx, { key: keys.key });
  const isDone = own?.state === 'confirmed' && !(await isOutdated(tx, run, step, own));
  return { own, isDone, earlier: await earlierStep(tx, step.canonicalId, keys) };
}

type StepIdentity = ReturnType<typeof identityOf>;

/** Resolves to whether the step is new. */
const insertIntent = insertOnce<'step', StepIdentity>(
  'step',
  {
    key: 'text',
    run_id: 'text',
    run_attempt: 'integer',
    node_id: 'text',
    node_name: 'text',
    system: 'text',
    instance: 'text',
    operation: 'text',
    canonical_id: 'text',
    fingerprint: 'text',
    idempotency_key: 'text',
    wire: 'text',
    started_at: 'text',
    undo: 'text',
    mapping_version: 'text',
    state: 'text',
    calls: 'integer',
    probes: 'integer',
  },
  ['key'],
);

/** It was inserted too soon: nothing of it was called. */
const deleteIntent = prepared<{ key: string }>((db, value) =>
  db.deleteFrom('step').where('key', '=', value.key),
);

/** An earlier attempt at the step is taken up again; an uncertain one stays what it is until its outcome is known. */
async function resumeIntent(
  tx: Tx,
  run: JournalRun,
  { mappingVersion }: JournalStep,
  own: StepRow,
  at: Instant,
): Promise<void> {
  await tx
    .updateTable('step')
    .set({
      state: isUncertain(own.state) ? own.state : 'intent',
      run_attempt: run.attempt,
      mapping_version: mappingVersion ?? null,
      started_at: at,
      ended_at: null,
      duration_ms: null,
      error_code: null,
      error_message: null,
    })
    .where('key', '=', own.key)
    .execute();
}

const updateAnswered = prepared<{
  key: string;
  attempt: number;
  reply: Sealed | null;
  result: Sealed | null;
  at: Instant;
}>((db, value) =>
  db
    .updateTable('step')
    .set({
      state: 'confirmed',
      run_attempt: value.attempt,
      origin: 'earlier_run',
      reply: value.reply,
      result: value.result,
      error_code: null,
      error_message: null,
      ended_at: value.at,
      duration_ms: 0,
    })
    .where('key', '=', value.key),
);

/** The same content was confirmed by an earlier run: this run's step is that answer. */
async function answerFromEarlier(
  tx: Tx,
  run: JournalRun,
  { key }: StepKeys,
  earlier: EarlierStep,
  at: Instant,
): Promise<void> {
  await updateAnswered(tx, {
    key,
    attempt: run.attempt,
    reply: copied(tx, 'reply', earlier, key),
    result: copied(tx, 'result', earlier, key),
    at,
  });
}

/** A value of an earlier step, sealed for the row that it is copied to. */
function copied(tx: Tx, column: 'reply' | 'result', earlier: EarlierStep, key: string): Sealed | null {
  const text = open(tx, 'step', column, earlier);
  return text === null ? null : seal(tx, 'step', column, { key }, text);
}

function identityOf(tx: Tx, run: JournalRun, step: JournalStep, keys: StepKeys, wire: string, at: Instant) {
  return {
    key: keys.key,
    run_id: run.id,
    run_attempt: run.attempt,
    node_id: step.node.id,
    node_name: step.node.name,
    system: step.system,
    instance: step.instance,
    operation: step.operation,
    canonical_id: step.canonicalId,
    fingerprint: keys.fingerprint,
    idempotency_key: keys.idempotencyKey,
    wire: seal(tx, 'step', 'wire', keys, wire),
    started_at: at,
    undo: step.undo,
    mapping_version: step.mappingVersion ?? null,
    state: 'intent' as const,
    calls: 0,
    probes: 0,
  };
}
