import { setTimeout } from 'node:timers/promises';
import type { DispatchedRun, Engine, Step } from '../../lib/engine';
import { newId } from '../../lib/model';
import { customerUpsert } from './step';

/** Runs of durable steps without any system behind them. */

export const STEPS = 8;

export interface WorkOptions {
  /** Told how long each step took besides its call, in milliseconds. */
  took?(ms: number): void;
  /** Milliseconds of the host's processor that a flow itself needs for each step. */
  flowMs?: number;
  /** Milliseconds that each call waits for its system. */
  callMs?: number;
}

/** Works on runs as they are dispatched. @returns ends it */
export function register(engine: Engine, parallel: number, options: WorkOptions = {}): () => void {
  return engine.registerSource('source', parallel, (run) => {
    const active = engine.activeRun(run.id);
    if (active === undefined) throw new Error('not under way');
    engine.messageEntered(active);
    work(engine, run, options).finally(() => engine.messageLeft(active));
  });
}

/** Accepts 200 events. @param from number of the first one */
export async function accept(engine: Engine, from: number): Promise<void> {
  await engine.accept({
    sourceNode: 'source',
    system: 'crm',
    instance: 'org',
    source: '/q2c/bench/crm',
    cursor: String(from),
    events: Array.from({ length: 200 }, (_, index) => ({
      id: `e${from + index}`,
      type: 'q2c.opportunity.won.v1',
      time: new Date().toISOString(),
      subject: { entity: 'opportunity', type: 'Opportunity', id: `o${from + index}` },
      title: `Deal ${from + index}`,
      data: {},
    })),
  });
}

async function work(
  engine: Engine,
  run: DispatchedRun,
  { took, flowMs = 0, callMs = 0 }: WorkOptions,
): Promise<void> {
  for (let number = 0; number < STEPS; number++) {
    keepBusy(flowMs);
    const call = { waits: callMs, took: 0 };
    const before = performance.now();
    await engine.step(run.id, step(number, call));
    took?.(performance.now() - before - call.took);
  }
}

function keepBusy(ms: number): void {
  const end = performance.now() + ms;
  while (performance.now() < end);
}

/** @param call is told how long its waiting took, which no timer keeps to */
function step(number: number, call: { waits: number; took: number }): Step {
  const canonicalId = newId('customer');
  return {
    node: { id: `n${number}`, name: `Step ${number}` },
    ...customerUpsert(canonicalId),
    wire: { name: 'ACME', number },
    undo: 'none',
    call: async () => {
      if (call.waits > 0) {
        const before = performance.now();
        await setTimeout(call.waits);
        call.took = performance.now() - before;
      }
      const ref = {
        system: 'erp',
        instance: 'main',
        type: 'customer',
        id: canonicalId,
        role: 'copy',
      } as const;
      return { reply: null, result: { refs: [{ id: canonicalId, entity: 'customer', ref }] } };
    },
    classify: () => ({ kind: 'rejected', code: 'NODE_FAILED', reason: 'bench' }),
    about: { params: {}, ownerRole: 'finance_ops' },
  };
}
