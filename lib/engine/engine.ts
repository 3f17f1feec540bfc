import {
  type BusinessEvent,
  type CanonicalId,
  type DealDocument,
  type Instant,
  type JsonValue,
  Q2cError,
} from '../model';
import { isStoreRefusal, reserveCall, type Store } from '../store';
import { Background } from './background';
import { Dispatcher } from './dispatcher';
import { Endings } from './endings';
import { Housekeeping } from './housekeeping';
import { Intakes } from './intake';
import { Leases } from './leases';
import type { EngineOptions } from './options';
import { OwedWrites } from './owed-writes';
import { Repairs } from './repairs';
import { rerun, runById } from './rerun';
import { DEFAULT_RETRY } from './retry';
import { RunWork } from './run-work';
import { insertRun, RESUMED, reopen, requeue, toRun } from './runs';
import { StepRunner } from './step';
import { resumptionsOf } from './suspensions';
import { TakeOver } from './take-over';
import { type ActiveRun, type FlowError, RunTracker } from './tracker';
import type {
  DispatchedRun,
  EarlierPassage,
  Intake,
  IntakeBatch,
  KeyHolder,
  NaturalKeyClaim,
  NewCase,
  NodeInfo,
  OnceRequest,
  Passing,
  Reference,
  Signal,
  Step,
  StepOutcome,
  WaitRequest,
} from './types';
import { Waits } from './waiting';

const DEFAULT_GRACE_MS = 25;
const DEFAULT_LEASE_MS = 30_000;
/** Runs going on at once after they had waited, as many as a source node dispatches by default. */
const RESUMED_CONCURRENCY = 8;
/** Node-RED gives a node 15 s to close; what is left is for the store to close. */
const STOP_AFTER_MS = 10_000;

/**
 * Durable runs (DESIGN §4): accepts events, dispatches one run per event in order of its key, journals every
 * call, notices the end of runs, and takes up what a dead host left. It knows neither Node-RED nor vendors.
 */
export class Engine {
  /** Runs that wait for events. */
  readonly waits: Waits;
  /** What people do about runs that did not go well. */
  readonly repairs: Repairs;
  private readonly now: () => Instant;
  private readonly background: Background;
  private readonly tracker: RunTracker;
  private readonly leases: Leases;
  private readonly owed: OwedWrites;
  private readonly dispatcher: Dispatcher;
  private readonly intakes: Intakes;
  private readonly work: RunWork;
  private readonly endings: Endings;
  private readonly takeOver: TakeOver;
  private readonly housekeeping: Housekeeping;
  private readonly stopping = new AbortController();
  private readonly cancelling = new AbortController();

  constructor(private readonly options: EngineOptions) {
    const { store, tenant, log, observer } = options;
    const retry = { ...DEFAULT_RETRY, ...options.retry };
    const now = options.now ?? (() => store.now());
    const random = options.random ?? Math.random;
    this.now = now;
    this.background = new Background(log);
    const track = <T>(promise: Promise<T>) => this.background.track(promise);
    const onFailure = (what: string, error: unknown) => this.background.logFailure(what, error);
    this.tracker = new RunTracker(options.graceMs ?? DEFAULT_GRACE_MS, {
      quiet: ({ run }) => this.dispatcher.yieldPlace(run.id),
      moving: ({ run }) => this.dispatcher.resumePlace(run.id),
      ended: (ended) => track(this.endings.end(ended)),
    });
    this.leases = new Leases({
      store,
      now,
      leaseMs: options.leaseMs ?? DEFAULT_LEASE_MS,
      onLost: () => this.takeOver.leaseLost(),
    });
    this.owed = new OwedWrites(store, onFailure);
    const lease = () => this.leases.grant();
    this.dispatcher = new Dispatcher({
      store,
      owed: this.owed,
      tracker: this.tracker,
      now,
      lease,
      nodeExists: options.nodeExists ?? (() => true),
      onNodeGone: (row, node) => this.endings.nodeGone(row, node),
      ...(observer && { observer }),
      track,
      onFailure,
    });
    this.waits = new Waits({ store, now, onReady: () => this.dispatcher.pump(RESUMED) });
    const { tracker, leases, owed, dispatcher, waits, background } = this;
    const common = { store, now, tracker, dispatcher, leases, owed, waits, ...(observer && { observer }) };
    const ends = { retry, now, random };
    this.endings = new Endings({ ...common, ends });
    this.takeOver = new TakeOver({ ...common, ends, endings: this.endings, log });
    this.intakes = new Intakes(common);
    const patience = {
      ...{ tenant, retry, random },
      stopping: this.stopping.signal,
      cancelling: this.cancelling.signal,
    };
    const steps = new StepRunner({ ...common, ...patience });
    this.repairs = new Repairs({ ...common, ...patience, steps, lease, track, onFailure });
    const { endings, takeOver, repairs } = this;
    this.work = new RunWork({ ...common, background, endings, steps, repairs });
    this.housekeeping = new Housekeeping({
      ...{ ...common, background, endings, takeOver, repairs, log },
      times: options,
    });
  }

  get store(): Store {
    return this.options.store;
  }

  // ------------------------------------------------------------------ life

  /** Takes up unfinished runs and begins to dispatch. Sources may register before or after. */
  async start(): Promise<void> {
    await this.takeOver.run();
    this.housekeeping.begin();
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
    const broken = this.endings.breakOff(({ repeatable, isResumption }) => repeatable || isResumption);
    this.background.track(
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
    this.background.end();
    this.dispatcher.clear();
    const reason = new Q2cError('ENGINE_STOPPING', 'The host stops; the run goes on at the next start.');
    this.stopping.abort(reason);
    this.repairs.interrupt();
    const broken = this.endings.breakOff(({ repeatable }) => repeatable);
    this.endings.breakOff(() => true);
    const patience = setTimeout(
      () => this.cancelling.abort(reason),
      this.options.stopAfterMs ?? STOP_AFTER_MS,
    );
    await this.background.settled();
    clearTimeout(patience);
    await this.owed.insist('Runs could not be queued again', (tx) => requeue(tx, this.leases.owner, broken));
    await this.owed.insist('The lease could not be given back', (tx) => this.leases.release(tx));
  }

  // ------------------------------------------------------------------ intake

  /** Accepts events of a source and moves its cursor, all in one transaction; known events are only counted. */
  async accept(batch: IntakeBatch): Promise<Intake> {
    const { resumed, ...intake } = await this.background.track(this.intakes.accept(batch));
    if (intake.accepted > 0) this.dispatcher.pump(batch.sourceNode);
    if (resumed > 0) this.dispatcher.pump(RESUMED);
    return intake;
  }

  /** How far a source has been read; null before its first batch. */
  cursor(source: string): Promise<JsonValue | null> {
    return this.intakes.cursor(source);
  }

  /**
   * Makes this host the one of all on the store that has a role, such as polling for a source, or keeps it so; the
   * others stand by and ask again from time to time. Where the role is a source, its batches are then accepted from
   * this host only.
   * @returns false while another host is the one
   */
  lead(role: string): Promise<boolean> {
    return this.background.track(this.leases.take(role));
  }

  /** This host has ended with it: another one may begin at once. */
  stopLeading(role: string): Promise<void> {
    return this.background.track(this.leases.leave(role));
  }

  /**
   * Reserves the next call of a connection whose rate all hosts on the store share.
   * @returns milliseconds to wait before it; null when this host has the rate to itself
   */
  async reserveCall(connection: string, requestsPerSecond: number): Promise<number | null> {
    return this.store.exclusive
      ? null
      : this.background.track(reserveCall(this.store, connection, requestsPerSecond));
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
    const run = await this.background.track(
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
    const row = await this.background.track(this.store.write((tx) => reopen(tx, runId, this.leases.grant())));
    // Another late message may have come first.
    if (row === null) return this.work.requireActive(runId);
    const active = this.tracker.begin(toRun(row), row.event_seq !== null, { isReopened: true });
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

  /** The run. @throws Q2cError `RUN_NOT_ACTIVE` when it is not under way here */
  underWay(runId: string): ActiveRun {
    return this.work.requireActive(runId);
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
  step(runId: string, step: Step): Promise<StepOutcome> {
    return this.work.step(runId, step);
  }

  /** @param runId the run that wants to know, if any: a dry one leaves no trace of new records */
  identify(
    system: string,
    instance: string,
    references: readonly Reference[],
    runId?: string,
  ): Promise<CanonicalId[]> {
    return this.work.identify(system, instance, references, runId);
  }

  /** @returns for each claim who holds its key: the claim's own record, or the one that came first */
  claimNaturalKeys(claims: readonly NaturalKeyClaim[], runId?: string): Promise<KeyHolder[]> {
    return this.work.claimNaturalKeys(claims, runId);
  }

  /**
   * The deal as people have corrected it, where they have. Corrections whose field has changed at its master since are
   * ended.
   * @param read the deal as it came from its masters
   */
  withCorrections(runId: string, read: DealDocument): Promise<DealDocument> {
    return this.work.withCorrections(runId, read);
  }

  /**
   * Opens cases, all in one transaction, and throws them as one error. Give at least one.
   * @param refused the document that was checked, where cases are about fields of its records
   */
  fail(runId: string, requests: readonly NewCase[], refused?: DealDocument): Promise<never> {
    return this.work.fail(runId, requests, refused);
  }

  /**
   * Puts a business event into the outbox; the same event id is put there once. Runs may be waiting for it.
   * @param options.receiver the only one to be told; without it everyone registered is
   * @param options.runId the run that announces it: what a dry one would tell is only reported
   */
  announce(event: BusinessEvent, options: { receiver?: string; runId?: string } = {}): Promise<void> {
    return this.work.announce(event, options);
  }

  /**
   * Calls a listener after each event that this host has put into the outbox.
   * @returns takes the listener out again
   */
  onAnnounced(listener: () => void): () => void {
    return this.work.onAnnounced(listener);
  }

  /**
   * Keeps a message of a run until an event comes or its time is over (`Waits`).
   * @returns why it goes on at once, or null when it waits: then its node is handed the message later
   */
  wait(runId: string, request: WaitRequest): Promise<Passing | null> {
    return this.work.wait(runId, request);
  }

  /**
   * Says that something has happened, such as an approval.
   * @param options.runId the run that says it: what a dry one would say is only reported
   * @returns how many messages it let go on
   */
  signal(signal: Signal, { runId }: { runId?: string } = {}): Promise<number> {
    return this.work.signal(signal, runId);
  }

  /** Lets a message pass once (`OnceRequest`). @returns null when it may pass, or the passage that was first */
  once(runId: string, request: OnceRequest): Promise<EarlierPassage | null> {
    return this.work.once(runId, request);
  }
}
