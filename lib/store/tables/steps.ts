import type { Generated, Insertable, Selectable } from 'kysely';
import type { CanonicalId, Instant } from '../../model';
import type { Sealed } from './sealed';

/** The journal of calls, and what people decide about them. */

/**
 * `intent`: journaled, the call may or may not have left. `confirmed`, `rejected`, `unknown`: the outcome.
 * `failed`: surely not processed and given up. `skipped`: surely not processed, and a person has let it go.
 * `undone`: was confirmed and taken back; whoever comes next does it anew.
 */
export type StepState = 'intent' | 'confirmed' | 'rejected' | 'unknown' | 'failed' | 'skipped' | 'undone';

/**
 * What undoing a step takes. `none`: it created nothing. `call`: the operation knows how, with the values of its own
 * call. `person`: it created something that only a person can take back.
 */
export type UndoKind = 'none' | 'call' | 'person';

/** One journaled system call, or one local decision that must come out the same on replay. */
export interface StepTable {
  seq: Generated<number>;
  /**
   * The run's id and, after a colon, the SHA-256 of run, node, operation, canonical id and fingerprint. An update that was
   * made before, and had others after it, is named by that and its turn in the passage, or the attempt.
   */
  key: string;
  run_id: string;
  /** The run's attempt that last worked on the step. */
  run_attempt: number;
  node_id: string;
  node_name: string;
  system: string;
  instance: string;
  /** `<entity>.<verb>`. */
  operation: string;
  canonical_id: CanonicalId;
  fingerprint: string;
  idempotency_key: string;
  state: StepState;
  /** Calls made, and probes made, over all attempts. */
  calls: number;
  probes: number;
  /**
   * How the result came about: by our call, found by a probe, taken from an earlier run's step, or made by a person
   * and checked in the target.
   */
  origin: 'call' | 'probe' | 'earlier_run' | 'manual' | null;
  wire: Sealed;
  reply: Sealed | null;
  result: Sealed | null;
  error_code: string | null;
  error_message: Sealed | null;
  started_at: Instant;
  ended_at: Instant | null;
  duration_ms: number | null;
  undo: Generated<UndoKind>;
  /** Key of the step that this one takes back. */
  undoes: string | null;
  /** `<label>+<hash>` of the mapping that its deal went through; null = none. */
  mapping_version: string | null;
}

/**
 * What a person has decided about a failed step. It holds for the step of this run, node, operation and record also
 * when that is reached again with other content.
 */
export interface StepDecisionTable {
  /** The run's id and, after a colon, the SHA-256 of node, operation and canonical id. */
  key: string;
  run_id: string;
  node_id: string;
  operation: string;
  canonical_id: CanonicalId;
  /** `correct`: send other content. `complete`: a person has made the record. `skip`: go on without it. */
  kind: 'correct' | 'complete' | 'skip';
  /** Of `correct`: the correction as JSON. */
  value: Sealed | null;
  /** Of `complete`: the target's own id of the record. */
  external_id: string | null;
  reason: string;
  actor: string;
  at: Instant;
}

export type StepRow = Selectable<StepTable>;
export type StepDecisionRow = Selectable<StepDecisionTable>;
export type NewStep = Insertable<StepTable>;
