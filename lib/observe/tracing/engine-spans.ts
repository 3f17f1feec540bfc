import type { AsyncLocalStorage } from 'node:async_hooks';
import {
  type Attributes,
  type Context,
  type Link,
  ROOT_CONTEXT,
  type Span,
  SpanKind,
  SpanStatusCode,
  type Tracer,
  trace,
} from '@opentelemetry/api';
import type {
  ActiveRun,
  Beginning,
  EngineObserver,
  IntakeBatch,
  RunEnding,
  Step,
  StepOutcome,
  TakenUp,
} from '../../engine';
import { codeOfError } from '../../model/errors';
import { parseTraceparent, traceparentOf } from '../../model/trace-context';
import { eventSpanId, traceIdOf } from './ids';

/** Gives one span the ids that were worked out for it. */
export interface Ids {
  with<T>(traceId: string, spanId: string | null, start: () => T): T;
}

/**
 * Spans of what one engine does (guides §3): one trace per deal thread. Its roots are the spans of accepted events;
 * under them a span per passage of a run, per step, and per call or probe of the step. Names and amounts are never
 * attributes.
 */
export class EngineSpans implements EngineObserver {
  private readonly passages = new WeakMap<ActiveRun, Span>();

  constructor(
    private readonly tenant: string,
    private readonly tracer: Tracer,
    private readonly ids: Ids,
    private readonly current: AsyncLocalStorage<Context>,
  ) {}

  accepted(batch: IntakeBatch, { at, admitted }: TakenUp): void {
    for (const { arrival, admission } of admitted) {
      const { event, correlationId, subject } = arrival;
      const attributes = {
        ...this.inThread(correlationId, 'receive'),
        'messaging.message.id': event.id,
        'q2c.entity_id': subject,
        'q2c.source_system': batch.system,
        'q2c.event.result': admission,
      };
      this.root(`receive ${event.type}`, correlationId, eventSpanId(batch.source, event.id), {
        attributes,
        links: linksTo(event.traceparent),
        startTime: new Date(at),
      }).end();
    }
  }

  began(active: ActiveRun, { event, traceparent }: Beginning): void {
    const { run } = active;
    const attributes: Attributes = {
      ...this.inThread(run.correlationId, 'process'),
      'q2c.entity_id': run.orderingKey,
      'q2c.run.id': run.id,
      'q2c.run.attempt': run.attempt,
      ...(event && { 'messaging.message.id': event.id }),
    };
    const name = event === undefined ? 'process' : `process ${event.type}`;
    const options = { attributes, links: linksTo(traceparent) };
    const span =
      event === undefined
        ? this.root(name, run.correlationId, null, options)
        : this.tracer.startSpan(
            name,
            { ...options, kind: SpanKind.CONSUMER },
            this.eventContext(run.correlationId, event),
          );
    this.passages.set(active, span);
    active.traceparent = traceparentOf(span.spanContext());
  }

  ended(active: ActiveRun, how: RunEnding): void {
    const span = this.passages.get(active);
    if (span === undefined) return;
    span.setAttribute('q2c.run.state', how);
    if (how === 'failed') span.setStatus({ code: SpanStatusCode.ERROR });
    span.end();
  }

  async step(
    active: ActiveRun,
    step: Step,
    work: (step: Step) => Promise<StepOutcome>,
  ): Promise<StepOutcome> {
    const passage = this.passages.get(active);
    if (passage === undefined) return work(step);
    const attributes = {
      ...this.inThread(active.run.correlationId),
      'q2c.step': step.operation,
      'q2c.node.id': step.node.id,
      'q2c.target_system': step.system,
      'q2c.entity': step.operation.split('.')[0] ?? '',
      'q2c.entity_id': step.canonicalId,
    };
    const parent = trace.setSpan(ROOT_CONTEXT, passage);
    return this.within(`${step.system} ${step.operation}`, attributes, parent, async (span, context) => {
      const outcome = await work(this.watched(step, context));
      span.setAttribute('q2c.idempotency.outcome', outcome.origin);
      return outcome;
    });
  }

  /** The step with a span for each of its calls and probes. */
  private watched(step: Step, parent: Context): Step {
    const { probe } = step;
    return {
      ...step,
      call: (wire, info) =>
        this.within('call', { 'q2c.attempt': info.attempt }, parent, () => step.call(wire, info)),
      ...(probe && {
        probe: (wire, info) =>
          this.within('probe', {}, parent, async (span) => {
            const reply = await probe(wire, info);
            span.setAttribute('q2c.probe.found', reply !== null);
            return reply;
          }),
      }),
    };
  }

  /** Does work within a span of its own. Why it failed is told by code only: messages may hold names. */
  private async within<T>(
    name: string,
    attributes: Attributes,
    parent: Context,
    work: (span: Span, context: Context) => Promise<T>,
  ): Promise<T> {
    const span = this.tracer.startSpan(name, { attributes }, parent);
    const context = trace.setSpan(parent, span);
    try {
      return await this.current.run(context, () => work(span, context));
    } catch (error) {
      span.setStatus({ code: SpanStatusCode.ERROR });
      const code = codeOfError(error);
      if (code !== null) span.setAttribute('q2c.exception.code', code);
      throw error;
    } finally {
      span.end();
    }
  }

  private root(
    name: string,
    correlationId: string,
    spanId: string | null,
    options: { attributes?: Attributes; links?: Link[]; startTime?: Date } = {},
  ): Span {
    const start = () =>
      this.tracer.startSpan(name, { ...options, kind: SpanKind.CONSUMER, root: true }, ROOT_CONTEXT);
    return this.ids.with(traceIdOf(this.tenant, correlationId), spanId, start);
  }

  /**
   * The span of an accepted event, perhaps made by another host long ago, as the parent of its runs. What stands in for
   * it is never ended and so never sent; it was sampled, or not, just as the span itself.
   */
  private eventContext(correlationId: string, event: { source: string; id: string }): Context {
    const standIn = this.root('receive', correlationId, eventSpanId(event.source, event.id));
    return trace.setSpan(ROOT_CONTEXT, standIn);
  }

  private inThread(correlationId: string, operation?: 'receive' | 'process'): Attributes {
    return {
      'q2c.tenant': this.tenant,
      'messaging.message.conversation_id': correlationId,
      ...(operation && { 'messaging.system': 'q2c', 'messaging.operation.type': operation }),
    };
  }
}

/** A span of another program cannot be a parent, for the trace is the deal's; it is linked. */
function linksTo(traceparent: string | undefined): Link[] {
  const context = parseTraceparent(traceparent);
  return context === null ? [] : [{ context: { ...context, isRemote: true } }];
}
