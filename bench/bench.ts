/**
 * `npm run bench`: the durable closed-won flow against the same number of HTTP calls wired by hand from core
 * nodes, and what the pack adds to the start of Node-RED. Figures are ratios of one run, because machines are
 * noisy; the last line is one JSON object with all of them.
 */
import { parseArgs } from 'node:util';
import { type FlowNode, Host } from '../test/support/host';
import packOnce from '../test/support/pack';
import { Simulator, SYSTEMS, templateFlow, type VendorControl, World } from '../test/support/world';
import { handWiredFlow, logIn } from './hand-wired';
import { measureStart, type StartFigures } from './start';

const { values } = parseArgs({
  options: {
    deals: { type: 'string', default: '1200' },
    /** Deals under way at once, on both sides; several numbers give a curve. */
    parallel: { type: 'string', default: '8,32' },
    rounds: { type: 'string', default: '3' },
    /** Deals before the clock starts, on both sides: V8 compiles the durable flow's code for some ten seconds. */
    'warm-up': { type: 'string', default: '2400' },
  },
});
const deals = Number(values.deals);
const parallels = values.parallel.split(',').map(Number);
const rounds = Number(values.rounds);
const warmUp = Number(values['warm-up']);
/**
 * Each deal is the first one of its customer: for later ones the durable flow makes fewer calls, as the journal knows what
 * it has written of the customer, and a flow without a memory cannot do the same.
 */
const customers = { newAccounts: true } as const;

/**
 * NetSuite's own limit would make the hand-wired flow fail with 429: both sides get an account without it, and connections
 * that make as many calls at once as they are asked for, as the hand-wired flow does.
 */
const NO_LIMIT = 1000;

interface Round {
  calls: number;
  seconds: number;
}

interface Pair {
  durable: Round;
  hand: Round;
}

async function main(): Promise<void> {
  await packOnce();
  const pairs = new Map<number, Pair[]>(parallels.map((parallel) => [parallel, []]));
  for (let round = 1; round <= rounds; round++) {
    for (const [parallel, done] of pairs) {
      const durable = await durableRound(parallel);
      const hand = await handWiredRound(parallel, Math.round(durable.calls / deals));
      const pair = { durable, hand };
      done.push(pair);
      console.log(
        `round ${round}, ${parallel} at once: durable ${show(durable)}; by hand ${show(hand)}; ratio ${ratioOf(pair).toFixed(2)}`,
      );
    }
  }
  report(pairs, await measureStart(rounds + 2));
}

async function durableRound(parallel: number): Promise<Round> {
  const flow = templateFlow((node) => {
    if (node.type === 'q2c-salesforce-events')
      Object.assign(node, { concurrency: String(parallel), interval: '5' });
    if (node.type.endsWith('-connection')) node.concurrency = String(NO_LIMIT);
    if (node.type === 'debug') node.active = false;
  });
  const world = await World.start({ flow });
  try {
    await unlimited(world.simulator);
    await world.simulator.closeDeals(warmUp, customers);
    const warm = new Set((await world.settled(warmUp, 600_000)).map(({ id }) => id));
    // Right after a look for won deals, so that the next one finds all of these at once.
    await world.simulator.polledAgain();
    const before = await callsOf(world.simulator);
    await world.simulator.closeDeals(deals, customers);
    const all = await world.settled(warmUp + deals, 600_000);
    const runs = all.filter(({ id }) => !warm.has(id));
    const bad = runs.filter(({ state }) => state !== 'completed');
    if (bad.length > 0) throw new Error(`${bad.length} of ${deals} durable runs did not complete`);
    const started = Math.min(...runs.map(({ startedAt }) => Date.parse(startedAt ?? '')));
    const ended = Math.max(...runs.map(({ endedAt }) => Date.parse(endedAt ?? '')));
    return { calls: (await callsOf(world.simulator)) - before, seconds: (ended - started) / 1000 };
  } finally {
    await world.stop();
  }
}

async function handWiredRound(parallel: number, callsPerDeal: number): Promise<Round> {
  const simulator = await Simulator.start();
  const host = await Host.start();
  try {
    await unlimited(simulator);
    await host.deploy(handWiredFlow(await logIn(simulator), callsPerDeal) as FlowNode[]);
    const work = async (count: number) => {
      const opportunities = (await simulator.closeDeals(count, customers)).map(
        ({ opportunityId }) => opportunityId,
      );
      const before = await callsOf(simulator);
      const started = performance.now();
      const answer = await host.request('POST', '/bench', { opportunities, parallel });
      const seconds = (performance.now() - started) / 1000;
      const { failed } = answer as { failed: number };
      if (failed > 0)
        throw new Error(`${failed} calls of the hand-wired flow failed:\n${host.output.slice(-2000)}`);
      return { calls: (await callsOf(simulator)) - before, seconds };
    };
    await work(warmUp);
    return await work(deals);
  } finally {
    await host.dispose();
    await simulator.stop();
  }
}

/** Calls all vendors have answered so far. */
async function callsOf(simulator: VendorControl): Promise<number> {
  const counts = await Promise.all(SYSTEMS.map((system) => simulator.requestCount(system)));
  return counts.reduce((sum, count) => sum + count, 0);
}

async function unlimited(simulator: VendorControl): Promise<void> {
  const [account] = await simulator.records('netsuite', 'account');
  if (account === undefined) throw new Error('The simulated NetSuite has no account record');
  await simulator.patch('netsuite', 'account', account.id, { concurrencyLimit: NO_LIMIT });
}

const rate = ({ calls, seconds }: Round): number => calls / seconds;
const ratioOf = ({ durable, hand }: Pair): number => rate(durable) / rate(hand);
const show = (round: Round): string => `${round.calls} calls in ${round.seconds.toFixed(1)} s`;

function median(numbers: number[]): number {
  const sorted = numbers.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

function report(pairs: ReadonlyMap<number, readonly Pair[]>, start: StartFigures): void {
  const curve = [...pairs].map(([parallel, done]) => ({
    parallel,
    ratio: rounded(median(done.map(ratioOf)), 100),
    ratios: done.map((pair) => rounded(ratioOf(pair), 100)),
    durableRunsPerSecond: rounded(median(done.map(({ durable }) => deals / durable.seconds)), 10),
    durableCallsPerSecond: rounded(median(done.map(({ durable }) => rate(durable))), 1),
    handWiredCallsPerSecond: rounded(median(done.map(({ hand }) => rate(hand))), 1),
    callsPerDeal: rounded(median(done.map(({ durable }) => durable.calls / deals)), 10),
  }));
  for (const at of curve) {
    console.log(`
durable flow against hand-wired calls, ${at.parallel} deals at once   ratio ${at.ratio} (median of ${at.ratios.join(', ')})
  durable     ${at.durableRunsPerSecond} runs/s, ${at.durableCallsPerSecond} calls/s
  by hand     ${at.handWiredCallsPerSecond} calls/s`);
  }
  console.log(
    `\nstart of Node-RED with the pack         +${start.startAddedMs} ms, +${start.startAddedMb} MB`,
  );
  console.log(JSON.stringify({ deals, rounds, curve, ...start }));
}

const rounded = (value: number, per: number): number => Math.round(value * per) / per;

main().catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
