import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { cp } from 'node:fs/promises';
import { join } from 'node:path';
import { version as currentVersion } from '../../package.json';
import { type EditorType, editorTypes } from '../support/editor-types';
import { type FlowNode, Host } from '../support/host';
import { judge, readRecords } from '../support/judge';
import { makeUserDir } from '../support/pack';
import { Simulator } from '../support/vendors';
import { World } from '../support/world';

/** Flows that each version of the pack has saved (test/fixtures/flows) load, deploy and run with today's pack. */

jest.setTimeout(120_000);

const fixtures = join(__dirname, '../fixtures/flows');
const versions = readdirSync(fixtures, { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map(({ name }) => name);

/** What Node-RED itself keeps with a node. */
const OF_THE_HOST = ['id', 'type', 'z', 'x', 'y', 'g', 'd', 'l', 'wires', 'info', 'outputs', 'inputs', 'env'];

const readFlow = (...path: string[]): FlowNode[] => JSON.parse(readFileSync(join(...path), 'utf8'));
const ours = (flow: FlowNode[]): FlowNode[] => flow.filter(({ type }) => type.startsWith('q2c-'));

/** `type.credential` of every secret, in the order of the nodes. */
function secretNames(flow: FlowNode[], secrets: Record<string, Record<string, string>>): string[] {
  return flow.flatMap(({ id, type }) => Object.keys(secrets[id] ?? {}).map((name) => `${type}.${name}`));
}

let types: Map<string, EditorType>;

beforeAll(async () => {
  const dist = join(await makeUserDir(), 'node_modules/@quote-to-cash/node-red/dist');
  types = new Map(editorTypes(dist).map((type) => [type.type, type]));
});

test('what this version saves is among them; else run test/fixtures/flows/make.ts', () => {
  expect(versions).toContain(currentVersion);
  const saved = readFlow(fixtures, currentVersion, 'every-node/flows.json');
  const missing = [...types.values()].flatMap(({ type, defaults }) => {
    const node = saved.find((each) => each.type === type);
    if (node === undefined) return [type];
    return Object.keys(defaults)
      .filter((name) => !(name in node))
      .map((name) => `${type}.${name}`);
  });
  expect(missing).toEqual([]);
});

describe.each(versions)('saved by %s', (version) => {
  const everyNode = join(fixtures, version, 'every-node');
  const templates = join(fixtures, version, 'templates');
  const templateFiles = readdirSync(templates, { recursive: true, encoding: 'utf8' }).filter((file) =>
    file.endsWith('.json'),
  );

  let simulator: Simulator;
  let host: Host | undefined;

  beforeAll(async () => {
    simulator = await Simulator.start();
  });

  afterEach(() => host?.dispose());
  afterAll(() => simulator?.stop());

  const prepare = async (flow?: FlowNode[]): Promise<Host> => {
    host = await Host.prepare({ env: { Q2C_SIMULATOR_URL: simulator.url }, flow });
    return host;
  };

  test('every node starts, and keeps every property and secret when it is deployed again', async () => {
    const saved = readFlow(everyNode, 'flows.json');
    const host = await prepare();
    await cp(everyNode, host.userDir, { recursive: true });
    await host.start();
    expect(await host.flows()).toEqual(saved);
    const secrets = await host.credentials();
    const known = [...types.values()].flatMap(({ type, credentials }) =>
      credentials.map((name) => `${type}.${name}`),
    );
    expect(secretNames(saved, secrets).length).toBeGreaterThan(0);
    expect(known).toEqual(expect.arrayContaining(secretNames(saved, secrets)));

    await host.deploy(saved.map((node) => (typeof node.y === 'number' ? { ...node, y: node.y + 20 } : node)));
    await host.restart();
    const withoutPlace = (flow: FlowNode[]) => flow.map(({ y: _, ...node }) => node);
    expect(withoutPlace(await host.flows())).toEqual(withoutPlace(saved));
    expect(await host.credentials()).toEqual(secrets);
    // The store of the flow has been opened at the path that was saved.
    const store = saved.find(({ type }) => type === 'q2c-store');
    expect(existsSync(join(host.userDir, 'quote-to-cash', String(store?.path)))).toBe(true);
    // Addresses of the fixture lead nowhere, and nothing else goes wrong.
    expect(host.output.split('\n').filter((line) => /\[error\]/.test(line))).toEqual([]);
  });

  test('the forms of today know every property, so that editing a node drops none', () => {
    const flows = [
      readFlow(everyNode, 'flows.json'),
      ...templateFiles.map((file) => readFlow(templates, file)),
    ];
    const dropped = ours(flows.flat()).flatMap((node) => {
      const known = [...OF_THE_HOST, ...Object.keys(types.get(node.type)?.defaults ?? {})];
      return Object.keys(node)
        .filter((name) => !known.includes(name))
        .map((name) => `${node.type}.${name}`);
    });
    expect([...new Set(dropped)]).toEqual([]);
  });

  test('every template deploys without unknown types', async () => {
    const host = await prepare();
    await host.start();
    for (const file of templateFiles) {
      const flow = readFlow(templates, file);
      await host.deploy(flow);
      expect({ file, flow: await host.flows() }).toEqual({ file, flow });
    }
  });

  test('its main template carries deals through', async () => {
    const main = templateFiles.find((file) => /closed.won.to.project\.json$/i.test(file));
    const flow = readFlow(templates, main ?? 'no main template');
    for (const node of flow) if (node.type === 'q2c-salesforce-events') node.interval = '0.2';
    const host = await prepare(flow);
    await host.start();
    const world = new World(simulator, host);
    await simulator.polledAgain();
    const deals = await simulator.closeDeals(6);
    const runs = await world.settled(6);
    expect(runs.map(({ state }) => state)).toEqual(deals.map(() => 'completed'));
    const ids = deals.map(({ opportunityId }) => opportunityId);
    expect(judge(await readRecords(simulator), ids)).toEqual([]);
  });
});
