import { type ClosedDeal, World } from '../support/world';
import { judge, readRecords } from './judge';
import { armFaults, chosenSeed, storeComplaints } from './proof';

const DEALS = 200;
const seed = chosenSeed('faults');

let world: World;
let deals: ClosedDeal[];

beforeAll(async () => {
  world = await World.start();
  await armFaults(world.simulator, seed);
  deals = await world.simulator.closeDeals(DEALS);
}, 120_000);

afterAll(() => world?.stop());

test(`${DEALS} deals under faults in all three vendors: nothing lost, nothing twice (seed ${seed})`, async () => {
  // With the faults still there every run comes through or waits for its next attempt.
  const before = Date.now();
  await world.ended(DEALS, 150_000);
  const fired = await world.simulator.faultsFired();
  console.log(`after ${Date.now() - before} ms: ${JSON.stringify(fired)}`);
  await world.simulator.removeFaults();
  for (const run of await world.runs())
    if (run.state === 'failed' && run.retryAt === null) await world.retry(run.id);
  const runs = await world.settled(DEALS, 120_000);

  expect(runs.filter(({ state }) => state !== 'completed')).toEqual([]);
  expect(await world.openCases()).toEqual([]);
  const ids = deals.map(({ opportunityId }) => opportunityId);
  expect(judge(await readRecords(world.simulator), ids)).toEqual([]);
  await world.host.stop();
  expect(await storeComplaints(world)).toEqual([]);
}, 300_000);
