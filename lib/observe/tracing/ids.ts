import { createHash } from 'node:crypto';

/**
 * Ids of W3C Trace Context that everybody who knows a deal or an event can work out: runs of one deal, on whatever host
 * and after whatever restart, belong to one trace, and each run hangs on the span of the event that began it.
 */

const TRACE_ID_BYTES = 16;
const SPAN_ID_BYTES = 8;

/** Trace of a deal thread. */
export const traceIdOf = (tenant: string, correlationId: string): string =>
  derived(TRACE_ID_BYTES, 'trace', tenant, correlationId);

/** Span of the acceptance of an event, of which there is one only. */
export const eventSpanId = (source: string, eventId: string): string =>
  derived(SPAN_ID_BYTES, 'event', source, eventId);

function derived(bytes: number, ...parts: string[]): string {
  return createHash('sha256')
    .update(parts.join('|'))
    .digest('hex')
    .slice(0, bytes * 2);
}
