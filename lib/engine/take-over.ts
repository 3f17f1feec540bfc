import type { Instant } from '../model';
import type { Store, Tx } from '../store';
import type { Endings } from './endings';
import type { Leases } from './leases';
import { type EndContext, recordEnd } from './run-end';
import { lostOneOffs, requeueAbandoned, toRun } from './runs';
import { ActiveRun, type RunTracker } from './tracker';
import type { Log } from './types';

export interface TakeOverOptions {
  store: Store;
  ends: EndContext;
  tracker: RunTracker;
  leases: Leases;
  endings: Endings;
  now(): Instant;
  log: Log;
}

/** How runs go over from a host that is gone to this one, and from this one to others. */
export class TakeOver {
  constructor(private readonly options: TakeOverOptions) {}

  /** Takes up the runs of hosts that are gone. @returns how many are queued again */
  async run(): Promise<number> {
    return this.options.store.write(async (tx) => {
      await this.failLostOneOffs(tx);
      return requeueAbandoned(tx, this.options.now());
    });
  }

  /** One-off runs have no event to send again: their message was lost with the host. */
  private async failLostOneOffs(tx: Tx): Promise<void> {
    for (const row of await lostOneOffs(tx, this.options.now())) {
      const active = new ActiveRun(toRun(row), false);
      const node = { id: row.source_node, name: row.source_node };
      const message = 'the host ended while the message was under way; send it again';
      active.errors.push({ node, message, code: null });
      await recordEnd(tx, active, this.options.now(), this.options.ends);
    }
  }

  /** Keeps what is under way here, and breaks off what has gone over to another host. */
  async renewLeases(): Promise<void> {
    const { leases, tracker, endings } = this.options;
    let underWay: ActiveRun[] = [];
    const lost = await leases.renew(() => {
      underWay = tracker.all();
      return underWay.map(({ run }) => run.id);
    });
    if (lost.length > 0) {
      endings.breakOff((active) => underWay.includes(active) && lost.includes(active.run.id));
    }
  }

  /** This host has stood still, or could not reach the store: what it had under way is for the others to go on with. */
  leaseLost(): void {
    const broken = this.options.endings.breakOff(() => true);
    if (broken.length === 0) return;
    this.options.log(
      'warn',
      `The lease of this host ended before it could be renewed; ${broken.length} runs go on elsewhere or are begun anew.`,
    );
  }
}
