import type { StepSummary } from './api/types';

/** Where the bar of a step lies, in percent of the time from the first step's start to the last one's end. */
export interface Bar {
  step: StepSummary;
  left: number;
  width: number;
}

/** Bars below this cannot be seen. */
const LEAST = 0.6;

/** Long breaks, such as a night until a repair, would squeeze everything else: none takes more of the scale than this. */
const LONGEST_BREAK_MS = 5_000;

/** Bars of steps on one scale, and how long the scale is without the breaks that were shortened. */
export function barsOf(steps: readonly StepSummary[]): {
  bars: Bar[];
  totalMs: number;
  isShortened: boolean;
} {
  const spans = steps.map((step) => {
    const start = Date.parse(step.startedAt);
    return { step, start, end: start + (step.durationMs ?? 0) };
  });
  const ordered = [...spans].sort((a, b) => a.start - b.start);
  const first = ordered[0];
  if (first === undefined) return { bars: [], totalMs: 0, isShortened: false };

  let reached = first.start;
  let cut = 0;
  const shift = new Map<StepSummary, number>();
  for (const { step, start, end } of ordered) {
    if (start - reached > LONGEST_BREAK_MS) cut += start - reached - LONGEST_BREAK_MS;
    shift.set(step, cut);
    reached = Math.max(reached, end);
  }
  const totalMs = Math.max(1, reached - first.start - cut);
  const bars = spans.map(({ step, start, end }) => {
    const left = ((start - first.start - (shift.get(step) ?? 0)) / totalMs) * 100;
    const width = Math.max(LEAST, ((end - start) / totalMs) * 100);
    return {
      step,
      left: Math.min(left, 100 - LEAST),
      width: Math.min(width, 100 - Math.min(left, 100 - LEAST)),
    };
  });
  return { bars, totalMs, isShortened: cut > 0 };
}
