/**
 * `npm run bench`: the durable closed-won flow against the same number of HTTP calls wired by hand from core
 * nodes, and what the pack adds to the start of Node-RED. Figures are ratios of one run, because machines are
 * noisy; the last line is one JSON object with all of them.
 */
import { parseArgs } from 'node:util';
import { type FlowNode, Host } from '../test/support/host';
import packOnce from '../test/support/pack';
import { SYSTEMS, startVendors, type VendorControl } from '../test/support/vendors';
import { templateFlow, World } from '../test/support/world';
import { handWiredFlow, logIn } from './hand-wired';
import { median } from './median';
import { measureStart, type StartFigures } from './start';

const { values } = parseArgs({
  options: {
    /** Of a turn, besides those that lead in. */
    deals: { type: 'string', default: '600' },
    /** Deals under way at once, on both sides; several numbers give a curve. */
    parallel: { type: 'string', default: '8,32' },
    turns: { type: 'string', default: '6' },
    /** Deals before the clock starts, on both sides: V8 compiles the durable flow's code for some ten seconds. */
    'warm-up': { type: 'string', default: '2400' },
    /** Whether the simulated vendors share one process, and with it one thread, on both sides. */
    vendors: { type: 'string', default: 'apart' },
  },
});
const deals = Number(values.deals);
const parallels = values.parallel.split(',').map(Number);
const turns = Number(values.turns);
/** First deals of a turn, which do not count: after some seconds without work a flow is slower at first. */
const LEAD_IN = 200;
const warmUp = Number(values['warm-up']);
const vendors = placeOf(values.vendors);
if (!(warmUp > LEAD_IN && deals > 0 && turns > 0))
  throw new Error(`--warm-up is a number above ${LEAD_IN}, --deals and --turns are numbers above 0.`);
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

function placeOf(given: string): 'apart' | 'beside' {
  if (given === 'apart') return 'apart';
  if (given === 'together') return 'beside';
  throw new Error(`--vendors is apart or together, not "${given}".`);
}

/** What a side has done with the deals of a turn. */
interface Done {
  calls: number;
  seconds: number;
}

/** One of the two flows, in a host and with vendors of its own. */
interface Side {
  /** @returns of all but the first deals */
  work(count: number): Promise<Done>;
  stop(): Promise<void>;
}

interface Turn {
  durable: Done;
  hand: Done;
}

/** @param ended when each deal was through, in milliseconds */
function doneOf(calls: number, ended: readonly number[]): Done {
  const sorted = ended.toSorted((a, b) => a - b);
  const counted = ended.length - LEAD_IN;
  const ms = (sorted.at(-1) ?? Number.NaN) - (sorted[LEAD_IN - 1] ?? Number.NaN);
  return { calls: Math.round((calls * counted) / ended.length), seconds: ms / 1000 };
}

async function main(): Promise<void> {
  await packOnce();
  const curve = new Map<number, Turn[]>();
  for (const parallel of parallels) curve.set(parallel, await takeTurns(parallel));
  report(curve, await measureStart(5));
}

/** Both sides stay up and take turns: the machine is half as fast in some minutes as in others. */
async function takeTurns(parallel: number): Promise<Turn[]> {
  const durableSide = await startDurable(parallel);
  try {
    const { calls } = await durableSide.work(warmUp);
    const handSide = await startHandWired(parallel, Math.round(calls / (warmUp - LEAD_IN)));
    try {
      await handSide.work(warmUp);
      const done: Turn[] = [];
      for (let number = 1; number <= turns; number++) {
        const turn = await inTurn(durableSide, handSide, number % 2 === 1);
        done.push(turn);
        console.log(
          `turn ${number}, ${parallel} at once: durable ${show(turn.durable)}; by hand ${show(turn.hand)}; ratio ${ratioOf(turn).toFixed(2)}`,
        );
      }
      return done;
    } finally {
      await handSide.stop();
    }
  } finally {
    await durableSide.stop();
  }
}

/** Who begins changes, as the machine may get slower or faster in the middle of a turn. */
async function inTurn(durableSide: Side, handSide: Side, durableFirst: boolean): Promise<Turn> {
  const count = LEAD_IN + deals;
  if (durableFirst) return { durable: await durableSide.work(count), hand: await handSide.work(count) };
  const hand = await handSide.work(count);
  return { durable: await durableSide.work(count), hand };
}

async function startDurable(parallel: number): Promise<Side> {
  const flow = templateFlow((node) => {
    if (node.type === 'q2c-salesforce-events')
      Object.assign(node, { concurrency: String(parallel), interval: '5' });
    if (node.type.endsWith('-connection')) node.concurrency = String(NO_LIMIT);
    if (node.type === 'debug') node.active = false;
  });
  const world = await World.start({ flow, vendors });
  const { simulator } = world;
  await unlimited(simulator);
  const ended = new Set<string>();
  return {
    async work(count) {
      // Right after a look for won deals, so that the next one finds all of these at once.
      await simulator.polledAgain();
      const before = await callsOf(simulator);
      await simulator.closeDeals(count, customers);
      const runs = (await world.settled(ended.size + count, 600_000)).filter(({ id }) => !ended.has(id));
      const calls = (await callsOf(simulator)) - before;
      for (const { id, state } of runs) {
        if (state !== 'completed') throw new Error(`Run ${id} is ${state}`);
        ended.add(id);
      }
      return doneOf(
        calls,
        runs.map(({ endedAt }) => Date.parse(endedAt ?? '')),
      );
    },
    stop: () => world.stop(),
  };
}

async function startHandWired(parallel: number, callsPerDeal: number): Promise<Side> {
  const simulator = await startVendors(vendors);
  const host = await Host.start();
  await unlimited(simulator);
  await host.deploy(handWiredFlow(await logIn(simulator), callsPerDeal) as FlowNode[]);
  return {
    async work(count) {
      const opportunities = (await simulator.closeDeals(count, customers)).map(
        ({ opportunityId }) => opportunityId,
      );
      const before = await callsOf(simulator);
      const answer = await host.request('POST', '/bench', { opportunities, parallel });
      const { failed, ended } = answer as { failed: number; ended: number[] };
      if (failed > 0)
        throw new Error(`${failed} calls of the hand-wired flow failed:\n${host.output.slice(-2000)}`);
      return doneOf((await callsOf(simulator)) - before, ended);
    },
    async stop() {
      await host.dispose();
      await simulator.stop();
    },
  };
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

const rate = ({ calls, seconds }: Done): number => calls / seconds;
const ratioOf = ({ durable, hand }: Turn): number => rate(durable) / rate(hand);
const show = (done: Done): string => `${done.calls} calls in ${done.seconds.toFixed(1)} s`;

function report(turnsOf: ReadonlyMap<number, readonly Turn[]>, start: StartFigures): void {
  const curve = [...turnsOf].map(([parallel, done]) => ({
    parallel,
    ratio: rounded(median(done.map(ratioOf)), 100),
    ratios: done.map((turn) => rounded(ratioOf(turn), 100)),
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
  console.log(JSON.stringify({ deals, turns, vendors: values.vendors, curve, ...start }));
}

const rounded = (value: number, per: number): number => Math.round(value * per) / per;

main().catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
