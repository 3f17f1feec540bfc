import { type BusinessEvent, type CanonicalId, type DealDocument, type Instant, Q2cError } from '../model';
import type { Store } from '../store';
import type { Background } from './background';
import { CaseOpened, type OpenedCase, openCase } from './cases';
import { activeCorrections, keepDocument } from './correction-rows';
import { applied, endCorrections } from './corrections';
import type { Dispatcher } from './dispatcher';
import type { DryPassage } from './dry-run';
import type { Endings } from './endings';
import { claimNaturalKeys, identifyRecords } from './identity';
import type { Leases } from './leases';
import type { EngineObserver } from './observer';
import { earlierPassage, passOnce } from './once';
import type { Repairs } from './repairs';
import { RESUMED } from './runs';
import type { StepRunner } from './step';
import type { ActiveRun, RunTracker } from './tracker';
import type {
  EarlierPassage,
  KeyHolder,
  NaturalKeyClaim,
  NewCase,
  OnceRequest,
  Passing,
  Reference,
  Signal,
  Step,
  StepOutcome,
  WaitRequest,
} from './types';
import type { Waits } from './waiting';

export interface RunWorkOptions {
  store: Store;
  background: Background;
  tracker: RunTracker;
  dispatcher: Dispatcher;
  endings: Endings;
  leases: Leases;
  steps: StepRunner;
  repairs: Repairs;
  waits: Waits;
  now(): Instant;
  observer?: EngineObserver;
}

/** What nodes have done for a run on its way through the flow; a dry one (docs/decisions/0011) only looks. */
export class RunWork {
  private readonly listeners = new Set<() => void>();

  constructor(private readonly options: RunWorkOptions) {}

  async step(runId: string, step: Step): Promise<StepOutcome> {
    const active = this.requireActive(runId);
    const { background, endings, repairs } = this.options;
    try {
      const done = active.dry ? repairs.dryRuns.step(active.dry, step) : this.observed(active, step);
      return await background.track(done);
    } catch (error) {
      if (error instanceof CaseOpened) for (const id of error.caseIds) active.cases.add(id);
      if (isTakenOver(error)) endings.breakOff((other) => other === active);
      throw error;
    } finally {
      active.lastProgressAt = performance.now();
    }
  }

  private observed(active: ActiveRun, step: Step): Promise<StepOutcome> {
    const work = (given: Step) => this.options.steps.run(active.run, given, active.updates);
    return this.options.observer?.step?.(active, step, work) ?? work(step);
  }

  identify(
    system: string,
    instance: string,
    references: readonly Reference[],
    runId?: string,
  ): Promise<CanonicalId[]> {
    const { store, background, repairs, now } = this.options;
    const dry = this.dryPassage(runId);
    if (dry !== null) return repairs.dryRuns.identify(dry, system, instance, references);
    const request = { system, instance, references, at: now() };
    return background.track(store.perform(identifyRecords, request, 'committed'));
  }

  claimNaturalKeys(claims: readonly NaturalKeyClaim[], runId?: string): Promise<KeyHolder[]> {
    const { store, background, repairs, now } = this.options;
    if (this.dryPassage(runId) !== null) return repairs.dryRuns.claim(claims);
    return background.track(store.perform(claimNaturalKeys, { claims, at: now() }, 'committed'));
  }

  async withCorrections(runId: string, read: DealDocument): Promise<DealDocument> {
    const { store, background, leases, now } = this.options;
    const active = this.requireActive(runId);
    if (!active.mayBeCorrected) return read;
    const { run, dry } = active;
    const holding = await activeCorrections(store.db, run.correlationId);
    if (dry !== null) return dry.corrected(read, holding);
    const { deal, ended } = applied(read, holding);
    if (ended.length > 0) {
      await background.track(
        store.write(async (tx) => {
          await leases.requireRun(tx, runId);
          await endCorrections(tx, run, ended, now());
        }),
      );
    }
    return deal;
  }

  async fail(runId: string, requests: readonly NewCase[], refused: DealDocument | undefined): Promise<never> {
    const { store, background, leases, repairs, now } = this.options;
    const active = this.requireActive(runId);
    if (active.dry !== null) return repairs.dryRuns.fail(active.dry, requests);
    const opened = await background.track(
      store.write(async (tx) => {
        await leases.requireRun(tx, runId);
        const cases: OpenedCase[] = [];
        for (const request of requests) cases.push(await openCase(tx, active.run, request, now()));
        const [nodeId] = requests.flatMap(({ fields, node }) => (fields === undefined ? [] : node.id));
        if (refused !== undefined && nodeId !== undefined)
          await keepDocument(tx, active.run, nodeId, refused, now());
        return cases;
      }),
    );
    for (const { id } of opened) active.cases.add(id);
    throw new CaseOpened(opened, requests[0]?.code ?? 'NODE_FAILED');
  }

  async announce(
    event: BusinessEvent,
    { receiver, runId }: { receiver?: string; runId?: string },
  ): Promise<void> {
    const { background, dispatcher, waits } = this.options;
    const dry = this.dryPassage(runId);
    if (dry !== null) {
      dry.events.push(event.type);
      return;
    }
    const resumed = await background.track(waits.announce(event, receiver));
    for (const listener of this.listeners) listener();
    if (resumed > 0) dispatcher.pump(RESUMED);
  }

  onAnnounced(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  wait(runId: string, request: WaitRequest): Promise<Passing | null> {
    const { background, waits } = this.options;
    const active = this.requireActive(runId);
    return background.track(
      active.dry === null ? waits.arrive(active, request) : waits.look(active, active.dry, request),
    );
  }

  async signal(signal: Signal, runId: string | undefined): Promise<number> {
    const { background, waits } = this.options;
    const dry = this.dryPassage(runId);
    if (dry === null) return background.track(waits.signal(signal));
    dry.events.push(signal.event);
    return 0;
  }

  once(runId: string, request: OnceRequest): Promise<EarlierPassage | null> {
    const { store, background, now } = this.options;
    const active = this.requireActive(runId);
    if (active.dry !== null) return earlierPassage(store.db, active.dry.run.id, request);
    return background.track(store.write((tx) => passOnce(tx, active, request, now())));
  }

  private dryPassage(runId: string | undefined): DryPassage | null {
    return runId === undefined ? null : (this.options.tracker.get(runId)?.dry ?? null);
  }

  /** @throws Q2cError `RUN_NOT_ACTIVE` */
  requireActive(runId: string): ActiveRun {
    const active = this.options.tracker.get(runId);
    if (active !== undefined) return active;
    throw new Q2cError(
      'RUN_NOT_ACTIVE',
      `Run ${runId} is not under way, or belongs to another store; its message cannot go on.`,
    );
  }
}

function isTakenOver(error: unknown): boolean {
  return error instanceof Q2cError && error.code === 'RUN_TAKEN_OVER';
}
