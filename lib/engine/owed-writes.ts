import { Q2cError } from '../model';
import { isStoreRefusal, type Store, type WriteJob } from '../store';

/**
 * Writes that must come to pass however long the store refuses them (full disk, lost connection): the end of a run, or
 * its return to the queue. Until then the run stays `running`, so that nobody takes it; should the host end before, the
 * next start finds it like that and begins it anew.
 */
export class OwedWrites {
  private readonly jobs = new Set<WriteJob<void>>();

  constructor(
    private readonly store: Store,
    private readonly onFailure: (what: string, error: unknown) => void,
  ) {}

  /** Resolves when the write is done, or kept to be tried again, or has failed for good. */
  async insist(what: string, job: WriteJob<void>): Promise<void> {
    try {
      await this.store.write(job, 'committed');
    } catch (error) {
      this.onFailure(what, error);
      if (error instanceof Q2cError && isStoreRefusal(error.code)) this.jobs.add(job);
    }
  }

  /** Tries what is owed again. @returns true when something was made up for */
  async settle(): Promise<boolean> {
    let settled = false;
    for (const job of this.jobs) {
      await this.store.write(job, 'committed');
      this.jobs.delete(job);
      settled = true;
    }
    return settled;
  }
}
