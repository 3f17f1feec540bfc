import type { RunReport } from '../../lib/api/reports';
import { Mapping, parseMapping } from '../../lib/mapping';
import { exampleFlow } from '../support/examples';
import { type FlowNode, Host } from '../support/host';
import { judge, readRecords } from '../support/judge';
import type { ClosedDeal } from '../support/vendors';
import { templateFlow, World } from '../support/world';

jest.setTimeout(120_000);

const DEALS = 12;

/** What the firm wants differently: a field of NetSuite's own, and other payment terms for its US company. */
const first = {
  format: 1,
  label: 'first',
  layers: [
    {
      name: 'Firm',
      rules: [
        {
          system: 'netsuite',
          direction: 'write',
          entity: 'project',
          target: 'extensions.netsuite.comments',
          source: { kind: 'jsonata', expression: '"Sold as " & $deal.opportunity.name' },
        },
      ],
    },
    {
      name: 'US',
      scope: { legalEntity: 'meridian-us' },
      tables: { netsuite: { terms: { net_30: '10', net_45: '10', net_60: '10', net_15: '10' } } },
    },
  ],
};

/** The template flow with a mapping before NetSuite. */
function mappedFlow(set: object): FlowNode[] {
  const flow = templateFlow();
  const plan = flow.find(({ type }) => type === 'q2c-plan');
  if (plan === undefined) throw new Error('the template flow has other nodes');
  const map: FlowNode = {
    id: 'map0000000000001',
    type: 'q2c-map',
    z: plan.z,
    name: 'Map for NetSuite',
    store: plan.store,
    firm: plan.firm,
    mapping: 'mapping000000001',
    stage: 'netsuite.write',
    wires: plan.wires,
  };
  plan.wires = [[map.id]];
  const mapping: FlowNode = {
    id: 'mapping000000001',
    type: 'q2c-mapping',
    name: 'Mapping',
    data: JSON.stringify(set),
  };
  return [mapping, ...flow, map];
}

const versionOf = (set: object): string => new Mapping(parseMapping(JSON.stringify(set))).version;

let world: World;
let deals: ClosedDeal[];

beforeAll(async () => {
  world = await World.start({ flow: mappedFlow(first) });
  deals = await world.simulator.closeDeals(DEALS);
  await world.settled(DEALS);
}, 180_000);

afterAll(() => world?.stop());

const reports = async (): Promise<RunReport[]> =>
  Promise.all((await world.runs()).map(({ id }) => world.run(id)));

const jobs = async () => (await readRecords(world.simulator))['netsuite.job'] ?? [];

test('a field of NetSuite and a lookup are changed without code, and nothing else', async () => {
  expect(await world.openCases()).toEqual([]);
  const records = await readRecords(world.simulator);
  expect(
    judge(
      records,
      deals.map(({ opportunityId }) => opportunityId),
    ),
  ).toEqual([]);
  const comments = (await jobs()).map(({ data }) => data.comments);
  expect(comments.toSorted()).toEqual(deals.map(({ name }) => `Sold as ${name}`).toSorted());
});

test('the lookup of one legal entity goes before that of the firm, for its deals alone', async () => {
  const sent = await world.store.rows("select wire from step where operation = 'customer.upsert'");
  const bodies = sent.map(
    ({ wire }) => JSON.parse(String(wire)).body as { subsidiary: { id: string }; terms: { id: string } },
  );
  const terms = (subsidiary: string) =>
    new Set(bodies.filter((body) => body.subsidiary.id === subsidiary).map((body) => body.terms.id));
  expect(terms('3')).toEqual(new Set(['10']));
  expect(terms('2').size).toBeGreaterThan(0);
  expect(terms('2')).not.toContain('10');
});

test('every step behind the mapping records its version, in the journal and in the audit', async () => {
  const version = versionOf(first);
  for (const { steps } of await reports()) {
    const versions = Map.groupBy(steps, ({ operation }) => operation === 'deal.read');
    expect(new Set(versions.get(true)?.map((step) => step.mappingVersion))).toEqual(new Set([null]));
    expect(new Set(versions.get(false)?.map((step) => step.mappingVersion))).toEqual(new Set([version]));
  }
  const lines = await world.store.rows("select detail from audit where action = 'step.confirmed'");
  expect(lines.length).toBeGreaterThan(0);
  for (const { detail } of lines)
    expect(JSON.parse(String(detail))).toMatchObject({ mappingVersion: version });
  const kept = await world.store.rows('select version, content from mapping_version');
  expect(kept.map((row) => [row.version, versionOf(JSON.parse(String(row.content)))])).toEqual([
    [version, version],
  ]);
});

test('a value that a table does not know becomes a case; the retry takes the repaired version', async () => {
  const rule = {
    system: 'netsuite',
    direction: 'write',
    entity: 'project',
    target: 'extensions.netsuite.comments',
    source: { kind: 'lookup', table: 'region', path: 'deal.opportunity.serviceLine' },
  };
  const second = { format: 1, label: 'second', layers: [{ name: 'Firm', rules: [rule] }] };
  await world.deploy(mappedFlow(second));
  const [deal] = await world.simulator.closeDeals(1);
  await world.settled(DEALS + 1);
  const [run] = await world.runsOf({ name: deal?.name ?? '' });
  expect(run).toMatchObject({ state: 'failed' });
  const [opened, ...others] = await world.openCases();
  expect(others).toEqual([]);
  expect(opened).toMatchObject({ code: 'LOOKUP_VALUE_UNKNOWN', node: { name: 'Map for NetSuite' } });
  const [, value = ''] =
    /^"(\w+)" is not in the lookup table netsuite\.region of Mapping second\+/.exec(opened?.message ?? '') ??
    [];
  expect(value).not.toBe('');

  const tables = { netsuite: { region: { [value]: 'Repaired' } } };
  const third = { format: 1, label: 'third', layers: [{ name: 'Firm', rules: [rule], tables }] };
  await world.deploy(mappedFlow(third));
  await world.retry(run?.id ?? '');
  await world.settled(DEALS + 1);
  expect(await world.openCases()).toEqual([]);
  expect((await jobs()).filter(({ data }) => data.comments === 'Repaired')).toHaveLength(1);
  const { steps } = await world.run(run?.id ?? '');
  const written = steps.filter(({ system }) => system === 'netsuite');
  expect(new Set(written.map((step) => step.mappingVersion))).toEqual(new Set([versionOf(third)]));
});

test('the example flow maps as its comment says', async () => {
  const example = exampleFlow('Map fields without code');
  for (const node of example) if (node.type === 'q2c-salesforce-events') node.interval = '0.2';
  await world.deploy(example);
  // Its source begins with what is won after its first look.
  await world.simulator.polledAgain();
  const before = (await world.runs()).length;
  const closed = await world.simulator.closeDeals(8);
  const runs = await world.settled(before + 8);
  expect(new Set(runs.slice(before).map(({ state }) => state))).toEqual(new Set(['completed']));
  const made = (await jobs()).filter(({ data }) => String(data.comments).startsWith('Sold in '));
  expect(made.map(({ data }) => data.companyName).toSorted()).toEqual(
    closed.map(({ name }) => name).toSorted(),
  );
  for (const { data } of made) {
    const region = data.subsidiary === '3' ? 'AMER' : 'EMEA';
    expect(data.comments).toBe(`Sold in ${region} as ${data.companyName}`);
    expect(data.limitTimeToAssignees === true).toBe(region === 'AMER');
  }
});

test('who may not read the pack sees neither deals nor versions, and cannot try anything', async () => {
  const nobody = { type: 'credentials', users: [], default: { permissions: ['nothing.read-like'] } };
  const closed = await Host.start({ settings: { adminAuth: nobody } });
  const status = async (method: string, path: string) =>
    (await fetch(`${closed.url}/q2c/mapping/${path}`, { method })).status;
  try {
    for (const path of ['catalogue', 'deals', 'versions']) expect(await status('GET', path)).toBe(401);
    expect(await status('POST', 'preview')).toBe(401);
  } finally {
    await closed.dispose();
  }
});
