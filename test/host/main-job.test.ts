import { createServer, type Server } from 'node:net';
import type { RunReport } from '../../lib/api/reports';
import { until } from '../support/engine';
import { type ClosedDeal, type VendorControl, World } from '../support/world';
import { judge, readRecords } from './judge';

const DEALS = 30;

let world: World;
let simulator: VendorControl;
let deals: ClosedDeal[];
let blocker: Server | null;

beforeAll(async () => {
  blocker = await occupy(4600);
  world = await World.start({ vendors: 'inside' });
  ({ simulator } = world);
  deals = await simulator.closeDeals(DEALS);
  await world.settled(DEALS);
}, 180_000);

afterAll(async () => {
  await world?.stop();
  blocker?.close();
});

/** The simulator prefers this port; another host may have it. Null when it is taken already. */
async function occupy(port: number): Promise<Server | null> {
  const server = createServer();
  return new Promise((resolve) => {
    server.once('error', () => resolve(null)).listen(port, '127.0.0.1', () => resolve(server));
  });
}

const ids = () => deals.map(({ opportunityId }) => opportunityId);
const reports = async (): Promise<RunReport[]> =>
  Promise.all((await world.runs()).map(({ id }) => world.run(id)));

test('every won deal becomes exactly one customer, project and billing plan', async () => {
  expect(await world.openCases()).toEqual([]);
  expect(new Set((await world.runs()).map(({ state }) => state))).toEqual(new Set(['completed']));
  expect(judge(await readRecords(simulator), ids())).toEqual([]);
});
