export { until } from './until';

import { Engine, type EngineOptions, type Failure, type Step, type StepReply } from '../../lib/engine';
import { newId } from '../../lib/model';
import type { Store } from '../../lib/store';
import { customerUpsert } from './step';
import { openTestStore } from './stores';

export interface TestEngine {
  engine: Engine;
  store: Store;
  stop(): Promise<void>;
  /** The host dies: nothing it does from now on reaches the store, and nothing it holds is given back. */
  kill(): Promise<void>;
}

/** An engine that retries within milliseconds, on a store of its own. */
export async function startEngine(
  options: Partial<EngineOptions> & { path?: string } = {},
): Promise<TestEngine> {
  const opened = options.store ?? (await openTestStore(options.path));
  let isDead = false;
  const store: Store = {
    ...opened,
    write: (job, durability, options) =>
      isDead ? new Promise(() => undefined) : opened.write(job, durability, options),
    perform: (procedure, args, durability) =>
      isDead ? new Promise(() => undefined) : opened.perform(procedure, args, durability),
  };
  const { retry, ...rest } = options;
  const engine = new Engine({
    tenant: 'test',
    log: () => undefined,
    graceMs: 5,
    ...rest,
    store,
    retry: { baseDelayMs: 1, maxDelayMs: 5, maxAttempts: 4, runRetryBaseMs: 20, runRetryMaxMs: 50, ...retry },
  });
  await engine.start();
  return {
    engine,
    store,
    async stop() {
      await engine.stop();
      await store.close();
    },
    async kill() {
      isDead = true;
      await opened.close();
    },
  };
}

export class FakeError extends Error {
  constructor(readonly failure: Failure) {
    super(failure.reason);
  }
}

export const fail = (kind: Failure['kind'], code: Failure['code'] = 'TARGET_UNAVAILABLE'): FakeError =>
  new FakeError({ kind, code, reason: `vendor said ${kind}` });

/** A vendor with records by our key, whose replies can be lost. */
export class FakeVendor {
  readonly records = new Map<string, string>();
  calls = 0;
  probes = 0;
  /** Taken one per call: what happens instead of a plain success. */
  script: ((write: () => string) => StepReply | Promise<StepReply>)[] = [];

  reply(id: string): StepReply {
    return { reply: { id }, result: { refs: [], evidence: { id } } };
  }

  step(overrides: Partial<Step> = {}): Step {
    const canonicalId = overrides.canonicalId ?? newId('customer');
    const write = () => {
      const id = `v${this.records.size + 1}`;
      this.records.set(canonicalId, this.records.get(canonicalId) ?? id);
      return this.records.get(canonicalId) ?? id;
    };
    return {
      node: { id: 'n1', name: 'Customer' },
      ...customerUpsert(canonicalId),
      wire: { name: 'ACME' },
      undo: 'call',
      call: async () => {
        this.calls++;
        const next = this.script.shift();
        return next === undefined ? this.reply(write()) : next(write);
      },
      probe: async () => {
        this.probes++;
        const id = this.records.get(canonicalId);
        return id === undefined ? null : this.reply(id);
      },
      classify: (error) =>
        error instanceof FakeError
          ? error.failure
          : {
              kind: 'rejected',
              code: 'NODE_FAILED',
              reason: error instanceof Error ? error.message : String(error),
            },
      about: { params: { system: 'ERP', document: 'customer ACME' }, ownerRole: 'finance_ops' },
      ...overrides,
    };
  }
}
