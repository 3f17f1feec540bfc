import type { Instant, JsonObject } from '../model';
import { open, prepared, type Sealed, seal, type Tx } from '../store';
import type { WaitedEvent, WaitRequest } from './types';

/** What runs may wait for: accepted events, and what was announced or said. All functions work inside a write. */

/** How long events and signals are known to runs that come to wait for them later. */
export const KEPT_MS = 30 * 24 * 3_600_000;

/** Rows taken at a time: bounds how long one write holds the store. */
const LIMIT = 100;

/** Something that has happened, as messages are matched with it. */
export interface Occurrence {
  /** Names it among all events and signals. */
  ref: string;
  event: string;
  keys: string[];
  content: Omit<WaitedEvent, 'key'>;
}

/** An event by whatever way it has come: announced, and accepted once more by a source of this store, it is the same. */
export function ofEvent(
  { id, type, time, source, actor, data }: Occurrence['content'],
  keys: readonly string[],
): Occurrence {
  const content = { id, type, time, source, actor, data };
  return { ref: `event|${type}|${id}`, event: type, keys: [...new Set(keys)], content };
}

const insertSignal = prepared<
  { event: string; key: string; id: string; content: Sealed; at: Instant },
  { seq: number }
>((db, value) =>
  db
    .insertInto('signal')
    .values({
      event: value.event,
      match_key: value.key,
      id: value.id,
      content: value.content,
      received_at: value.at,
    })
    .onConflict((conflict) => conflict.columns(['event', 'match_key', 'id']).doNothing())
    .returning('seq'),
);

/** Keeps it for runs that come to wait later. @returns false when it is known */
export async function keepOccurrence(
  tx: Tx,
  { ref: id, event, keys, content }: Occurrence,
  at: Instant,
): Promise<boolean> {
  const text = JSON.stringify(content);
  let isNew = false;
  for (const key of keys) {
    const sealed = seal(tx, 'signal', 'content', { event, match_key: key, id }, text);
    const rows = await insertSignal(tx, { event, key, id, content: sealed, at });
    isNew ||= rows.length > 0;
  }
  return isNew;
}

/** Forgets what nobody can come to wait for any more. */
export async function forgetOccurrences(tx: Tx, at: Instant): Promise<void> {
  const before = new Date(Date.parse(at) - KEPT_MS).toISOString();
  await tx
    .deleteFrom('signal')
    .where('seq', 'in', (from) =>
      from.selectFrom('signal').select('seq').where('received_at', '<', before).limit(LIMIT),
    )
    .execute();
}

/** The latest event or signal from before that lets this message go on. */
export async function earlierOccurrence(
  tx: Tx,
  runId: string,
  request: WaitRequest,
  at: Instant,
): Promise<Pick<Occurrence, 'ref' | 'content'> | null> {
  if (request.earlier === 'never') return null;
  const since = new Date(Date.parse(at) - KEPT_MS).toISOString();
  for (const found of [
    ...(await signalsOf(tx, request, since)),
    ...(await eventsOf(tx, runId, request, since)),
  ]) {
    if (!(await isUsed(tx, found.ref, runId, request))) return found;
  }
  return null;
}

async function signalsOf(tx: Tx, { event, key }: WaitRequest, since: Instant) {
  const rows = await tx
    .selectFrom('signal')
    .select(['event', 'match_key', 'id', 'content'])
    .where('event', '=', event)
    .where('match_key', '=', key)
    .where('received_at', '>=', since)
    .orderBy('seq', 'desc')
    .limit(LIMIT)
    .execute();
  return rows.map((row) => ({
    ref: row.id,
    content: JSON.parse(open(tx, 'signal', 'content', row)) as Occurrence['content'],
  }));
}

/** Accepted events about the key, but for the run's own; stale ones have no run. */
async function eventsOf(tx: Tx, runId: string, { event, key }: WaitRequest, since: Instant) {
  const rows = await tx
    .selectFrom('run')
    .innerJoin('event', 'event.seq', 'run.event_seq')
    .select(['event.event_id', 'event.type', 'event.time', 'event.source', 'event.data'])
    .where('run.correlation_id', '=', key)
    .where('run.id', '!=', runId)
    .where('event.type', '=', event)
    .where('event.received_at', '>=', since)
    .orderBy('event.seq', 'desc')
    .limit(LIMIT)
    .execute();
  return rows.map((row) => {
    const { type, time, source } = row;
    const data = JSON.parse(open(tx, 'event', 'data', row)) as JsonObject;
    return ofEvent({ id: row.event_id, type, time, source, actor: null, data }, [key]);
  });
}

/**
 * An event lets a message pass a node once, however often it comes back to it; another one of the same run, which came
 * the same way, may pass too. Where events count once, those that another run has used do not count.
 */
async function isUsed(tx: Tx, ref: string, runId: string, request: WaitRequest): Promise<boolean> {
  const used = await tx
    .selectFrom('suspension')
    .select(['run_id', 'parent'])
    .where('occurrence', '=', ref)
    .where('node_id', '=', request.node.id)
    .execute();
  return used.some(({ run_id, parent }) =>
    run_id === runId ? parent !== request.parent : request.earlier === 'once',
  );
}
