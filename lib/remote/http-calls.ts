import { AsyncLocalStorage } from 'node:async_hooks';
import { type HttpCall, parseTraceparent, randomSpanId, type SpanReference, traceparentOf } from '../model';
import type { CallObserver } from '../systems/kit/types';

interface Task {
  parent: SpanReference | null;
  calls: HttpCall[];
}

/** Tells which HTTP calls are made for which task, however many tasks are under way. */
export class HttpCalls {
  private readonly current = new AsyncLocalStorage<Task>();

  /**
   * Does a task.
   * @param traceparent the span that its calls hang on; null where nothing is traced
   * @param calls gets its HTTP calls, as each one is over
   */
  during<T>(traceparent: string | null, calls: HttpCall[], work: () => Promise<T>): Promise<T> {
    return this.current.run({ parent: parseTraceparent(traceparent), calls }, work);
  }

  readonly observe: CallObserver = (call) => {
    const task = this.current.getStore();
    if (task === undefined) return {};
    const startedAt = performance.timeOrigin + performance.now();
    const spanId = task.parent && randomSpanId();
    return {
      ...(task.parent && spanId && { headers: { traceparent: traceparentOf({ ...task.parent, spanId }) } }),
      ended: (status, ms) => task.calls.push({ ...call, status, startedAt, ms, spanId }),
    };
  };
}
