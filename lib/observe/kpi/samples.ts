/**
 * Durations of a day as counts by value, so that days can be added up and taken apart again, and medians of any period
 * are exact. Values are kept to three digits: at most about 900 per power of ten, however many durations there are.
 */
export interface Samples {
  /** Exact, in milliseconds. */
  sum: number;
  /** How many durations have each rounded value, in milliseconds. */
  values: Record<string, number>;
}

/** Of a set of durations, in milliseconds; null where there is none. */
export interface Durations {
  count: number;
  meanMs: number | null;
  /** Nearest rank: half, or 95 in 100, of the durations are not longer. */
  medianMs: number | null;
  p95Ms: number | null;
}

const DIGITS = 3;

/** To three digits: 1234567 becomes 1230000. */
export function rounded(ms: number): number {
  const unit = 10 ** Math.max(0, Math.floor(Math.log10(Math.max(1, ms))) + 1 - DIGITS);
  return Math.round(ms / unit) * unit;
}

export const noSamples = (): Samples => ({ sum: 0, values: {} });

/** Adds a duration `times` times; a negative number takes it out again. */
export function addSample(samples: Samples, ms: number, times: number): void {
  samples.sum += ms * times;
  addValue(samples, String(rounded(ms)), times);
}

export function addSamples(into: Samples, { sum, values }: Samples): void {
  into.sum += sum;
  for (const [value, times] of Object.entries(values)) addValue(into, value, times);
}

function addValue({ values }: Samples, value: string, times: number): void {
  const count = (values[value] ?? 0) + times;
  if (count === 0) delete values[value];
  else values[value] = count;
}

export function durationsOf({ sum, values }: Samples): Durations {
  const sorted = Object.entries(values)
    .map(([value, times]) => [Number(value), times] as const)
    .sort(([a], [b]) => a - b);
  const count = sorted.reduce((total, [, times]) => total + times, 0);
  if (count === 0) return { count, meanMs: null, medianMs: null, p95Ms: null };
  return {
    count,
    meanMs: sum / count,
    medianMs: ranked(sorted, count, 0.5),
    p95Ms: ranked(sorted, count, 0.95),
  };
}

function ranked(sorted: readonly (readonly [number, number])[], count: number, share: number): number {
  let left = Math.ceil(share * count);
  for (const [value, times] of sorted) {
    left -= times;
    if (left <= 0) return value;
  }
  throw new Error('The counts of durations do not add up; the store was changed by hand.');
}
