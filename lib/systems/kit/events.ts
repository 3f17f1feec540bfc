import type { EventSource, SystemClient } from './types';

/** Types an event source by its client. */
export function defineEventSource<C extends SystemClient>(source: EventSource<C>): EventSource<C> {
  return source;
}
