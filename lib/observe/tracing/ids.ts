import { createHash, randomBytes } from 'node:crypto';

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

export const randomTraceId = (): string => randomBytes(TRACE_ID_BYTES).toString('hex');
export const randomSpanId = (): string => randomBytes(SPAN_ID_BYTES).toString('hex');

function derived(bytes: number, ...parts: string[]): string {
  return createHash('sha256')
    .update(parts.join('|'))
    .digest('hex')
    .slice(0, bytes * 2);
}

const TRACEPARENT = /^00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})$/;

export interface SpanReference {
  traceId: string;
  spanId: string;
  traceFlags: number;
}

/** Null for what is no `traceparent`; ids of zeros are none (W3C Trace Context §3.2). */
export function parseTraceparent(text: unknown): SpanReference | null {
  const match = typeof text === 'string' ? TRACEPARENT.exec(text) : null;
  if (match === null) return null;
  const [, traceId = '', spanId = '', flags = ''] = match;
  if (/^0+$/.test(traceId) || /^0+$/.test(spanId)) return null;
  return { traceId, spanId, traceFlags: Number.parseInt(flags, 16) };
}

export const traceparentOf = ({ traceId, spanId, traceFlags }: SpanReference): string =>
  `00-${traceId}-${spanId}-${traceFlags.toString(16).padStart(2, '0')}`;
