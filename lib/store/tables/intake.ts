import type { Generated, Selectable } from 'kysely';
import type { CanonicalId, Instant } from '../../model';
import type { Sealed } from './sealed';

/** What comes in: events, how far sources have been read, versions of records. */

/**
 * What became of an event (guides §15, 10). `accepted`: its run is not at its end yet. `applied`: its run came through,
 * or a later one with the state that contains its change. `stale`: older than what was taken up before, so it has no
 * run. `parked`: an earlier change is missing. `case`: its run has failed. Duplicates are counted at the first arrival.
 */
export type Disposition = 'accepted' | 'applied' | 'stale' | 'parked' | 'case';

/** An accepted inbound event. `(source, event_id)` is unique: one that is delivered again only raises `duplicates`. */
export interface EventTable {
  seq: Generated<number>;
  source: string;
  event_id: string;
  type: string;
  /** Canonical id of the record the event is about. */
  subject: CanonicalId;
  time: Instant;
  received_at: Instant;
  data: Sealed;
  duplicates: number;
  /** Number of the change among those of its record, without gaps, where the source counts them. */
  version: number | null;
  /** When the record was as the event says, where the source tells; a later event with an earlier one is stale. */
  stamp: Instant | null;
  disposition: Generated<Disposition>;
  /** 1: it has come again since the key figures counted how often. */
  recount: Generated<number>;
}

/** An event from outside that could not be accepted. The same bytes again only raise `arrivals`. */
export interface RejectedEventTable {
  seq: Generated<number>;
  /** SHA-256 of node, topic and payload. */
  digest: string;
  node_id: string;
  topic: string;
  /** What could be read of it. */
  event_source: string | null;
  event_id: string | null;
  event_type: string | null;
  reason: string;
  /** As text, cut after 64 KiB. */
  payload: Sealed;
  arrivals: number;
  first_at: Instant;
  last_at: Instant;
}

export interface CursorTable {
  source: string;
  value: string;
  updated_at: Instant;
}

/** Versions of one record as one source counts them. `taken`: the highest with a run; `applied`: that came through. */
export interface AggregateTable {
  source: string;
  subject: CanonicalId;
  taken: number;
  applied: number;
}

export type EventRow = Selectable<EventTable>;
