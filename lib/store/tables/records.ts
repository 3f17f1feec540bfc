import type { Selectable } from 'kysely';
import type { CanonicalId, Instant } from '../../model';

/** What is known of records over all runs. */

/** `(system, instance, type, external_id)` belongs to exactly one canonical id, and one of each per canonical id. */
export interface XrefTable {
  system: string;
  instance: string;
  type: string;
  external_id: string;
  canonical_id: CanonicalId;
  entity: string;
  role: 'master' | 'copy';
  url: string | null;
  created_at: Instant;
}

/** Who holds a natural key (guides §2), so that a second record with the same key is noticed. */
export interface NaturalKeyTable {
  entity: string;
  key: string;
  canonical_id: CanonicalId;
  /** What people call the holder, for the case of whoever claims the key next. */
  holder: string;
  created_at: Instant;
}

/** A word, number or id that a deal is found by. It is put together from the audit, and may be made anew from it. */
export interface DealTermTable {
  term: string;
  correlation_id: CanonicalId;
  kind: 'name' | 'number' | 'external_id' | 'id';
  system: string | null;
}

/** A version of a mapping set that deals went through. */
export interface MappingVersionTable {
  /** `<label>+<hash>`. */
  version: string;
  /** Node id of the set. */
  set_id: string;
  /** The set as JSON. */
  content: string;
  first_used_at: Instant;
}

export type XrefRow = Selectable<XrefTable>;
export type NaturalKeyRow = Selectable<NaturalKeyTable>;
export type MappingVersionRow = Selectable<MappingVersionTable>;
