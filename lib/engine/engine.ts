import { randomUUID } from 'node:crypto';
import {
  type BusinessEvent,
  type CanonicalId,
  type ExceptionCode,
  exceptionCodes,
  type Instant,
  type JsonObject,
  type JsonValue,
  Q2cError,
} from '../model';
import { appendAudit, type RunRow, type Store, type Tx } from '../store';
import { CaseOpened, freshCases, type OpenedCase, openCase, resolveCases } from './cases';
import { claimNaturalKey, identify } from './identity';
import { DEFAULT_RETRY, runDelay } from './retry';
import { claimRuns, insertEvent, insertRun, type Lease, requeueAbandoned, requeueDue, toRun } from './runs';
import { StepRunner } from './step';
import { type FlowError, RunTracker } from './tracker';
import type {
  DispatchedRun,
  IntakeBatch,
  Log,
  NaturalKeyClaim,
  NewCase,
  Reference,
  RetryPolicy,
  Run,
  Step,
  StepOutcome,
} from './types';

export interface EngineOptions {
  store: Store;
  /** Separates firms that share targets; part of every idempotency key. */
  tenant: string;
  log: Log;
  retry?: Partial<RetryPolicy>;
  /** Quiet time after which a run without messages in flight has ended. */
  graceMs?: number;
  /** Time without any progress after which a run counts as stalled. */
  stallAfterMs?: number;
  now?: () => Instant;
  random?: () => number;
}

interface Source {
  concurrency: number;
  running: number;
  dispatch(run: DispatchedRun): void;
  /** Set while a claim is under way; `again` asks for one more when it is done. */
  claiming: boolean;
  again: boolean;
}

const LEASE_MS = 60_000;
const HEARTBEAT_MS = 20_000;
const RETRY_SCAN_MS = 1_000;
const STALL_SCAN_MS = 30_000;

/**
 * Durable runs (DESIGN §4): accepts events, dispatches one run per event in order of its key, journals every
 * call, notices the end of runs, and takes up what a dead host left. It knows neither Node-RED nor vendors.
 */
export class Engine {
  private readonly owner = `host_${randomUUID()}`;
  private readonly retry: RetryPolicy;
  private readonly now: () => Instant;
  private readonly random: () => number;
  private readonly tracker: RunTracker;
  private readonly steps: StepRunner;
  private readonly stopping = new AbortController();
  private readonly sources = new Map<string, Source>();
  private readonly sourceOfRun = new Map<string, string>();
  private readonly work = new Set<Promise<unknown>>();
  private timers: NodeJS.Timeout[] = [];

  constructor(private readonly options: EngineOptions) {
    this.retry = { ...DEFAULT_RETRY, ...options.retry };
    this.now = options.now ?? (() => new Date().toISOString());
    this.random = options.random ?? Math.random;
    this.tracker = new RunTracker(options.graceMs ?? 25, (run, errors) =>
      this.track(this.endRun(run, errors)),
    );
    this.steps = new StepRunner({
      store: options.store,
      tenant: options.tenant,
      retry: this.retry,
      now: this.now,
      random: this.random,
      signal: this.stopping.signal,
    });
  }

  get store(): Store {
    return this.options.store;
  }

  // ------------------------------------------------------------------ life

  /** Takes up unfinished runs and begins to dispatch. Sources may register before or after. */
  async start(): Promise<void> {
    await this.store.write((tx) => requeueAbandoned(tx, this.store.exclusive, this.now()));
    await this.failLostOneOffs();
    this.every(HEARTBEAT_MS, () => this.heartbeat());
    this.every(RETRY_SCAN_MS, () => this.requeueDue());
    this.every(STALL_SCAN_MS, () => this.sweepStalled());
    for (const id of this.sources.keys()) this.pump(id);
  }

  /**
   * Stops dispatching, waits for calls in flight, and lets go. Unfinished runs stay as they are: the next
   * start goes on with them.
   */
  async stop(): Promise<void> {
    for (const timer of this.timers) clearInterval(timer);
    this.timers = [];
    this.sources.clear();
    this.stopping.abort(
      new Q2cError('ENGINE_STOPPING', 'The host stops; the run goes on at the next start.'),
    );
    this.tracker.clear();
    await Promise.allSettled(this.work);
  }

  // ------------------------------------------------------------------ intake

  /** Accepts events of a source and moves its cursor, all in one transaction; known events are only counted. */
  async accept(batch: IntakeBatch): Promise<{ accepted: number; duplicates: number }> {
    const at = this.now();
    const accepted = await this.track(
      this.store.write(async (tx) => {
        let count = 0;
        for (const event of batch.events) {
          const [subject] = await identify(tx, batch.system, batch.instance, [event.subject], at);
          if (subject === undefined) continue;
          const eventSeq = await insertEvent(tx, batch.source, event, subject, at);
          if (eventSeq === null) continue;
          await insertRun(
            tx,
            { eventSeq, sourceNode: batch.sourceNode, subject, title: event.title, state: 'queued' },
            null,
            at,
          );
          count++;
        }
        await saveCursor(tx, batch.source, batch.cursor, at);
        return count;
      }),
    );
    if (accepted > 0) this.pump(batch.sourceNode);
    return { accepted, duplicates: batch.events.length - accepted };
  }

  async cursor(source: string): Promise<JsonValue | null> {
    const row = await this.store.db
      .selectFrom('cursor')
      .select('value')
      .where('source', '=', source)
      .executeTakeFirst();
    return row === undefined ? null : (JSON.parse(row.value) as JsonValue);
  }

  // ------------------------------------------------------------------ dispatch

  /**
   * Makes a node the dispatcher of its runs.
   * @returns takes the node out again
   */
  registerSource(nodeId: string, concurrency: number, dispatch: (run: DispatchedRun) => void): () => void {
    this.sources.set(nodeId, { concurrency, running: 0, dispatch, claiming: false, again: false });
    this.pump(nodeId);
    return () => this.sources.delete(nodeId);
  }

  /** Makes a run of a message that no source node sent, so that its steps are journaled too. */
  async oneOff(nodeId: string, subject: CanonicalId, title: string): Promise<Run> {
    const run = await this.track(
      this.store.write((tx) =>
        insertRun(
          tx,
          { eventSeq: null, sourceNode: nodeId, subject, title, state: 'running' },
          this.lease(),
          this.now(),
        ),
      ),
    );
    this.tracker.begin(run);
    return run;
  }

  /** Sends a failed run again; confirmed steps answer from the journal, reads are made anew. */
  async retryRun(runId: string, actor: string): Promise<void> {
    const source = await this.store.write(async (tx) => {
      const run = await tx.selectFrom('run').selectAll().where('id', '=', runId).executeTakeFirst();
      if (run === undefined) throw new Q2cError('RUN_UNKNOWN', `There is no run ${runId}.`);
      if (run.state !== 'failed' || run.event_seq === null) {
        throw new Q2cError(
          'RUN_NOT_RETRIABLE',
          `Run ${runId} is ${run.state}; only failed runs of events can be retried.`,
        );
      }
      await tx
        .updateTable('run')
        .set({ state: 'queued', attempt: run.attempt + 1, retry_at: null })
        .where('seq', '=', run.seq)
        .execute();
      await appendAudit(tx, {
        at: this.now(),
        actor,
        action: 'run.retried',
        subject: run.correlation_id,
        runId,
        detail: { attempt: run.attempt + 1 },
      });
      return run.source_node;
    });
    this.pump(source);
  }

  private pump(sourceId: string): void {
    const source = this.sources.get(sourceId);
    if (source === undefined) return;
    if (source.claiming) {
      source.again = true;
      return;
    }
    if (source.running >= source.concurrency) return;
    source.claiming = true;
    this.track(
      this.claim(sourceId, source)
        .catch((error: unknown) => this.logFailure('Runs could not be claimed', error))
        .finally(() => {
          source.claiming = false;
          if (source.again) {
            source.again = false;
            this.pump(sourceId);
          }
        }),
    );
  }

  private async claim(sourceId: string, source: Source): Promise<void> {
    const claimed = await this.store.write(async (tx) => {
      const runs = await claimRuns(
        tx,
        sourceId,
        source.concurrency - source.running,
        this.lease(),
        this.now(),
      );
      return Promise.all(runs.map(async (run) => ({ run, event: await eventOf(tx, run) })));
    });
    for (const { run, event } of claimed) {
      // Stopped or deployed in between: the lease stays, the next start takes the run up.
      if (this.sources.get(sourceId) !== source) return;
      const dispatched: DispatchedRun = { ...toRun(run), event };
      source.running++;
      this.sourceOfRun.set(run.id, sourceId);
      this.tracker.begin(dispatched);
      this.tracker.enter(run.id);
      try {
        source.dispatch(dispatched);
      } catch (error) {
        this.tracker.noteError(run.id, {
          node: { id: sourceId, name: sourceId },
          message: messageOf(error),
          code: null,
        });
      }
      this.tracker.leave(run.id);
    }
  }

  // ------------------------------------------------------------------ messages of a run

  /** The run, if it is under way here. */
  activeRun(runId: string): Run | undefined {
    return this.tracker.get(runId);
  }

  messageEntered(runId: string): void {
    this.tracker.enter(runId);
  }

  messageLeft(runId: string): void {
    this.tracker.leave(runId);
  }

  errorRaised(runId: string, error: FlowError): void {
    this.tracker.noteError(runId, error);
  }

  errorCaught(runId: string, nodeId: string): void {
    this.tracker.errorCaught(runId, nodeId);
  }

  // ------------------------------------------------------------------ work inside a run

  /** Runs one system call under the write protocol. @throws CaseOpened when a case had to be opened. */
  async step(runId: string, step: Step): Promise<StepOutcome> {
    const run = this.requireRun(runId);
    try {
      return await this.track(this.steps.run(run, step));
    } finally {
      this.tracker.progress(runId);
    }
  }

  identify(system: string, instance: string, references: readonly Reference[]): Promise<CanonicalId[]> {
    return this.track(this.store.write((tx) => identify(tx, system, instance, references, this.now())));
  }

  /** @returns for each claim the canonical id that holds its key: the claim's own, or the one that came first */
  claimNaturalKeys(claims: readonly NaturalKeyClaim[]): Promise<CanonicalId[]> {
    return this.track(
      this.store.write(async (tx) => {
        const holders: CanonicalId[] = [];
        for (const { entity, key, id } of claims) {
          holders.push(await claimNaturalKey(tx, entity, key, id, this.now()));
        }
        return holders;
      }),
    );
  }

  /** Opens cases, all in one transaction, and throws them as one error. Give at least one. */
  async fail(runId: string, requests: readonly NewCase[]): Promise<never> {
    const run = this.requireRun(runId);
    const opened = await this.track(
      this.store.write(async (tx) => {
        const cases: OpenedCase[] = [];
        for (const request of requests) cases.push(await openCase(tx, run, request, this.now()));
        return cases;
      }),
    );
    throw new CaseOpened(opened, requests[0]?.code ?? 'NODE_FAILED');
  }

  /** Puts a business event into the outbox; the same event id is put there once. */
  announce(event: BusinessEvent): Promise<void> {
    return this.track(
      this.store.write(async (tx) => {
        await tx
          .insertInto('outbox')
          .values({
            event_id: event.id,
            type: event.type,
            subject: event.subject,
            envelope: JSON.stringify(event),
            created_at: this.now(),
            sent_at: null,
          })
          .onConflict((conflict) => conflict.column('event_id').doNothing())
          .execute();
      }),
    );
  }

  private requireRun(runId: string): Run {
    const run = this.tracker.get(runId);
    if (run === undefined) {
      throw new Q2cError(
        'RUN_NOT_ACTIVE',
        `Run ${runId} has ended or belongs to another store; its message cannot go on.`,
      );
    }
    return run;
  }

  // ------------------------------------------------------------------ end of runs

  private async endRun(run: Run, errors: FlowError[]): Promise<void> {
    const sourceId = this.sourceOfRun.get(run.id);
    this.sourceOfRun.delete(run.id);
    const source = sourceId === undefined ? undefined : this.sources.get(sourceId);
    try {
      await this.store.write((tx) => this.recordEnd(tx, run, errors));
    } catch (error) {
      this.logFailure(`The end of run ${run.id} could not be recorded`, error);
    } finally {
      if (source !== undefined) source.running--;
    }
    // Any source may have waited for this run's ordering key.
    for (const id of this.sources.keys()) this.pump(id);
  }

  private async recordEnd(tx: Tx, run: Run, errors: FlowError[]): Promise<void> {
    const at = this.now();
    for (const error of errors.filter(({ code }) => code === null)) {
      await openCase(tx, run, nodeFailed(run, error), at);
    }
    const open = await freshCases(tx, run);
    if (open.length === 0) await resolveCases(tx, run, at);
    await tx
      .updateTable('run')
      .set({
        state: open.length === 0 ? 'completed' : 'failed',
        retry_at: this.retryAt(
          run,
          open.map(({ code }) => code as ExceptionCode),
        ),
        lease_owner: null,
        lease_until: null,
        ended_at: at,
      })
      .where('id', '=', run.id)
      .execute();
  }

  /** When every case of the run may heal by itself, the time of its next attempt; else null. */
  private retryAt(run: Run, codes: ExceptionCode[]): Instant | null {
    if (codes.length === 0 || run.attempt > this.retry.maxRunRetries) return null;
    if (!codes.every((code) => exceptionCodes[code].autoRetry !== false)) return null;
    return new Date(Date.parse(this.now()) + runDelay(this.retry, run.attempt, this.random)).toISOString();
  }

  private async sweepStalled(): Promise<void> {
    const stallAfterMs = this.options.stallAfterMs ?? 10 * 60_000;
    for (const run of this.tracker.takeStalled(Date.now() - stallAfterMs)) {
      await this.store.write((tx) => openCase(tx, run, runStalled(run), this.now()));
      await this.endRun(run, []);
    }
  }

  /** One-off runs have no event to send again: their message was lost with the host. */
  private async failLostOneOffs(): Promise<void> {
    await this.store.write(async (tx) => {
      const lost = await tx
        .selectFrom('run')
        .selectAll()
        .where('state', '=', 'running')
        .where('event_seq', 'is', null)
        .where((where) => (this.store.exclusive ? where.val(true) : where('lease_until', '<', this.now())))
        .execute();
      for (const row of lost) {
        const run = toRun(row);
        const node = { id: row.source_node, name: row.source_node };
        await this.recordEnd(tx, run, [
          { node, message: 'the host ended while the message was under way; send it again', code: null },
        ]);
      }
    });
  }

  // ------------------------------------------------------------------ housekeeping

  private async heartbeat(): Promise<void> {
    const ids = this.tracker.runIds();
    if (ids.length === 0) return;
    await this.store.write(async (tx) => {
      await tx
        .updateTable('run')
        .set({ lease_until: this.lease().until })
        .where('lease_owner', '=', this.owner)
        .where('state', '=', 'running')
        .execute();
    });
  }

  private async requeueDue(): Promise<void> {
    const queued = await this.store.write((tx) => requeueDue(tx, this.now()));
    if (queued > 0) for (const id of this.sources.keys()) this.pump(id);
  }

  private lease(): Lease {
    return { owner: this.owner, until: new Date(Date.parse(this.now()) + LEASE_MS).toISOString() };
  }

  private every(ms: number, task: () => Promise<void>): void {
    let busy = false;
    const timer = setInterval(() => {
      if (busy) return;
      busy = true;
      this.track(
        task()
          .catch((error: unknown) => this.logFailure('Housekeeping of the engine failed', error))
          .finally(() => {
            busy = false;
          }),
      );
    }, ms);
    timer.unref();
    this.timers.push(timer);
  }

  /** Remembers work until it settles, so that `stop` can wait for it. */
  private track<T>(promise: Promise<T>): Promise<T> {
    this.work.add(promise);
    const forget = () => this.work.delete(promise);
    promise.then(forget, forget);
    return promise;
  }

  private logFailure(what: string, error: unknown): void {
    this.options.log('error', `${what}: ${messageOf(error)}`);
  }
}

async function eventOf(tx: Tx, run: RunRow): Promise<DispatchedRun['event']> {
  const row = await tx
    .selectFrom('event')
    .selectAll()
    .where('seq', '=', run.event_seq ?? -1)
    .executeTakeFirstOrThrow();
  return {
    id: row.event_id,
    type: row.type,
    source: row.source,
    subject: row.subject,
    time: row.time,
    data: JSON.parse(row.data) as JsonObject,
  };
}

async function saveCursor(tx: Tx, source: string, cursor: JsonValue, at: Instant): Promise<void> {
  const value = JSON.stringify(cursor);
  await tx
    .insertInto('cursor')
    .values({ source, value, updated_at: at })
    .onConflict((conflict) => conflict.column('source').doUpdateSet({ value, updated_at: at }))
    .execute();
}

function nodeFailed(run: Run, error: FlowError): NewCase {
  return {
    node: error.node,
    code: 'NODE_FAILED',
    subject: run.correlationId,
    about: { params: { node: error.node.name, reason: error.message }, ownerRole: 'integration_ops' },
    detail: { reason: error.message },
  };
}

function runStalled(run: Run): NewCase {
  return {
    node: { id: '', name: '' },
    code: 'RUN_STALLED',
    subject: run.correlationId,
    about: { params: { node: 'A node', document: run.title }, ownerRole: 'integration_ops' },
  };
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
