import type { Instant } from '../model';
import type { Store } from '../store';
import { Cancellations } from './cancel';
import { RecordCorrections } from './corrections';
import type { Author } from './decisions';
import type { Dispatcher } from './dispatcher';
import { breakOff, DryRunner, type DryRunReport, type ProposedCorrection } from './dry-run';
import type { Lease, Leases } from './leases';
import { Repair } from './repair';
import type { Patience } from './retry';
import type { RetryFilter } from './retry-filter';
import { BulkRetries, type RetryManyOptions, type RetryProgress } from './retry-many';
import type { StepRunner } from './step';
import { type Target, Targets } from './targets';
import type { RunTracker } from './tracker';

export interface RepairsOptions extends Patience {
  store: Store;
  tenant: string;
  tracker: RunTracker;
  dispatcher: Dispatcher;
  steps: StepRunner;
  leases: Leases;
  now(): Instant;
  lease(): Lease;
  /** Remembers work until it settles. */
  track<T>(promise: Promise<T>): Promise<T>;
  onFailure(what: string, error: unknown): void;
}

/** Time in which the nodes of the flows have registered after a start. */
const TARGETS_WITHIN_MS = 60_000;

/** What people can do about runs that did not go well. */
export class Repairs {
  /** Decisions about failed steps. */
  readonly steps: Repair;
  /** Corrections of records that a check has refused. */
  readonly records: RecordCorrections;
  /** Taking runs back. */
  readonly cancellations: Cancellations;
  /** Answers what dry passages ask on their way through the flow. */
  readonly dryRuns: DryRunner;
  /** Retries of many runs. */
  readonly bulkRetries: BulkRetries;
  private readonly targets = new Targets();
  private readonly startedAt = performance.now();

  constructor(private readonly options: RepairsOptions) {
    const { dispatcher, steps } = options;
    const { targets } = this;
    const pump = (source: string) => dispatcher.pump(source);
    this.steps = new Repair({ ...options, targets, pump });
    this.records = new RecordCorrections({ ...options, pump });
    this.bulkRetries = new BulkRetries({ ...options, pump });
    this.cancellations = new Cancellations({
      ...options,
      targets,
      inTurn: (record, task) => steps.inTurn(record, task),
      pumpAll: () => dispatcher.pumpAll(),
    });
    this.dryRuns = new DryRunner({
      ...options,
      records: this.records,
      send: (active, event) => dispatcher.sendDry(active, event),
    });
  }

  /**
   * What a retry of a failed run would write, without writing.
   * @param proposal a correction that would be made before
   * @throws Q2cError as `DryRunner.run`
   */
  dryRun(runId: string, actor: string, proposal?: ProposedCorrection): Promise<DryRunReport> {
    return this.options.track(this.dryRuns.run(runId, actor, proposal));
  }

  /** Retries all failed runs that match, a few at a time, and tells how far it is; see `BulkRetries.watch`. */
  retryRuns(filter: RetryFilter, author: Author, how?: RetryManyOptions): AsyncGenerator<RetryProgress> {
    return this.bulkRetries.watch(filter, author, how);
  }

  /**
   * A node lets its connection be used for repairs outside of the flow.
   * @returns takes it out again
   */
  registerTarget(nodeId: string, target: Target): () => void {
    return this.targets.register(nodeId, target);
  }

  /** Goes on with cancels, once the nodes through which they undo are there: else they could only open cases. */
  async resume(): Promise<void> {
    if (this.options.dispatcher.isPaused) return;
    if (this.targets.isEmpty && performance.now() - this.startedAt < TARGETS_WITHIN_MS) return;
    await this.cancellations.resume();
  }

  /** The flows are being stopped: the messages of dry runs vanish. */
  interrupt(): void {
    breakOff(this.options.tracker, () => true);
  }
}
