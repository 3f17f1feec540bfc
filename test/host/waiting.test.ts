import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { RunSummary } from '../../lib/api/reports';
import { until } from '../support/engine';
import type { FlowNode } from '../support/host';
import { templateFlow, World } from '../support/world';
import { storeComplaints } from './proof';

/** Deals that wait for an approval, in a real Node-RED that is stopped, killed and deployed meanwhile. */

const STORE = 'q2c0000000000001';

let world: World;
afterEach(() => world?.stop());

/**
 * Won deals wait, and are written to a file when they are approved: once each to `guarded`, and each passage to
 * `passages`. Who approves calls `POST /approve`.
 */
function flow(wait: Record<string, unknown> = {}): FlowNode[] {
  const config = templateFlow((node) => {
    if (node.type.endsWith('-events')) node.wires = [['wait']];
  }).filter(({ type }) => /^tab$|^q2c-store$|-connection$|-events$/.test(type));
  const tab = config.find(({ type }) => type === 'tab')?.id;
  const node = (id: string, type: string, properties: Record<string, unknown>): FlowNode => ({
    id,
    type,
    z: tab,
    x: 100,
    y: 100,
    ...properties,
  });
  const file = (id: string) =>
    node(id, 'file', {
      filename: `${id}.jsonl`,
      filenameType: 'str',
      appendNewline: true,
      overwriteFile: 'false',
      wires: [[]],
    });
  const waitNode = {
    name: 'Approval',
    store: STORE,
    event: '',
    topic: 'approval',
    topicType: 'str',
    key: 'q2c.correlationId',
    keyType: 'msg',
    timeout: '',
    timeoutType: 'str',
    onTimeout: 'send',
    earlier: 'once',
    order: 'hold',
    field: 'event',
  };
  const asPayload = (id: string, to: string) =>
    node(id, 'change', {
      rules: [
        {
          t: 'set',
          p: 'payload',
          pt: 'msg',
          to: '{"deal": q2c.correlationId, "event": event}',
          tot: 'jsonata',
        },
      ],
      wires: [[to]],
    });
  return [
    ...config,
    node('wait', 'q2c-wait', {
      ...waitNode,
      mode: 'wait',
      outputs: 2,
      ...wait,
      wires: [['passage', 'once'], ['late']],
    }),
    node('once', 'q2c-once', {
      store: STORE,
      scope: 'run',
      key: '',
      keyType: 'msg',
      guarantee: 'at_most_once',
      wires: [['mail'], []],
    }),
    asPayload('passage', 'passages'),
    asPayload('mail', 'guarded'),
    asPayload('late', 'timeouts'),
    ...['passages', 'guarded', 'timeouts'].map(file),
    node('approve', 'http in', { url: '/approve', method: 'post', wires: [['notify']] }),
    node('notify', 'q2c-wait', {
      ...waitNode,
      mode: 'notify',
      key: 'payload.deal',
      outputs: 1,
      wires: [['approved']],
    }),
    node('approved', 'http response', { statusCode: '200', wires: [] }),
  ];
}

/** Lines of a file that the flow writes; its working folder is the user directory. */
async function lines(file: string): Promise<{ deal: string; event: Record<string, unknown> }[]> {
  const path = join(world.host.userDir, `${file}.jsonl`);
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error;
    return '';
  });
  // The last line may be in the middle of being written when the host dies.
  const written = text.split('\n').slice(0, -1);
  return written.filter((line) => line !== '').map((line) => JSON.parse(line));
}

const dealsIn = async (file: string) => (await lines(file)).map(({ deal }) => deal).sort();
const dealsOf = (runs: RunSummary[]) => runs.map(({ correlationId }) => correlationId).sort();

/** One-off runs of who approves are not among them. */
const dealRuns = async () => (await world.runs()).filter(({ title }) => title !== 'One-off message');

async function inState(state: string, count: number): Promise<void> {
  await until(
    `${count} deals ${state}`,
    async () => (await dealRuns()).filter((run) => run.state === state).length === count,
    60_000,
    50,
  );
}

async function approve(runs: { correlationId: string }[]): Promise<void> {
  for (const { correlationId } of runs) await world.host.request('POST', '/approve', { deal: correlationId });
}

test('deals wait through a stop, a deploy and a kill, and go on from there once they are approved', async () => {
  world = await World.start({ flow: flow() });
  await world.simulator.closeDeals(3);
  await inState('waiting', 3);
  await world.host.stop();
  await world.startHost();
  await world.deploy(flow(), 'full');
  await world.host.kill();
  await world.startHost();
  expect((await dealRuns()).map(({ state }) => state)).toEqual(['waiting', 'waiting', 'waiting']);
  expect(await lines('passages')).toEqual([]);
  const [first] = await dealRuns();
  expect((await world.run(first?.id ?? '')).waits).toMatchObject([
    { node: 'Approval', event: 'approval', key: first?.correlationId, deadline: null },
  ]);

  await approve((await dealRuns()).slice(0, 2));
  await inState('completed', 2);
  expect(await dealsIn('passages')).toHaveLength(2);
  await approve(await dealRuns());
  await inState('completed', 3);
  const deals = dealsOf(await dealRuns());
  expect([await dealsIn('passages'), await dealsIn('guarded')]).toEqual([deals, deals]);
  const [{ event } = { event: {} }] = await lines('passages');
  expect(event).toMatchObject({ type: 'approval', actor: 'Approval', data: { payload: {} } });
  expect((await world.run((await dealRuns())[0]?.id ?? '')).attempt).toBe(1);
  await world.host.stop();
  expect(await storeComplaints(world)).toEqual([]);
}, 180_000);

test('killed while approved deals go on: none is lost, and what is guarded passes once at most', async () => {
  const DEALS = 20;
  world = await World.start({ flow: flow() });
  await world.simulator.closeDeals(DEALS);
  await inState('waiting', DEALS);
  const waiting = await dealRuns();
  for (let kill = 1; kill <= 4; kill++) {
    const before = (await lines('passages')).length;
    const approvals = approve(waiting.slice((kill - 1) * 5, kill * 5)).catch(() => undefined);
    // From no message on its way to several of them.
    if (kill > 1) await until('some to pass', async () => (await lines('passages')).length > before, 30_000);
    else await approvals;
    await world.host.kill();
    await approvals;
    await world.startHost();
  }
  // An approval that was not answered is given again.
  await approve(waiting);
  await inState('completed', DEALS);
  expect([...new Set(await dealsIn('passages'))]).toEqual(dealsOf(waiting));
  const guarded = await dealsIn('guarded');
  expect(new Set(guarded).size).toBe(guarded.length);
  await world.host.stop();
  expect(await storeComplaints(world)).toEqual([]);
}, 240_000);

test('an approval from before counts; when the time is over the deal leaves by the second output', async () => {
  world = await World.start({ flow: flow({ timeout: '2 seconds' }) });
  const [deal] = await world.simulator.closeDeals(1);
  await inState('waiting', 1);
  await inState('completed', 1);
  expect(await lines('timeouts')).toMatchObject([{ event: { type: 'timeout' } }]);
  // For the next change of the same deal.
  await approve(await dealRuns());
  await world.simulator.patch('salesforce', 'Opportunity', deal?.opportunityId ?? '', { Amount: 4711 });
  await inState('completed', 2);
  expect(await dealsIn('passages')).toEqual([(await dealRuns())[0]?.correlationId]);
}, 120_000);

test('a wait node that is taken away makes cases of its deals; back again, they wait on', async () => {
  world = await World.start({ flow: flow() });
  await world.simulator.closeDeals(2);
  await inState('waiting', 2);
  await world.deploy(
    flow().filter(({ id }) => id !== 'wait'),
    'nodes',
  );
  await inState('failed', 2);
  expect(await world.openCases()).toMatchObject([{ code: 'NODE_MISSING' }, { code: 'NODE_MISSING' }]);
  await world.deploy(flow(), 'nodes');
  await inState('waiting', 2);
  expect(await world.openCases()).toEqual([]);
  await approve(await dealRuns());
  await inState('completed', 2);
}, 180_000);

test('what cannot be kept is a case that says so', async () => {
  const withBuffer = flow();
  const source = withBuffer.find(({ type }) => type.endsWith('-events'));
  if (source !== undefined) source.wires = [['spoil']];
  withBuffer.push({
    id: 'spoil',
    type: 'function',
    z: source?.z,
    x: 1,
    y: 1,
    func: "msg.payload.opportunity.extra = Buffer.from('x'); return msg;",
    outputs: 1,
    libs: [],
    wires: [['wait']],
  });
  world = await World.start({ flow: withBuffer });
  await world.simulator.closeDeals(1);
  await inState('failed', 1);
  expect(await world.openCases()).toMatchObject([
    { code: 'NODE_FAILED', message: expect.stringContaining('msg.payload.opportunity.extra is a Buffer') },
  ]);
}, 120_000);
