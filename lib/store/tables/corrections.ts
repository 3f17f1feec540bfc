import type { Selectable } from 'kysely';
import type { CanonicalId, Instant } from '../../model';
import type { Sealed } from './sealed';

/**
 * What a person has put in place of one field of a record that a check has refused. It holds for all runs of the deal
 * until the field changes at its master.
 */
export interface RecordCorrectionTable {
  id: string;
  correlation_id: CanonicalId;
  /** The record. */
  canonical_id: CanonicalId;
  /** The field, with dots; lists are corrected as a whole. */
  path: string;
  /** JSON: `before`, as the master said, and `after`; null = the field is not there. */
  content: Sealed;
  case_id: CanonicalId;
  run_id: string;
  actor: string;
  reason: string;
  at: Instant;
  /** Null = it holds. */
  ended_at: Instant | null;
  /**
   * `fulfilled`: the master says the same now. `overruled`: the master has another value since. `replaced`: another
   * correction of the field has taken its place, or it was taken back.
   */
  ended_as: 'fulfilled' | 'overruled' | 'replaced' | null;
}

/** A deal document as it came to the node that refused it: what a form of its correction begins with. */
export interface CheckedDocumentTable {
  /** The run's id and, after a colon, the node's. */
  key: string;
  run_id: string;
  /** JSON. */
  content: Sealed;
  at: Instant;
}

export type RecordCorrectionRow = Selectable<RecordCorrectionTable>;
