import type { Generated, Selectable } from 'kysely';
import type { CanonicalId, Instant } from '../../model';

/** Runs, and what is done with them as a whole. */

/**
 * `parked`: waits for an earlier change of its record that is missing. `waiting`: its messages are kept at nodes that
 * wait for an event. `superseded`: failed, and a later run of the same record came through with its present content.
 * `cancelling`: its steps are being undone, or wait for somebody because one could not be.
 */
export type RunState =
  | 'parked'
  | 'queued'
  | 'running'
  | 'waiting'
  | 'completed'
  | 'failed'
  | 'superseded'
  | 'cancelling'
  | 'cancelled';

/** One passage of one event through a flow. */
export interface RunTable {
  /** Arrival order. */
  seq: Generated<number>;
  id: string;
  /** Null for a one-off run made from a message that no source node sent. */
  event_seq: number | null;
  /** Node that dispatches the run. */
  source_node: string;
  /** Canonical id of the aggregate; one running run per key, in arrival order. */
  ordering_key: CanonicalId;
  correlation_id: CanonicalId;
  /** What the run is about, for people: the name of the deal. */
  title: string;
  state: RunState;
  /** 1: what is left of the run are the messages kept at its waits; it goes on with those, not with its event. */
  resume: Generated<number>;
  /** 0: while it waits, later runs of the same record need not wait for it. */
  holds_key: Generated<number>;
  /** 1: changes of its record are missing for good; it applies what the master says now. */
  catch_up: Generated<number>;
  /** Raised by every retry of an ended run, not by a restart of the host. */
  attempt: number;
  /** When a failed run is dispatched again, or a cancelling one goes on, by itself; null = only by a person. */
  retry_at: Instant | null;
  lease_owner: string | null;
  lease_until: Instant | null;
  created_at: Instant;
  started_at: Instant | null;
  ended_at: Instant | null;
  /** JSON array of the nodes its messages were on their way to when a deploy broke it off; null once it went on. */
  at_nodes: string | null;
  /** Legal entity of the deal, as the flow has found out by the end of the run. */
  legal_entity: string | null;
}

/** Who wants a run taken back, and why. */
export interface CancellationTable {
  run_id: string;
  actor: string;
  reason: string;
  requested_at: Instant;
  /** Times that it has stopped at a step. */
  attempts: number;
}

export type RunRow = Selectable<RunTable>;
