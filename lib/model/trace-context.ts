import { randomBytes } from 'node:crypto';

/** W3C Trace Context: what a message or a call carries so that others can hang their spans on it. */

const TRACE_ID_BYTES = 16;
const SPAN_ID_BYTES = 8;

export interface SpanReference {
  traceId: string;
  spanId: string;
  traceFlags: number;
}

export const randomTraceId = (): string => randomBytes(TRACE_ID_BYTES).toString('hex');
export const randomSpanId = (): string => randomBytes(SPAN_ID_BYTES).toString('hex');

const TRACEPARENT = /^00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})$/;

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
