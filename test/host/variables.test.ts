import { manifests } from '../../lib/systems';
import { defaults as storeDefaults } from '../../nodes/q2c-store/types';
import { type FlowNode, Host } from '../support/host';
import { Simulator } from '../support/vendors';
import { templateFlow, World } from '../support/world';

/** Every property of a configuration node, and of the source, may come from the environment. */

jest.setTimeout(60_000);

const STRUCTURE = ['id', 'type', 'z', 'x', 'y', 'wires', 'd', 'g', 'info', 'label', 'disabled'];

let simulator: Simulator;
let world: World;
/** Variable → value. */
const environment: Record<string, string> = {};

/** A variable that holds the value. */
function variable(value: unknown): string {
  const name = `Q2C_TEST_${Object.keys(environment).length}`;
  environment[name] = String(value);
  return `\${${name}}`;
}

/** The node with a variable for each value; what points to other nodes, and what is empty, stays. */
function fromEnvironment(node: FlowNode, more: Record<string, unknown> = {}): void {
  for (const [name, value] of Object.entries({ ...node, ...more })) {
    if (STRUCTURE.includes(name) || value === '' || ['store', 'connection'].includes(name)) continue;
    node[name] = variable(value);
  }
}

beforeAll(async () => {
  simulator = await Simulator.start();
  const { systems } = await simulator.control<{
    systems: Record<string, { credentials: Record<string, Record<string, string>> }>;
  }>('GET', 'systems');
  const secrets = systems.salesforce?.credentials['client-credentials'] ?? {};
  const flow = templateFlow((node) => {
    if (node.type === 'q2c-store') {
      const days = {
        financialDays: '500',
        otherDays: '20',
        caseDays: '500',
        outboxDays: '20',
        path: 'other.db',
      };
      fromEnvironment(node, { ...storeDefaults, ...days, lookups: true, ...node, path: 'other.db' });
    } else if (node.type === 'q2c-firm') fromEnvironment(node);
    else if (node.type === 'q2c-salesforce-connection') {
      // A real system, as far as the connection can tell: all its fields count.
      const fields = { environment: 'sandbox', host: secrets.host, countryFormat: 'code', concurrency: '4' };
      fromEnvironment(Object.assign(node, fields), settingsOf('salesforce'));
      const { clientId, clientSecret } = secrets;
      node.credentials = { clientId: variable(clientId), clientSecret: variable(clientSecret) };
    } else if (node.type === 'q2c-netsuite-connection') fromEnvironment(node, settingsOf('netsuite'));
    else if (node.type === 'q2c-kantata-connection') {
      fromEnvironment(node, { ...settingsOf('kantata'), baseUrl: undefined, accountName: 'meridian' });
      node.baseUrl = '';
    } else if (node.type === 'q2c-salesforce-events') {
      fromEnvironment(node, { interval: '0.2', startAt: '2020-01-01T00:00:00Z', concurrency: '3' });
    }
  });
  const host = await Host.start({ env: { Q2C_SIMULATOR_URL: simulator.url, ...environment } });
  world = new World(simulator, host);
  await world.deploy(flow);
}, 180_000);

afterAll(async () => {
  await world?.stop();
});

const settingsOf = (system: keyof typeof manifests): Record<string, string> =>
  Object.fromEntries(
    manifests[system].settings.flatMap(({ id, default: value }) =>
      value === undefined ? [] : [[id, value]],
    ),
  );

test('a flow whose configuration is all variables runs, with the values that they hold', async () => {
  await simulator.closeDeals(3);
  const runs = await world.settled(3);
  expect(await world.openCases()).toEqual([]);
  expect(runs.map(({ state }) => state)).toEqual(['completed', 'completed', 'completed']);
  // What holds each of them was read: the store has its own file, lookups are open, the address is that of the sandbox.
  expect(world.host.output).not.toMatch(/\[error\]/);
  const lookup = await fetch(`${world.host.url}/q2c/v1/deals/none`);
  expect(lookup.status).toBe(403);
  const systems = (await world.host.request('GET', '/q2c/api/v1/systems')) as {
    items?: { system: string; environment: string; limits: { concurrency: number } }[];
  };
  const salesforce = JSON.stringify(systems);
  expect(salesforce).toContain('"environment":"sandbox"');
  expect(Object.keys(environment).length).toBeGreaterThan(40);
});

test('a variable with a value that there is not says so', async () => {
  const flow = await world.host.flows();
  const connection = flow.find(({ type }) => type === 'q2c-kantata-connection');
  if (connection === undefined) throw new Error('there is no connection');
  connection.environment = `\${PATH}`;
  await world.deploy(flow);
  const reply = await fetch(`${world.host.url}/q2c/connections/${connection.id}/test`, { method: 'POST' });
  expect([reply.status, await reply.text()]).toEqual([
    expect.any(Number),
    expect.stringContaining('which is neither an environment nor a way to sign in'),
  ]);
});
