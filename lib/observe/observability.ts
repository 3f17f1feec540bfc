import { type EngineObserver, type Log, observers } from '../engine';
import type { TaskObserver } from '../model';
import type { Store } from '../store';
import type { Family } from './accumulators';
import { type ConnectionState, connectionGauges, storeGauges } from './gauges';
import { CallMetrics, EngineMetrics } from './metrics';
import { type Tracing, type TracingEnv, tracingOf } from './tracing/tracing';

/** Time that the end of a host may take for the traces of its last work. */
const FLUSH_MS = 2_000;

/** Metrics and traces of this process, for all its engines and connections. */
class Observability {
  private readonly calls = new CallMetrics();
  private readonly engines = new WeakMap<Store, EngineMetrics>();
  private tracing: Tracing | null = null;

  /**
   * @param env says whether there are traces, and where they go
   * @returns the observer for the engine on this store
   */
  async observe(store: Store, tenant: string, env: TracingEnv, log: Log): Promise<EngineObserver> {
    const metrics = new EngineMetrics();
    this.engines.set(store, metrics);
    this.tracing = await tracingOf(env, log);
    return this.tracing === null ? metrics : observers(this.tracing.engine(tenant), metrics);
  }

  /** Measures and traces the HTTP calls of a system's connections: those that are made for one task. */
  callsOf(system: string): TaskObserver {
    const traces = this.tracing?.calls(system) ?? null;
    return {
      traceparent: traces?.traceparent ?? null,
      report: (calls) => {
        for (const { method, status, ms } of calls) this.calls.observe(system, method, status, ms);
        traces?.report(calls);
      },
    };
  }

  /** All metrics in Prometheus' text format. */
  async metrics(
    store: Store,
    connections: readonly ConnectionState[],
  ): Promise<{ contentType: string; text: string }> {
    const families: Family[] = [
      ...(this.engines.get(store)?.families() ?? []),
      ...this.calls.families(),
      ...connectionGauges(connections),
      ...(await storeGauges(store)),
    ];
    const { exposition } = await import('./prometheus');
    return exposition(families);
  }

  /** Sends the traces of work that has ended. @throws when that takes too long */
  async flush(): Promise<void> {
    await this.tracing?.flush(FLUSH_MS);
  }
}

export const observability = new Observability();
