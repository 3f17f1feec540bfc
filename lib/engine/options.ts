import type { Instant } from '../model';
import type { Store } from '../store';
import type { EngineObserver } from './observer';
import type { Log, RetryPolicy } from './types';

export interface EngineOptions {
  store: Store;
  /** Separates firms that share targets; part of every idempotency key. */
  tenant: string;
  log: Log;
  retry?: Partial<RetryPolicy>;
  /** Quiet time after which a run without messages in flight has ended. */
  graceMs?: number;
  /** Time that calls under way have to end when the engine stops; then they are broken off and probed later. */
  stopAfterMs?: number;
  /** Time without any progress after which a run counts as stalled. */
  stallAfterMs?: number;
  /** Time for which a missing change of a record is waited for (guides §13); default 15 minutes. */
  gapAfterMs?: number;
  /** How often it is looked for work that has become due. */
  scanMs?: number;
  /** How often it is looked whether nodes at which runs wait are still there. */
  reviewWaitsMs?: number;
  /** How long the others wait for a host that does not move any more before they take over its runs. */
  leaseMs?: number;
  /** Whether a node of the flows is there and enabled; asked once the flows run. */
  nodeExists?: (nodeId: string) => boolean;
  /** Whoever measures or traces what happens. */
  observer?: EngineObserver;
  /** Default: the store's clock. */
  now?: () => Instant;
  random?: () => number;
}
