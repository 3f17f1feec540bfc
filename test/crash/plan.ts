import { type Failpoint, failpoints } from '../../lib/engine/failpoints';
import { between, pick, type Random, seededRandom } from '../../simulator/kit/random';
import { FAULTS, type SeededFault } from '../support/faults';

/** What happens to a host, and when. Calls are those that the vendors have answered since it was started. */
export type Crash = { host: number } & (
  | { kind: 'failpoint'; point: Failpoint; arrival: number }
  | { kind: 'kill'; afterCalls: number; thenMs: number }
  /** As `kill`, and what no flush had brought to the disk is lost. */
  | { kind: 'power-cut'; afterCalls: number; thenMs: number }
  | { kind: 'kill-while-starting'; afterMs: number }
  /** An orderly end, as an update of the machine makes it. */
  | { kind: 'stop'; afterCalls: number; thenMs: number }
);

/** Everything about a seed that is decided before it is played. */
export interface Plan {
  seed: number;
  deals: number;
  /** Deals that a person touches again while they are on their way. */
  touched: number;
  faults: SeededFault[];
  crashes: Crash[];
  /**
   * How the flow makes projects in Kantata. `upsert`, as the template has it, looks for the project by itself, so that
   * the engine's probe has nothing to protect there; `create` relies on it.
   */
  projects: 'upsert' | 'create';
}

export interface PlanOptions {
  hosts: number;
  /** The power can be cut only where the harness can tell what was flushed. */
  powerCuts: boolean;
  /** Deals of every seed; without it 2 to 8, with several hosts twice as many. */
  deals: number | undefined;
}

const MORE_FAULTS: readonly SeededFault[] = [
  { kind: 'latency', probability: 0.1, ms: 60 },
  { kind: 'garble', probability: 0.01, mode: 'html' },
  { kind: 'garble', probability: 0.01, mode: 'empty' },
  { kind: 'garble', probability: 0.01, mode: 'no-id' },
  { kind: 'intercept', probability: 0.01, mode: 'html' },
  { kind: 'intercept', probability: 0.01, mode: 'empty' },
];

/** How much of the usual share of faults strikes; half of the seeds have fewer kinds, but all of them somewhere. */
const STRENGTHS = [0, 0.5, 1, 2];

export function planOf(seed: number, options: PlanOptions): Plan {
  const random = seededRandom(seed);
  const deals = options.deals ?? between(random, 2, 8) * (options.hosts > 1 ? 2 : 1);
  const strength = pick(random, STRENGTHS);
  const share = random() < 0.5 ? 1 : 0.5;
  const faults = [...FAULTS, ...MORE_FAULTS]
    .filter(() => random() < share)
    .map((fault) => ({ ...fault, probability: fault.probability * strength }))
    .filter(({ probability }) => probability > 0);
  // Without faults nothing goes wrong that could open a case.
  const points = failpoints.filter((point) => point !== 'case-opened' || faults.length > 0);
  return {
    seed,
    deals,
    touched: Math.min(deals, between(random, 0, 2)),
    faults,
    crashes: Array.from({ length: between(random, 2, 4) }, () => crash(random, deals, points, options)),
    projects: pick(random, ['upsert', 'create'] as const),
  };
}

/** As often as they are here: moments that a failpoint forces are the hardest. */
const KINDS: readonly Crash['kind'][] = [
  'failpoint',
  'failpoint',
  'failpoint',
  'failpoint',
  'kill',
  'kill',
  'kill-while-starting',
  'stop',
];

function crash(
  random: Random,
  deals: number,
  points: readonly Failpoint[],
  { hosts, powerCuts }: PlanOptions,
): Crash {
  const host = between(random, 0, hosts - 1);
  const kind = pick(random, powerCuts ? [...KINDS, 'power-cut' as const] : KINDS);
  switch (kind) {
    case 'failpoint': {
      const point = pick(random, points);
      return { host, kind, point, arrival: between(random, 1, mostArrivals(point, hosts > 1 ? 1 : deals)) };
    }
    case 'kill-while-starting':
      return { host, kind, afterMs: between(random, 50, 1_000) };
    default:
      return { host, kind, afterCalls: between(random, 1, deals * 8), thenMs: random() * 40 };
  }
}

/** As many arrivals as a host is likely to see of its deals: a failpoint that is never reached proves nothing. */
function mostArrivals(point: Failpoint, deals: number): number {
  const perDeal: Record<Failpoint, number> = {
    'event-accepted': 0,
    'run-claimed': 0.5,
    'intent-journaled': 5,
    'call-answered': 5,
    'probe-answered': 1,
    'outcome-journaled': 5,
    'case-opened': 0,
    'run-ended': 0.4,
  };
  return Math.max(1, Math.floor(perDeal[point] * deals));
}

/** The crash in a few words, for the line of its seed. */
export function inWords(crash: Crash): string {
  switch (crash.kind) {
    case 'failpoint':
      return `${crash.point}:${crash.arrival}`;
    case 'kill-while-starting':
      return `start+${crash.afterMs}ms`;
    default:
      return `${crash.kind}@${crash.afterCalls}`;
  }
}
