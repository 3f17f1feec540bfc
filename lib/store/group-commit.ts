import { Q2cError } from '../model';
import { fromWire } from '../thread';
import { writeFailed } from './failure';
import type { Call, Procedure } from './procedure';
import { sideBySide } from './side-by-side';
import type { Durability, Tx, WriteJob, WriteOptions } from './store';
import type { Outcome } from './thread';

/** Jobs sharing one commit. Bounds how long a group may hold the event loop (Node-RED: 50 ms). */
const MAX_GROUP = 48;

export interface GroupOptions {
  /** Transactions at once; with more than one, only writes that await each other keep their order. */
  lanes?: number;
  maxGroup?: number;
}

/** What a dialect adds to group commit. */
export interface CommitMedium {
  /**
   * Runs work in one transaction and commits it.
   * @throws JobFailed as `work` threw it, after a rollback; any other error says that the commit failed.
   */
  transact(work: (tx: Tx) => Promise<void>, durability: Durability): Promise<void>;
  /**
   * Performs calls of procedures elsewhere, in the order given and after those it was given before.
   * @returns the outcome of each once it has been made as durable as asked for; null when that is not possible now: they
   *   are done here then. Rejects when whether the call was committed is not known.
   */
  perform?(calls: readonly DurableCall[]): Promise<Outcome>[] | null;
  /** True for an error of a job that the disk or the server is the cause of, not the job. */
  isFailure(error: unknown): boolean;
  /**
   * Each puts everything committed so far on the disk; as many as there are may be under way at once. None where a
   * flushed commit does that itself.
   */
  flushes?: readonly (() => Promise<void>)[];
}

/** A call, and what its outcome is to survive. */
export interface DurableCall extends Call {
  durability: Durability;
}

interface QueuedJob {
  durability: Durability;
  /** What it is a call of; null for a job that only the host itself can run. */
  call: DurableCall | null;
  isIndependent: boolean;
  run(tx: Tx): Promise<void>;
  /** Takes over the value that the call has given elsewhere. */
  answer(value: unknown): void;
  settle(): void;
  fail(error: unknown): void;
}

/**
 * Group commit: writes queued in one turn of the event loop share one transaction, in order; if one of them throws,
 * they are run again one by one, so that it takes nothing else with it. Jobs may therefore run twice, and may await
 * nothing but their own queries. A flushed write resolves when its commit is on the disk; one flush serves all groups
 * committed before it began, and further groups commit, and are flushed, meanwhile.
 */
export class GroupCommitter {
  private queue: QueuedJob[] = [];
  /** Loops that commit one group after another, for as long as there are any. */
  private lanes = 0;
  private committing: Promise<void> = Promise.resolve();
  /** Calls that are performed elsewhere: jobs of the host wait for them. */
  private readonly elsewhere = new Set<Promise<void>>();
  /** Committed jobs that wait for the next flush. */
  private unflushed: QueuedJob[] = [];
  /** By the way of flushing that is under way. */
  private readonly flushing = new Map<() => Promise<void>, Promise<void>>();
  private readonly maxLanes: number;
  private readonly maxGroup: number;

  constructor(
    private readonly medium: CommitMedium,
    { lanes = 1, maxGroup = MAX_GROUP }: GroupOptions = {},
  ) {
    this.maxLanes = lanes;
    this.maxGroup = maxGroup;
  }

  write<T>(
    job: WriteJob<T>,
    durability: Durability,
    { isIndependent = false }: WriteOptions = {},
  ): Promise<T> {
    return this.enqueue(job, null, durability, isIndependent);
  }

  perform<A, R>(procedure: Procedure<A, R>, args: A, durability: Durability): Promise<R> {
    const call = { name: procedure.name, args, durability };
    return this.enqueue((tx) => procedure.perform(tx, args), call, durability, procedure.isIndependent);
  }

  private enqueue<T>(
    job: WriteJob<T>,
    call: DurableCall | null,
    durability: Durability,
    isIndependent: boolean,
  ): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      let value: T;
      const queued: QueuedJob = {
        durability,
        call,
        isIndependent,
        run: async (tx) => {
          try {
            value = await job(tx);
          } catch (cause) {
            throw new JobFailed('', { cause });
          }
        },
        answer: (given) => {
          value = given as T;
        },
        settle: () => resolve(value),
        fail: reject,
      };
      // Where calls are performed elsewhere they are grouped there: one that nothing is before waits for no turn here.
      if (this.lanes === 0 && this.handOn([queued])) return;
      this.queue.push(queued);
      if (this.lanes >= this.maxLanes) return;
      const others = this.committing;
      this.committing = this.commitQueue().then(() => others);
    });
  }

  /** Resolves when everything queued so far is on the disk or failed. */
  async drain(): Promise<void> {
    do {
      await this.committing;
      await Promise.all(this.elsewhere);
      await Promise.all(this.flushing.values());
    } while (this.lanes > 0 || this.elsewhere.size > 0 || this.flushing.size > 0);
  }

  private async commitQueue(): Promise<void> {
    this.lanes++;
    while (this.queue.length > 0) {
      // One turn later: everything the current turn queues joins the group.
      await new Promise<void>((resolve) => setImmediate(resolve));
      const group = this.nextGroup();
      if (group.length > 0) await this.commit(group);
    }
    this.lanes--;
  }

  private nextGroup(): QueuedJob[] {
    const { queue, maxLanes, maxGroup } = this;
    if (maxLanes === 1) return queue.splice(0, Math.min(maxGroup, this.alikeAtHead()));
    // Of one durability, so that what need not wait for the disk does not; independent ones apart: they are done
    // together in the time of one, while of the others each lane gets a share, so that all have work.
    const [first] = queue;
    const most = first?.isIndependent ? maxGroup : Math.min(maxGroup, Math.ceil(queue.length / maxLanes));
    const alike = queue
      .filter((job) => job.durability === first?.durability && job.isIndependent === first.isIndependent)
      .slice(0, most);
    this.queue = queue.filter((job) => !alike.includes(job));
    return alike;
  }

  /** How many from the first on are all calls, or all jobs of the host: their order is kept. */
  private alikeAtHead(): number {
    const { queue, medium } = this;
    if (medium.perform === undefined) return queue.length;
    return countWhile(queue, ({ call }) => (call === null) === (queue[0]?.call === null));
  }

  /** Commits a group, or hands it on: there it is grouped anew, and nobody waits for it here but jobs of the host. */
  private async commit(group: QueuedJob[]): Promise<void> {
    if (this.handOn(group)) return;
    await Promise.all(this.elsewhere);
    await this.commitHere(group);
  }

  /** @returns false when that is not possible, or the group is not all calls */
  private handOn(group: readonly QueuedJob[]): boolean {
    const calls = group.flatMap(({ call }) => call ?? []);
    const performed = calls.length < group.length ? null : this.medium.perform?.(calls);
    if (!performed) return false;
    group.forEach((job, index) => {
      const answered = answer(job, performed[index]).then(() => {
        this.elsewhere.delete(answered);
      });
      this.elsewhere.add(answered);
    });
    return true;
  }

  /** One transaction for the whole group. If a job throws, the group is rolled back and each goes alone. */
  private async commitHere(group: QueuedJob[]): Promise<void> {
    const durability = group.some((job) => job.durability === 'flushed') ? 'flushed' : 'committed';
    try {
      await this.medium.transact(async (tx) => {
        await this.runAll(group, tx);
      }, durability);
    } catch (error) {
      if (!(error instanceof JobFailed)) {
        // The commit failed (disk full, file gone): nobody may rely on anything of the group.
        const failure = error instanceof Q2cError ? error : writeFailed(error);
        for (const job of group) job.fail(failure);
      } else if (group.length === 1) {
        group[0]?.fail(this.medium.isFailure(error.cause) ? writeFailed(error.cause) : error.cause);
      } else {
        for (const job of group) await this.commitHere([job]);
      }
      return;
    }
    this.settle(group);
  }

  /** One after another; where each statement is a way to a server, independent ones that follow each other side by side. */
  private async runAll(group: readonly QueuedJob[], tx: Tx): Promise<void> {
    if (this.maxLanes === 1) {
      for (const job of group) await job.run(tx);
      return;
    }
    for (let next = 0; next < group.length; ) {
      const others = group.slice(next);
      const together = countWhile(others, ({ isIndependent }) => isIndependent);
      const jobs = others.slice(0, Math.max(1, together));
      await sideBySide(jobs.map((job) => job.run(tx)));
      next += jobs.length;
    }
  }

  private settle(committed: readonly QueuedJob[]): void {
    const { flushes = [] } = this.medium;
    for (const job of committed) {
      if (job.durability === 'committed' || flushes.length === 0) job.settle();
      else this.unflushed.push(job);
    }
    if (this.unflushed.length === 0) return;
    const free = flushes.find((flush) => !this.flushing.has(flush));
    if (free !== undefined) this.flushing.set(free, this.flushAll(free));
  }

  private async flushAll(flush: () => Promise<void>): Promise<void> {
    while (this.unflushed.length > 0) {
      const jobs = this.unflushed.splice(0);
      try {
        await flush();
      } catch (error) {
        const failure = writeFailed(error);
        for (const job of jobs) job.fail(failure);
        continue;
      }
      for (const job of jobs) job.settle();
    }
    this.flushing.delete(flush);
  }
}

/** Settles a job as its call was settled elsewhere. */
async function answer(job: QueuedJob, performed: Promise<Outcome> | undefined): Promise<void> {
  try {
    const outcome = await performed;
    if (outcome === undefined) throw new Error('It was not asked for.');
    if (!outcome.ok) return job.fail(fromWire(outcome.error));
    job.answer(outcome.value);
    job.settle();
  } catch (error) {
    job.fail(writeFailed(error));
  }
}

/** A job of a group threw; the cause is its own error. */
export class JobFailed extends Error {}

/** How many from the first on are alike. */
function countWhile<T>(items: readonly T[], isAlike: (item: T) => boolean): number {
  const other = items.findIndex((item) => !isAlike(item));
  return other < 0 ? items.length : other;
}
