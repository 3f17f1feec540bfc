import { sql } from 'kysely';
import { type BusinessEvent, type Instant, type JsonObject, newUlid } from '../model';
import {
  appendAudit,
  open,
  prepared,
  procedure,
  putIntoOutbox,
  type RunState,
  type Store,
  type SuspensionRow,
  type Tx,
} from '../store';
import type { DryPassage } from './dry-run';
import {
  earlierOccurrence,
  forgetOccurrences,
  keepOccurrence,
  type Occurrence,
  ofEvent,
} from './occurrences';
import { expireOverdue, reportMissingNodes, resolveMissingNodes } from './overdue';
import type { Arrival } from './runs';
import { done, FIRED, fire, keep, outcomeOf, placeOf, selectMatching, WAITING } from './suspensions';
import type { ActiveRun } from './tracker';
import type { Passing, Resumption, Signal, WaitOutcome, WaitRequest } from './types';

export interface WaitsOptions {
  store: Store;
  now(): Instant;
  /** Runs may be ready to go on. */
  onReady(): void;
}

/**
 * Runs that wait: a message is kept in the store until an event with its key comes or its time is over, and then goes
 * on from the node that kept it. What let it go on is journaled, so that a run that begins anew passes at once.
 *
 * The run goes through the queue like any other: an event makes its suspension `fired` and the run `queued`; a claim
 * hands the message to its node; the end of that passage makes it `done`. Whatever a crash leaves `fired` is sent again.
 */
export class Waits {
  private readonly nodes = new Map<string, (resumption: Resumption) => void>();

  constructor(private readonly options: WaitsOptions) {}

  /**
   * Makes a node the one that messages kept there go on from.
   * @returns takes the node out again
   */
  register(nodeId: string, resume: (resumption: Resumption) => void): () => void {
    this.nodes.set(nodeId, resume);
    this.options.onReady();
    return () => {
      if (this.nodes.get(nodeId) === resume) this.nodes.delete(nodeId);
    };
  }

  /**
   * Keeps a message, unless what it waits for has happened already.
   * @returns why it goes on at once and the number of its suspension, or null when it waits
   */
  async arrive(active: ActiveRun, request: WaitRequest): Promise<Passing | null> {
    const place = placeOf(active.run.id, active, request);
    return this.options.store.write(async (tx) => {
      const at = this.options.now();
      const suspension = await keep(tx, active, request, place, at);
      const outcome =
        outcomeOf(tx, suspension) ?? (await this.fireEarlier(tx, active, request, suspension, at));
      if (outcome === null) return null;
      await done(tx, [suspension.seq]);
      return { outcome, suspension: suspension.seq };
    });
  }

  private async fireEarlier(
    tx: Tx,
    { run }: ActiveRun,
    request: WaitRequest,
    suspension: Pick<SuspensionRow, 'seq' | 'place'>,
    at: Instant,
  ): Promise<WaitOutcome | null> {
    const earlier = await earlierOccurrence(tx, run.id, request, at);
    if (earlier === null) return null;
    const outcome: WaitOutcome = { by: 'event', event: { ...earlier.content, key: request.key } };
    await fire(tx, suspension, outcome, earlier.ref, at);
    return outcome;
  }

  /** What `arrive` would come to for a run that is only looked at; where it would wait, its passage ends. */
  async look(active: ActiveRun, { run, halts }: DryPassage, request: WaitRequest): Promise<Passing | null> {
    const { store, now } = this.options;
    const known = await store.db
      .selectFrom('suspension')
      .select(['seq', 'place', 'outcome'])
      .where('place', '=', placeOf(run.id, active, request))
      .executeTakeFirst();
    const outcome = known === undefined ? null : outcomeOf(store.db, known);
    if (outcome !== null) return { outcome, suspension: known?.seq ?? 0 };
    const earlier = await earlierOccurrence(store.db, run.id, request, now());
    if (earlier !== null) {
      return { outcome: { by: 'event', event: { ...earlier.content, key: request.key } }, suspension: 0 };
    }
    halts.push({ node: request.node, type: 'q2c-wait', why: 'waits' });
    return null;
  }

  /**
   * Something has happened that runs may wait for; also for those that come to wait later. A repeated id does nothing.
   * @returns how many messages it let go on
   */
  async signal(signal: Signal): Promise<number> {
    const fired = await this.options.store.write(async (tx) => {
      const at = this.options.now();
      const id = signal.id ?? `sig_${newUlid()}`;
      const { event, key, actor, data = {} } = signal;
      const content = { id, type: event, time: at, source: null, actor, data };
      const occurrence = { ref: `signal|${id}`, event, keys: [key], content };
      const count = await record(tx, occurrence, this.nodeIds, at);
      if (count === null) return 0;
      const detail = { event, id, resumed: count };
      await appendAudit(tx, { at, actor, action: 'signal.received', subject: key, runId: null, detail });
      return count;
    });
    if (fired > 0) this.options.onReady();
    return fired;
  }

  /** Puts a business event into the outbox, for one receiver or for all. @returns how many messages go on */
  announce(event: BusinessEvent, receiver?: string): Promise<number> {
    const { store, now } = this.options;
    const request = { event, ...(receiver && { receiver }), nodes: this.nodeIds, at: now() };
    return store.perform(announceEvent, request, 'committed');
  }

  /** How many messages a node keeps. */
  async count(nodeId: string): Promise<number> {
    const { count } = await this.options.store.db
      .selectFrom('suspension')
      .select((row) => row.fn.countAll<number>().as('count'))
      .where('node_id', '=', nodeId)
      // The list is what its index is made of.
      .where('state', 'in', [WAITING, FIRED])
      .where('state', '=', WAITING)
      .executeTakeFirstOrThrow();
    return Number(count);
  }

  // ------------------------------------------------------------------ going on

  /** Queues runs whose messages can go on. @returns how many */
  wake(tx: Tx): Promise<number> {
    return wake(tx, this.nodeIds);
  }

  /**
   * Hands the messages of a claimed run to their nodes. A node that is not there yet, while flows start, or not any more
   * gets them later, or never (`review`): they stay as they are.
   */
  resume(active: ActiveRun, suspensions: readonly SuspensionRow[]): void {
    const { db } = this.options.store;
    for (const row of suspensions) {
      const resume = this.nodes.get(row.node_id);
      const outcome = outcomeOf(db, row);
      if (resume === undefined || outcome === null) continue;
      active.resumed.push(row.seq);
      active.passed.add(row.node_id);
      resume({
        run: active.run,
        dispatch: active.dispatch,
        ...(active.traceparent && { traceparent: active.traceparent }),
        suspension: row.seq,
        message: JSON.parse(open(db, 'suspension', 'message', row) ?? '{}') as JsonObject,
        outcome,
      });
    }
  }

  /** Nodes that messages can go on from. */
  get nodeIds(): string[] {
    return [...this.nodes.keys()];
  }

  // ------------------------------------------------------------------ housekeeping

  /** Lets go on, or makes a case of, what has waited too long, and sees to it that nothing that can go on is left. */
  async sweep(): Promise<void> {
    const isReady = await this.options.store.write(async (tx) => {
      const at = this.options.now();
      await expireOverdue(tx, at);
      await this.wake(tx);
      return (await selectReady(tx, {})).length > 0;
    }, 'committed');
    if (isReady) this.options.onReady();
  }

  /**
   * Runs that wait at a node that is no longer in the flow become cases, and wait again when it is back. Old signals are
   * forgotten.
   */
  async review(): Promise<void> {
    await this.options.store.write(async (tx) => {
      const at = this.options.now();
      const { nodeIds } = this;
      await reportMissingNodes(tx, nodeIds, at);
      await resolveMissingNodes(tx, nodeIds, at);
      await forgetOccurrences(tx, at);
    }, 'committed');
  }
}

/** A business event on its way into the outbox. */
interface Announcement {
  event: BusinessEvent;
  /** The only one to be told; without it everyone registered is. */
  receiver?: string;
  /** Nodes that messages can go on from. */
  nodes: string[];
  at: Instant;
}

/** Puts a business event into the outbox; runs may be waiting for it. @returns how many messages go on */
const announceEvent = procedure(
  'event.announce',
  async (tx, { event, receiver, nodes, at }: Announcement): Promise<number> => {
    await putIntoOutbox(tx, event, at, receiver);
    const { subject, correlationid } = event;
    return (await record(tx, ofEvent({ ...event, actor: null }, [subject, correlationid]), nodes, at)) ?? 0;
  },
);

/**
 * An event is accepted, and is not stale: part of that write. It is about its record and its deal. Runs that come to
 * wait later find it by its deal in the store itself.
 * @param nodes that messages can go on from
 * @returns how many messages go on
 */
export async function fireAccepted(
  tx: Tx,
  source: string,
  arrival: Arrival,
  nodes: readonly string[],
  at: Instant,
): Promise<number> {
  const { subject, correlationId, event } = arrival;
  const occurrence = ofEvent({ ...event, source, actor: null }, [subject, correlationId]);
  if (subject !== correlationId) await keepOccurrence(tx, { ...occurrence, keys: [subject] }, at);
  return fireAll(tx, occurrence, nodes, at);
}

/** @returns how many messages go on, or null when it was known */
async function record(
  tx: Tx,
  occurrence: Occurrence,
  nodes: readonly string[],
  at: Instant,
): Promise<number | null> {
  return (await keepOccurrence(tx, occurrence, at)) ? fireAll(tx, occurrence, nodes, at) : null;
}

async function fireAll(
  tx: Tx,
  { ref, event, keys, content }: Occurrence,
  nodes: readonly string[],
  at: Instant,
): Promise<number> {
  let fired = 0;
  for (const key of keys) {
    for (const suspension of await selectMatching(tx, { event, key })) {
      await fire(tx, suspension, { by: 'event', event: { ...content, key } }, ref, at);
      fired++;
    }
  }
  if (fired > 0) await wake(tx, nodes);
  return fired;
}

/**
 * Queues runs whose messages can go on from nodes that are there. One that is under way is looked at when it ends.
 * @returns how many
 */
async function wake(tx: Tx, nodes: readonly string[]): Promise<number> {
  if (nodes.length === 0) return 0;
  const rows = await tx
    .updateTable('run')
    .set({ state: 'queued', resume: 1 })
    .where('state', 'in', ['waiting', 'failed'])
    .where('id', 'in', (from) =>
      from.selectFrom('suspension').select('run_id').where('state', '=', FIRED).where('node_id', 'in', nodes),
    )
    .returning('seq')
    .execute();
  return rows.length;
}

/** Runs that go on with messages they had kept, and have not been claimed. */
const selectReady = prepared<Record<string, never>, { seq: number }>((db) =>
  db
    .selectFrom('run')
    .select('seq')
    .where('state', '=', sql.lit<RunState>('queued'))
    .where('resume', '=', sql.lit(1))
    .limit(sql.lit(1)),
);
