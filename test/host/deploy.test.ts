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

const TASKS = 'q2c0000000000027';
const SOURCE = 'q2c0000000000020';

/** The template flow with one node left out, and the nodes around it wired past it. */
function flowWithout(id: string) {
  const flow = templateFlow();
  const next = flow.find((node) => node.id === id)?.wires as string[][] | undefined;
  return flow
    .filter((node) => node.id !== id)
    .map((node) => {
      const wires = node.wires as string[][] | undefined;
      if (wires === undefined) return node;
      return {
        ...node,
        wires: wires.map((port) => port.flatMap((to) => (to === id ? (next?.[0] ?? []) : [to]))),
      };
    });
}

test.each(['full', 'nodes'] as const)(
  'a node is taken out (%s) while deals are in it: they wait as cases, and go on when it is back',
  async (type) => {
    await world.simulator.fault('netsuite', {
      kind: 'latency',
      ms: 3_000,
      match: { path: 'projectTask' },
      times: 1000,
    });
    const deals = await world.simulator.closeDeals(4);
    await until(
      'deals to be in the node',
      async () => ((await world.simulator.faultsFired()).latency ?? 0) > 0,
      30_000,
    );
    await world.simulator.removeFaults();
    await world.deploy(flowWithout(TASKS), type);
    await world.ended(4);
    const runs = await world.settled(4);
    const cases = await world.openCases();
    const waiting = runs.filter(({ state }) => state === 'failed');
    expect(waiting.length).toBeGreaterThan(0);
    const stalled = cases.filter(({ code }) => code === 'RUN_STALLED');
    expect(stalled.map(({ runId }) => runId).sort()).toEqual(waiting.map(({ id }) => id).sort());
    for (const { message } of stalled) expect(message).toContain('took “Tasks” out of the flow');
    // The call that was under way in the node may have been processed.
    for (const { code } of cases) expect(['RUN_STALLED', 'OUTCOME_UNKNOWN']).toContain(code);

    await world.deploy(templateFlow(), type);
    for (const { id } of runs.filter(({ state }) => state === 'failed')) await world.retry(id);
    expect((await world.settled(4)).map(({ state }) => state)).toEqual(deals.map(() => 'completed'));
    expect(await world.openCases()).toEqual([]);
  },
  120_000,
);

test('a disabled source leaves its runs visible, and they go on when it is enabled', async () => {
  const deals = await world.simulator.closeDeals(DEALS);
  await until('runs', async () => (await world.runs()).length === DEALS, 30_000);
  const disabled = templateFlow((node) => {
    if (node.id === SOURCE) node.d = true;
  });
  await world.deploy(disabled, 'nodes');
  const left = await world.runs();
  expect(left).toHaveLength(DEALS);
  expect(left.filter(({ state }) => state === 'queued').length).toBeGreaterThan(0);
  expect(left.filter(({ state }) => state === 'running')).toEqual([]);

  await world.deploy(templateFlow(), 'nodes');
  const runs = await world.settled(DEALS);
  expect(runs.map(({ state }) => state)).toEqual(deals.map(() => 'completed'));
}, 120_000);
