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
    deals: { type: 'string', default: '200' },
    parallel: { type: 'string', default: '8' },
    rounds: { type: 'string', default: '3' },
  },
});
const deals = Number(values.deals);
const parallel = Number(values.parallel);
const rounds = Number(values.rounds);

/** Deals before the clock starts, on both sides: code is loaded and compiled, logins are made. */
const WARM_UP = 60;
/** NetSuite's own limit would make the hand-wired flow fail with 429: both sides get an account without it. */
const NO_LIMIT = 1000;

interface Round {
  calls: number;
  seconds: number;
}

async function main(): Promise<void> {
  await packOnce();
  const durable: Round[] = [];
  const hand: Round[] = [];
  for (let round = 0; round < rounds; round++) {
    durable.push(await durableRound());
    const callsPerDeal = Math.round((durable.at(-1)?.calls ?? 0) / deals);
    hand.push(await handWiredRound(callsPerDeal));
    const [d, h] = [durable.at(-1), hand.at(-1)];
    if (d && h)
      console.log(
        `round ${round + 1}: durable ${show(d)}; by hand ${show(h)}; ratio ${ratioOf(d, h).toFixed(2)}`,
      );
  }
  const start = await measureStart(rounds + 2);
  report(durable, hand, start);
}

async function durableRound(): Promise<Round> {
  const flow = templateFlow((node) => {
    if (node.type === 'q2c-salesforce-events')
      Object.assign(node, { concurrency: String(parallel), interval: '5' });
    if (node.type === 'debug') node.active = false;
  });
  const world = await World.start({ flow });
  try {
    await unlimited(world.simulator);
    await world.simulator.closeDeals(WARM_UP);
    const warm = new Set((await world.settled(WARM_UP, 600_000)).map(({ id }) => id));
    // Right after a look for won deals, so that the next one finds all of these at once.
    await world.simulator.polledAgain();
    const before = await callsOf(world.simulator);
    await world.simulator.closeDeals(deals);
    const all = await world.settled(WARM_UP + deals, 600_000);
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

async function handWiredRound(callsPerDeal: number): Promise<Round> {
  const simulator = await Simulator.start();
  const host = await Host.start();
  try {
    await unlimited(simulator);
    const opportunities = (await simulator.closeDeals(deals)).map(({ opportunityId }) => opportunityId);
    await host.deploy(handWiredFlow(await logIn(simulator), callsPerDeal) as FlowNode[]);
    const before = await callsOf(simulator);
    const started = performance.now();
    const { failed } = (await host.request('POST', '/bench', { opportunities, parallel })) as {
      failed: number;
    };
    const seconds = (performance.now() - started) / 1000;
    if (failed > 0)
      throw new Error(`${failed} calls of the hand-wired flow failed:\n${host.output.slice(-2000)}`);
    return { calls: (await callsOf(simulator)) - before, seconds };
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
const ratioOf = (durable: Round, hand: Round): number => rate(durable) / rate(hand);
const show = (round: Round): string => `${round.calls} calls in ${round.seconds.toFixed(1)} s`;

function median(numbers: number[]): number {
  const sorted = numbers.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

function report(durable: Round[], hand: Round[], start: StartFigures): void {
  const ratios = durable.map((round, index) => ratioOf(round, hand[index] ?? round));
  const figures = {
    deals,
    parallel,
    rounds,
    callsPerDeal: Math.round(median(durable.map(({ calls }) => calls / deals)) * 10) / 10,
    durableCallsPerSecond: Math.round(median(durable.map(rate))),
    durableRunsPerSecond: Math.round(median(durable.map(({ seconds }) => deals / seconds)) * 10) / 10,
    handWiredCallsPerSecond: Math.round(median(hand.map(rate))),
    ratio: Math.round(median(ratios) * 100) / 100,
    ...start,
  };
  console.log(`
durable flow against hand-wired calls   ratio ${figures.ratio} (median of ${rounds}; ${ratios.map((r) => r.toFixed(2)).join(', ')})
  durable     ${figures.durableRunsPerSecond} runs/s, ${figures.durableCallsPerSecond} calls/s
  by hand     ${figures.handWiredCallsPerSecond} calls/s
start of Node-RED with the pack         +${figures.startAddedMs} ms, +${figures.startAddedMb} MB`);
  console.log(JSON.stringify(figures));
}

main().catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
