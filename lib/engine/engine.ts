import { type BusinessEvent, type CanonicalId, type Instant, type JsonValue, Q2cError } from '../model';
import { isStoreRefusal, putIntoOutbox, type RunRow, reserveCall, type Store, type Tx } from '../store';
import { CaseOpened, type OpenedCase, openCase } from './cases';
import { Dispatcher } from './dispatcher';
import type { DryPassage } from './dry-run';
import { reach } from './failpoints';
import { claimNaturalKeys, identify, identifyRecords } from './identity';
import { Leases } from './leases';
import type { EngineObserver, RunEnding } from './observer';
import { earlierPassage, passOnce } from './once';
import { type Admitted, admit, catchUp } from './order';
import { OwedWrites } from './owed-writes';
import { Repairs } from './repairs';
import { rerun, runById } from './rerun';
import { DEFAULT_RETRY } from './retry';
import { type EndContext, nodeGone, recordEnd, runStalled } from './run-end';
import {
  insertRun,
  lostOneOffs,
  RESUMED,
  reopen,
  requeue,
  requeueAbandoned,
  requeueDue,
  toRun,
} from './runs';
import { StepRunner } from './step';
import { restartWaits, resumptionsOf } from './suspensions';
import { ActiveRun, type FlowError, RunTracker } from './tracker';
import type {
  DispatchedRun,
  EarlierPassage,
  Intake,
  IntakeBatch,
  IntakeEvent,
  KeyHolder,
  Log,
  NaturalKeyClaim,
  NewCase,
  NodeInfo,
  OnceRequest,
  Passing,
  Reference,
  RetryPolicy,
  Signal,
  Step,
  StepOutcome,
  WaitRequest,
} from './types';
import { Waits } from './waiting';

export interface EngineOptions {
  store: Store;
  /** Separates firms that share targets; part of every idempotency key. */
  tenant: string;
  log: Log;
  retry?: Partial<RetryPolicy>;
  /** Quiet time after which a run without messages in flight has ended. */
  graceMs?: number;
  /** Time that calls under way have to end when the engine stops; then they are broken off and probed later. */
  stopAfterMs?: number;
  /** Time without any progress after which a run counts as stalled. */
  stallAfterMs?: number;
  /** Time for which a missing change of a record is waited for (guides §13); default 15 minutes. */
  gapAfterMs?: number;
  /** How often it is looked for work that has become due. */
  scanMs?: number;
  /** How often it is looked whether nodes at which runs wait are still there. */
  reviewWaitsMs?: number;
  /** How long the others wait for a host that does not move any more before they take over its runs. */
  leaseMs?: number;
  /** Whether a node of the flows is there and enabled; asked once the flows run. */
  nodeExists?: (nodeId: string) => boolean;
  /** Whoever measures or traces what happens. */
  observer?: EngineObserver;
  /** Default: the store's clock. */
  now?: () => Instant;
  random?: () => number;
}

const DEFAULT_LEASE_MS = 30_000;
const SCAN_MS = 1_000;
/** How often to look for runs that other hosts queued, or whose key they were busy with. */
const DISCOVER_MS = 250;
const STALL_SCAN_MS = 30_000;
const GAP_AFTER_MS = 15 * 60_000;
/** Longer than flows take to start: a node that has not registered by then is not in them. */
const REVIEW_WAITS_MS = 10_000;
/** Runs going on at once after they had waited, as many as a source node dispatches by default. */
const RESUMED_CONCURRENCY = 8;
const SILENCE_MS = 60_000;
/** Node-RED gives a node 15 s to close; what is left is for the store to close. */
const STOP_AFTER_MS = 10_000;

/**
 * Durable runs (DESIGN §4): accepts events, dispatches one run per event in order of its key, journals every
 * call, notices the end of runs, and takes up what a dead host left. It knows neither Node-RED nor vendors.
 */
export class Engine {
  /** Runs that wait for events. */
  readonly waits: Waits;
  private readonly retry: RetryPolicy;
  private readonly now: () => Instant;
  private readonly random: () => number;
  private readonly ends: EndContext;
  private readonly tracker: RunTracker;
  private readonly steps: StepRunner;
  private readonly stopping = new AbortController();
  private readonly leases: Leases;
  private readonly cancelling = new AbortController();
  private readonly dispatcher: Dispatcher;
  readonly repairs: Repairs;
  private readonly work = new Set<Promise<unknown>>();
  private readonly announced = new Set<() => void>();
  private readonly owed: OwedWrites;
  /** When a kind of failure was last logged: one that lasts is told once a minute. */
  private readonly logged = new Map<string, number>();
  private timers: NodeJS.Timeout[] = [];

  constructor(private readonly options: EngineOptions) {
    this.retry = { ...DEFAULT_RETRY, ...options.retry };
    this.now = options.now ?? (() => options.store.now());
    this.random = options.random ?? Math.random;
    this.ends = { retry: this.retry, now: this.now, random: this.random };
    this.tracker = new RunTracker(options.graceMs ?? 25, {
      quiet: ({ run }) => this.dispatcher.yieldPlace(run.id),
      moving: ({ run }) => this.dispatcher.resumePlace(run.id),
      ended: (ended) => this.track(this.endRun(ended)),
    });
    this.leases = new Leases({
      store: options.store,
      now: this.now,
      leaseMs: options.leaseMs ?? DEFAULT_LEASE_MS,
      onLost: () => this.leaseLost(),
    });
    this.owed = new OwedWrites(options.store, (what, error) => this.logFailure(what, error));
    this.dispatcher = new Dispatcher({
      store: options.store,
      owed: this.owed,
      tracker: this.tracker,
      now: this.now,
      lease: () => this.leases.grant(),
      nodeExists: options.nodeExists ?? (() => true),
      onNodeGone: (row, node) => this.failNodeGone(row, node),
      ...(options.observer && { observer: options.observer }),
      track: (promise) => this.track(promise),
      onFailure: (what, error) => this.logFailure(what, error),
    });
    this.waits = new Waits({
      store: options.store,
      now: this.now,
      onReady: () => this.dispatcher.pump(RESUMED),
    });
    const common = {
      store: options.store,
      tenant: options.tenant,
      retry: this.retry,
      now: this.now,
      random: this.random,
      leases: this.leases,
      stopping: this.stopping.signal,
      cancelling: this.cancelling.signal,
    };
    this.steps = new StepRunner(common);
    this.repairs = new Repairs({
      ...common,
      tracker: this.tracker,
      dispatcher: this.dispatcher,
      steps: this.steps,
      lease: () => this.leases.grant(),
      track: (promise) => this.track(promise),
      onFailure: (what, error) => this.logFailure(what, error),
    });
  }

  get store(): Store {
    return this.options.store;
  }

  // ------------------------------------------------------------------ life

  /** Takes up unfinished runs and begins to dispatch. Sources may register before or after. */
  async start(): Promise<void> {
    await this.takeOver();
    this.every(this.leases.renewEveryMs, () => this.renewLeases());
    if (!this.store.exclusive) this.every(DISCOVER_MS, async () => this.dispatcher.pumpAll());
    for (const task of [
      () => this.catchUp(),
      () => this.scan(),
      () => this.repairs.resume(),
      () => this.repairs.bulkJobs.work(),
      () => this.waits.sweep(),
      () => this.closeGaps(),
    ]) {
      this.every(this.options.scanMs ?? SCAN_MS, task);
    }
    this.every(STALL_SCAN_MS, () => this.sweepStalled());
    this.every(this.options.reviewWaitsMs ?? REVIEW_WAITS_MS, () => this.reviewWaits());
    this.dispatcher.registerResumed(RESUMED_CONCURRENCY, async (tx, row) => {
      const suspensions = await resumptionsOf(tx, row);
      return { send: (active) => this.waits.resume(active, suspensions) };
    });
    this.dispatcher.pumpAll();
  }

  /**
   * The flows, or some of them, are being stopped: a message on its way may vanish without a trace. Every run of an
   * event goes back to the queue and begins anew with `resume`, one that had waited goes on again from there; what it
   * has done answers from the journal.
   */
  interrupt(): void {
    this.dispatcher.pause();
    this.repairs.interrupt();
    const broken = this.breakOff(({ repeatable, isResumption }) => repeatable || isResumption);
    this.track(
      this.owed.insist('Runs could not be queued again', (tx) => requeue(tx, this.leases.owner, broken)),
    );
  }

  /** The flows run again. */
  resume(): void {
    this.dispatcher.resume();
  }

  /**
   * Stops dispatching, waits for calls in flight, and lets go. Unfinished runs go back to the queue: the next start
   * goes on with them, or another host does at once.
   */
  async stop(): Promise<void> {
    for (const timer of this.timers) clearInterval(timer);
    this.timers = [];
    this.dispatcher.clear();
    const reason = new Q2cError('ENGINE_STOPPING', 'The host stops; the run goes on at the next start.');
    this.stopping.abort(reason);
    this.repairs.interrupt();
    const broken = this.tracker.interrupt(({ repeatable }) => repeatable);
    for (const each of [...broken, ...this.tracker.interrupt()]) this.tellEnd(each, 'interrupted');
    const patience = setTimeout(
      () => this.cancelling.abort(reason),
      this.options.stopAfterMs ?? STOP_AFTER_MS,
    );
    await Promise.allSettled(this.work);
    clearTimeout(patience);
    await this.owed.insist('Runs could not be queued again', (tx) => requeue(tx, this.leases.owner, broken));
    await this.owed.insist('The lease could not be given back', (tx) => this.leases.release(tx));
  }

  // ------------------------------------------------------------------ intake

  /** Accepts events of a source and moves its cursor, all in one transaction; known events are only counted. */
  async accept(batch: IntakeBatch): Promise<Intake> {
    const at = this.now();
    let taken: Admitted[] = [];
    const { resumed, ...intake } = await this.track(
      this.store.write(async (tx) => {
        await this.leases.requireRole(tx, batch.source);
        taken = [];
        const count = { accepted: 0, duplicates: 0, stale: 0, parked: 0, resumed: 0 };
        for (const event of batch.events) {
          const subject = await canonicalSubject(tx, batch, event.subject, at);
          const admitted = await admit(tx, batch, event, subject, at);
          if (admitted === null) {
            count.duplicates++;
            continue;
          }
          taken.push(admitted);
          const { arrival, admission } = admitted;
          count[admission]++;
          if (admission !== 'stale') {
            count.resumed += await this.waits.accepted(tx, batch.source, arrival, at);
          }
        }
        if (batch.cursor !== undefined) await saveCursor(tx, batch.source, batch.cursor, at);
        return count;
      }),
    );
    this.options.observer?.accepted?.(batch, { at, admitted: taken, duplicates: intake.duplicates });
    if (intake.accepted > 0) {
      reach('event-accepted');
      this.dispatcher.pump(batch.sourceNode);
    }
    if (resumed > 0) this.dispatcher.pump(RESUMED);
    return intake;
  }

  async cursor(source: string): Promise<JsonValue | null> {
    const row = await this.store.db
      .selectFrom('cursor')
      .select('value')
      .where('source', '=', source)
      .executeTakeFirst();
    return row === undefined ? null : (JSON.parse(row.value) as JsonValue);
  }

  /**
   * Makes this host the one of all on the store that has a role, such as polling for a source, or keeps it so; the
   * others stand by and ask again from time to time. Where the role is a source, its batches are then accepted from
   * this host only.
   * @returns false while another host is the one
   */
  lead(role: string): Promise<boolean> {
    return this.track(this.leases.take(role));
  }

  /** This host has ended with it: another one may begin at once. */
  stopLeading(role: string): Promise<void> {
    return this.track(this.leases.leave(role));
  }

  /**
   * Reserves the next call of a connection whose rate all hosts on the store share.
   * @returns milliseconds to wait before it; null when this host has the rate to itself
   */
  async reserveCall(connection: string, requestsPerSecond: number): Promise<number | null> {
    return this.store.exclusive ? null : this.track(reserveCall(this.store, connection, requestsPerSecond));
  }

  // ------------------------------------------------------------------ dispatch

  /**
   * Makes a node the dispatcher of its runs.
   * @returns takes the node out again
   */
  registerSource(nodeId: string, concurrency: number, dispatch: (run: DispatchedRun) => void): () => void {
    return this.dispatcher.register(nodeId, concurrency, dispatch);
  }

  /**
   * Makes a run of a message that no source node sent, so that its steps are journaled too.
   * @param traceparent span outside that sent the message (W3C Trace Context)
   */
  async oneOff(
    nodeId: string,
    subject: CanonicalId,
    title: string,
    traceparent?: string,
  ): Promise<ActiveRun> {
    const run = await this.track(
      this.store.write((tx) =>
        insertRun(
          tx,
          {
            eventSeq: null,
            sourceNode: nodeId,
            orderingKey: subject,
            correlationId: subject,
            title,
            state: 'running',
          },
          this.leases.grant(),
          this.now(),
        ),
      ),
    );
    const active = this.tracker.begin(run, false);
    this.options.observer?.began?.(active, traceparent === undefined ? {} : { traceparent });
    return active;
  }

  /**
   * Goes on with a run that has ended, for a message that some node sent after it had said it was done.
   * @throws Q2cError `RUN_NOT_ACTIVE` when the run is not known here, or waits to be dispatched again.
   */
  async reopen(runId: string): Promise<ActiveRun> {
    const row = await this.track(this.store.write((tx) => reopen(tx, runId, this.leases.grant())));
    // Another late message may have come first.
    if (row === null) return this.requireActive(runId);
    const active = this.tracker.begin(toRun(row), row.event_seq !== null);
    this.options.observer?.began?.(active, {});
    return active;
  }

  /** Sends a failed run again; confirmed steps answer from the journal, reads are made anew. */
  async retryRun(runId: string, actor: string, reason = ''): Promise<void> {
    const source = await this.store.write(async (tx) => {
      const run = await runById(tx, runId);
      await rerun(tx, run, { actor, reason }, this.now());
      return run.source_node;
    });
    this.dispatcher.pump(source);
  }

  // ------------------------------------------------------------------ messages of a run

  /** The run, if it is under way here. */
  activeRun(runId: string): ActiveRun | undefined {
    return this.tracker.get(runId);
  }

  /** @param node where the message is on its way to, if it is on a wire */
  messageEntered(active: ActiveRun, node?: NodeInfo): void {
    if (node !== undefined) active.setOutFor(node);
    this.tracker.enter(active);
  }

  /** @param nodeId the node that is done with the message, with an error or without one */
  messageLeft(active: ActiveRun, nodeId?: string, failed = false): void {
    if (nodeId !== undefined) {
      active.left(nodeId);
      if (!failed) active.passed.add(nodeId);
    }
    this.tracker.leave(active);
  }

  /** A passage that broke off because the store could not be written begins anew; a message without event cannot. */
  errorRaised(active: ActiveRun, error: FlowError): void {
    if (!isStoreRefusal(error.code)) active.errors.push(error);
    else if (active.repeatable || active.isResumption) active.isBroken = true;
    else active.errors.push({ ...error, code: null });
  }

  /** A Catch node has taken the errors of a node. */
  errorCaught(active: ActiveRun, nodeId: string): void {
    active.errors = active.errors.filter(({ node }) => node.id !== nodeId);
  }

  // ------------------------------------------------------------------ work inside a run

  /** Runs one system call under the write protocol. @throws CaseOpened when a case had to be opened. */
  async step(runId: string, step: Step): Promise<StepOutcome> {
    const active = this.requireActive(runId);
    try {
      const done = active.dry ? this.repairs.dryRuns.step(active.dry, step) : this.observedStep(active, step);
      return await this.track(done);
    } catch (error) {
      if (error instanceof CaseOpened) for (const id of error.caseIds) active.cases.add(id);
      if (isTakenOver(error)) this.breakOff((other) => other === active);
      throw error;
    } finally {
      active.lastProgressAt = performance.now();
    }
  }

  private observedStep(active: ActiveRun, step: Step): Promise<StepOutcome> {
    const work = (given: Step) => this.steps.run(active.run, given);
    return this.options.observer?.step?.(active, step, work) ?? work(step);
  }

  /** @param runId the run that wants to know, if any: a dry one leaves no trace of new records */
  identify(
    system: string,
    instance: string,
    references: readonly Reference[],
    runId?: string,
  ): Promise<CanonicalId[]> {
    const dry = this.dryPassage(runId);
    if (dry !== null) return this.repairs.dryRuns.identify(dry, system, instance, references);
    const request = { system, instance, references, at: this.now() };
    return this.track(this.store.perform(identifyRecords, request, 'committed'));
  }

  /** @returns for each claim who holds its key: the claim's own record, or the one that came first */
  claimNaturalKeys(claims: readonly NaturalKeyClaim[], runId?: string): Promise<KeyHolder[]> {
    if (this.dryPassage(runId) !== null) return this.repairs.dryRuns.claim(claims);
    return this.track(this.store.perform(claimNaturalKeys, { claims, at: this.now() }, 'committed'));
  }

  /** Opens cases, all in one transaction, and throws them as one error. Give at least one. */
  async fail(runId: string, requests: readonly NewCase[]): Promise<never> {
    const active = this.requireActive(runId);
    if (active.dry !== null) return this.repairs.dryRuns.fail(active.dry, requests);
    const opened = await this.track(
      this.store.write(async (tx) => {
        await this.leases.requireRun(tx, runId);
        const cases: OpenedCase[] = [];
        for (const request of requests) cases.push(await openCase(tx, active.run, request, this.now()));
        return cases;
      }),
    );
    for (const { id } of opened) active.cases.add(id);
    throw new CaseOpened(opened, requests[0]?.code ?? 'NODE_FAILED');
  }

  /**
   * Puts a business event into the outbox; the same event id is put there once. Runs may be waiting for it.
   * @param options.receiver the only one to be told; without it everyone registered is
   * @param options.runId the run that announces it: what a dry one would tell is only reported
   */
  async announce(
    event: BusinessEvent,
    { receiver, runId }: { receiver?: string; runId?: string } = {},
  ): Promise<void> {
    const dry = this.dryPassage(runId);
    if (dry !== null) {
      dry.events.push(event.type);
      return;
    }
    const resumed = await this.track(
      this.store.write(async (tx) => {
        const at = this.now();
        await putIntoOutbox(tx, event, at, receiver);
        return this.waits.announced(tx, event, at);
      }, 'committed'),
    );
    for (const listener of this.announced) listener();
    if (resumed > 0) this.dispatcher.pump(RESUMED);
  }

  /**
   * Calls a listener after each event that this host has put into the outbox.
   * @returns takes the listener out again
   */
  onAnnounced(listener: () => void): () => void {
    this.announced.add(listener);
    return () => this.announced.delete(listener);
  }

  /**
   * Keeps a message of a run until an event comes or its time is over (`Waits`).
   * @returns why it goes on at once, or null when it waits: then its node is handed the message later
   */
  wait(runId: string, request: WaitRequest): Promise<Passing | null> {
    const active = this.requireActive(runId);
    return this.track(
      active.dry === null ? this.waits.arrive(active, request) : this.waits.look(active, active.dry, request),
    );
  }

  /**
   * Says that something has happened, such as an approval.
   * @param options.runId the run that says it: what a dry one would say is only reported
   * @returns how many messages it let go on
   */
  async signal(signal: Signal, { runId }: { runId?: string } = {}): Promise<number> {
    const dry = this.dryPassage(runId);
    if (dry === null) return this.track(this.waits.signal(signal));
    dry.events.push(signal.event);
    return 0;
  }

  /** Lets a message pass once (`OnceRequest`). @returns null when it may pass, or the passage that was first */
  once(runId: string, request: OnceRequest): Promise<EarlierPassage | null> {
    const active = this.requireActive(runId);
    if (active.dry !== null) return earlierPassage(this.store.db, active.dry.run.id, request);
    return this.track(this.store.write((tx) => passOnce(tx, active, request, this.now())));
  }

  private dryPassage(runId: string | undefined): DryPassage | null {
    return runId === undefined ? null : (this.tracker.get(runId)?.dry ?? null);
  }

  private requireActive(runId: string): ActiveRun {
    const active = this.tracker.get(runId);
    if (active !== undefined) return active;
    throw new Q2cError(
      'RUN_NOT_ACTIVE',
      `Run ${runId} is not under way, or belongs to another store; its message cannot go on.`,
    );
  }

  // ------------------------------------------------------------------ end of runs

  private async endRun(ended: ActiveRun): Promise<void> {
    if (ended.dry !== null) {
      ended.dry.finish(true, ended.errors);
      return;
    }
    let goesOn = false;
    let how: RunEnding = 'interrupted';
    await this.owed.insist('The end of a run could not be recorded', async (tx) => {
      goesOn = false;
      if (ended.isBroken) return requeue(tx, this.leases.owner, [ended]);
      // Else another host has taken the run over, and how it ends is for that one to say.
      if (!(await this.leases.holdsRun(tx, ended.run.id))) return;
      const { isWaiting, state } = await recordEnd(tx, ended, this.ends);
      how = state;
      // What it waits for may have happened meanwhile.
      goesOn = isWaiting && (await this.waits.wake(tx)) > 0;
    });
    reach('run-ended');
    this.tellEnd(ended, how);
    this.dispatcher.release(ended.run.id);
    // Any source may have waited for this run's ordering key; one that broke off is not begun anew at once.
    if (ended.isBroken) this.dispatcher.pumpLater();
    else this.dispatcher.pumpAll();
    if (goesOn || ended.isResumption) this.dispatcher.pump(RESUMED);
  }

  /** A deploy has taken a node away while a message of the run was on its way to it: a person has to look. */
  private async failNodeGone(row: RunRow, node: NodeInfo): Promise<void> {
    const gone = new ActiveRun(toRun(row), row.event_seq !== null, { isResumption: row.resume === 1 });
    await this.owed.insist('The end of a run could not be recorded', async (tx) => {
      if (gone.isResumption) gone.resumed.push(...(await resumptionsOf(tx, row)).map(({ seq }) => seq));
      gone.cases.add((await openCase(tx, gone.run, nodeGone(gone.run, node), this.now())).id);
      await recordEnd(tx, gone, this.ends);
    });
  }

  private async sweepStalled(): Promise<void> {
    const stallAfterMs = this.options.stallAfterMs ?? 10 * 60_000;
    for (const stalled of this.tracker.takeStalled(performance.now() - stallAfterMs)) {
      const { run, dry, errors } = stalled;
      if (dry !== null) {
        dry.finish(false, errors);
        continue;
      }
      const opened = await this.store.write((tx) => openCase(tx, run, runStalled(run), this.now()));
      stalled.cases.add(opened.id);
      await this.endRun(stalled);
    }
  }

  /** One-off runs have no event to send again: their message was lost with the host. */
  private async failLostOneOffs(tx: Tx): Promise<void> {
    for (const row of await lostOneOffs(tx, this.now())) {
      const active = new ActiveRun(toRun(row), false);
      const node = { id: row.source_node, name: row.source_node };
      const message = 'the host ended while the message was under way; send it again';
      active.errors.push({ node, message, code: null });
      await recordEnd(tx, active, this.ends);
    }
  }

  // ------------------------------------------------------------------ several hosts

  /** Takes up the runs of hosts that are gone. @returns how many are queued again */
  private async takeOver(): Promise<number> {
    return this.store.write(async (tx) => {
      await this.failLostOneOffs(tx);
      return requeueAbandoned(tx, this.now());
    });
  }

  private async renewLeases(): Promise<void> {
    let underWay: ActiveRun[] = [];
    const lost = await this.leases.renew(() => {
      underWay = this.tracker.all();
      return underWay.map(({ run }) => run.id);
    });
    if (lost.length > 0) {
      this.breakOff((active) => underWay.includes(active) && lost.includes(active.run.id));
    }
  }

  /** This host has stood still, or could not reach the store: what it had under way is for the others to go on with. */
  private leaseLost(): void {
    const broken = this.breakOff(() => true);
    if (broken.length === 0) return;
    this.options.log(
      'warn',
      `The lease of this host ended before it could be renewed; ${broken.length} runs go on elsewhere or are begun anew.`,
    );
  }

  /** Their messages still move, but no longer count and must not go on. */
  private breakOff(which: (active: ActiveRun) => boolean): ActiveRun[] {
    const broken = this.tracker.interrupt(which);
    for (const active of broken) {
      this.dispatcher.release(active.run.id);
      this.tellEnd(active, 'interrupted');
    }
    return broken;
  }

  private tellEnd(active: ActiveRun, how: RunEnding): void {
    if (active.dry === null) this.options.observer?.ended?.(active, how);
  }

  // ------------------------------------------------------------------ housekeeping

  /** After a time in which the store could not be written. */
  private async catchUp(): Promise<void> {
    if (await this.owed.settle()) this.dispatcher.pumpLater();
    this.dispatcher.pumpIfDue();
  }

  private async scan(): Promise<void> {
    const due = await this.store.write(async (tx) => {
      const ids = await requeueDue(tx, this.now());
      await restartWaits(tx, ids);
      return ids.length;
    });
    const taken = this.store.exclusive ? 0 : await this.takeOver();
    if (taken > 0) this.options.log('info', `Took over ${taken} runs of a host that is gone`);
    if (due + taken > 0) this.dispatcher.pumpAll();
  }

  private async closeGaps(): Promise<void> {
    const before = Date.parse(this.now()) - (this.options.gapAfterMs ?? GAP_AFTER_MS);
    const queued = await this.store.write((tx) => catchUp(tx, new Date(before).toISOString()), 'committed');
    if (queued > 0) this.dispatcher.pumpAll();
  }

  /** While flows are being replaced, none of their nodes is there. */
  private async reviewWaits(): Promise<void> {
    if (!this.dispatcher.isPaused) await this.waits.review();
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
    const last = this.logged.get(what);
    if (last !== undefined && performance.now() - last < SILENCE_MS) return;
    this.logged.set(what, performance.now());
    this.options.log('error', `${what}: ${messageOf(error)}`);
  }
}

/** @returns the canonical id of an event's record, made if the record is seen for the first time */
async function canonicalSubject(
  tx: Tx,
  { system, instance }: IntakeBatch,
  subject: IntakeEvent['subject'],
  at: Instant,
): Promise<CanonicalId> {
  if (typeof subject === 'string') return subject;
  const [id] = await identify(tx, system, instance, [subject], at);
  if (id === undefined) throw new Error('One reference gives one id.');
  return id;
}

async function saveCursor(tx: Tx, source: string, cursor: JsonValue, at: Instant): Promise<void> {
  const value = JSON.stringify(cursor);
  await tx
    .insertInto('cursor')
    .values({ source, value, updated_at: at })
    .onConflict((conflict) => conflict.column('source').doUpdateSet({ value, updated_at: at }))
    .execute();
}

function isTakenOver(error: unknown): boolean {
  return error instanceof Q2cError && error.code === 'RUN_TAKEN_OVER';
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
