import type {
  ActiveRun,
  Beginning,
  EngineObserver,
  IntakeBatch,
  RunEnding,
  Step,
  StepOutcome,
  TakenUp,
} from '../engine';
import { codeOfError } from '../model';
import { Counter, DURATIONS, type Family, Histogram, LAGS } from './accumulators';

/** What one engine does, counted since its start (docs/observability.md). Labels never hold data of customers. */
export class EngineMetrics implements EngineObserver {
  private readonly events = new Counter({
    name: 'q2c_events_total',
    help: 'Events of sources by what became of them at once',
    labels: ['system', 'result'],
  });
  private readonly acceptLag = new Histogram(
    {
      name: 'q2c_event_accept_lag_seconds',
      help: 'From the time of an event to its acceptance',
      labels: ['system'],
    },
    LAGS,
  );
  private readonly dispatchLag = new Histogram(
    {
      name: 'q2c_run_dispatch_lag_seconds',
      help: 'From the acceptance of an event to the start of its run',
      labels: [],
    },
    LAGS,
  );
  private readonly begun = new Counter({
    name: 'q2c_runs_started_total',
    help: 'Passages of runs through their flows; again = retried or begun anew',
    labels: ['passage'],
  });
  private readonly ends = new Counter({
    name: 'q2c_runs_ended_total',
    help: 'Ends of passages of runs',
    labels: ['state'],
  });
  private readonly runDurations = new Histogram(
    {
      name: 'q2c_run_duration_seconds',
      help: 'Time of a passage of a run through its flow',
      labels: ['state'],
    },
    DURATIONS,
  );
  private readonly steps = new Counter({
    name: 'q2c_steps_total',
    help: 'Steps by their outcome: where the result came from, or the code of the failure',
    labels: ['system', 'operation', 'outcome'],
  });
  private readonly stepDurations = new Histogram(
    {
      name: 'q2c_step_duration_seconds',
      help: 'Time of a step with its retries and probes',
      labels: ['system', 'operation'],
    },
    DURATIONS,
  );
  private readonly calls = new Counter({
    name: 'q2c_step_calls_total',
    help: 'Calls of steps by their result: ok, or the kind of the failure',
    labels: ['system', 'operation', 'result'],
  });
  private readonly retries = new Counter({
    name: 'q2c_step_retries_total',
    help: 'Calls of steps that were not their first',
    labels: ['system', 'operation'],
  });
  private readonly probes = new Counter({
    name: 'q2c_step_probes_total',
    help: 'Probes after uncertain calls by what they found: found, absent, or the kind of the failure',
    labels: ['system', 'operation', 'result'],
  });
  private readonly startedAt = new WeakMap<ActiveRun, number>();

  accepted({ system, events }: IntakeBatch, { at, admitted, duplicates }: TakenUp): void {
    if (events.length === 0) return;
    const acceptedAt = Date.parse(at);
    this.events.add([system, 'duplicate'], duplicates);
    for (const { admission, arrival } of admitted) {
      this.events.add([system, admission]);
      this.acceptLag.observe([system], secondsBetween(Date.parse(arrival.event.time), acceptedAt));
    }
  }

  began(active: ActiveRun, { row }: Beginning): void {
    const now = Date.now();
    this.startedAt.set(active, now);
    const isFirst = active.run.attempt === 1 && !active.isResumption && (row?.started_at ?? null) === null;
    this.begun.add([isFirst ? 'first' : 'again']);
    if (row !== undefined && isFirst) {
      this.dispatchLag.observe([], secondsBetween(Date.parse(row.created_at), now));
    }
  }

  ended(active: ActiveRun, how: RunEnding): void {
    this.ends.add([how]);
    const startedAt = this.startedAt.get(active);
    if (startedAt !== undefined) this.runDurations.observe([how], secondsBetween(startedAt, Date.now()));
  }

  async step(
    _active: ActiveRun,
    step: Step,
    work: (step: Step) => Promise<StepOutcome>,
  ): Promise<StepOutcome> {
    const { system, operation } = step;
    const startedAt = performance.now();
    try {
      const outcome = await work(this.watched(step));
      this.steps.add([system, operation, outcome.origin]);
      return outcome;
    } catch (error) {
      this.steps.add([system, operation, codeOfError(error) ?? 'NODE_FAILED']);
      throw error;
    } finally {
      this.stepDurations.observe([system, operation], (performance.now() - startedAt) / 1000);
    }
  }

  families(): Family[] {
    const { events, acceptLag, dispatchLag, begun, ends, runDurations } = this;
    const { steps, stepDurations, calls, retries, probes } = this;
    return [
      ...[events, acceptLag, dispatchLag, begun, ends, runDurations],
      ...[steps, stepDurations, calls, retries, probes],
    ].map((metric) => metric.family());
  }

  /** The step with its calls and probes counted. */
  private watched(step: Step): Step {
    const { system, operation, probe } = step;
    return {
      ...step,
      call: async (wire, info) => {
        if (info.attempt > 1) this.retries.add([system, operation]);
        try {
          const reply = await step.call(wire, info);
          this.calls.add([system, operation, 'ok']);
          return reply;
        } catch (error) {
          this.calls.add([system, operation, step.classify(error).kind]);
          throw error;
        }
      },
      ...(probe && {
        probe: async (wire, info) => {
          try {
            const reply = await probe(wire, info);
            this.probes.add([system, operation, reply === null ? 'absent' : 'found']);
            return reply;
          } catch (error) {
            this.probes.add([system, operation, step.classify(error).kind]);
            throw error;
          }
        },
      }),
    };
  }
}

/** HTTP calls of all connections of this host, counted since its start. */
export class CallMetrics {
  private readonly calls = new Counter({
    name: 'q2c_http_requests_total',
    help: 'Calls of vendors by status; none = no complete answer',
    labels: ['system', 'method', 'status'],
  });
  private readonly durations = new Histogram(
    {
      name: 'q2c_http_request_duration_seconds',
      help: 'Time of a call of a vendor',
      labels: ['system', 'method'],
    },
    DURATIONS,
  );

  observe(system: string, method: string, status: number | null, ms: number): void {
    this.calls.add([system, method, status === null ? 'none' : String(status)]);
    this.durations.observe([system, method], ms / 1000);
  }

  families(): Family[] {
    return [this.calls.family(), this.durations.family()];
  }
}

/** Clocks of several machines differ: what seems to come from the future took no time. */
const secondsBetween = (from: number, to: number): number => Math.max(0, to - from) / 1000;
