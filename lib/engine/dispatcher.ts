import { type Instant, type JsonObject, Q2cError } from '../model';
import { type EventRow, open, preparedTogether, procedure, type RunRow, type Store, type Tx } from '../store';
import { reach } from './failpoints';
import type { Lease } from './leases';
import type { EngineObserver } from './observer';
import type { OwedWrites } from './owed-writes';
import { type ClaimedRun, claimRuns, RESUMED, requeue, toRun } from './runs';
import type { ActiveRun, RunTracker } from './tracker';
import type { DispatchedRun, NodeInfo } from './types';

/** A run that was claimed, and what it is sent with. */
interface Claimed {
  row: ClaimedRun;
  event?: DispatchedRun['event'];
  send(active: ActiveRun): void;
}

/** What a run that had waited is sent with; read within its claim. */
type Prepare = (tx: Tx, row: RunRow) => Promise<Pick<Claimed, 'send'>>;

type SourceId = string | typeof RESUMED;

interface Source {
  id: SourceId;
  concurrency: number;
  running: number;
  claim(limit: number): Promise<Claimed[]>;
  /** Sends an event into the flow; null for what goes on with messages that were kept. */
  dispatch: ((run: DispatchedRun) => void) | null;
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
  observer?: EngineObserver;
  /** Remembers work until it settles. */
  track<T>(promise: Promise<T>): Promise<T>;
  onFailure(what: string, error: unknown): void;
}

/** Hands queued runs to the source nodes that send them into their flows, up to the concurrency of each. */
export class Dispatcher {
  private readonly sources = new Map<SourceId, Source>();
  /** The place that each dispatched run has; a deploy may put another source under the same id meanwhile. */
  private readonly places = new Map<string, Place>();
  private paused = false;
  private due = false;

  constructor(private readonly options: DispatcherOptions) {}

  /** @returns takes the node out again */
  register(nodeId: string, concurrency: number, dispatch: (run: DispatchedRun) => void): () => void {
    const { store, lease, now } = this.options;
    const claim = async (limit: number): Promise<Claimed[]> => {
      const request = () => ({ source: nodeId, limit, lease: lease(), at: now() });
      // Where writes do not come in order, the time must be that of the write: after the end of the run before.
      const queued = store.exclusive
        ? await store.perform(claimQueued, request(), 'committed')
        : await store.write((tx) => claimQueued.perform(tx, request()), 'committed');
      return queued.map(({ row, event }) => ({
        row,
        event,
        send: ({ run, dispatch: number, traceparent }) =>
          dispatch({
            ...run,
            dispatch: number,
            catchUp: row.catch_up === 1,
            event,
            ...(traceparent && { traceparent }),
          }),
      }));
    };
    return this.add(nodeId, { concurrency, claim, dispatch });
  }

  /** Sends runs on that had waited, whatever their source: that may be gone, or a message without any. */
  registerResumed(concurrency: number, prepare: Prepare): void {
    const { store, lease, now } = this.options;
    const claim = (limit: number): Promise<Claimed[]> =>
      store.write(async (tx) => {
        const rows = await claimRuns(tx, RESUMED, limit, lease(), now());
        return Promise.all(rows.map(async (row) => ({ row, ...(await prepare(tx, row)) })));
      }, 'committed');
    this.add(RESUMED, { concurrency, claim, dispatch: null });
  }

  private add(id: SourceId, kind: Pick<Source, 'concurrency' | 'claim' | 'dispatch'>): () => void {
    const source: Source = { id, ...kind, running: 0, claiming: false, again: false };
    this.sources.set(id, source);
    this.pump(id);
    return () => {
      if (this.sources.get(id) === source) this.sources.delete(id);
    };
  }

  clear(): void {
    this.sources.clear();
  }

  get isPaused(): boolean {
    return this.paused;
  }

  /** Until `resume`, nothing is dispatched: the flows are being stopped. */
  pause(): void {
    this.paused = true;
  }

  resume(): void {
    this.paused = false;
    this.pumpAll();
    this.pump(RESUMED);
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

  /**
   * Sends a run into its flow that is only looked at: it takes no place, and nothing of it is recorded.
   * @throws Q2cError `SOURCE_NOT_DEPLOYED`
   */
  sendDry(active: ActiveRun, event: DispatchedRun['event']): void {
    const { run, dispatch } = active;
    const source = this.sources.get(run.sourceNode);
    if (!source?.dispatch || this.paused) {
      throw new Q2cError(
        'SOURCE_NOT_DEPLOYED',
        `The node that sends ${run.title} into its flow is not deployed. Deploy it and try again.`,
      );
    }
    this.options.tracker.enter(active);
    try {
      source.dispatch({ ...run, dispatch, catchUp: false, dryRun: true, event });
    } finally {
      this.options.tracker.leave(active);
    }
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

  /** Runs that had waited are not among them: it is known when there are any (`Waits`), and mostly there are none. */
  pumpAll(): void {
    for (const id of this.sources.keys()) if (id !== RESUMED) this.pump(id);
  }

  pump(sourceId: SourceId): void {
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

  private async claim(sourceId: SourceId, source: Source): Promise<void> {
    const { owed, lease } = this.options;
    const claimed = await source.claim(source.concurrency - source.running);
    if (claimed.length > 0) reach('run-claimed');
    if (this.paused || this.sources.get(sourceId) !== source) {
      // Deployed in between: whoever dispatches next takes them.
      await owed.insist('Runs could not be queued again', (tx) =>
        requeue(
          tx,
          lease().owner,
          claimed.map(({ row }) => ({ run: row, at: atNodes(row) })),
        ),
      );
      this.pump(sourceId);
      return;
    }
    for (const run of claimed) {
      const gone = atNodes(run.row).find(({ id }) => !this.options.nodeExists(id));
      if (gone === undefined) this.send(source, run);
      else await this.options.onNodeGone(run.row, gone);
    }
  }

  private send(source: Source, { row, event, send }: Claimed): void {
    const { tracker } = this.options;
    const active = tracker.begin(toRun(row), row.event_seq !== null, {
      isResumption: row.resume === 1,
      mayBeCorrected: Boolean(row.is_corrected),
    });
    source.running++;
    this.places.set(row.id, { source, held: true });
    this.options.observer?.began?.(active, event === undefined ? { row } : { row, event });
    tracker.enter(active);
    try {
      send(active);
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

interface ClaimRequest {
  source: string;
  limit: number;
  lease: Lease;
  at: Instant;
}

interface Queued {
  row: ClaimedRun;
  event: DispatchedRun['event'];
}

/** Takes queued runs of a source node (`claimRuns`), each with the event that it is sent with. */
export const claimQueued = procedure(
  'run.claim',
  async (tx, { source, limit, lease, at }: ClaimRequest): Promise<Queued[]> => {
    const rows = await claimRuns(tx, source, limit, lease, at);
    return Promise.all(rows.map(async (row) => ({ row, event: await eventOf(tx, row) })));
  },
);

const selectEvent = preparedTogether<{ seq: number }, EventRow>({ seq: 'integer' }, (db, value) =>
  db.selectFrom('event').selectAll().where('seq', '=', value.seq),
);

export async function eventOf(tx: Tx, run: Pick<RunRow, 'event_seq'>): Promise<DispatchedRun['event']> {
  const [row] = await selectEvent(tx, { seq: run.event_seq ?? -1 });
  if (row === undefined)
    throw new Error(`Event ${run.event_seq} of a run is gone; the store was changed by hand`);
  return {
    id: row.event_id,
    type: row.type,
    source: row.source,
    subject: row.subject,
    time: row.time,
    data: JSON.parse(open(tx, 'event', 'data', row)) as JsonObject,
  };
}
