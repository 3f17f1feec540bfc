import { Host } from '../support/host';

let host: Host;

beforeAll(async () => {
  host = await Host.start();
}, 180_000);

afterAll(() => host?.dispose());

interface NodeSet {
  id: string;
  module: string;
  types: string[];
  enabled: boolean;
  err?: string;
}

async function ourSets(): Promise<NodeSet[]> {
  const sets = await host.request('GET', '/nodes', undefined, { Accept: 'application/json' });
  return (sets as NodeSet[]).filter(({ module }) => module === '@quote-to-cash/node-red');
}

test('every node set of the packed pack loads', async () => {
  const sets = await ourSets();
  expect(sets.filter(({ enabled, err }) => !enabled || err)).toEqual([]);
  expect(sets.flatMap(({ types }) => types)).toEqual(
    expect.arrayContaining(['q2c-store', 'q2c-firm', 'q2c-check', 'q2c-plan', 'q2c-announce', 'q2c-case']),
  );
});

test('help and texts of every set are served', async () => {
  for (const { id, types } of await ourSets()) {
    const page = await fetch(`${host.url}/nodes/${id}`, { headers: { Accept: 'text/html' } });
    const html = await page.text();
    for (const type of types) expect(html).toContain(`data-help-name="${type}"`);
    expect(await host.request('GET', `/nodes/${id}/messages?lng=en-US`)).toMatchObject({
      common: { name: 'Name' },
    });
  }
});

test('a killed host starts again on its user directory with the flows it had', async () => {
  const store = { id: 'store', type: 'q2c-store', name: 'kept', path: '', tenant: 'main' };
  await host.deploy([store]);
  await host.kill();
  await host.start();
  expect(await host.flows()).toEqual([expect.objectContaining(store)]);
  await host.restart();
  expect(await host.flows()).toEqual([expect.objectContaining(store)]);
}, 120_000);
