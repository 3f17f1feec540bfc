import { hash } from 'node:crypto';
import { fingerprint, idempotencyKey } from '../model';
import type { Run, Step } from './types';

/** What tells steps apart. */

/** Keys of one step, computed once. */
export interface StepKeys {
  key: string;
  fingerprint: string;
  idempotencyKey: string;
}

export function keysOf(tenant: string, run: Pick<Run, 'id'>, step: Step): StepKeys {
  const { node, system, instance, operation, canonicalId, businessVersion } = step;
  const print = fingerprint(step.wire);
  return {
    fingerprint: print,
    key: named(run.id, [run.id, node.id, operation, canonicalId, print]),
    idempotencyKey: idempotencyKey({ tenant, system, instance, operation, canonicalId, businessVersion }),
  };
}

/** The keys of a step in its passage: an update that comes again after another one is one more step. */
export function keysInTurn(keys: StepKeys, run: Pick<Run, 'id'>, step: Step, order: UpdateOrder): StepKeys {
  const turn = step.updates ? order.turnOf(keys) : 0;
  return turn === 0 ? keys : { ...keys, key: named(run.id, [keys.key, `turn ${turn}`]) };
}

/** The keys of a step that is done once more, in this attempt of its run. */
export const keysAgain = (keys: StepKeys, { id, attempt }: Pick<Run, 'id' | 'attempt'>): StepKeys => ({
  ...keys,
  key: named(id, [keys.key, `attempt ${attempt}`]),
});

const named = (runId: string, parts: readonly string[]): string =>
  `${runId}:${hash('sha256', parts.join('|'))}`;

/**
 * In which order one passage of a run updates its records. The same content at the same node is the same step, and is
 * done once; when another update of the record has come in between, it is one more.
 */
export class UpdateOrder {
  /** Key of the latest step, by idempotency key. */
  private readonly latest = new Map<string, string>();
  /** How often a step began after another one of its record. */
  private readonly turns = new Map<string, number>();

  /** @returns how often other updates came between this step and earlier ones of the same key */
  turnOf({ key, idempotencyKey }: StepKeys): number {
    const turns = this.turns.get(key) ?? 0;
    if (this.latest.get(idempotencyKey) === key) return turns - 1;
    this.latest.set(idempotencyKey, key);
    this.turns.set(key, turns + 1);
    return turns;
  }
}
