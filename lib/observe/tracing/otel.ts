import { AsyncLocalStorage } from 'node:async_hooks';
import { type Context, type Span, SpanKind, SpanStatusCode, type Tracer, trace } from '@opentelemetry/api';
import { setGlobalErrorHandler } from '@opentelemetry/core';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { detectResources, envDetector, resourceFromAttributes } from '@opentelemetry/resources';
import { BasicTracerProvider, BatchSpanProcessor, type IdGenerator } from '@opentelemetry/sdk-trace-base';
import type { EngineObserver, Log } from '../../engine';
import type { HttpCall } from '../../model/http-call';
import { randomSpanId, randomTraceId, traceparentOf } from '../../model/trace-context';
import { EngineSpans, type Ids } from './engine-spans';
import type { CallTraces, Tracing } from './tracing';

/**
 * Spans by OpenTelemetry, a part of its own that is loaded only where tracing is on. Nothing is registered globally, so
 * that an SDK which the host uses for itself is left alone.
 */
export function startTracing(log: Log): Tracing {
  setGlobalErrorHandler(toldOnce(log));
  return new OtelTracing();
}

const SERVICE_NAME = 'quote-to-cash';
const SILENCE_MS = 60_000;

/** A collector that is away would be told of with every batch. */
function toldOnce(log: Log): (problem: unknown) => void {
  let toldAt = Number.NEGATIVE_INFINITY;
  return (problem) => {
    if (performance.now() - toldAt < SILENCE_MS) return;
    toldAt = performance.now();
    log('warn', `Traces could not be sent: ${problem instanceof Error ? problem.message : String(problem)}`);
  };
}

/** Gives the ids that were worked out for a span, else random ones. */
class DerivedIds implements IdGenerator, Ids {
  private traceId: string | null = null;
  private spanId: string | null = null;

  /** @param start begins one span without parent, which gets these ids */
  with<T>(traceId: string, spanId: string | null, start: () => T): T {
    this.traceId = traceId;
    this.spanId = spanId;
    try {
      return start();
    } finally {
      this.traceId = null;
      this.spanId = null;
    }
  }

  generateTraceId(): string {
    return this.traceId ?? randomTraceId();
  }

  generateSpanId(): string {
    return this.spanId ?? randomSpanId();
  }
}

class OtelTracing implements Tracing {
  private readonly ids = new DerivedIds();
  private readonly provider: BasicTracerProvider;
  private readonly tracer: Tracer;
  /** The span that whatever happens now belongs to. */
  private readonly current = new AsyncLocalStorage<Context>();

  constructor() {
    this.provider = new BasicTracerProvider({
      resource: resourceFromAttributes({ 'service.name': SERVICE_NAME }).merge(
        detectResources({ detectors: [envDetector] }),
      ),
      idGenerator: this.ids,
      // Endpoint, headers, compression and time-outs are read from OTEL_EXPORTER_OTLP_*, batching from OTEL_BSP_*,
      // the sampler from OTEL_TRACES_SAMPLER.
      spanProcessors: [new BatchSpanProcessor(new OTLPTraceExporter())],
    });
    this.tracer = this.provider.getTracer('@quote-to-cash/node-red');
  }

  engine(tenant: string): EngineObserver {
    return new EngineSpans(tenant, this.tracer, this.ids, this.current);
  }

  calls(system: string): CallTraces | null {
    const context = this.current.getStore();
    const parent = context && trace.getSpanContext(context);
    if (parent === undefined) return null;
    return {
      traceparent: traceparentOf(parent),
      report: (calls) => {
        for (const call of calls) {
          const start = () => this.callSpan(system, call, context);
          end(call.spanId === null ? start() : this.ids.with(parent.traceId, call.spanId, start), call);
        }
      },
    };
  }

  private callSpan(system: string, { method, path, startedAt }: HttpCall, parent: Context | undefined): Span {
    const attributes = { 'http.request.method': method, 'url.path': path, 'q2c.target_system': system };
    const options = { kind: SpanKind.CLIENT, attributes, startTime: startedAt };
    return this.tracer.startSpan(method, options, parent);
  }

  async flush(timeoutMs: number): Promise<void> {
    await this.provider.forceFlush({ timeoutMillis: timeoutMs });
  }
}

function end(span: Span, { status, startedAt, ms }: HttpCall): void {
  if (status !== null) span.setAttribute('http.response.status_code', status);
  if (status === null) span.setStatus({ code: SpanStatusCode.ERROR, message: 'no complete answer' });
  else if (status >= 400) span.setStatus({ code: SpanStatusCode.ERROR });
  span.end(startedAt + ms);
}
