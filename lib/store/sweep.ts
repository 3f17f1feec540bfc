import { setTimeout as pause } from 'node:timers/promises';
import { sql } from 'kysely';
import type { Instant } from '../model';
import { appendAudit } from './audit';
import { open } from './encryption';
import {
  PAGE,
  type Piece,
  removableRuns,
  removeCase,
  removePage,
  removeRun,
  removeSent,
  settledCases,
} from './removal';
import type { RetentionPolicy } from './retention';
import type { Store, Tx } from './store';

/** Fewer runs at a time: for each one, the other runs of its deal are looked at. */
const RUNS = 25;
const DAY_MS = 86_400_000;

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

/** The deal thread that an event of the outbox belongs to. */
function dealOf(envelope: string): string {
  return (JSON.parse(envelope) as { correlationid?: string }).correlationid ?? '';
}
