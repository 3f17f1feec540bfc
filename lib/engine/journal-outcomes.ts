import type { CanonicalId, Instant } from '../model';
import { appendAudit, procedure, type Sealed, seal, sideBySide, type Tx, updateTogether } from '../store';
import { ENGINE } from './cases';
import { recordRefs } from './identity';
import type { StepKeys } from './step-keys';
import type { JournalStep, StepReply, StepResult } from './types';

/** What the step journal is told after a call or a probe (guides §13, write protocol). */

export interface Counts {
  calls: number;
  probes: number;
}

interface Confirmed extends Counts, Record<string, unknown> {
  key: string;
  origin: 'call' | 'probe' | 'manual';
  reply: Sealed;
  result: Sealed;
  at: Instant;
  durationMs: number;
}

const updateConfirmed = updateTogether<Confirmed>(
  {
    key: 'text',
    origin: 'text',
    reply: 'text',
    result: 'text',
    calls: 'integer',
    probes: 'integer',
    at: 'text',
    durationMs: 'integer',
  },
  (db, value) =>
    db
      .updateTable('step')
      .set((row) => ({
        state: 'confirmed',
        origin: value.origin,
        reply: value.reply,
        result: value.result,
        error_code: null,
        error_message: null,
        calls: row('step.calls', '+', value.calls),
        probes: row('step.probes', '+', value.probes),
        ended_at: value.at,
        duration_ms: value.durationMs,
      }))
      .where('step.key', '=', value.key),
);

interface ConfirmRequest {
  runId: string;
  step: JournalStep;
  keys: StepKeys;
  origin: 'call' | 'probe' | 'manual';
  /** As JSON. */
  reply: string;
  /** As JSON. */
  result: string;
  counts: Counts;
  at: Instant;
  durationMs: number;
}

/** Records the outcome `confirmed` with cross-references and audit line. */
export const confirmStep = procedure(
  'step.confirm',
  async (tx, request: ConfirmRequest): Promise<void> => {
    const { runId, step, keys, origin, counts, at, durationMs } = request;
    // Read here: beside the JSON they would be copied to the store's thread a second time.
    const { refs, evidence } = JSON.parse(request.result) as StepResult;
    const confirmed = {
      key: keys.key,
      origin,
      reply: seal(tx, 'step', 'reply', keys, request.reply),
      result: seal(tx, 'step', 'result', keys, request.result),
      calls: counts.calls,
      probes: counts.probes,
      at,
      durationMs,
    };
    await sideBySide([recordRefs(tx, refs, at), updateConfirmed(tx, confirmed)]);
    if (step.readOnly) return;
    await appendAudit(tx, {
      at,
      actor: ENGINE,
      action: 'step.confirmed',
      subject: step.canonicalId,
      runId,
      detail: {
        system: step.system,
        instance: step.instance,
        operation: step.operation,
        fingerprint: keys.fingerprint,
        origin,
        ...(step.mappingVersion === undefined ? {} : { mappingVersion: step.mappingVersion }),
        refs: refs.map(({ ref }) => `${ref.type}/${ref.id}`),
        ...(evidence === undefined ? {} : { evidence }),
      },
    });
  },
  { isIndependent: true },
);

/** Records an outcome that is not `confirmed`, or that an attempt is uncertain and the step goes on. */
export async function recordFailure(
  tx: Tx,
  keys: StepKeys,
  state: 'rejected' | 'unknown' | 'failed',
  failure: { code: string; reason: string },
  counts: Counts,
  ended: { at: Instant; durationMs: number } | null,
): Promise<void> {
  await tx
    .updateTable('step')
    .set((row) => ({
      state,
      error_code: failure.code,
      error_message: seal(tx, 'step', 'error_message', keys, failure.reason),
      calls: row('calls', '+', counts.calls),
      probes: row('probes', '+', counts.probes),
      ended_at: ended?.at ?? null,
      duration_ms: ended?.durationMs ?? null,
    }))
    .where('key', '=', keys.key)
    .execute();
}

/** A person goes on without this step. */
export async function recordSkipped(tx: Tx, { key }: Pick<StepKeys, 'key'>, at: Instant): Promise<void> {
  await tx.updateTable('step').set({ state: 'skipped', ended_at: at }).where('key', '=', key).execute();
}

/**
 * A probe has said what became of the uncertain steps of others under this key: `found` is what they have written,
 * null means that they were not processed.
 */
export async function settleEarlier(
  tx: Tx,
  canonicalId: CanonicalId,
  keys: StepKeys,
  found: StepReply | null,
  at: Instant,
): Promise<void> {
  if (found !== null) await recordRefs(tx, found.result.refs, at);
  const others = await tx
    .selectFrom('step')
    .select('key')
    .where('canonical_id', '=', canonicalId)
    .where('idempotency_key', '=', keys.idempotencyKey)
    .where('key', '!=', keys.key)
    .where('state', 'in', ['intent', 'unknown'])
    .execute();
  for (const { key } of others) {
    await tx
      .updateTable('step')
      .set(
        found === null
          ? { state: 'failed', ended_at: at }
          : {
              state: 'confirmed',
              origin: 'probe',
              ...sealedReply(tx, key, found),
              error_code: null,
              error_message: null,
              ended_at: at,
            },
      )
      .where('key', '=', key)
      .execute();
  }
}

function sealedReply(tx: Tx, key: string, { reply, result }: StepReply): { reply: Sealed; result: Sealed } {
  return {
    reply: seal(tx, 'step', 'reply', { key }, JSON.stringify(reply)),
    result: seal(tx, 'step', 'result', { key }, JSON.stringify(result)),
  };
}
