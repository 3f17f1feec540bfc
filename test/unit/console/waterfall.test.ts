import type { StepSummary } from '../../../console/src/api/types';
import { barsOf } from '../../../console/src/waterfall';

const step = (startedAt: string, durationMs: number | null): StepSummary => ({
  key: startedAt,
  node: 'Customer',
  nodeId: 'n',
  system: 'netsuite',
  instance: 'org',
  operation: 'customer.upsert',
  canonicalId: 'cus_1',
  state: 'confirmed',
  origin: 'call',
  calls: 1,
  probes: 0,
  runAttempt: 1,
  startedAt,
  endedAt: null,
  durationMs,
  error: null,
  undoes: null,
  mappingVersion: null,
  decision: null,
});

test('bars lie where their steps were, on the scale of the whole run', () => {
  const { bars, totalMs, isShortened } = barsOf([
    step('2026-01-01T00:00:00.000Z', 1000),
    step('2026-01-01T00:00:01.000Z', 3000),
  ]);
  expect({ totalMs, isShortened }).toEqual({ totalMs: 4000, isShortened: false });
  expect(bars.map(({ left, width }) => [left, width])).toEqual([
    [0, 25],
    [25, 75],
  ]);
});

test('a night between two attempts takes five seconds of the scale, and that is told', () => {
  const { bars, totalMs, isShortened } = barsOf([
    step('2026-01-01T18:00:00.000Z', 1000),
    step('2026-01-02T08:00:00.000Z', 4000),
  ]);
  expect({ totalMs, isShortened }).toEqual({ totalMs: 10_000, isShortened: true });
  expect(bars[1]).toMatchObject({ left: 60, width: 40 });
});

test('steps without a length are seen, at the end too, and no bar leaves the scale', () => {
  const { bars } = barsOf([step('2026-01-01T00:00:00.000Z', 100), step('2026-01-01T00:00:00.100Z', null)]);
  for (const { left, width } of bars) {
    expect(width).toBeGreaterThan(0);
    expect(left + width).toBeLessThanOrEqual(100);
  }
  expect(barsOf([]).bars).toEqual([]);
});
