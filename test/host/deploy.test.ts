import { until } from '../support/engine';
import { judge, readRecords } from '../support/judge';
import { storeComplaints } from '../support/store-judge';
import { templateFlow, World } from '../support/world';

const DEALS = 20;

let world: World;

beforeEach(async () => {
  world = await World.start();
}, 120_000);

afterEach(() => world?.stop());

/** The template flow, changed where somebody who edits it would change it: at a node in the middle. */
function editedFlow(edit: number) {
  return templateFlow((node) => {
    if (node.type === 'q2c-netsuite' || node.type === 'q2c-kantata') node.x = Number(node.x) + edit;
    if (node.name === 'Project' || node.name === 'Tasks') node.info = `edited ${edit}`;
  });
}

test.each(['full', 'flows', 'nodes'] as const)(
  'deployed (%s) in the middle of running deals: nothing lost, nothing twice',
  async (type) => {
    const deals = await world.simulator.closeDeals(DEALS);
    for (let edit = 1; edit <= 3; edit++) {
      const mark = (await world.simulator.requestCount('netsuite')) + 30;
      await until(
        'the runs to go on',
        async () => (await world.simulator.requestCount('netsuite')) >= mark,
        30_000,
      );
      await world.deploy(editedFlow(edit), type);
    }
    const runs = await world.settled(DEALS, 60_000);
    expect(runs.map(({ state }) => state)).toEqual(deals.map(() => 'completed'));
    expect(
      judge(
        await readRecords(world.simulator),
        deals.map(({ opportunityId }) => opportunityId),
      ),
    ).toEqual([]);
    await world.host.stop();
    expect(await storeComplaints(world.store)).toEqual([]);
  },
  150_000,
);
