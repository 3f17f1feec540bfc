import type { EventSource, SystemClient } from './types';

/** Types an event source by its client, and by the records that its events carry along. */
export function defineEventSource<C extends SystemClient, Rec = never>(
  source: EventSource<C, Rec>,
): EventSource<C, Rec> {
  return source;
}
