import type { Engine } from '../engine';
import { BulkJobs } from './bulk';
import { DealIndex } from './deal-index';
import { LiveFeed } from './live';

/** What the interface keeps for one store while it is open. */
export interface Services {
  feed: LiveFeed;
  bulk: BulkJobs;
  dealIndex: DealIndex;
}

const services = new WeakMap<Engine, Services>();

/** The store is being closed: whoever listens is let go, and nothing is read any more. */
export function endServices(engine: Engine): void {
  const known = services.get(engine);
  if (known === undefined) return;
  services.delete(engine);
  known.feed.end();
  known.dealIndex.stop();
}

/**
 * Made at the first request: a host that nobody looks at pays nothing.
 * @param onFailure told of what went wrong in the background
 */
export function servicesOf(engine: Engine, onFailure: (error: unknown) => void): Services {
  let known = services.get(engine);
  if (known === undefined) {
    const feed = new LiveFeed(engine, onFailure);
    known = {
      feed,
      bulk: new BulkJobs(engine, feed),
      dealIndex: new DealIndex(engine.store, onFailure),
    };
    services.set(engine, known);
  }
  return known;
}
