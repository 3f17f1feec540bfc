import { setTimeout as sleep } from 'node:timers/promises';
import { seededRandom } from '../../simulator/kit/random';
import { until } from '../support/engine';
import { judge, readRecords } from '../support/judge';
import { chosenSeed } from '../support/seed';
import { storeComplaints } from '../support/store-judge';
import { type ClosedDeal, SYSTEMS, type VendorControl } from '../support/vendors';
import { World } from '../support/world';

const DEALS = 50;
const seed = chosenSeed('crash');
const random = seededRandom(seed);

let world: World;
let simulator: VendorControl;

beforeEach(async () => {
  world = await World.start();
  ({ simulator } = world);
}, 120_000);

afterEach(() => world?.stop());

/** Calls the vendors have answered or begun to answer. */
async function calls(): Promise<number> {
  const counts = await Promise.all(SYSTEMS.map((system) => simulator.requestCount(system)));
  return counts.reduce((sum, count) => sum + count, 0);
}

/**
 * Lets some more calls through, kills the host at an odd moment, and starts it again.
 * @returns steps whose call had left, or was about to, when the host died
 */
async function crash(fewest: number, most: number): Promise<number> {
  const mark = (await calls()) + fewest + Math.floor(random() * (most - fewest));
  await until('the runs to go on', async () => (await calls()) >= mark, 60_000);
  await sleep(random() * 40);
  await world.host.kill();
  const interrupted = await openIntents();
  await world.startHost();
  return interrupted;
}

async function openIntents(): Promise<number> {
  const [row] = await world.store.rows("select count(*) as count from step where state = 'intent'");
  return Number(row?.count);
}

/** Waits for the end and compares vendors and store with what was closed. */
async function expectAllDone(deals: ClosedDeal[]): Promise<void> {
  const runs = await world.settled(DEALS, 120_000);
  expect(runs.filter(({ state }) => state !== 'completed')).toEqual([]);
  expect(runs).toHaveLength(DEALS);
  expect(await world.openCases()).toEqual([]);
  expect(
    judge(
      await readRecords(simulator),
      deals.map(({ opportunityId }) => opportunityId),
    ),
  ).toEqual([]);
  await world.host.stop();
  expect(await storeComplaints(world.store)).toEqual([]);
}

test(`killed five times in the middle of ${DEALS} deals (seed ${seed})`, async () => {
  const deals = await simulator.closeDeals(DEALS);
  let interrupted = 0;
  for (let kill = 0; kill < 5; kill++) {
    interrupted += await crash(20, 150);
  }
  expect(interrupted).toBeGreaterThan(0);
  await expectAllDone(deals);
}, 240_000);

test(`killed while replies are lost after the commit (seed ${seed})`, async () => {
  for (const [index, system] of SYSTEMS.entries()) {
    await simulator.fault(system, { kind: 'commit-then-drop', probability: 0.1, seed: seed + index });
  }
  const deals = await simulator.closeDeals(DEALS);
  await crash(50, 200);
  await crash(50, 200);
  await until(
    'most runs to end',
    async () => {
      const runs = await world.runs();
      return runs.filter(({ endedAt }) => endedAt !== null).length > DEALS / 2;
    },
    60_000,
  );
  await simulator.removeFaults();
  await expectAllDone(deals);
}, 240_000);
