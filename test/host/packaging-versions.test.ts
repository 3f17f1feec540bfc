import { adminAuth, logIn } from '../support/admin-users';
import { exampleFiles } from '../support/examples';
import { Host } from '../support/host';
import { judge, readRecords } from '../support/judge';
import { nodeRed41 } from '../support/node-red-41';
import { until } from '../support/until';
import { Simulator } from '../support/vendors';
import { templateFlow, World } from '../support/world';

/** The packed pack in each supported version of Node-RED, with a path of its own and with logins. */

const PACK = '@quote-to-cash/node-red';
const USERS = { all: ['*'], reader: ['read'], stranger: ['flows.read'] };

interface NodeSet {
  id: string;
  module: string;
  types: string[];
  enabled: boolean;
  err?: string;
}

// The first run on a machine installs Node-RED 4.1.
const installing = 180_000;

describe.each(['5.0', '4.1'])('Node-RED %s with logins, below /red', (version) => {
  let host: Host;
  let admin: string;

  beforeAll(async () => {
    host = await Host.prepare({
      ...(version === '4.1' && { nodeRed: await nodeRed41() }),
      settings: { httpAdminRoot: '/red', adminAuth: adminAuth(USERS) },
      flow: templateFlow(),
    });
    admin = `${host.url}/red`;
    await host.start();
  }, installing);

  afterAll(() => host?.dispose());

  const status = async (path: string, options: RequestInit = {}) =>
    (await fetch(admin + path, options)).status;

  test('is the version that it should be', async () => {
    const headers = await logIn(admin, 'all');
    const settings = (await host.request('GET', '/red/settings', undefined, headers)) as { version: string };
    expect(settings.version).toMatch(new RegExp(`^${version}\\.`));
  });

  test('loads every set, with forms, texts and help', async () => {
    const headers = await logIn(admin, 'reader');
    const json = { ...headers, Accept: 'application/json' };
    const all = (await host.request('GET', '/red/nodes', undefined, json)) as NodeSet[];
    const sets = all.filter(({ module }) => module === PACK);
    expect(sets.filter(({ enabled, err }) => !enabled || err)).toEqual([]);
    for (const { id, types } of sets) {
      const page = await host.request('GET', `/red/nodes/${id}`, undefined, {
        ...headers,
        Accept: 'text/html',
      });
      for (const type of types) expect(page).toContain(`data-help-name="${type}"`);
      const texts = await host.request('GET', `/red/nodes/${id}/messages?lng=en-US`, undefined, headers);
      expect(texts).toMatchObject({ common: { name: 'Name' } });
    }
  });

  test('serves icons and every example', async () => {
    const headers = await logIn(admin, 'reader');
    expect(await status(`/icons/${PACK}/q2c-store.svg`, { headers })).toBe(200);
    for (const file of exampleFiles) {
      const example = file.replace(/\.json$/, '');
      expect([file, await status(`/library/examples/flows/${PACK}/${example}`, { headers })]).toEqual([
        file,
        200,
      ]);
    }
  });

  test('gives each user what the host gives: nothing without login, no writing to readers', async () => {
    const [all, reader, stranger] = await Promise.all(Object.keys(USERS).map((user) => logIn(admin, user)));
    const counts = '/q2c/api/v1/runs/counts';
    await until(
      'the store to open',
      async () => (await status(counts, { headers: all })) === 200,
      30_000,
      50,
    );
    expect(await status(counts)).toBe(401);
    expect(await status(counts, { headers: reader })).toBe(200);
    // Known to the host, and without the right: Node-RED says 401 to that too.
    expect(await status('/flows', { headers: stranger })).toBe(200);
    expect(await status(counts, { headers: stranger })).toBe(401);

    const store = templateFlow().find(({ type }) => type === 'q2c-store');
    const test = `/q2c/connections/${store?.id}/test`;
    expect(await status(test, { method: 'POST' })).toBe(401);
    expect(await status(test, { method: 'POST', headers: reader })).toBe(401);
    expect(await status(test, { method: 'POST', headers: all })).toBe(200);
  });

  test('answers only below its path', async () => {
    const headers = await logIn(admin, 'all');
    expect((await fetch(`${host.url}/q2c/api/v1/runs/counts`, { headers })).status).toBe(404);
  });
});

test(
  'deals go through in Node-RED 4.1, and nothing is there twice',
  async () => {
    const simulator = await Simulator.start();
    const world = new World(
      simulator,
      await Host.start({
        nodeRed: await nodeRed41(),
        env: { Q2C_SIMULATOR_URL: simulator.url },
        flow: templateFlow(),
      }),
    );
    try {
      await simulator.polledAgain();
      const deals = await simulator.closeDeals(6);
      const runs = await world.settled(6);
      expect(runs.map(({ state }) => state)).toEqual(deals.map(() => 'completed'));
      const ids = deals.map(({ opportunityId }) => opportunityId);
      expect(judge(await readRecords(simulator), ids)).toEqual([]);
    } finally {
      await world.stop();
    }
  },
  installing,
);
