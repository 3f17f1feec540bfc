import { setTimeout as pause } from 'node:timers/promises';
import { sql } from 'kysely';
import type { BusinessEvent, Instant } from '../../model';
import { lock, MaintenanceTask, open, type RunRow, type Store, type Tx } from '../../store';
import { count, DayChanges } from './days';
import {
  type CountedCase,
  setupIdOf,
  sourceOfCase,
  sourceOfRun,
  sourceOfSetup,
  stampOfRun,
  type ZoneOf,
} from './facts';

/** Rows that one look reads. */
const PAGE = 200;
/** Runs that one write counts: a few milliseconds, for others wait meanwhile. */
const AT_ONCE = 25;
/** Longer than a write takes: what was committed late by another host is not passed over. */
const OVERLAP_MS = 10_000;
/** As that, in events of the outbox. */
const OVERLAP_EVENTS = 500;

const EVERY_MS = 15_000;
/** A host that starts has other things to do first. */
const FIRST_MS = 3_000;

/**
 * Brings the key figures up to date every now and then, by one of the hosts on a store, until it is stopped.
 * @param zones asked each time, for the firm's set-up may change
 */
export function keepKpis(
  store: Store,
  zones: () => ZoneOf,
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
export async function updateKpis(store: Store, zoneOf: ZoneOf, signal?: AbortSignal): Promise<void> {
  const updater = new Updater(store, zoneOf, signal);
  const at = store.now();
  await updater.endedRuns();
  await updater.undecidedRuns();
  await updater.repeatedEvents();
  await updater.cases();
  await updater.setups();
  if (!signal?.aborted) await updater.moveTo('all', { at, key: 0 });
}

/** Until when everything has been counted; null = nothing yet. */
export async function countedUntil({ db }: Pick<Store, 'db'>): Promise<Instant | null> {
  return (await positionOf(db, 'all'))?.at ?? null;
}

async function positionOf(db: Store['db'], table: string): Promise<Position | null> {
  const row = await db
    .selectFrom('cursor')
    .select('value')
    .where('source', '=', `kpi:${table}`)
    .executeTakeFirst();
  return row === undefined ? null : (JSON.parse(row.value) as Position);
}

/** Up to which row a table has been looked through. */
interface Position {
  at: Instant;
  key: string | number;
}

class Updater {
  constructor(
    private readonly store: Store,
    private readonly zoneOf: ZoneOf,
    private readonly signal: AbortSignal | undefined,
  ) {}

  /** Runs that have ended, or ended again. */
  async endedRuns(): Promise<void> {
    let { at, key } = withOverlap(await this.position('runs', 0));
    for (;;) {
      const rows = await this.store.db
        .selectFrom('run')
        .leftJoin('kpi_source', 'kpi_source.id', 'run.id')
        .selectAll('run')
        .select('kpi_source.stamp')
        .where('run.ended_at', 'is not', null)
        .where('run.ended_at', '>=', at)
        .where((row) => row.or([row('run.ended_at', '>', at), row('run.seq', '>', Number(key))]))
        .orderBy('run.ended_at')
        .orderBy('run.seq')
        .limit(PAGE)
        .execute();
      const last = rows.at(-1);
      if (last === undefined || last.ended_at === null) return;
      await this.countRuns(rows.filter((row) => row.stamp !== stampOfRun(row)));
      if (this.isStopped) return;
      ({ ended_at: at, seq: key } = { ...last, ended_at: last.ended_at });
      await this.moveTo('runs', { at, key });
      if (rows.length < PAGE) return;
    }
  }

  /** A probe of another run may have settled what was not known of them. */
  async undecidedRuns(): Promise<void> {
    // Literals here and below: SQLite uses a partial index only for the very condition it was made with.
    const rows = await this.store.db
      .selectFrom('kpi_source')
      .innerJoin('run', 'run.id', 'kpi_source.id')
      .selectAll('run')
      .where('kpi_source.is_undecided', '=', sql.lit(1))
      .execute();
    await this.countRuns(rows);
  }

  /** Events that have come again. */
  async repeatedEvents(): Promise<void> {
    for (;;) {
      const rows = await this.store.db
        .selectFrom('event')
        .select('seq')
        .where('recount', '=', sql.lit(1))
        .limit(PAGE)
        .execute();
      const seqs = rows.map(({ seq }) => seq);
      if (seqs.length > 0) await this.write((tx, days) => this.countEventsAgain(tx, days, seqs));
      if (rows.length < PAGE || this.isStopped) return;
    }
  }

  async cases(): Promise<void> {
    let { at, key } = withOverlap(await this.position('cases', ''));
    for (;;) {
      const rows = await casesWhere(this.store.db)
        .where('exception_case.updated_at', '>=', at)
        .where((row) =>
          row.or([row('exception_case.updated_at', '>', at), row('exception_case.id', '>', String(key))]),
        )
        .orderBy('exception_case.updated_at')
        .orderBy('exception_case.id')
        .limit(PAGE)
        .execute();
      const last = rows.at(-1);
      if (last === undefined) return;
      await this.write((tx, days) => this.countCases(tx, days, rows));
      ({ updated_at: at, id: key } = last);
      await this.moveTo('cases', { at, key });
      if (rows.length < PAGE || this.isStopped) return;
    }
  }

  /** Deals whose project has been provisioned, as the flow has told. */
  async setups(): Promise<void> {
    let after = Number((await this.position('setups', 0)).key) - OVERLAP_EVENTS;
    for (;;) {
      const rows = await this.store.db
        .selectFrom('outbox')
        .select(['seq', 'event_id', 'type', 'envelope'])
        .where('seq', '>', after)
        .orderBy('seq')
        .limit(PAGE)
        .execute();
      const last = rows.at(-1);
      if (last === undefined) return;
      const told = rows
        .filter(({ type }) => type === 'q2c.project.provisioned.v1')
        .map((row) => JSON.parse(open(this.store.db, 'outbox', 'envelope', row)) as BusinessEvent);
      if (told.length > 0) await this.write((tx, days) => this.countSetups(tx, days, told));
      after = last.seq;
      await this.moveTo('setups', { at: '', key: after });
      if (rows.length < PAGE || this.isStopped) return;
    }
  }

  private async countRuns(rows: readonly RunRow[]): Promise<void> {
    for (let from = 0; from < rows.length && !this.isStopped; from += AT_ONCE) {
      const some = rows.slice(from, from + AT_ONCE);
      await this.write(async (tx, days) => {
        for (const row of some) await count(tx, days, await sourceOfRun(tx, row, this.zoneOf));
        // The end of a run tells of which legal entity its deal is.
        const ids = some.map(({ id }) => id);
        await this.countCases(
          tx,
          days,
          await casesWhere(tx).where('exception_case.run_id', 'in', ids).execute(),
        );
        for (const correlationId of new Set(some.map(({ correlation_id }) => correlation_id))) {
          await this.countSetupAgain(tx, days, correlationId);
        }
      });
      await pause(1);
    }
  }

  /** Runs that have not ended count their event when they do. */
  private async countEventsAgain(tx: Tx, days: DayChanges, seqs: readonly number[]): Promise<void> {
    // First, so that an arrival from now on is for the next time.
    await tx.updateTable('event').set({ recount: 0 }).where('seq', 'in', seqs).execute();
    const rows = await tx
      .selectFrom('kpi_source')
      .innerJoin('run', 'run.id', 'kpi_source.id')
      .selectAll('run')
      .where('kpi_source.event_seq', 'in', seqs)
      .execute();
    for (const row of rows) await count(tx, days, await sourceOfRun(tx, row, this.zoneOf));
  }

  private async countCases(tx: Tx, days: DayChanges, rows: readonly CountedCase[]): Promise<void> {
    for (const row of rows) await count(tx, days, sourceOfCase(row, this.zoneOf));
  }

  private async countSetups(tx: Tx, days: DayChanges, told: readonly BusinessEvent[]): Promise<void> {
    for (const { correlationid, time } of told) {
      // The first one counts: what is told again is not set up again.
      if (await this.countSetupAgain(tx, days, correlationid)) continue;
      const source = await sourceOfSetup(tx, correlationid, time, this.zoneOf);
      if (source !== null) await count(tx, days, source);
    }
  }

  /** @returns false when it was not counted yet */
  private async countSetupAgain(tx: Tx, days: DayChanges, correlationId: string): Promise<boolean> {
    const known = await tx
      .selectFrom('kpi_source')
      .select('stamp')
      .where('id', '=', setupIdOf(correlationId))
      .executeTakeFirst();
    if (known === undefined) return false;
    const source = await sourceOfSetup(tx, correlationId, known.stamp, this.zoneOf);
    if (source !== null) await count(tx, days, source);
    return true;
  }

  /** Hosts count one after another: each adds to what the days hold. */
  private async write(job: (tx: Tx, days: DayChanges) => Promise<void>): Promise<void> {
    await this.store.write(async (tx) => {
      await lock(tx, 'kpi');
      const days = new DayChanges();
      await job(tx, days);
      await days.write(tx);
    }, 'committed');
  }

  private async position(table: string, first: string | number): Promise<Position> {
    return (await positionOf(this.store.db, table)) ?? { at: '', key: first };
  }

  async moveTo(table: string, position: Position): Promise<void> {
    const values = { value: JSON.stringify(position), updated_at: this.store.now() };
    await this.store.write(
      (tx) =>
        tx
          .insertInto('cursor')
          .values({ source: `kpi:${table}`, ...values })
          .onConflict((conflict) => conflict.column('source').doUpdateSet(values))
          .execute(),
      'committed',
    );
  }

  private get isStopped(): boolean {
    return this.signal?.aborted ?? false;
  }
}

/** Begins a little before a position, with the first row of that time. */
function withOverlap({ at, key }: Position): Position {
  if (at === '') return { at, key };
  const first = typeof key === 'number' ? 0 : '';
  return { at: new Date(Date.parse(at) - OVERLAP_MS).toISOString(), key: first };
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
