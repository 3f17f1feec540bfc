import type { EngineObserver, Log } from '../../engine';
import type { TaskObserver } from '../../model/http-call';

/** Traces of this process. */
export interface Tracing {
  /** Makes the spans of one engine. */
  engine(tenant: string): EngineObserver;
  /**
   * For the HTTP calls that are made for the step at work.
   * @returns null when no step is at work, as in polls
   */
  calls(system: string): CallTraces | null;
  /** Sends what has ended and waits at most `timeoutMs` for it. */
  flush(timeoutMs: number): Promise<void>;
}

/** Of tasks that belong to a step. */
export type CallTraces = TaskObserver & { traceparent: string };

export type TracingEnv = Readonly<Record<string, string | undefined>>;

/**
 * Whether the environment asks for traces, by the variables that every OpenTelemetry SDK knows: an endpoint is named, or
 * the exporter is, and neither switches them off.
 */
export function isTracingOn(env: TracingEnv): boolean {
  const { OTEL_SDK_DISABLED: disabled, OTEL_TRACES_EXPORTER: exporter } = env;
  if (disabled?.trim().toLowerCase() === 'true') return false;
  const isNamed = exporter?.split(',').some((name) => name.trim() === 'otlp') === true;
  if (exporter?.trim() && !isNamed) return false;
  return isNamed || isSet(env.OTEL_EXPORTER_OTLP_ENDPOINT) || isSet(env.OTEL_EXPORTER_OTLP_TRACES_ENDPOINT);
}

const isSet = (value: string | undefined): boolean => value !== undefined && value.trim() !== '';

let started: Promise<Tracing> | null = null;

/** The traces of this process; null where the environment does not ask for them, and then nothing is loaded. */
export async function tracingOf(env: TracingEnv, log: Log): Promise<Tracing | null> {
  if (!isTracingOn(env)) return null;
  started ??= import('./otel').then(({ startTracing }) => startTracing(log));
  return started;
}
