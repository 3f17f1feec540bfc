import { hash } from 'node:crypto';
import { type CanonicalId, canonicalJson, type Instant, type JsonObject, type JsonValue } from '../model';
import { open, type StepDecisionRow, seal, type Tx } from '../store';
import type { Run, Step } from './types';

/** What people have decided about failed steps, and how a step is changed by it when it is reached again. */

/** `patch`: a JSON merge patch (RFC 7396) on the step's own input; `wire`: all of it. */
export type Correction = { patch: JsonValue } | { wire: JsonValue };

export type Decision =
  | { kind: 'correct'; correction: Correction }
  /** A person has made the record; `externalId` is the target's own id. */
  | { kind: 'complete'; externalId: string }
  | { kind: 'skip' };

/** Who did something, and why. */
export interface Author {
  actor: string;
  reason: string;
}

export type DecisionMade = Decision & Author & { at: Instant };

/** Where in a run a step stands, whatever content it has. */
export interface StepPlace {
  runId: string;
  nodeId: string;
  operation: string;
  canonicalId: CanonicalId;
}

export const placeOf = (run: Pick<Run, 'id'>, step: Step): StepPlace => ({
  runId: run.id,
  nodeId: step.node.id,
  operation: step.operation,
  canonicalId: step.canonicalId,
});

export async function decisionOn(tx: Tx, place: StepPlace): Promise<DecisionMade | null> {
  const row = await tx
    .selectFrom('step_decision')
    .selectAll()
    .where('key', '=', keyOf(place))
    .executeTakeFirst();
  return row === undefined ? null : decisionOf(tx, row);
}

/** A later decision about the same step takes the place of an earlier one. */
export async function saveDecision(tx: Tx, place: StepPlace, decision: DecisionMade): Promise<void> {
  const key = keyOf(place);
  const sealed = (correction: Correction) =>
    seal(tx, 'step_decision', 'value', { key }, JSON.stringify(correction));
  const values = {
    kind: decision.kind,
    value: decision.kind === 'correct' ? sealed(decision.correction) : null,
    external_id: decision.kind === 'complete' ? decision.externalId : null,
    reason: decision.reason,
    actor: decision.actor,
    at: decision.at,
  };
  await tx
    .insertInto('step_decision')
    .values({
      key,
      run_id: place.runId,
      node_id: place.nodeId,
      operation: place.operation,
      canonical_id: place.canonicalId,
      ...values,
    })
    .onConflict((conflict) => conflict.column('key').doUpdateSet(values))
    .execute();
}

function keyOf({ runId, nodeId, operation, canonicalId }: StepPlace): string {
  return `${runId}:${hash('sha256', [nodeId, operation, canonicalId].join('|'))}`;
}

function decisionOf(tx: Tx, row: StepDecisionRow): DecisionMade {
  const made = { actor: row.actor, reason: row.reason, at: row.at };
  switch (row.kind) {
    case 'correct':
      return {
        kind: 'correct',
        correction: JSON.parse(open(tx, 'step_decision', 'value', row) ?? '{}') as Correction,
        ...made,
      };
    case 'complete':
      return { kind: 'complete', externalId: row.external_id ?? '', ...made };
    case 'skip':
      return { kind: 'skip', ...made };
  }
}

/** The same thing decided twice: a form that was sent again. */
export const isSameDecision = (one: Decision, other: Decision): boolean =>
  canonicalJson(contentOf(one)) === canonicalJson(contentOf(other));

function contentOf(decision: Decision): JsonValue {
  switch (decision.kind) {
    case 'correct':
      return { kind: 'correct', ...decision.correction };
    case 'complete':
      return { kind: 'complete', externalId: decision.externalId };
    case 'skip':
      return { kind: 'skip' };
  }
}

/** The step with the input that a person has corrected. */
export function withCorrection(step: Step, decision: Decision | null): Step {
  return decision?.kind === 'correct' ? { ...step, wire: corrected(step.wire, decision.correction) } : step;
}

export function corrected(wire: JsonValue, correction: Correction): JsonValue {
  return 'wire' in correction ? correction.wire : mergePatch(wire, correction.patch);
}

/** RFC 7396: members of the patch replace those of the target, null removes one, anything but objects replaces all. */
export function mergePatch(target: JsonValue, patch: JsonValue): JsonValue {
  if (!isObject(patch)) return patch;
  const merged: JsonObject = isObject(target) ? { ...target } : {};
  for (const [name, value] of Object.entries(patch)) {
    if (value === null) delete merged[name];
    else if (value !== undefined) merged[name] = mergePatch(merged[name] ?? null, value);
  }
  return merged;
}

function isObject(value: JsonValue): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
