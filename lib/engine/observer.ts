import type { Instant } from '../model';
import type { RunRow } from '../store';
import type { Admitted } from './order';
import type { ActiveRun } from './tracker';
import type { DispatchedRun, IntakeBatch, Step, StepOutcome } from './types';

/**
 * Whoever measures or traces what the engine does. It is called on the way of the work: it must cost next to nothing,
 * never throw, and never keep anything from going on.
 */
export interface EngineObserver {
  /** Events of a source were taken up and committed. */
  accepted?(batch: IntakeBatch, taken: TakenUp): void;
  /** A run sets out. */
  began?(active: ActiveRun, from: Beginning): void;
  ended?(active: ActiveRun, how: RunEnding): void;
  /**
   * Stands around one step.
   * @param work does the step, or one put in its place, such as one whose calls are watched
   */
  step?(active: ActiveRun, step: Step, work: (step: Step) => Promise<StepOutcome>): Promise<StepOutcome>;
}

/** What became of the events of a batch. */
export interface TakenUp {
  at: Instant;
  /** Those that were not known. */
  admitted: readonly Admitted[];
  duplicates: number;
}

/** Where a run comes from; a message without a source has neither row nor event. */
export interface Beginning {
  /** As it was in the queue. */
  row?: RunRow;
  /** Absent where it goes on with messages that were kept. */
  event?: DispatchedRun['event'];
  /** Span outside that sent the message (W3C Trace Context). */
  traceparent?: string;
}

/** `interrupted`: a deploy, the end of the host or another host broke it off; it goes on or begins anew elsewhere. */
export type RunEnding = 'completed' | 'failed' | 'waiting' | 'interrupted';

/** One observer of several. The first stands outermost around steps. */
export function observers(...all: readonly EngineObserver[]): EngineObserver {
  if (all.length === 1 && all[0] !== undefined) return all[0];
  return {
    accepted: (batch, taken) => {
      for (const each of all) each.accepted?.(batch, taken);
    },
    began: (active, from) => {
      for (const each of all) each.began?.(active, from);
    },
    ended: (active, how) => {
      for (const each of all) each.ended?.(active, how);
    },
    step: (active, step, work) =>
      all.reduceRight<typeof work>((inner, each) => {
        const around = each.step?.bind(each);
        return around === undefined ? inner : (given) => around(active, given, inner);
      }, work)(step),
  };
}
