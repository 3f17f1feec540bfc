import type { Selectable } from 'kysely';
import type { Instant } from '../../model';
import type { Sealed } from './sealed';

/** The same action on many records. */
export interface BulkJobTable {
  id: string;
  /** What is done: names whoever can do it. */
  kind: string;
  /** JSON: what that has to know. */
  request: Sealed;
  /** Records under way at a time. */
  at_once: number;
  actor: string;
  reason: string;
  /** `cancelled`: no further record is begun; it ends with the last one under way. */
  state: 'running' | 'cancelled';
  started_at: Instant;
  ended_at: Instant | null;
  /** JSON: why the last one that failed did. */
  last_error: Sealed | null;
}

/** `passed_over`: was not to be done any more when its turn came. `pending_approval`: waits for a second person. */
export type BulkItemState =
  | 'waiting'
  | 'under_way'
  | 'completed'
  | 'failed'
  | 'passed_over'
  | 'pending_approval';

export interface BulkItemTable {
  job: string;
  /** Order in which the records are dealt with. */
  seq: number;
  /** Id of the record. */
  subject: string;
  /** The run with whose attempt it ends; null before, and where no run is sent again. */
  run_id: string | null;
  attempt: number | null;
  state: BulkItemState;
}

export type BulkJobRow = Selectable<BulkJobTable>;
