import type { Instant, JsonObject } from '../model';
import { open, type RunRow, type Store, type Tx } from '../store';
import { reach } from './failpoints';
import type { Lease } from './leases';
import type { OwedWrites } from './owed-writes';
import { claimRuns, requeue, toRun } from './runs';
import type { RunTracker } from './tracker';
import type { DispatchedRun, NodeInfo } from './types';

interface Source {
  id: string;
  concurrency: number;
  running: number;
  dispatch(run: DispatchedRun): void;
  /** Set while a claim is under way; `again` asks for one more when it is done. */
  claiming: boolean;
  again: boolean;
}

/** One of a source's places, of which there are as many as its concurrency. */
interface Place {
  source: Source;
  held: boolean;
}

export interface DispatcherOptions {
  store: Store;
  owed: OwedWrites;
  tracker: RunTracker;
  now(): Instant;
  lease(): Lease;
  nodeExists(nodeId: string): boolean;
  /** The run was on its way to a node that is not there any more. */
  onNodeGone(run: RunRow, node: NodeInfo): Promise<void>;
  /** Remembers work until it settles. */
  track<T>(promise: Promise<T>): Promise<T>;
  onFailure(what: string, error: unknown): void;
}

/** Hands queued runs to the source nodes that send them into their flows, up to the concurrency of each. */
export class Dispatcher {
  private readonly sources = new Map<string, Source>();
  /** The place that each dispatched run has; a deploy may put another source under the same id meanwhile. */
  private readonly places = new Map<string, Place>();
  private paused = false;
  private due = false;

  constructor(private readonly options: DispatcherOptions) {}

  /** @returns takes the node out again */
  register(nodeId: string, concurrency: number, dispatch: (run: DispatchedRun) => void): () => void {
    const source = { id: nodeId, concurrency, running: 0, dispatch, claiming: false, again: false };
    this.sources.set(nodeId, source);
    this.pump(nodeId);
    return () => {
      if (this.sources.get(nodeId) === source) this.sources.delete(nodeId);
    };
  }

  clear(): void {
    this.sources.clear();
  }

  /** Until `resume`, nothing is dispatched: the flows are being stopped. */
  pause(): void {
    this.paused = true;
  }

  resume(): void {
    this.paused = false;
    this.pumpAll();
  }

  /**
   * Nothing of the run moves: another one may take its place while the grace of its end passes. Its ordering key stays
   * taken.
   */
  yieldPlace(runId: string): void {
    const place = this.places.get(runId);
    if (place === undefined || !place.held) return;
    place.held = false;
    place.source.running--;
    this.pump(place.source.id);
  }

  /** It moves again after all. For a moment there may be one run more than there are places. */
  resumePlace(runId: string): void {
    const place = this.places.get(runId);
    if (place === undefined || place.held) return;
    place.held = true;
    place.source.running++;
  }

  /** The run has ended or was broken off: its place is free. */
  release(runId: string): void {
    const place = this.places.get(runId);
    this.places.delete(runId);
    if (place?.held) place.source.running--;
  }

  /** Asks for a pump that waits for `pumpIfDue`: what has just failed would fail again. */
  pumpLater(): void {
    this.due = true;
  }

  pumpIfDue(): void {
    if (!this.due) return;
    this.due = false;
    this.pumpAll();
  }

  pumpAll(): void {
    for (const id of this.sources.keys()) this.pump(id);
  }

  pump(sourceId: string): void {
    const source = this.sources.get(sourceId);
    if (source === undefined || this.paused) return;
    if (source.claiming) {
      source.again = true;
      return;
    }
    if (source.running >= source.concurrency) return;
    source.claiming = true;
    this.options.track(
      this.claim(sourceId, source)
        .catch((error: unknown) => {
          this.options.onFailure('Runs could not be claimed', error);
          this.pumpLater();
        })
        .finally(() => {
          source.claiming = false;
          if (source.again) {
            source.again = false;
            this.pump(sourceId);
          }
        }),
    );
  }

  private async claim(sourceId: string, source: Source): Promise<void> {
    const { store, owed, lease, now } = this.options;
    const claimed = await store.write(async (tx) => {
      const runs = await claimRuns(
        tx,
        sourceId,
        Math.max(0, source.concurrency - source.running),
        lease(),
        now(),
      );
      const events = await eventsOf(tx, runs);
      return runs.map((run) => ({ run, event: requireEvent(events, run) }));
    }, 'committed');
    if (claimed.length > 0) reach('run-claimed');
    if (this.paused || this.sources.get(sourceId) !== source) {
      // Deployed in between: whoever dispatches next takes them.
      await owed.insist('Runs could not be queued again', (tx) =>
        requeue(
          tx,
          lease().owner,
          claimed.map(({ run }) => ({ run, at: atNodes(run) })),
        ),
      );
      this.pump(sourceId);
      return;
    }
    for (const { run, event } of claimed) {
      const gone = atNodes(run).find(({ id }) => !this.options.nodeExists(id));
      if (gone === undefined) this.send(source, run, event);
      else await this.options.onNodeGone(run, gone);
    }
  }

  private send(source: Source, row: RunRow, event: Event): void {
    const { tracker } = this.options;
    const active = tracker.begin(toRun(row), true);
    source.running++;
    this.places.set(row.id, { source, held: true });
    tracker.enter(active);
    try {
      source.dispatch({ ...active.run, dispatch: active.dispatch, event });
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      active.errors.push({ node: { id: row.source_node, name: row.source_node }, message, code: null });
    }
    tracker.leave(active);
  }
}

/** The nodes that messages of the run were on their way to when a deploy broke it off. */
function atNodes({ at_nodes }: RunRow): NodeInfo[] {
  return at_nodes === null ? [] : (JSON.parse(at_nodes) as NodeInfo[]);
}

type Event = DispatchedRun['event'];

async function eventsOf(tx: Tx, runs: readonly RunRow[]): Promise<Map<number, Event>> {
  const numbers = runs.flatMap(({ event_seq }) => event_seq ?? []);
  if (numbers.length === 0) return new Map();
  const rows = await tx.selectFrom('event').selectAll().where('seq', 'in', numbers).execute();
  return new Map(
    rows.map((row) => [
      row.seq,
      {
        id: row.event_id,
        type: row.type,
        source: row.source,
        subject: row.subject,
        time: row.time,
        data: JSON.parse(open(tx, 'event', 'data', row)) as JsonObject,
      },
    ]),
  );
}

function requireEvent(events: Map<number, Event>, { id, event_seq }: RunRow): Event {
  const event = event_seq === null ? undefined : events.get(event_seq);
  if (event === undefined) throw new Error(`Run ${id} has no event; the store was changed by hand`);
  return event;
}
