import type { SimRecord } from '../../kit/types';
import type { Env } from '../env';
import type { Data } from '../records/data';

/** What the ERP does on its own when a record of a type is saved or deleted. */
export interface Rules {
  /** Fills defaults, computes sums and refuses what the screens refuse. Changes the draft in place. */
  prepare?(draft: Data, before: SimRecord | null, env: Env): void;
  /** Follow-up in other records. */
  saved?(record: SimRecord, before: SimRecord | null, env: Env): void;
  /** Last word before a deletion. */
  deleting?(record: SimRecord, env: Env): void;
  deleted?(record: SimRecord, env: Env): void;
}
