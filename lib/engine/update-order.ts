import type { StepKeys } from './journal';

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
