import type { Instant } from '../model';
import type { Store } from '../store';
import type { Background } from './background';
import type { Dispatcher } from './dispatcher';
import type { Endings } from './endings';
import type { Leases } from './leases';
import { catchUp } from './order';
import type { OwedWrites } from './owed-writes';
import type { Repairs } from './repairs';
import { requeueDue } from './runs';
import { restartWaits } from './suspensions';
import type { TakeOver } from './take-over';
import type { Log } from './types';
import type { Waits } from './waiting';

const SCAN_MS = 1_000;
/** How often to look for runs that other hosts queued, or whose key they were busy with. */
const DISCOVER_MS = 250;
const STALL_SCAN_MS = 30_000;
const STALL_AFTER_MS = 10 * 60_000;
const GAP_AFTER_MS = 15 * 60_000;
/** Longer than flows take to start: a node that has not registered by then is not in them. */
const REVIEW_WAITS_MS = 10_000;

export interface HousekeepingOptions {
  store: Store;
  background: Background;
  dispatcher: Dispatcher;
  endings: Endings;
  takeOver: TakeOver;
  leases: Leases;
  owed: OwedWrites;
  repairs: Repairs;
  waits: Waits;
  now(): Instant;
  log: Log;
  /** `EngineOptions`. */
  times: { scanMs?: number; stallAfterMs?: number; gapAfterMs?: number; reviewWaitsMs?: number };
}

/** Looks now and then for what has become due, was owed, or has been left behind. */
export class Housekeeping {
  constructor(private readonly options: HousekeepingOptions) {}

  begin(): void {
    const { store, background, dispatcher, endings, takeOver, leases, repairs, waits, times } = this.options;
    background.every(leases.renewEveryMs, () => takeOver.renewLeases());
    if (!store.exclusive) background.every(DISCOVER_MS, async () => dispatcher.pumpAll());
    for (const task of [
      () => this.makeUp(),
      () => this.queueDue(),
      () => repairs.resume(),
      () => repairs.bulkJobs.work(),
      () => waits.sweep(),
      () => this.closeGaps(),
    ]) {
      background.every(times.scanMs ?? SCAN_MS, task);
    }
    const stallAfterMs = times.stallAfterMs ?? STALL_AFTER_MS;
    background.every(STALL_SCAN_MS, () => endings.sweepStalled(stallAfterMs));
    background.every(times.reviewWaitsMs ?? REVIEW_WAITS_MS, () => this.reviewWaits());
  }

  /** After a time in which the store could not be written. */
  private async makeUp(): Promise<void> {
    const { owed, dispatcher } = this.options;
    if (await owed.settle()) dispatcher.pumpLater();
    dispatcher.pumpIfDue();
  }

  private async queueDue(): Promise<void> {
    const { store, dispatcher, takeOver, now, log } = this.options;
    const due = await store.write(async (tx) => {
      const ids = await requeueDue(tx, now());
      await restartWaits(tx, ids);
      return ids.length;
    });
    const taken = store.exclusive ? 0 : await takeOver.run();
    if (taken > 0) log('info', `Took over ${taken} runs of a host that is gone`);
    if (due + taken > 0) dispatcher.pumpAll();
  }

  private async closeGaps(): Promise<void> {
    const { store, dispatcher, now, times } = this.options;
    const before = Date.parse(now()) - (times.gapAfterMs ?? GAP_AFTER_MS);
    const queued = await store.write((tx) => catchUp(tx, new Date(before).toISOString()), 'committed');
    if (queued > 0) dispatcher.pumpAll();
  }

  /** While flows are being replaced, none of their nodes is there. */
  private async reviewWaits(): Promise<void> {
    if (!this.options.dispatcher.isPaused) await this.options.waits.review();
  }
}
