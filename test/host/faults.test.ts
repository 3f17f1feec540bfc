import { until } from '../support/engine';
import { armFaults } from '../support/faults';
import { judge, readRecords } from '../support/judge';
import { chosenSeed } from '../support/seed';
import { lostRuns, storeComplaints } from '../support/store-judge';
import { World } from '../support/world';

const DEALS = 200;
/** Deals that a person touches again while they are on their way: two runs of one record, in order. */
const TOUCHED = 20;
const seed = chosenSeed('faults');

let world: World;

beforeAll(async () => {
  world = await World.start();
  await armFaults(world.simulator, seed);
}, 120_000);

afterAll(() => world?.stop());

test(`${DEALS} deals under faults in all three vendors: nothing lost, nothing twice (seed ${seed})`, async () => {
  const { simulator } = world;
  const deals = await simulator.closeDeals(DEALS);
  await until('all deals to be accepted', async () => (await world.runs()).length === DEALS, 60_000, 100);
  for (const { opportunityId } of deals.slice(0, TOUCHED)) {
    await simulator.patch('salesforce', 'Opportunity', opportunityId, { CloseDate: '2026-12-24' });
  }
  await until(
    'all changes to be accepted',
    async () => (await world.runs()).length === DEALS + TOUCHED,
    60_000,
    100,
  );
  // With the faults still there every run comes through, or waits as a case.
  await world.ended(DEALS + TOUCHED, 150_000);
  expect(await lostRuns(world.store)).toEqual([]);
  const fired = await simulator.faultsFired();
  expect(Object.values(fired).every((count) => count > 10)).toBe(true);

  await simulator.removeFaults();
  for (const { id, state, retryAt } of await world.runs()) {
    if (state === 'failed' && retryAt === null) await world.retry(id);
  }
  const runs = await world.settled(DEALS + TOUCHED, 120_000);
  const again = runs.filter(({ attempt }) => attempt > 1).length;
  process.stdout.write(`faults: ${JSON.stringify(fired)}, ${again} runs began again\n`);

  expect(runs.filter(({ state }) => state !== 'completed' && state !== 'superseded')).toEqual([]);
  expect(await world.openCases()).toEqual([]);
  const ids = deals.map(({ opportunityId }) => opportunityId);
  expect(judge(await readRecords(simulator), ids)).toEqual([]);
  await world.host.stop();
  expect(await storeComplaints(world.store)).toEqual([]);
}, 300_000);
