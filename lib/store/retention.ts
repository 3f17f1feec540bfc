import { Q2cError } from '../model';
import { MaintenanceTask } from './maintenance';
import type { Store } from './store';
import { sweep } from './sweep';

/**
 * What is kept for how long (guides §13): keys of financial operations as long as their deal is open and at least 400
 * days, others 30 days. Cross-references, natural keys, cursors and the audit are kept for ever.
 */
export interface RetentionPolicy {
  /** Days after the last run of a deal that its financial runs are kept, with steps and events; null = for ever. */
  financialDays: number | null;
  /** Days after its end that any other run is kept. */
  otherDays: number | null;
  /** Days after it was settled that a case is kept, with its history. */
  caseDays: number | null;
  /** Days after it was sent that an event of the outbox is kept, and after it came last that a rejected one is. */
  outboxDays: number | null;
}

export const DEFAULT_RETENTION: RetentionPolicy = {
  financialDays: 400,
  otherDays: 30,
  caseDays: 400,
  outboxDays: 30,
};

const MINIMUM: Record<keyof RetentionPolicy, number> = {
  financialDays: 400,
  otherDays: 1,
  caseDays: 1,
  outboxDays: 1,
};

/**
 * Checks what was set; what is missing has its default, 0 stands for ever.
 * @throws Q2cError `CONFIG_MISSING` naming the value
 */
export function retentionPolicy(set: Partial<Record<keyof RetentionPolicy, number>>): RetentionPolicy {
  const policy = { ...DEFAULT_RETENTION };
  for (const name of Object.keys(policy) as (keyof RetentionPolicy)[]) {
    const days = set[name] ?? policy[name];
    if (days !== null && days !== 0 && !(Number.isInteger(days) && days >= MINIMUM[name])) {
      throw new Q2cError(
        'CONFIG_MISSING',
        `Retention: ${name} is ${days}; give whole days, at least ${MINIMUM[name]}, or 0 to keep for ever.`,
      );
    }
    policy[name] = days === 0 ? null : days;
  }
  return policy;
}

const HOUR_MS = 3_600_000;

/** Sweeps the store once a day, by one of its hosts, until it is stopped. */
export function sweepDaily(
  store: Store,
  policy: RetentionPolicy,
  onFailure: (error: unknown) => void,
): MaintenanceTask {
  const task = new MaintenanceTask(store, {
    name: 'retention',
    firstMs: 5_000,
    lookMs: HOUR_MS,
    everyMs: 23 * HOUR_MS,
    run: async (signal) => {
      await sweep(store, policy, { now: store.now(), signal });
    },
    onFailure,
  });
  task.start();
  return task;
}
