import { failpoints } from '../../../lib/engine/failpoints';
import { type Plan, planOf } from '../../crash/plan';

const options = { hosts: 3, powerCuts: true, deals: undefined };
const seeds = Array.from({ length: 500 }, (_, index) => index + 1);
const plans = seeds.map((seed) => planOf(seed, options));
const crashes = plans.flatMap((plan) => plan.crashes);
const seen = <T>(values: (plan: Plan) => T[]) => new Set(plans.flatMap(values));

test('the same seed is the same plan', () => {
  expect(seeds.map((seed) => planOf(seed, options))).toEqual(plans);
});

test('every failpoint, kind of crash, host and kind of fault is there in a run of seeds', () => {
  expect(seen(({ crashes: each }) => each.map(({ kind }) => kind))).toEqual(
    new Set(['failpoint', 'kill', 'power-cut', 'kill-while-starting', 'stop']),
  );
  const points = crashes.flatMap((crash) => (crash.kind === 'failpoint' ? [crash.point] : []));
  expect(new Set(points)).toEqual(new Set(failpoints));
  expect(seen(({ crashes: each }) => each.map(({ host }) => host))).toEqual(new Set([0, 1, 2]));
  expect(seen(({ faults }) => faults.map(({ kind }) => kind))).toEqual(
    new Set([
      'latency',
      'status',
      'rate-limit',
      'reset',
      'commit-then-drop',
      'commit-then-timeout',
      'partial-page',
      'garble',
      'intercept',
      'expire-token',
    ]),
  );
});

test('no power is cut where nobody can tell what was flushed', () => {
  const kinds = seeds.flatMap((seed) => planOf(seed, { ...options, powerCuts: false }).crashes);
  expect(kinds.some(({ kind }) => kind === 'power-cut')).toBe(false);
});
