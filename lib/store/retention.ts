import { setTimeout as pause } from 'node:timers/promises';
import { type Expression, type ExpressionBuilder, type SqlBool, sql } from 'kysely';
import { type Instant, Q2cError } from '../model';
import { appendAudit } from './audit';
import { open } from './encryption';
import { MaintenanceTask } from './maintenance';
import type { CaseState, RunState, Schema } from './schema';
import type { Store, Tx } from './store';

/**
 * What is kept for how long (guides §13): keys of financial operations as long as their deal is open and at least 400
 * days, others 30 days. Cross-references, natural keys, cursors and the audit are kept for ever.
 */
export interface RetentionPolicy {
  /** Days after the last run of a deal that its financial runs are kept, with steps and events; null = for ever. */
  financialDays: number | null;
  /** Days after its end that any other run is kept. */
  otherDays: number | null;
  /** Days after it was settled that a case is kept, with its history. */
  caseDays: number | null;
  /** Days after it was sent that an event of the outbox is kept, and after it came last that a rejected one is. */
  outboxDays: number | null;
}

export const DEFAULT_RETENTION: RetentionPolicy = {
  financialDays: 400,
  otherDays: 30,
  caseDays: 400,
  outboxDays: 30,
};

const MINIMUM: Record<keyof RetentionPolicy, number> = {
  financialDays: 400,
  otherDays: 1,
  caseDays: 1,
  outboxDays: 1,
};

/**
 * Checks what was set; what is missing has its default, 0 stands for ever.
 * @throws Q2cError `CONFIG_MISSING` naming the value
 */
export function retentionPolicy(set: Partial<Record<keyof RetentionPolicy, number>>): RetentionPolicy {
  const policy = { ...DEFAULT_RETENTION };
  for (const name of Object.keys(policy) as (keyof RetentionPolicy)[]) {
    const days = set[name] ?? policy[name];
    if (days !== null && days !== 0 && !(Number.isInteger(days) && days >= MINIMUM[name])) {
      throw new Q2cError(
        'CONFIG_MISSING',
        `Retention: ${name} is ${days}; give whole days, at least ${MINIMUM[name]}, or 0 to keep for ever.`,
      );
    }
    policy[name] = days === 0 ? null : days;
  }
  return policy;
}

/**
 * Operations that are not financial: reads, and what only concerns the delivery of a project. An operation that is not
 * known here counts as financial, so that nothing is deleted too early.
 */
const OTHER_OPERATIONS = [
  ...['%.find', '%.list', '%.query', '%.read', '%.read-%'],
  ...['assignment.%', 'contact.%', 'opportunity.%', 'resource.%', 'staffingRequest.%', 'task.%'],
];

/** Rows that one look reads, and one write removes at most: both take a few milliseconds. */
const PAGE = 100;
/** Fewer runs at a time: for each one, the other runs of its deal are looked at. */
const RUNS = 25;
const DAY_MS = 86_400_000;

const ENDED: readonly RunState[] = ['completed', 'failed', 'superseded', 'cancelled'];
const SETTLED: readonly CaseState[] = ['resolved', 'waived'];

const HOUR_MS = 3_600_000;

/** Sweeps the store once a day, by one of its hosts, until it is stopped. */
export function sweepDaily(
  store: Store,
  policy: RetentionPolicy,
  onFailure: (error: unknown) => void,
): MaintenanceTask {
  const task = new MaintenanceTask(store, {
    name: 'retention',
    firstMs: 5_000,
    lookMs: HOUR_MS,
    everyMs: 23 * HOUR_MS,
    run: async (signal) => {
      await sweep(store, policy, { now: store.now(), signal });
    },
    onFailure,
  });
  task.start();
  return task;
}

export interface SweepReport {
  run: number;
  step: number;
  event: number;
  exception_case: number;
  case_history: number;
  outbox: number;
  rejected_event: number;
}

export interface SweepOptions {
  now: Instant;
  /** Ends the sweep after the present batch. */
  signal?: AbortSignal;
}

export const emptyReport = (): SweepReport => ({
  run: 0,
  step: 0,
  event: 0,
  exception_case: 0,
  case_history: 0,
  outbox: 0,
  rejected_event: 0,
});

/**
 * Removes what is older than the policy says and nothing unfinished needs: no run of a deal with an unfinished run or
 * an open case, none with a call whose outcome is not known. In small batches with pauses, so that it may run beside
 * live work; a sweep that was broken off is simply done again. What was removed goes into the audit.
 */
export async function sweep(
  store: Store,
  policy: RetentionPolicy,
  options: SweepOptions,
): Promise<SweepReport> {
  const report = emptyReport();
  const sweeper = new Sweeper(store, policy, options, report);
  await sweeper.runs();
  await sweeper.cases();
  await sweeper.outbox();
  await sweeper.rejected();
  await sweeper.stale();
  await sweeper.tokens();
  await sweeper.bulkJobs();
  if (Object.values(report).some((count) => count > 0)) {
    await store.write((tx) =>
      appendAudit(tx, {
        at: options.now,
        actor: 'engine',
        action: 'retention.swept',
        subject: 'store',
        runId: null,
        detail: { removed: { ...report }, policy: { ...policy } },
      }),
    );
  }
  return report;
}

class Sweeper {
  constructor(
    private readonly store: Store,
    private readonly policy: RetentionPolicy,
    private readonly options: SweepOptions,
    private readonly report: SweepReport,
  ) {}

  /** Runs with all that belongs to them alone: steps, kept messages, and the event that began them. */
  async runs(): Promise<void> {
    const { otherDays, financialDays } = this.policy;
    const cutoffs = { other: this.cutoff(otherDays), financial: this.cutoff(financialDays) };
    for (let after = 0; ; ) {
      // In the order of their arrival, which is the order of the table: no index is needed, and the first young one
      // ends it.
      const page = await this.store.db
        .selectFrom('run')
        .select(['seq', 'created_at'])
        .where('seq', '>', after)
        .orderBy('seq')
        .limit(RUNS)
        .execute();
      const old = page.filter(({ created_at }) => created_at < cutoffs.other).map(({ seq }) => seq);
      const removable = old.length === 0 ? [] : await removableRuns(this.store.db, old, cutoffs);
      for (const { seq } of removable) await this.removeInPieces((tx) => removeRun(tx, seq, cutoffs));
      if (old.length < RUNS || this.isStopped) return;
      after = old.at(-1) ?? after;
      await pause(1);
    }
  }

  /** Settled cases with their history. */
  async cases(): Promise<void> {
    const cutoff = this.cutoff(this.policy.caseDays);
    for (let after = ''; ; ) {
      // Ids grow with time, so this is the order in which they were opened.
      const page = await this.store.db
        .selectFrom('exception_case')
        .select(['id', 'opened_at'])
        .where('id', '>', after)
        .orderBy('id')
        .limit(PAGE)
        .execute();
      const old = page.filter(({ opened_at }) => opened_at < cutoff).map(({ id }) => id);
      const removable = old.length === 0 ? [] : await settledCases(this.store.db, old, cutoff);
      for (const { id } of removable) await this.removeInPieces((tx) => removeCase(tx, id, cutoff));
      if (old.length < PAGE || this.isStopped) return;
      after = old.at(-1) ?? after;
      await pause(1);
    }
  }

  /** Sent events, unless a run that may tell them again is unfinished: the row is what makes it tell them once. */
  async outbox(): Promise<void> {
    const cutoff = this.cutoff(this.policy.outboxDays);
    const { db } = this.store;
    for (let after = 0; ; ) {
      const page = await db
        .selectFrom('outbox')
        .select(['seq', 'event_id', 'envelope', 'created_at', 'sent_at'])
        .where('seq', '>', after)
        .orderBy('seq')
        .limit(PAGE)
        .execute();
      const old = page.filter(({ created_at }) => created_at < cutoff);
      const sent = old
        .filter(({ sent_at }) => sent_at !== null && sent_at < cutoff)
        .map((row) => ({ seq: row.seq, deal: dealOf(open(db, 'outbox', 'envelope', row)) }));
      if (sent.length > 0) await this.removeInPieces((tx) => removeSent(tx, sent));
      if (old.length < PAGE || this.isStopped) return;
      after = old.at(-1)?.seq ?? after;
      await pause(1);
    }
  }

  /** Events that could not be accepted. */
  async rejected(): Promise<void> {
    const cutoff = this.cutoff(this.policy.outboxDays);
    await this.removeInPieces(async (tx) => {
      const rejected_event = await removePage(tx, 'rejected_event', sql`last_at < ${cutoff}`);
      return { counts: { rejected_event }, isLast: rejected_event < PAGE };
    });
  }

  /** Events that were older than what was known already: no run was begun by them. */
  async stale(): Promise<void> {
    const cutoff = this.cutoff(this.policy.otherDays);
    await this.removeInPieces(async (tx) => {
      const event = await removePage(tx, 'event', sql`disposition = 'stale' and received_at < ${cutoff}`);
      return { counts: { event }, isLast: event < PAGE };
    });
  }

  /** Tokens that nobody has renewed for long: those of connections that are gone. Any other costs one login. */
  async tokens(): Promise<void> {
    const cutoff = this.cutoff(this.policy.otherDays);
    await this.store.write(
      (tx) => tx.deleteFrom('token').where('updated_at', '<', cutoff).execute(),
      'committed',
    );
  }

  /** Work on many records that has ended. What it did is told by the records and the audit. */
  async bulkJobs(): Promise<void> {
    const cutoff = this.cutoff(this.policy.otherDays);
    const old = await this.store.db
      .selectFrom('bulk_job')
      .select('id')
      .where('ended_at', '<', cutoff)
      .execute();
    for (const { id } of old) {
      await this.store.write(async (tx) => {
        await tx.deleteFrom('bulk_item').where('job', '=', id).execute();
        await tx.deleteFrom('bulk_job').where('id', '=', id).execute();
      }, 'committed');
    }
  }

  /** Writes until the piece says that it was the last; between them the store is left to others for as long again. */
  private async removeInPieces(piece: (tx: Tx) => Promise<Piece>): Promise<void> {
    for (let isLast = false; !isLast && !this.isStopped; ) {
      const startedAt = performance.now();
      const removed = await this.store.write(piece, 'committed');
      for (const table of Object.keys(removed.counts) as (keyof SweepReport)[]) {
        this.report[table] += removed.counts[table] ?? 0;
      }
      isLast = removed.isLast;
      await pause(performance.now() - startedAt);
    }
  }

  private get isStopped(): boolean {
    return this.options.signal?.aborted ?? false;
  }

  /** Instant before which things are old; before all of them when they are kept for ever. */
  private cutoff(days: number | null): Instant {
    if (days === null) return '';
    return new Date(Date.parse(this.options.now) - days * DAY_MS).toISOString();
  }
}

/** What one write has removed. */
interface Piece {
  counts: Partial<SweepReport>;
  isLast: boolean;
}

interface RunCutoffs {
  other: Instant;
  financial: Instant;
}

type Runs = ExpressionBuilder<Schema, 'run'>;
type Peers = ExpressionBuilder<Schema & { peer: Schema['run'] }, 'run' | 'peer'>;

/**
 * Those of the runs that nobody needs any more. The latest run of a deal with financial runs stays with them whatever
 * it did: it tells how long the deal has been quiet.
 */
function removableRuns(tx: Tx, seqs: readonly number[], { other, financial }: RunCutoffs) {
  return tx
    .selectFrom('run')
    .select(['run.seq', 'run.id', 'run.event_seq', 'run.correlation_id'])
    .where('run.seq', 'in', seqs)
    .where('run.state', 'in', ENDED)
    .where('run.ended_at', '<', other)
    .where((run) => run.not(isBusy(run, run.ref('run.correlation_id'))))
    .where((run) => run.not(hasStep(run, IS_UNDECIDED)))
    .where((run) =>
      run.or([
        run.not(dealHasRun(run, (peer) => peer('peer.ended_at', '>=', financial))),
        run.and([
          run.not(hasStep(run, IS_FINANCIAL)),
          run.or([
            dealHasRun(run, (peer) => peer('peer.seq', '>', peer.ref('run.seq'))),
            run.not(dealHasStep(run, IS_FINANCIAL)),
          ]),
        ]),
      ]),
    )
    .execute();
}

const IS_UNDECIDED = sql<boolean>`step.state in ('intent', 'unknown')`;
const IS_FINANCIAL = sql<boolean>`not (${sql.join(
  OTHER_OPERATIONS.map((pattern) => sql`step.operation like ${sql.lit(pattern)}`),
  sql` or `,
)})`;

function hasStep(run: Runs, which: Expression<SqlBool>) {
  return run.exists(
    run.selectFrom('step').select('step.seq').whereRef('step.run_id', '=', 'run.id').where(which),
  );
}

/** @param which about `peer`, any run of the same deal */
function dealHasRun(run: Runs, which: (peer: Peers) => Expression<SqlBool>) {
  return run.exists(
    run
      .selectFrom('run as peer')
      .select('peer.seq')
      .whereRef('peer.correlation_id', '=', 'run.correlation_id')
      .where(which),
  );
}

function dealHasStep(run: Runs, which: Expression<SqlBool>) {
  return run.exists(
    run
      .selectFrom('run as peer')
      .innerJoin('step', 'step.run_id', 'peer.id')
      .select('step.seq')
      .whereRef('peer.correlation_id', '=', 'run.correlation_id')
      .where(which),
  );
}

/** The deal has an open case, or a run that goes on by itself. */
function isBusy(from: Pick<Runs, 'exists' | 'or' | 'selectFrom'>, deal: Expression<string>) {
  const openCase = from
    .selectFrom('exception_case')
    .select('exception_case.id')
    .where('exception_case.correlation_id', '=', deal)
    // Literals: SQLite uses a partial index only for the very condition it was made with.
    .where(
      'exception_case.state',
      'not in',
      SETTLED.map((state) => sql.lit(state)),
    );
  const unfinishedRun = from
    .selectFrom('run as unfinished')
    .select('unfinished.seq')
    .where('unfinished.correlation_id', '=', deal)
    .where((run) =>
      run.or([run('unfinished.state', 'not in', ENDED), run('unfinished.retry_at', 'is not', null)]),
    );
  return from.or([from.exists(openCase), from.exists(unfinishedRun)]);
}

/** Looks again before each piece: a late message may have gone on with the run meanwhile. */
async function removeRun(tx: Tx, seq: number, cutoffs: RunCutoffs): Promise<Piece> {
  const [run] = await removableRuns(tx, [seq], cutoffs);
  if (run === undefined) return { counts: {}, isLast: true };
  const step = await removePiece(tx, 'step', 'run_id', run.id);
  if (step === PAGE) return { counts: { step }, isLast: false };
  // A key that passed a node once over all runs is kept for ever, as natural keys are.
  await tx.deleteFrom('passage').where('run_id', '=', run.id).where('scope', '=', `run:${run.id}`).execute();
  await tx.deleteFrom('suspension').where('run_id', '=', run.id).execute();
  await tx.deleteFrom('step_decision').where('run_id', '=', run.id).execute();
  await tx.deleteFrom('cancellation').where('run_id', '=', run.id).execute();
  // What the key figures of its days hold of it stays.
  await tx.deleteFrom('kpi_source').where('id', '=', run.id).execute();
  await tx.deleteFrom('run').where('seq', '=', seq).execute();
  // What a deal is found by goes with its last run.
  await tx
    .deleteFrom('deal_term')
    .where('correlation_id', '=', run.correlation_id)
    .where((term) =>
      term.not(
        term.exists(
          term
            .selectFrom('run')
            .select('run.seq')
            .whereRef('run.correlation_id', '=', 'deal_term.correlation_id'),
        ),
      ),
    )
    .execute();
  if (run.event_seq === null) return { counts: { step, run: 1 }, isLast: true };
  await tx.deleteFrom('event').where('seq', '=', run.event_seq).execute();
  return { counts: { step, run: 1, event: 1 }, isLast: true };
}

function settledCases(tx: Tx, ids: readonly string[], cutoff: Instant) {
  return tx
    .selectFrom('exception_case')
    .select('id')
    .where('id', 'in', ids)
    .where('state', 'in', SETTLED)
    .where((row) => row(row.fn.coalesce('resolved_at', 'updated_at'), '<', cutoff))
    .execute();
}

async function removeCase(tx: Tx, id: string, cutoff: Instant): Promise<Piece> {
  if ((await settledCases(tx, [id], cutoff)).length === 0) return { counts: {}, isLast: true };
  const case_history = await removePiece(tx, 'case_history', 'case_id', id);
  if (case_history === PAGE) return { counts: { case_history }, isLast: false };
  await tx.deleteFrom('case_approval').where('case_id', '=', id).execute();
  await tx.deleteFrom('kpi_source').where('id', '=', id).execute();
  await tx.deleteFrom('exception_case').where('id', '=', id).execute();
  return { counts: { case_history, exception_case: 1 }, isLast: true };
}

/** Removes at most one page of the rows that belong to something. @returns how many */
const removePiece = (tx: Tx, table: 'step' | 'case_history', column: string, id: string): Promise<number> =>
  removePage(tx, table, sql`${sql.ref(column)} = ${id}`);

/** Removes at most one page of the rows that fit. @returns how many */
async function removePage(
  tx: Tx,
  table: 'step' | 'case_history' | 'rejected_event' | 'event',
  which: Expression<unknown>,
): Promise<number> {
  const piece = sql`select seq from ${sql.table(table)} where ${which} limit ${sql.lit(PAGE)}`;
  const removed = await sql`delete from ${sql.table(table)} where seq in (${piece})`.execute(tx);
  return Number(removed.numAffectedRows ?? 0);
}

async function removeSent(tx: Tx, sent: readonly { seq: number; deal: string }[]): Promise<Piece> {
  const free: number[] = [];
  for (const { seq, deal } of sent) {
    const { busy } = await tx
      .selectNoFrom((from) => isBusy(from, from.val(deal)).as('busy'))
      .executeTakeFirstOrThrow();
    if (!busy) free.push(seq);
  }
  if (free.length > 0) {
    await tx.deleteFrom('outbox_delivery').where('outbox_seq', 'in', free).execute();
    await tx.deleteFrom('outbox').where('seq', 'in', free).execute();
  }
  return { counts: { outbox: free.length }, isLast: true };
}

/** The deal thread that an event of the outbox belongs to. */
function dealOf(envelope: string): string {
  return (JSON.parse(envelope) as { correlationid?: string }).correlationid ?? '';
}
