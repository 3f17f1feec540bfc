import type { Generated, Selectable } from 'kysely';
import type { Instant } from '../../model';

/** What was done, for those who look later. */

/** Append-only and hash-chained: `hash` = SHA-256 of `prev_hash` and the line. Kept for ever, so it names no person. */
export interface AuditTable {
  seq: Generated<number>;
  at: Instant;
  actor: string;
  action: string;
  subject: string;
  run_id: string | null;
  detail: string;
  prev_hash: string;
  hash: string;
}

/** What the key figures of each day hold of a run, a case (by its id) or the set-up of a deal (`setup:<thread>`). */
export interface KpiSourceTable {
  id: string;
  /** Tells whether it has changed since it was counted. */
  stamp: string;
  /** JSON array of `Fact` (lib/observe). */
  facts: string;
  /** Of a run: its thread and event. */
  correlation_id: string | null;
  event_seq: number | null;
  /** 1: the outcome of a write is not known, and may become so without the run. */
  is_undecided: number;
  /** 1: the run has made a project, or something to bill by. */
  has_project: number;
  has_billing: number;
}

/** One key figure of one day. */
export interface KpiDayTable {
  /** Date in the time zone of the legal entity. */
  day: string;
  kpi: string;
  /** Empty where it is not known, as of those below. */
  legal_entity: string;
  tier: string;
  system: string;
  /** Operation of a write, code of a case, or what kind of duplicate was prevented. */
  subject: string;
  count: number;
  /** JSON of `Samples` (lib/observe): durations. */
  samples: string;
}

export type AuditRow = Selectable<AuditTable>;
