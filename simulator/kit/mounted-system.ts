import type { SeedWorld } from '../seed/world';
import { FaultList } from './faults';
import { RequestLog } from './request-log';
import { TransactionalStore } from './store';
import type { SimContext, SimRequest, SimResponse, SimulatedSystem } from './types';

const SEED_KEY = 'kit.seed';

/** One vendor with its state, faults and log. */
export class MountedSystem {
  readonly system: SimulatedSystem;
  readonly store: TransactionalStore;
  readonly faults = new FaultList();
  readonly log = new RequestLog();
  readonly baseUrl: string;
  readonly #clock: () => number;
  #busy: Promise<void> | null = null;
  #inFlight = 0;

  constructor(options: {
    system: SimulatedSystem;
    file: string | null;
    baseUrl: string;
    clock: () => number;
  }) {
    this.system = options.system;
    this.baseUrl = options.baseUrl;
    this.#clock = options.clock;
    this.store = new TransactionalStore(options.file, options.system.indexes, options.clock);
  }

  /** Seed of the state that is there, null when the state is empty. */
  get seed(): number | null {
    const value = this.store.getValue(SEED_KEY);
    return value === null ? null : Number(value);
  }

  context(partialPage = false): SimContext {
    return { db: this.store, baseUrl: this.baseUrl, now: this.#clock, partialPage, inFlight: this.#inFlight };
  }

  /** Counts a call as in flight from its arrival until `work` is done; what happens to its reply later does not count. */
  async counted<T>(work: () => Promise<T>): Promise<T> {
    this.#inFlight++;
    try {
      return await work();
    } finally {
      this.#inFlight--;
    }
  }

  /** Throws away all records, faults and the log, and fills the store from the world, in one transaction each. */
  async reset(world: SeedWorld): Promise<void> {
    await this.atomically(async () => {
      this.store.clear();
      await this.system.seed(this.context(), world);
      this.store.setValue(SEED_KEY, String(world.seed));
    });
    this.faults.clear();
    this.log.clear();
  }

  handle(request: SimRequest, partialPage: boolean): Promise<SimResponse> {
    return this.atomically(() => this.system.handle(request, this.context(partialPage)));
  }

  /**
   * Runs `work` as one transaction: committed before this resolves, undone when it throws. One at a time; a
   * synchronous `work` never waits unless an asynchronous one of the same system is under way.
   */
  async atomically<T>(work: () => T | Promise<T>): Promise<T> {
    while (this.#busy) await this.#busy;
    let release = (): void => {};
    try {
      let result = work();
      if (result instanceof Promise) {
        this.#busy = new Promise((resolve) => {
          release = resolve;
        });
        result = await result;
      }
      this.store.commit();
      return result;
    } catch (error) {
      this.store.rollback();
      throw error;
    } finally {
      this.#busy = null;
      release();
    }
  }

  close(): void {
    this.store.close();
  }
}
