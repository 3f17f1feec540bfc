import type { RunRow, Store } from '../store';
import { openCase } from './cases';
import type { Dispatcher } from './dispatcher';
import { reach } from './failpoints';
import type { Leases } from './leases';
import type { EngineObserver, RunEnding } from './observer';
import type { OwedWrites } from './owed-writes';
import { completeRun, type EndContext, isPlain, nodeGone, recordEnd, runStalled } from './run-end';
import { RESUMED, requeue, toRun } from './runs';
import { resumptionsOf } from './suspensions';
import { ActiveRun, type RunTracker } from './tracker';
import type { NodeInfo } from './types';
import type { Waits } from './waiting';

export interface EndingsOptions {
  store: Store;
  ends: EndContext;
  tracker: RunTracker;
  dispatcher: Dispatcher;
  leases: Leases;
  owed: OwedWrites;
  waits: Waits;
  observer?: EngineObserver;
}

interface Ended {
  how: RunEnding;
  /** Messages that it kept can go on already. */
  goesOn: boolean;
}

const COMPLETED: Ended = { how: 'completed', goesOn: false };

/** How dispatches of runs end in this host: at their last message, stalled, before a missing node, or broken off. */
export class Endings {
  constructor(private readonly options: EndingsOptions) {}

  /** None of its messages moves any more. */
  async end(ended: ActiveRun): Promise<void> {
    const { dispatcher } = this.options;
    if (ended.dry !== null) {
      const halts = ended.branches.unfinished.map(({ node }) => ({ node, type: '', why: 'waits' as const }));
      ended.dry.halts.push(...halts);
      ended.dry.finish(true, ended.errors);
      return;
    }
    const { how, goesOn } = (await this.complete(ended)) ? COMPLETED : await this.record(ended);
    reach('run-ended');
    this.tell(ended, how);
    dispatcher.release(ended.run.id);
    // Any source may have waited for this run's ordering key; one that broke off is not begun anew at once.
    if (ended.isBroken) dispatcher.pumpLater();
    else dispatcher.pumpAll();
    if (goesOn || ended.isResumption) dispatcher.pump(RESUMED);
  }

  private async complete(ended: ActiveRun): Promise<boolean> {
    if (!isPlain(ended)) return false;
    const { store, leases, ends } = this.options;
    const { run, legalEntity } = ended;
    const completion = { run, owner: leases.owner, legalEntity, at: ends.now() };
    // What keeps it from being written is met again on the longer way, which says so and insists.
    return store.perform(completeRun, completion, 'committed').catch(() => false);
  }

  private async record(ended: ActiveRun): Promise<Ended> {
    const { leases, owed, waits, ends } = this.options;
    const at = ends.now();
    let goesOn = false;
    let how: RunEnding = 'interrupted';
    await owed.insist('The end of a run could not be recorded', async (tx) => {
      goesOn = false;
      if (ended.isBroken) return requeue(tx, leases.owner, [ended]);
      // Else another host has taken the run over, and how it ends is for that one to say.
      if (!(await leases.holdsRun(tx, ended.run.id))) return;
      const { isWaiting, state } = await recordEnd(tx, ended, at, ends);
      how = state === 'queued' ? 'interrupted' : state;
      // What it waits for may have happened meanwhile.
      goesOn = isWaiting && (await waits.wake(tx)) > 0;
    });
    return { how, goesOn };
  }

  /** A deploy has taken a node away while a message of the run was on its way to it: a person has to look. */
  async nodeGone(row: RunRow, node: NodeInfo): Promise<void> {
    const { owed, ends } = this.options;
    const gone = new ActiveRun(toRun(row), row.event_seq !== null, { isResumption: row.resume === 1 });
    const at = ends.now();
    await owed.insist('The end of a run could not be recorded', async (tx) => {
      if (gone.isResumption) gone.resumed.push(...(await resumptionsOf(tx, row)).map(({ seq }) => seq));
      gone.cases.add((await openCase(tx, gone.run, nodeGone(gone.run, node), at)).id);
      await recordEnd(tx, gone, at, ends);
    });
  }

  /** Ends what has not moved for so long, in milliseconds: a node never said that it was done. */
  async sweepStalled(stallAfterMs: number): Promise<void> {
    const { store, tracker, ends } = this.options;
    for (const stalled of tracker.takeStalled(performance.now() - stallAfterMs)) {
      const { run, dry, errors } = stalled;
      if (dry !== null) {
        dry.finish(false, errors);
        continue;
      }
      const opened = await store.write((tx) => openCase(tx, run, runStalled(run), ends.now()));
      stalled.cases.add(opened.id);
      await this.end(stalled);
    }
  }

  /** Their messages still move, but no longer count and must not go on. @returns those broken off */
  breakOff(which: (active: ActiveRun) => boolean): ActiveRun[] {
    const broken = this.options.tracker.interrupt(which);
    for (const active of broken) {
      this.options.dispatcher.release(active.run.id);
      this.tell(active, 'interrupted');
    }
    return broken;
  }

  private tell(active: ActiveRun, how: RunEnding): void {
    if (active.dry === null) this.options.observer?.ended?.(active, how);
  }
}
