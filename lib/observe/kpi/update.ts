import { setTimeout as pause } from 'node:timers/promises';
import { sql } from 'kysely';
import type { BusinessEvent, Instant } from '../../model';
import {
  lock,
  MaintenanceTask,
  open,
  prepared,
  procedure,
  type RunRow,
  type Store,
  type Tx,
} from '../../store';
import { count, DayChanges } from './days';
import { type CountedCase, setupIdOf, sourceOfCase, sourceOfRun, sourceOfSetup } from './facts';
import { type ZoneOf, type Zones, zoneIn } from './zones';

/** Rows of a table that one look goes through. */
const PAGE = 200;
/** Runs that one write counts: a few milliseconds, for steps wait meanwhile. Each write changes the rows of a day again. */
const AT_ONCE = 20;
/** Longer than a write takes: what was committed late by another host is not passed over. */
const OVERLAP_MS = 10_000;
/** As that, in events of the outbox. */
const OVERLAP_EVENTS = 500;

/** After a write. One that a store out of reach has held up must not hold up the end of the host too. */
const LONGEST_REST_MS = 100;

const EVERY_MS = 15_000;
/** A host that starts has other things to do first. */
const FIRST_MS = 3_000;

/**
 * Brings the key figures up to date every now and then, by one of the hosts on a store, until it is stopped.
 * @param zones asked each time, for the firm's set-up may change
 */
export function keepKpis(
  store: Store,
  zones: () => Zones,
  onFailure: (error: unknown) => void,
): MaintenanceTask {
  const task = new MaintenanceTask(store, {
    name: 'kpi',
    firstMs: FIRST_MS,
    lookMs: EVERY_MS,
    everyMs: EVERY_MS / 2,
    run: (signal) => updateKpis(store, zones(), signal),
    onFailure,
  });
  task.start();
  return task;
}

/**
 * Counts what has changed since it was counted last. Whatever changed is counted anew as a whole and takes the place of
 * what it was counted as, so doing it twice, or breaking off and going on, gives the same.
 * @param signal ends it after the present write
 */
export async function updateKpis(store: Store, zones: Zones, signal?: AbortSignal): Promise<void> {
  const at = store.now();
  for (const counting of [endedRuns, undecidedRuns, repeatedEvents, changedCases, setUpDeals]) {
    let from: Position | null = null;
    do {
      if (signal?.aborted) return;
      const startedAt = performance.now();
      from = await store.perform(counting, { zones, from, at: store.now() }, 'committed');
      // Steps that have waited for it come first: of what has piled up, no more than half of the time goes into counting.
      if (from !== null) await pause(Math.min(performance.now() - startedAt, LONGEST_REST_MS));
    } while (from !== null);
  }
  if (!signal?.aborted) await store.write((tx) => moveTo(tx, 'all', { at, key: 0 }, at), 'committed');
}

/** Until when everything has been counted; null = nothing yet. */
export async function countedUntil({ db }: Pick<Store, 'db'>): Promise<Instant | null> {
  return (await positionOf(db, 'all'))?.at ?? null;
}

// ---------------------------------------------------------------- where counting stands

/** Up to which row a table has been looked through. */
interface Position {
  at: Instant;
  key: string | number;
}

async function positionOf(db: Store['db'], table: string): Promise<Position | null> {
  const row = await db
    .selectFrom('cursor')
    .select('value')
    .where('source', '=', `kpi:${table}`)
    .executeTakeFirst();
  return row === undefined ? null : (JSON.parse(row.value) as Position);
}

async function moveTo(tx: Tx, table: string, position: Position, at: Instant): Promise<void> {
  const values = { value: JSON.stringify(position), updated_at: at };
  await tx
    .insertInto('cursor')
    .values({ source: `kpi:${table}`, ...values })
    .onConflict((conflict) => conflict.column('source').doUpdateSet(values))
    .execute();
}

/** Where an update begins: a little before where the last one ended, with the first row of that time. */
async function beginning(tx: Tx, table: string, first: string | number): Promise<Position> {
  const { at, key } = (await positionOf(tx, table)) ?? { at: '', key: first };
  if (at === '') return { at, key };
  return { at: new Date(Date.parse(at) - OVERLAP_MS).toISOString(), key: first };
}

// ---------------------------------------------------------------- one write each

interface Piece {
  zones: Zones;
  /** Where the piece before it has ended; null for the first one of an update. */
  from: Position | null;
  at: Instant;
}

/** Counts some rows in a write. @returns where the next write goes on; null when all have been counted */
type CountPiece = (tx: Tx, days: DayChanges, piece: Piece & { zoneOf: ZoneOf }) => Promise<Position | null>;

/** Hosts count one after another: each adds to what the days hold. */
const counting = (what: string, some: CountPiece) =>
  procedure(`kpi.${what}`, async (tx, piece: Piece): Promise<Position | null> => {
    await lock(tx, 'kpi');
    const days = new DayChanges();
    const next = await some(tx, days, { ...piece, zoneOf: zoneIn(piece.zones) });
    await days.write(tx);
    return next;
  });

/** Runs that have ended, or ended again. */
const endedRuns = counting('endedRuns', async (tx, days, { from, zoneOf, at: now }) => {
  const { at, key } = from ?? (await beginning(tx, 'runs', 0));
  const rows = await tx
    .selectFrom('run')
    .leftJoin('kpi_source', 'kpi_source.id', 'run.id')
    .selectAll('run')
    .where('run.ended_at', 'is not', null)
    .where('run.ended_at', '>=', at)
    .where((row) => row.or([row('run.ended_at', '>', at), row('run.seq', '>', Number(key))]))
    .where((row) =>
      // As `stampOfRun` makes it.
      row.or([
        row('kpi_source.stamp', 'is', null),
        row('kpi_source.stamp', '!=', sql<string>`run.ended_at || '|' || run.attempt`),
      ]),
    )
    .orderBy('run.ended_at')
    .orderBy('run.seq')
    .limit(AT_ONCE)
    .execute();
  await countRuns(tx, days, rows, zoneOf);
  const last = rows.at(-1);
  if (last === undefined || last.ended_at === null) return null;
  const next = { at: last.ended_at, key: last.seq };
  await moveTo(tx, 'runs', next, now);
  return rows.length < AT_ONCE ? null : next;
});

/** A probe of another run may have settled what was not known of them. */
const undecidedRuns = counting('undecidedRuns', async (tx, days, { from, zoneOf }) => {
  // Literals here and below: SQLite uses a partial index only for the very condition it was made with.
  const rows = await tx
    .selectFrom('kpi_source')
    .innerJoin('run', 'run.id', 'kpi_source.id')
    .selectAll('run')
    .where('kpi_source.is_undecided', '=', sql.lit(1))
    // By the id here: by that of the runs, SQLite looks through all runs in their order.
    .where('kpi_source.id', '>', String(from?.key ?? ''))
    .orderBy('kpi_source.id')
    .limit(AT_ONCE)
    .execute();
  await countRuns(tx, days, rows, zoneOf);
  const last = rows.at(-1);
  return last === undefined || rows.length < AT_ONCE ? null : { at: '', key: last.id };
});

/** Events that have come again. Runs that have not ended count their event when they do. */
const repeatedEvents = counting('repeatedEvents', async (tx, days, { zoneOf }) => {
  const rows = await tx
    .selectFrom('event')
    .select('seq')
    .where('recount', '=', sql.lit(1))
    .limit(PAGE)
    .execute();
  if (rows.length === 0) return null;
  const seqs = rows.map(({ seq }) => seq);
  // First, so that an arrival from now on is for the next time.
  await tx.updateTable('event').set({ recount: 0 }).where('seq', 'in', seqs).execute();
  const runs = await tx
    .selectFrom('kpi_source')
    .innerJoin('run', 'run.id', 'kpi_source.id')
    .selectAll('run')
    .where('kpi_source.event_seq', 'in', seqs)
    .execute();
  for (const run of runs) await count(tx, days, await sourceOfRun(tx, run, zoneOf));
  return rows.length < PAGE ? null : { at: '', key: 0 };
});

const changedCases = counting('changedCases', async (tx, days, { from, zoneOf, at: now }) => {
  const { at, key } = from ?? (await beginning(tx, 'cases', ''));
  const rows = await casesWhere(tx)
    .where('exception_case.updated_at', '>=', at)
    .where((row) =>
      row.or([row('exception_case.updated_at', '>', at), row('exception_case.id', '>', String(key))]),
    )
    .orderBy('exception_case.updated_at')
    .orderBy('exception_case.id')
    .limit(PAGE)
    .execute();
  await countCases(tx, days, rows, zoneOf);
  const last = rows.at(-1);
  if (last === undefined) return null;
  const next = { at: last.updated_at, key: last.id };
  await moveTo(tx, 'cases', next, now);
  return rows.length < PAGE ? null : next;
});

/** Deals whose project has been provisioned, as the flow has told. */
const setUpDeals = counting('setUpDeals', async (tx, days, { from, zoneOf, at: now }) => {
  const after =
    from === null ? Number((await positionOf(tx, 'setups'))?.key ?? 0) - OVERLAP_EVENTS : Number(from.key);
  const rows = await tx
    .selectFrom('outbox')
    .select(['seq', 'event_id', 'type', 'envelope'])
    .where('seq', '>', after)
    .orderBy('seq')
    .limit(PAGE)
    .execute();
  for (const row of rows.filter(({ type }) => type === 'q2c.project.provisioned.v1')) {
    const { correlationid, time } = JSON.parse(open(tx, 'outbox', 'envelope', row)) as BusinessEvent;
    // The first one counts: what is told again is not set up again.
    if (await countSetupAgain(tx, days, correlationid, zoneOf)) continue;
    const source = await sourceOfSetup(tx, correlationid, time, zoneOf);
    if (source !== null) await count(tx, days, source);
  }
  const last = rows.at(-1);
  if (last === undefined) return null;
  const next = { at: '', key: last.seq };
  await moveTo(tx, 'setups', next, now);
  return rows.length < PAGE ? null : next;
});

// ---------------------------------------------------------------- what is counted

async function countRuns(tx: Tx, days: DayChanges, rows: readonly RunRow[], zoneOf: ZoneOf): Promise<void> {
  if (rows.length === 0) return;
  for (const row of rows) await count(tx, days, await sourceOfRun(tx, row, zoneOf));
  // The end of a run tells of which legal entity its deal is.
  const ids = rows.map(({ id }) => id);
  const cases = await casesWhere(tx).where('exception_case.run_id', 'in', ids).execute();
  await countCases(tx, days, cases, zoneOf);
  for (const correlationId of new Set(rows.map(({ correlation_id }) => correlation_id))) {
    await countSetupAgain(tx, days, correlationId, zoneOf);
  }
}

async function countCases(
  tx: Tx,
  days: DayChanges,
  rows: readonly CountedCase[],
  zoneOf: ZoneOf,
): Promise<void> {
  for (const row of rows) await count(tx, days, sourceOfCase(row, zoneOf));
}

const selectStamp = prepared<{ id: string }, { stamp: string }>((db, value) =>
  db.selectFrom('kpi_source').select('stamp').where('id', '=', value.id),
);

/** @returns false when it was not counted yet */
async function countSetupAgain(
  tx: Tx,
  days: DayChanges,
  correlationId: string,
  zoneOf: ZoneOf,
): Promise<boolean> {
  const [known] = await selectStamp(tx, { id: setupIdOf(correlationId) });
  if (known === undefined) return false;
  const source = await sourceOfSetup(tx, correlationId, known.stamp, zoneOf);
  if (source !== null) await count(tx, days, source);
  return true;
}

const casesWhere = (db: Tx) =>
  db
    .selectFrom('exception_case')
    .leftJoin('run', 'run.id', 'exception_case.run_id')
    .leftJoin('step', 'step.key', 'exception_case.step_key')
    .select([
      ...(['exception_case.id', 'exception_case.code', 'exception_case.state'] as const),
      ...(['exception_case.subject', 'exception_case.opened_at', 'exception_case.resolved_at'] as const),
      ...(['exception_case.updated_at', 'run.legal_entity', 'step.system', 'step.operation'] as const),
    ]);
