import { sql } from 'kysely';
import type { CanonicalId, Instant } from '../model';
import { type Disposition, prepared, type RunRow, type RunState, type Tx } from '../store';
import { openCase, resolveCases } from './cases';
import { type Arrival, insertEvent, insertRun, toRun } from './runs';
import type { IntakeBatch, IntakeEvent, Run } from './types';

/**
 * Changes of a record are applied in the order of their versions (guides §13). `taken` is the highest version that got a
 * run: the next one gets its run at once, one further on is parked until those between have come, an older one is stale.
 * A run that fails does not hold up the next version, which carries the newer state: coming through, it supersedes it.
 */

/** Records whose gaps are looked at in one write. */
const SCAN_LIMIT = 50;

const PARKED = sql.lit<RunState>('parked');

/** A record as one source counts its changes. All of them have the same ordering key. */
interface Aggregate {
  source: string;
  subject: CanonicalId;
  orderingKey: CanonicalId;
}

/** What became of an event that was not known. */
export interface Admitted {
  arrival: Arrival;
  admission: 'accepted' | 'stale' | 'parked';
}

/**
 * Stores an event and gives it its run, now or when the changes before it have come.
 * @returns null when it is known: then it is only counted
 */
export async function admit(
  tx: Tx,
  batch: IntakeBatch,
  event: IntakeEvent,
  subject: CanonicalId,
  at: Instant,
): Promise<Admitted | null> {
  const newest = event.stamp === undefined ? undefined : await newestState(tx, batch.source, subject);
  const named = { ...event, id: await nameOfState(tx, batch.source, event, newest) };
  const arrival = await insertEvent(tx, batch, named, subject, at);
  if (arrival === null) return null;
  const aggregate = { source: batch.source, subject, orderingKey: arrival.orderingKey };
  const admission = await admissionOf(tx, aggregate, arrival, newest);
  if (admission === 'accepted') {
    await insertRun(tx, runOf(batch, arrival, 'queued'), null, at);
    if (event.version !== undefined) await followOn(tx, aggregate, event.version, at);
  } else {
    await setDisposition(tx, arrival.seq, admission);
    if (admission === 'parked') await park(tx, aggregate, batch, arrival, at);
  }
  return { arrival, admission };
}

async function admissionOf(
  tx: Tx,
  aggregate: Aggregate,
  { event }: Arrival,
  newest: State | undefined,
): Promise<Admitted['admission']> {
  if (event.version !== undefined) return inVersionOrder(tx, aggregate, event.version);
  if (event.stamp !== undefined && newest !== undefined && event.stamp < newest.stamp) return 'stale';
  return 'accepted';
}

const runOf = ({ sourceNode }: IntakeBatch, arrival: Arrival, state: 'queued' | 'parked') => {
  const { seq, orderingKey, correlationId, event } = arrival;
  return { eventSeq: seq, sourceNode, orderingKey, correlationId, title: event.title, state };
};

async function inVersionOrder(tx: Tx, aggregate: Aggregate, version: number): Promise<Admitted['admission']> {
  const taken = await lockTaken(tx, aggregate);
  if (version <= taken) return 'stale';
  if (version === taken + 1) return 'accepted';
  const parked = await parkedRuns(tx, aggregate);
  return parked.some((row) => row.version === version) ? 'stale' : 'parked';
}

/** The highest version with a run, kept as it is by others until this write ends: two hosts may work on one record. */
async function lockTaken(tx: Tx, { source, subject }: Aggregate): Promise<number> {
  const { taken } = await tx
    .insertInto('aggregate')
    .values({ source, subject, taken: 0, applied: 0 })
    .onConflict((conflict) =>
      conflict.columns(['source', 'subject']).doUpdateSet((row) => ({ taken: row.ref('aggregate.taken') })),
    )
    .returning('taken')
    .executeTakeFirstOrThrow();
  return taken;
}

/** The state of a record that was accepted last. */
interface State {
  event_id: string;
  stamp: Instant;
}

const selectNewest = prepared<{ source: string; subject: CanonicalId }, State>((db, value) =>
  db
    .selectFrom('run')
    .innerJoin('event', 'event.seq', 'run.event_seq')
    .select(['event.event_id', (row) => row.ref('event.stamp').$notNull().as('stamp')])
    // Such events are of no other thread than their own record's.
    .where('run.correlation_id', '=', value.subject)
    .where('event.source', '=', value.source)
    .where('event.stamp', 'is not', null)
    .orderBy('event.seq', 'desc')
    .limit(sql.lit(1)),
);

async function newestState(tx: Tx, source: string, subject: CanonicalId): Promise<State | undefined> {
  return (await selectNewest(tx, { source, subject }))[0];
}

/**
 * An event named by its content has the same id whenever its record is in that state (docs/decisions/0006). One that
 * comes again because the record has returned to it, after another state, is news: its name gets the stamp.
 */
async function nameOfState(
  tx: Tx,
  source: string,
  { id, stamp }: IntakeEvent,
  newest: State | undefined,
): Promise<string> {
  if (newest === undefined || stamp === undefined || stamp <= newest.stamp) return id;
  if (newest.event_id === id || newest.event_id.startsWith(`${id}@`)) return id;
  const known = await tx
    .selectFrom('event')
    .select('seq')
    .where('source', '=', source)
    .where('event_id', '=', id)
    .executeTakeFirst();
  return known === undefined ? id : `${id}@${stamp}`;
}

async function park(
  tx: Tx,
  aggregate: Aggregate,
  batch: IntakeBatch,
  arrival: Arrival,
  at: Instant,
): Promise<void> {
  const isFirst = (await parkedRuns(tx, aggregate)).length === 0;
  const run = await insertRun(tx, runOf(batch, arrival, 'parked'), null, at);
  if (!isFirst) return;
  await openCase(
    tx,
    run,
    {
      node: gapNode(batch.sourceNode),
      code: 'SEQUENCE_GAP',
      subject: arrival.subject,
      about: { params: { entity: arrival.event.title }, ownerRole: 'integration_ops' },
      detail: { source: batch.source, version: arrival.event.version },
    },
    at,
  );
}

/** A version has got its run: those parked right behind it get theirs, after it. */
async function followOn(tx: Tx, aggregate: Aggregate, version: number, at: Instant): Promise<void> {
  const parked = await parkedRuns(tx, aggregate);
  let taken = version;
  for (const row of parked) {
    if (row.version !== taken + 1) break;
    await release(tx, row, false);
    taken++;
  }
  await setTaken(tx, aggregate, taken);
  const last = parked.at(-1);
  if (last?.version === taken) await closeGap(tx, toRun(last), aggregate.subject, at);
}

/**
 * Gives up waiting for changes that have been missing since `before`: one run per record applies what the master says
 * now, in place of all that are parked.
 * @returns how many runs can be dispatched
 */
export async function catchUp(tx: Tx, before: Instant): Promise<number> {
  const gaps = await tx
    .selectFrom('run')
    .innerJoin('event', 'event.seq', 'run.event_seq')
    .select(['event.source', 'event.subject', 'run.ordering_key as orderingKey'])
    .distinct()
    .where('run.state', '=', PARKED)
    .where('run.created_at', '<=', before)
    .limit(SCAN_LIMIT)
    .execute();
  for (const aggregate of gaps) {
    await lockTaken(tx, aggregate);
    const parked = await parkedRuns(tx, aggregate);
    const last = parked.pop();
    if (last === undefined) continue;
    for (const { seq, event_seq } of parked) {
      await tx.updateTable('run').set({ state: 'superseded' }).where('seq', '=', seq).execute();
      await setDisposition(tx, event_seq, 'stale');
    }
    await release(tx, last, true);
    await setTaken(tx, aggregate, last.version);
  }
  return gaps.length;
}

type ParkedRun = RunRow & { event_seq: number; version: number };

/** Oldest version first. */
async function parkedRuns(tx: Tx, { source, subject, orderingKey }: Aggregate): Promise<ParkedRun[]> {
  return tx
    .selectFrom('run')
    .innerJoin('event', 'event.seq', 'run.event_seq')
    .selectAll('run')
    .select((row) => [
      row.ref('event.seq').as('event_seq'),
      row.ref('event.version').$castTo<number>().as('version'),
    ])
    .where('run.state', '=', PARKED)
    .where('run.ordering_key', '=', orderingKey)
    .where('event.source', '=', source)
    .where('event.subject', '=', subject)
    .orderBy('event.version')
    .execute();
}

/** Queues a parked run. Its number is its place in the order, so it gets a new one behind all others of its record. */
async function release(tx: Tx, { version: _, seq, ...run }: ParkedRun, isCatchUp: boolean): Promise<void> {
  await tx.deleteFrom('run').where('seq', '=', seq).execute();
  await tx
    .insertInto('run')
    .values({ ...run, state: 'queued', catch_up: isCatchUp ? 1 : 0 })
    .execute();
  await setDisposition(tx, run.event_seq, 'accepted');
}

const updateDisposition = prepared<{ seq: number; disposition: Disposition }>((db, value) =>
  db.updateTable('event').set({ disposition: value.disposition }).where('seq', '=', value.seq),
);

async function setDisposition(tx: Tx, seq: number, disposition: Disposition): Promise<void> {
  await updateDisposition(tx, { seq, disposition });
}

async function setTaken(tx: Tx, { source, subject }: Aggregate, taken: number): Promise<void> {
  await tx
    .updateTable('aggregate')
    .set({ taken })
    .where('source', '=', source)
    .where('subject', '=', subject)
    .execute();
}

/** The source stands for the node of the case: two flows may miss changes of the same record. */
const gapNode = (sourceNode: string) => ({ id: sourceNode, name: '' });

/** Nothing is missing any more. */
async function closeGap(tx: Tx, run: Run, subject: CanonicalId, at: Instant): Promise<void> {
  const open = await tx
    .selectFrom('exception_case')
    .select('id')
    .where('code', '=', 'SEQUENCE_GAP')
    .where('correlation_id', '=', run.correlationId)
    .where('subject', '=', subject)
    .where('node_id', '=', gapNode(run.sourceNode).id)
    .where('state', 'not in', ['resolved', 'waived'])
    .execute();
  await resolveCases(tx, run, open, at);
}

// -------------------------------------------------------------------- end of runs

interface Settled {
  source: string;
  subject: CanonicalId;
  version: number | null;
}

const updateSettled = prepared<{ run: string; disposition: Disposition }, Settled>((db, value) =>
  db
    .updateTable('event')
    .set({ disposition: value.disposition })
    .where('seq', '=', (row) => row.selectFrom('run').select('event_seq').where('id', '=', value.run))
    .returning(['source', 'subject', 'version']),
);

/** What has become of the event of a run: applied when the run came through, a case when it has failed. */
export async function settleEvent(
  tx: Tx,
  run: Run,
  disposition: 'applied' | 'case' | 'accepted',
  at: Instant,
): Promise<void> {
  const [settled] = await updateSettled(tx, { run: run.id, disposition });
  if (disposition !== 'applied' || settled === undefined || settled.version === null) return;
  const { source, subject, version } = settled;
  await tx
    .updateTable('aggregate')
    .set({ applied: version })
    .where('source', '=', source)
    .where('subject', '=', subject)
    .where('applied', '<', version)
    .execute();
  const aggregate = { source, subject, orderingKey: run.orderingKey };
  if ((await parkedRuns(tx, aggregate)).length === 0) await closeGap(tx, run, subject, at);
}

/** Later runs came through with what these were about. */
export async function settleSuperseded(tx: Tx, events: readonly number[]): Promise<void> {
  if (events.length === 0) return;
  await tx.updateTable('event').set({ disposition: 'applied' }).where('seq', 'in', events).execute();
}
