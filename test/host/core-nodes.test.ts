import type { FlowNode } from '../support/host';
import { templateFlow, World } from '../support/world';

/** Nodes of Node-RED that never say that they are through with a message do not keep a run from its end. */

jest.setTimeout(60_000);

let world: World;
afterEach(() => world?.stop());

const rule = { t: 'jsonata_exp', v: '$count(payload.quote.lines) > 0', vt: 'jsonata' };

/** The template flow with nodes between the read of the deal and its check. */
function flowThrough(...between: FlowNode[]): FlowNode[] {
  const flow = templateFlow();
  const check = flow.find(({ type }) => type === 'q2c-check');
  const before = flow.find(
    ({ wires }) => check !== undefined && (wires as string[][])?.[0]?.includes(check.id),
  );
  if (check === undefined || before === undefined) throw new Error('The template flow has no check.');
  const placed = between.map((node, index) => ({
    ...node,
    ...{ z: check.z, x: 0, y: 0, wires: [[between[index + 1]?.id ?? check.id], []] },
  }));
  Object.assign(before, { wires: [[placed[0]?.id]] });
  return [...flow, ...placed];
}

test('a run passes through switch and filter nodes, and ends', async () => {
  const flow = flowThrough(
    {
      id: 'switch1',
      type: 'switch',
      property: 'payload',
      propertyType: 'msg',
      rules: [{ t: 'nnull' }, { t: 'else' }],
      checkall: 'true',
      outputs: 2,
    },
    { id: 'filter1', type: 'rbe', func: 'rbe', property: 'payload', septopics: true, topi: 'topic' },
    {
      id: 'switch2',
      type: 'switch',
      property: 'payload',
      propertyType: 'msg',
      rules: [rule, { t: 'else' }],
      checkall: 'true',
      outputs: 2,
    },
  );
  world = await World.start({ flow });
  await world.simulator.closeDeals(3);
  const runs = await world.settled(3, 30_000);
  expect(runs.map(({ state }) => state)).toEqual(['completed', 'completed', 'completed']);
  const reports = await Promise.all(runs.map(({ id }) => world.run(id)));
  for (const { steps } of reports) expect(steps.length).toBeGreaterThan(5);
});

test('a run whose messages a switch lets go nowhere ends too', async () => {
  const nowhere = {
    id: 'switch1',
    type: 'switch',
    property: 'payload',
    propertyType: 'msg',
    rules: [{ t: 'null' }, { t: 'null' }],
    checkall: 'true',
    outputs: 2,
  };
  world = await World.start({ flow: flowThrough(nowhere) });
  await world.simulator.closeDeals(1);
  const [run] = await world.settled(1, 30_000);
  expect(run?.state).toBe('completed');
});

const http = {
  ...{ id: 'http1', type: 'http request', method: 'GET', ret: 'txt', paytoqs: 'ignore', senderr: true },
  // Nobody listens on the discard port.
  ...{ url: 'http://127.0.0.1:9/', tls: '', persist: false, authType: '', headers: [] },
};
const failing = {
  ...{ id: 'function1', type: 'function', outputs: 1, libs: [] },
  func: "node.error('our rule says no', msg); return null;",
};

test.each([
  ['http request', http, /ECONNREFUSED/],
  ['function', failing, /our rule says no/],
])('a %s node that only says that it failed makes its deal a case', async (_, node, message) => {
  const flow = flowThrough(node);
  world = await World.start({ flow: flow.filter(({ type }) => type !== 'catch') });
  await world.simulator.closeDeals(1);
  const [run] = await world.settled(1, 30_000);
  expect(run?.state).toBe('failed');
  expect(await world.openCases()).toEqual([
    expect.objectContaining({ code: 'NODE_FAILED', message: expect.stringMatching(message) }),
  ]);
});

test('what a Catch node takes from such a node is no case', async () => {
  world = await World.start({ flow: flowThrough(failing) });
  await world.simulator.closeDeals(1);
  const [run] = await world.settled(1, 30_000);
  expect(run?.state).toBe('completed');
  expect(await world.openCases()).toEqual([]);
});

test('a node that is done with an error makes one case of it, with one occurrence', async () => {
  const throwing = { ...failing, func: "throw new Error('broken rule');" };
  const flow = flowThrough(throwing);
  world = await World.start({ flow: flow.filter(({ type }) => type !== 'catch') });
  await world.simulator.closeDeals(1);
  await world.settled(1, 30_000);
  expect(await world.openCases()).toMatchObject([{ code: 'NODE_FAILED', occurrences: 1 }]);
});
