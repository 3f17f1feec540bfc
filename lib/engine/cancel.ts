import { sql } from 'kysely';
import { type CanonicalId, type Instant, Q2cError } from '../model';
import { appendAudit, type RunRow, type RunState, type StepRow, type Store, type Tx } from '../store';
import { closeCasesOfRun, noteOnCases } from './cases';
import type { Author } from './decisions';
import { reasonOf, wireOf } from './journal-rows';
import type { Lease } from './leases';
import { settleEvent } from './order';
import { requireReason, stepByKey } from './repair';
import { runById } from './rerun';
import { GivenUp, persist, runDelay } from './retry';
import { toRun } from './runs';
import { endWaits } from './suspensions';
import {
  isUncertain,
  recordUndo,
  type Stuck,
  Undo,
  type UndoOptions,
  type UndoResult,
  undoResultOf,
} from './undo';

/**
 * Takes runs back: what their steps have created is undone in reverse order, one step at a time. It stops at a step that
 * cannot be undone, with a case, and goes on from there: by itself when the cause may pass, else when a person says so.
 * Meanwhile the run keeps its ordering key, so that no later run builds on what is being torn down.
 */

export interface CancelOptions extends UndoOptions {
  store: Store;
  lease(): Lease;
  /** Remembers work until it settles. */
  track<T>(promise: Promise<T>): Promise<T>;
  /** Runs that waited for the ordering key may be dispatched. */
  pumpAll(): void;
  onFailure(what: string, error: unknown): void;
}

export interface UndoneStep extends UndoResult {
  stepKey: string;
  node: string;
  system: string;
  operation: string;
  canonicalId: CanonicalId;
}

export interface CancelReport {
  runId: string;
  /** `cancelling`: it has stopped at `stuck`, or is still under way. */
  state: RunState;
  /** In the order in which they were dealt with. */
  undone: UndoneStep[];
  stuck: { stepKey: string; node: string; reason: string } | null;
}

const CANCELLABLE: readonly RunState[] = ['queued', 'waiting', 'failed', 'completed'];

export class Cancellations {
  private readonly undo: Undo;
  private readonly underWay = new Map<string, Promise<CancelReport>>();

  constructor(private readonly options: CancelOptions) {
    this.undo = new Undo(options);
  }

  get isBusy(): boolean {
    return this.underWay.size > 0;
  }

  /**
   * Resolves when the run is cancelled, or has stopped. Asked again, it goes on where it stopped, or tells how it ended.
   * @throws Q2cError `RUN_UNKNOWN`, `REASON_MISSING`, `RUN_NOT_CANCELLABLE`
   */
  async cancel(runId: string, author: Author): Promise<CancelReport> {
    requireReason(author);
    await this.options.store.write((tx) => this.request(tx, runId, author));
    return this.proceed(runId);
  }

  /**
   * A person has undone a step that could not be undone, or lets it stay as it is. Then the cancel goes on.
   *
   * @param undoKey key of the step that the case is about
   * @param outcome `removed`: the record is gone; `kept`: it stays
   * @throws Q2cError `STEP_UNKNOWN`, `REASON_MISSING`; `STEP_NOT_UNDONE` when the record is still there;
   *   `STEP_UNDECIDED` when the target does not say
   */
  async settle(undoKey: string, outcome: 'removed' | 'kept', author: Author): Promise<CancelReport> {
    requireReason(author);
    const { store, now } = this.options;
    const { undoes, run_id } = await stepByKey(store.db, undoKey);
    if (undoes === null) throw new Q2cError('STEP_UNKNOWN', `${undoKey} is not the undo of a step.`);
    const step = await stepByKey(store.db, undoes);
    if (outcome === 'removed') await this.requireGone(step);
    await store.write(async (tx) => {
      const undo = await stepByKey(tx, undoKey);
      if (isDealtWith(undo)) return;
      const at = now();
      await noteOnCases(tx, undo, { action: 'undone_by_hand', author, detail: { outcome } }, at);
      const result: UndoResult =
        outcome === 'kept' ? { effect: 'kept', why: 'person' } : { effect: 'removed' };
      await recordUndo(tx, step, result, author.actor, at);
    });
    return this.proceed(run_id);
  }

  /** Goes on with cancels that a dead host has left, or whose time for another attempt has come. */
  async resume(): Promise<void> {
    for (const runId of await this.due()) {
      this.proceed(runId).catch((error: unknown) =>
        this.options.onFailure(`Run ${runId} could not be taken back`, error),
      );
    }
  }

  private async due(): Promise<string[]> {
    const { store, now, lease } = this.options;
    const at = now();
    const rows = await store.db
      .selectFrom('run')
      .select('id')
      // A literal, for the partial index: this is asked every second.
      .where('state', '=', sql.lit<RunState>('cancelling'))
      .where((run) =>
        run.or([
          run('retry_at', '<=', at),
          store.exclusive ? run('lease_owner', '!=', lease().owner) : run('lease_until', '<', at),
        ]),
      )
      .execute();
    return rows.map(({ id }) => id).filter((id) => !this.underWay.has(id));
  }

  private async request(tx: Tx, runId: string, author: Author): Promise<void> {
    const run = await runById(tx, runId);
    if (run.state === 'cancelled' || run.state === 'cancelling') return;
    if (!CANCELLABLE.includes(run.state)) throw notCancellable(run);
    const at = this.options.now();
    const { owner, until } = this.options.lease();
    const begun = await tx
      .updateTable('run')
      .set({ state: 'cancelling', retry_at: null, ended_at: null, lease_owner: owner, lease_until: until })
      .where('id', '=', runId)
      .where('state', '=', run.state)
      .returning('seq')
      .executeTakeFirst();
    if (begun === undefined) {
      // Meanwhile somebody else has asked for the same, or another host has claimed it.
      const now = await runById(tx, runId);
      if (now.state === 'cancelled' || now.state === 'cancelling') return;
      throw notCancellable(now);
    }
    await tx
      .insertInto('cancellation')
      .values({ run_id: runId, ...author, requested_at: at, attempts: 0 })
      .execute();
    await appendAudit(tx, {
      at,
      actor: author.actor,
      action: 'run.cancel_requested',
      subject: run.correlation_id,
      runId,
      detail: { reason: author.reason, was: run.state },
    });
  }

  /** One at a time per run: asked twice, it is done once. */
  private proceed(runId: string): Promise<CancelReport> {
    const known = this.underWay.get(runId);
    if (known !== undefined) return known;
    const begun = this.options.track(this.takeBack(runId)).finally(() => this.underWay.delete(runId));
    this.underWay.set(runId, begun);
    return begun;
  }

  private async takeBack(runId: string): Promise<CancelReport> {
    const { store } = this.options;
    const run = await store.write((tx) => this.claim(tx, runId));
    if (run !== undefined) {
      const stuck = await this.undoSteps(run);
      const at = this.options.now();
      await store.write((tx) => (stuck === null ? this.finish(tx, run, at) : this.postpone(tx, run, stuck)));
      if (stuck === null) this.options.pumpAll();
    }
    return reportOf(store, runId);
  }

  /** @returns undefined when the run is cancelled already, or another host is at it */
  private claim(tx: Tx, runId: string): Promise<RunRow | undefined> {
    const { store, lease, now } = this.options;
    const { owner, until } = lease();
    return tx
      .updateTable('run')
      .set({ lease_owner: owner, lease_until: until, retry_at: null })
      .where('id', '=', runId)
      .where('state', '=', 'cancelling')
      .where((run) =>
        store.exclusive
          ? run.val(true)
          : run.or([
              run('lease_owner', 'is', null),
              run('lease_owner', '=', owner),
              run('lease_until', '<', now()),
            ]),
      )
      .returningAll()
      .executeTakeFirst();
  }

  private async undoSteps(run: RunRow): Promise<Stuck | null> {
    for (const step of remaining(await stepsOf(this.options.store.db, run.id))) {
      const stuck = await this.undo.take(run, step);
      if (stuck !== null) return stuck;
    }
    return null;
  }

  /** @param at as of `recordEnd` */
  private async finish(tx: Tx, run: RunRow, at: Instant): Promise<void> {
    const author = await authorOf(tx, run.id);
    // Reads, and updates of records that stay: nobody has to find out any more what became of them.
    await tx
      .updateTable('step')
      .set({ state: 'undone' })
      .where('run_id', '=', run.id)
      .where('undoes', 'is', null)
      .where('state', 'in', ['intent', 'unknown'])
      .execute();
    await tx
      .updateTable('run')
      .set({ state: 'cancelled', retry_at: null, lease_owner: null, lease_until: null, ended_at: at })
      .where('id', '=', run.id)
      .execute();
    await endWaits(tx, [run.id]);
    await settleEvent(tx, toRun(run), 'case', at);
    await closeCasesOfRun(tx, run, author, at);
    await appendAudit(tx, {
      at,
      actor: author.actor,
      action: 'run.cancelled',
      subject: run.correlation_id,
      runId: run.id,
      detail: { reason: author.reason },
    });
  }

  private async postpone(tx: Tx, run: RunRow, { isPassing }: Stuck): Promise<void> {
    const { retry, random, now } = this.options;
    const { attempts } = await tx
      .updateTable('cancellation')
      .set((row) => ({ attempts: row('attempts', '+', 1) }))
      .where('run_id', '=', run.id)
      .returning('attempts')
      .executeTakeFirstOrThrow();
    const isTriedAgain = isPassing && attempts <= retry.maxRunRetries;
    const retryAt = new Date(Date.parse(now()) + runDelay(retry, attempts, random)).toISOString();
    await tx
      .updateTable('run')
      .set({ retry_at: isTriedAgain ? retryAt : null, lease_owner: null, lease_until: null })
      .where('id', '=', run.id)
      .execute();
  }

  /** As far as anybody can be asked: a connection that is gone is no reason to keep the cancel from ending. */
  private async requireGone(step: StepRow): Promise<void> {
    const { targets, cancelling: signal } = this.options;
    const operation = await targets.operationOf(step).catch((error: unknown) => {
      if (error instanceof Q2cError && error.code === 'TARGET_NOT_CONNECTED') return null;
      throw error;
    });
    const probe = operation?.probe;
    if (operation === null || probe === undefined) return;
    const info = { idempotencyKey: '', attempt: 1, signal, lookOnly: true } as const;
    const wire = wireOf(this.options.store.db, step);
    const found = await persist(() => probe(wire, info), operation.classify, this.options).catch(
      (error: unknown) => {
        if (!(error instanceof GivenUp)) throw error;
        const reason = `Whether it is gone from ${step.system} cannot be found out: ${error.failure.reason}`;
        throw new Q2cError('STEP_UNDECIDED', `${reason}. Try again later.`, { cause: error });
      },
    );
    if (found === null) return;
    throw new Q2cError(
      'STEP_NOT_UNDONE',
      `The record of "${step.node_name}" is still in ${step.system}. Remove it there, or let it be kept.`,
    );
  }
}

function notCancellable({ id, state }: RunRow): Q2cError {
  const advice =
    state === 'superseded' ? 'Cancel the later run of the same record.' : 'Wait until it has ended.';
  return new Q2cError('RUN_NOT_CANCELLABLE', `Run ${id} is ${state} and cannot be cancelled. ${advice}`);
}

async function authorOf(tx: Tx, runId: string): Promise<Author> {
  return tx
    .selectFrom('cancellation')
    .select(['actor', 'reason'])
    .where('run_id', '=', runId)
    .executeTakeFirstOrThrow();
}

/** Last first. */
function stepsOf(tx: Tx, runId: string): Promise<StepRow[]> {
  return tx.selectFrom('step').selectAll().where('run_id', '=', runId).orderBy('seq', 'desc').execute();
}

/** Steps that have created something, or may have, and are not dealt with. */
function remaining(steps: readonly StepRow[]): StepRow[] {
  const dealtWith = new Set(steps.filter(isDealtWith).map(({ undoes }) => undoes));
  return steps.filter(
    (step) =>
      step.undoes === null &&
      step.undo !== 'none' &&
      (step.state === 'confirmed' || isUncertain(step)) &&
      !dealtWith.has(step.key),
  );
}

const isDealtWith = ({ undoes, state }: StepRow): boolean =>
  undoes !== null && (state === 'confirmed' || state === 'skipped');

async function reportOf(store: Store, runId: string): Promise<CancelReport> {
  const { state } = await runById(store.db, runId);
  const undos = (await stepsOf(store.db, runId)).filter(({ undoes }) => undoes !== null).reverse();
  const stuck = undos.find((undo) => !isDealtWith(undo));
  return {
    runId,
    state,
    undone: undos.filter(isDealtWith).map((undo) => ({
      stepKey: undo.undoes ?? '',
      node: undo.node_name,
      system: undo.system,
      operation: undo.operation,
      canonicalId: undo.canonical_id,
      ...undoResultOf(store.db, undo),
    })),
    stuck:
      stuck === undefined
        ? null
        : { stepKey: stuck.key, node: stuck.node_name, reason: reasonOf(store.db, stuck) },
  };
}
