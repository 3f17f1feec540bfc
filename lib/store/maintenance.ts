import { setTimeout as pause } from 'node:timers/promises';
import type { Instant } from '../model';
import type { Store } from './store';

/**
 * Takes on a task that one host does every now and then.
 * @returns false when a host has taken it on less than `everyMs` ago
 */
export async function claimTask(store: Store, task: string, everyMs: number, at: Instant): Promise<boolean> {
  const due = new Date(Date.parse(at) - everyMs).toISOString();
  const claimed = await store.write((tx) =>
    tx
      .insertInto('maintenance')
      .values({ task, claimed_at: at })
      .onConflict((conflict) =>
        conflict.column('task').doUpdateSet({ claimed_at: at }).where('maintenance.claimed_at', '<=', due),
      )
      .returning('task')
      .executeTakeFirst(),
  );
  return claimed !== undefined;
}

export interface TaskOptions {
  name: string;
  /** Time between two runs of the task, over all hosts. */
  everyMs: number;
  /** Time before the first look whether it is due: a host that starts has other things to do. */
  firstMs: number;
  /** Time between two looks. */
  lookMs: number;
  run(signal: AbortSignal): Promise<void>;
  onFailure(error: unknown): void;
}

/** Looks every now and then whether a task is due, and does it when no other host has. */
export class MaintenanceTask {
  private readonly stopping = new AbortController();
  private looking: Promise<void> | null = null;

  constructor(
    private readonly store: Store,
    private readonly options: TaskOptions,
  ) {}

  start(): void {
    this.looking ??= this.look();
  }

  /** Resolves when nothing of the task is under way any more. */
  async stop(): Promise<void> {
    this.stopping.abort();
    await this.looking;
  }

  private async look(): Promise<void> {
    const { signal } = this.stopping;
    const { name, everyMs, firstMs, lookMs, run, onFailure } = this.options;
    for (let waitMs = firstMs; !signal.aborted; waitMs = lookMs) {
      await pause(waitMs, undefined, { signal, ref: false }).catch(() => undefined);
      if (signal.aborted) return;
      try {
        if (await claimTask(this.store, name, everyMs, this.store.now())) await run(signal);
      } catch (error) {
        onFailure(error);
      }
    }
  }
}
