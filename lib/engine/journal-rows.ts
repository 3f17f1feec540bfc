import type { JsonValue } from '../model';
import { open, type StepRow, type StepState, type Tx } from '../store';
import type { StepResult } from './types';

/** What the rows of the step journal say. */

/** True when the call may have been processed and nobody knows yet. */
export function isUncertain(state: StepState | undefined): boolean {
  return state === 'intent' || state === 'unknown';
}

/** What was sent, or was to be. */
export const wireOf = (tx: Tx, row: Pick<StepRow, 'key' | 'wire'>): JsonValue =>
  JSON.parse(open(tx, 'step', 'wire', row)) as JsonValue;

/** The vendor's reply, where undoing the step needs it; else null. */
export const replyOf = (tx: Tx, row: Pick<StepRow, 'key' | 'reply'>): JsonValue =>
  JSON.parse(open(tx, 'step', 'reply', row) ?? 'null') as JsonValue;

/** Why the step has failed, in plain words. */
export const reasonOf = (tx: Tx, row: Pick<StepRow, 'key' | 'error_message'>): string =>
  open(tx, 'step', 'error_message', row) ?? '';

export function resultOf(tx: Tx, row: Pick<StepRow, 'key' | 'result'>): StepResult {
  return JSON.parse(open(tx, 'step', 'result', row) ?? '{"refs":[]}') as StepResult;
}
