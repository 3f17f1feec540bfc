import type { SimRecord } from '../../kit/types';
import type { Org } from '../org';
import type { Data } from '../validation';

/** What a save of one object sets off. `given` and `changes` hold what the caller sent, `data` all that will be stored. */
export interface ObjectRules {
  beforeInsert?(org: Org, data: Data, given: Data): void;
  beforeUpdate?(org: Org, before: SimRecord, data: Data, changes: Data): void;
  afterInsert?(org: Org, record: SimRecord, given: Data): void;
  /** After insert, update and delete. */
  afterChange?(org: Org, record: SimRecord): void;
}
