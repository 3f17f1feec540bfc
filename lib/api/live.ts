import { sql } from 'kysely';
import type { Engine } from '../engine';
import type { RunState } from '../store';

/**
 * Changes as they happen, for pages that are open. Hosts share the store, so it is the store that is looked at: the
 * audit, whose lines are numbered in the order in which they became true, and what runs do beside it. Nobody looks while
 * nobody listens.
 */

export interface Change {
  /** Number of the audit line; 0 for changes that leave none. */
  id: number;
  at: string;
  what: 'run' | 'step' | 'case' | 'bulk' | 'other';
  action: string;
  subject: string;
  runId: string | null;
}

/** Too much was missed to be told one by one: load anew. */
export type Told = { event: 'change'; change: Change } | { event: 'reset'; id: number };

const LOOK_EVERY_MS = 500;
/** Lines of one look, and of what a listener that comes back is told. */
const AT_ONCE = 500;
/** Changes that wait for a slow listener; then it is told to load anew. */
const BUFFER = 1_000;

const KINDS = ['run', 'step', 'case'] as const;

export class LiveFeed {
  private readonly listeners = new Set<Listener>();
  private timer: NodeJS.Timeout | null = null;
  private isLooking = false;
  private last = 0;
  private runs = '';
  /** Work on many records that goes on, with how far it is. */
  private jobs = new Map<string, string>();
  /** Some that began since the last look, and may have ended. */
  private readonly begun = new Set<string>();

  constructor(
    private readonly engine: Engine,
    private readonly onFailure: (error: unknown) => void,
  ) {}

  private get store() {
    return this.engine.store;
  }

  /** Something that leaves no line in the audit, on this host. */
  publish(change: Omit<Change, 'id' | 'at'>): void {
    this.tell({ event: 'change', change: { ...change, id: 0, at: this.store.now() } });
  }

  /** This host has begun work on many records: how that goes on is told, also when it ends at once. */
  bulkBegun(id: string): void {
    this.begun.add(id);
  }

  /**
   * From now on, or from the change after the last one that the listener has seen, until the signal fires.
   * @param after number of that change; null = from now on
   */
  async *listen(after: number | null, signal: AbortSignal): AsyncGenerator<Told> {
    const listener = new Listener();
    this.listeners.add(listener);
    const leave = () => listener.end();
    signal.addEventListener('abort', leave, { once: true });
    try {
      const upTo = await this.begin();
      if (after !== null) yield* await this.missed(after, upTo);
      if (signal.aborted) return;
      yield* listener.told();
    } finally {
      signal.removeEventListener('abort', leave);
      this.listeners.delete(listener);
      if (this.listeners.size === 0) this.stop();
    }
  }

  /** Nobody is told anything any more. */
  end(): void {
    for (const listener of this.listeners) listener.end();
    this.stop();
  }

  /** @returns number of the latest change that listeners have been told of */
  private async begin(): Promise<number> {
    if (this.timer !== null) return this.last;
    this.last = await this.latest();
    this.runs = await this.stateOfRuns();
    this.begun.clear();
    this.jobs = await this.stateOfJobs();
    // Two listeners may come at once.
    this.timer ??= setInterval(() => this.look(), LOOK_EVERY_MS).unref();
    return this.last;
  }

  private stop(): void {
    if (this.timer !== null) clearInterval(this.timer);
    this.timer = null;
  }

  private async missed(after: number, upTo: number): Promise<Told[]> {
    if (after > upTo || upTo - after > AT_ONCE) return [{ event: 'reset', id: upTo }];
    const changes = await this.linesAfter(after);
    return changes.filter(({ id }) => id <= upTo).map((change) => ({ event: 'change', change }));
  }

  private look(): void {
    if (this.isLooking) return;
    this.isLooking = true;
    this.lookOnce()
      .catch(this.onFailure)
      .finally(() => {
        this.isLooking = false;
      });
  }

  private async lookOnce(): Promise<void> {
    for (;;) {
      const changes = await this.linesAfter(this.last);
      for (const change of changes) {
        this.last = change.id;
        this.tell({ event: 'change', change });
      }
      if (changes.length < AT_ONCE) break;
    }
    await this.lookAtJobs();
    const runs = await this.stateOfRuns();
    if (runs === this.runs) return;
    this.runs = runs;
    this.publish({ what: 'run', action: 'runs.changed', subject: 'runs', runId: null });
  }

  private async lookAtJobs(): Promise<void> {
    const before = this.jobs;
    const begun = [...this.begun];
    this.begun.clear();
    this.jobs = await this.stateOfJobs();
    for (const id of new Set([...begun, ...before.keys(), ...this.jobs.keys()])) {
      if (before.get(id) === this.jobs.get(id) && !begun.includes(id)) continue;
      const action = this.jobs.has(id) ? 'bulk.running' : 'bulk.ended';
      this.publish({ what: 'bulk', action, subject: id, runId: null });
    }
  }

  private async stateOfJobs(): Promise<Map<string, string>> {
    const { bulkJobs } = this.engine.repairs;
    const state = new Map<string, string>();
    for (const id of await bulkJobs.underWay()) {
      state.set(id, JSON.stringify((await bulkJobs.find(id)).progress));
    }
    return state;
  }

  private tell(told: Told): void {
    for (const listener of this.listeners) listener.tell(told, this.last);
  }

  private async latest(): Promise<number> {
    const row = await this.store.db
      .selectFrom('audit')
      .select('seq')
      .orderBy('seq', 'desc')
      .limit(1)
      .executeTakeFirst();
    return row?.seq ?? 0;
  }

  private async linesAfter(seq: number): Promise<Change[]> {
    const rows = await this.store.db
      .selectFrom('audit')
      .select(['seq as id', 'at', 'action', 'subject', 'run_id as runId'])
      .where('seq', '>', seq)
      .orderBy('seq')
      .limit(AT_ONCE)
      .execute();
    return rows.map((row) => ({
      ...row,
      what: KINDS.find((kind) => row.action.startsWith(kind)) ?? 'other',
    }));
  }

  /**
   * Differs whenever runs have come, begun or ended. Only unfinished ones are counted, which partial indexes hold: the
   * states must stand there as they stand in those.
   */
  private async stateOfRuns(): Promise<string> {
    const { db } = this.store;
    const newest = await db
      .selectFrom('run')
      .select('seq')
      .orderBy('seq', 'desc')
      .limit(1)
      .executeTakeFirst();
    const active = await db
      .selectFrom('run')
      .select((run) => ['state', run.fn.countAll<number>().as('count')])
      .where('state', 'in', sql<RunState>`('queued', 'running', 'cancelling')`)
      .groupBy('state')
      .orderBy('state')
      .execute();
    const failed = await db
      .selectFrom('run')
      .select((run) => run.fn.countAll<number>().as('count'))
      .where('state', '=', sql.lit<RunState>('failed'))
      .executeTakeFirst();
    return JSON.stringify([newest?.seq, active, failed?.count]);
  }
}

/** Keeps what one listener has not taken yet. */
class Listener {
  private waiting: Told[] = [];
  private wake: (() => void) | null = null;
  private isEnded = false;

  tell(told: Told, last: number): void {
    if (this.waiting.length >= BUFFER) this.waiting = [{ event: 'reset', id: last }];
    else this.waiting.push(told);
    this.wake?.();
  }

  end(): void {
    this.isEnded = true;
    this.wake?.();
  }

  async *told(): AsyncGenerator<Told> {
    while (!this.isEnded) {
      const next = this.waiting.shift();
      if (next !== undefined) {
        yield next;
        continue;
      }
      await new Promise<void>((resolve) => {
        this.wake = resolve;
      });
      this.wake = null;
    }
  }
}

/**
 * The feed as server-sent events.
 * @param lastEventId as the listener got it; anything but a number counts as none
 */
export async function* changes(
  feed: LiveFeed,
  lastEventId: string | null,
  signal: AbortSignal,
): AsyncGenerator<string> {
  const after = lastEventId !== null && /^\d{1,15}$/.test(lastEventId) ? Number(lastEventId) : null;
  for await (const told of feed.listen(after, signal)) {
    if (told.event === 'reset') {
      yield `id: ${told.id}\nevent: reset\ndata: {}\n\n`;
    } else {
      const { id } = told.change;
      yield `${id > 0 ? `id: ${id}\n` : ''}event: change\ndata: ${JSON.stringify(told.change)}\n\n`;
    }
  }
}

/** One line of JSON for each value. */
export async function* lines(values: AsyncIterable<unknown>): AsyncGenerator<string> {
  for await (const value of values) yield `${JSON.stringify(value)}\n`;
}
