import type { Generated, Selectable } from 'kysely';
import type { Instant } from '../../model';
import type { Sealed } from './sealed';

/** Messages that wait, and what they wait for. */

/**
 * `waiting`: for its event. `fired`: the event has come, or the time is over, and the message has not gone on to its
 * end yet. `done`: it has. `cancelled`: its run begins anew, or was given up.
 */
export type SuspensionState = 'waiting' | 'fired' | 'done' | 'cancelled';

/** A message of a run that is kept at a node until an event comes; afterwards the journal of what came. */
export interface SuspensionTable {
  seq: Generated<number>;
  /**
   * Run, node, event, key, parent, and which of the messages it is that wait there for the same: a message of a run that
   * begins anew finds its place again.
   */
  place: string;
  run_id: string;
  node_id: string;
  node_name: string;
  /** Type or name of the event, and the key it must have. */
  event: string;
  match_key: string;
  /** The suspension that the message went through last; 0 = none. */
  parent: number;
  state: SuspensionState;
  /** 1: later runs of the same record and source wait as long as this does. */
  holds_order: number;
  deadline: Instant | null;
  on_timeout: 'send' | 'case';
  /** Whom and what a case is about, should the time be over. */
  about: string;
  /** Null when it has gone on to its end. */
  message: Sealed | null;
  /** The event or signal that let it go on. */
  occurrence: string | null;
  outcome: Sealed | null;
  created_at: Instant;
  ended_at: Instant | null;
}

/** Something announced or said that runs may wait for, kept for those that come to wait later. */
export interface SignalTable {
  seq: Generated<number>;
  event: string;
  match_key: string;
  id: string;
  content: Sealed;
  received_at: Instant;
}

/** What has passed a node that lets through only once. `open`: passes again unless its run comes through. */
export interface PassageTable {
  node_id: string;
  /** `run:<id>`, or `key:<key>` for once over all runs. */
  scope: string;
  run_id: string;
  state: 'open' | 'passed';
  passed_at: Instant;
}

export type SuspensionRow = Selectable<SuspensionTable>;
