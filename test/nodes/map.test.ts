import { runReport } from '../../lib/api/reports';
import { Mapping, parseMapping, type Rule } from '../../lib/mapping';
import { mappingVersions } from '../../lib/store';
import { wonDeal } from '../support/deals';
import { until } from '../support/engine';
import { Canvas, type FlowNode, firm, store } from './canvas';

const map: FlowNode = {
  id: 'map',
  type: 'q2c-map',
  name: 'Map it',
  store: 'store',
  firm: 'firm',
  mapping: 'mapping',
  stage: 'netsuite.write',
};
const rule = {
  system: 'netsuite',
  direction: 'write',
  entity: 'opportunity',
  target: 'name',
  source: { kind: 'jsonata', expression: '$uppercase(name)' },
} as const;

const dataOf = (...rules: Rule[]) =>
  JSON.stringify({ format: 1, label: 'v1', layers: [{ name: 'Firm', rules }] });
const mapping = (data: string): FlowNode => ({ id: 'mapping', type: 'q2c-mapping', name: '', data });

let canvas: Canvas;
afterEach(() => canvas.close());

const load = (data: string, nodes: FlowNode[] = [map]) => Canvas.load(nodes, [store, firm, mapping(data)]);

test('a deal is mapped, and the message says by which version', async () => {
  canvas = await load(dataOf(rule));
  const { sent } = await canvas.pass({ payload: wonDeal() });
  const { version } = new Mapping(parseMapping(dataOf(rule)));
  expect(sent?.payload).toMatchObject({ opportunity: { name: 'ACME ROLL-OUT' } });
  expect(sent?.q2c?.mapping).toEqual({ set: 'mapping', version });
  await until('the run to complete', async () => (await canvas.runs())[0]?.state === 'completed');

  // The content of the version is kept once, however many deals go through.
  await canvas.through(wonDeal());
  const { store: durable } = await canvas.engine();
  const rows = await mappingVersions(durable, 'mapping', 10);
  expect(rows).toMatchObject([{ version, content: dataOf(rule) }]);
  const lines = await durable.db
    .selectFrom('audit')
    .selectAll()
    .where('action', '=', 'mapping.first_used')
    .execute();
  expect(lines).toMatchObject([{ subject: 'mapping', detail: JSON.stringify({ version }) }]);
});

test('the rules of another place are left alone', async () => {
  canvas = await load(dataOf(rule), [{ ...map, stage: 'kantata.write' }]);
  const deal = wonDeal();
  expect(await canvas.through(deal)).toEqual(deal);
});

test("the firm's tables answer, by the short name of the legal entity", async () => {
  const source = { kind: 'lookup', table: 'subsidiary', path: 'deal.contract.legalEntityId' } as const;
  const check = { id: 'check', type: 'q2c-check', name: '', store: 'store', firm: 'firm' };
  canvas = await load(dataOf({ ...rule, target: 'ownerId', source }), [check, map]);
  expect((await canvas.through(wonDeal())).opportunity?.ownerId).toBe('2');
});

test('a value that no table knows is a case with the amount at risk, and nothing goes on', async () => {
  const source = { kind: 'lookup', table: 'areas', path: 'region' } as const;
  canvas = await load(dataOf({ ...rule, source }));
  const deal = wonDeal();
  const { error } = await canvas.stopped({ payload: deal });
  expect(error.code).toBe('LOOKUP_VALUE_UNKNOWN');
  expect(error.message).toContain('"EMEA" is not in the lookup table netsuite.areas');
  expect(await canvas.cases()).toMatchObject([
    {
      code: 'LOOKUP_VALUE_UNKNOWN',
      node: 'Map it',
      subject: deal.opportunity?.id,
      ownerRole: 'sales_ops',
      amountAtRisk: { amount: '240000.00', currency: 'EUR' },
    },
  ]);
  const [run] = await canvas.runs();
  expect((await runReport((await canvas.engine()).store, run?.id ?? ''))?.cases).toHaveLength(1);
});

test('all that is wrong with one record is one case', async () => {
  const nothing = { kind: 'path', path: 'none' } as const;
  canvas = await load(
    dataOf(
      { ...rule, target: 'region', source: nothing, required: true },
      { ...rule, target: 'ownerId', source: nothing, required: true },
    ),
  );
  await canvas.stopped({ payload: wonDeal() });
  const [only, ...others] = await canvas.cases();
  expect(others).toEqual([]);
  expect(only?.message).toMatch(/opportunity\.region.*opportunity\.ownerId/);
});

test.each([
  ['text that is not JSON', '{', 'The mapping set is not JSON: '],
  ['a field that is not there', dataOf({ ...rule, target: 'nmae' }), '"nmae" is not a field of opportunity'],
  [
    'an expression that is none',
    dataOf({ ...rule, source: { kind: 'jsonata', expression: '$f(' } }),
    'opportunity.name: Expected',
  ],
])('%s is logged when it is deployed, and stops every deal as a case', async (_, data, place) => {
  canvas = await load(data);
  const [logged, ...more] = canvas.logged;
  expect(more).toEqual([]);
  expect(logged).toContain(place);
  const { error } = await canvas.stopped({ payload: wonDeal() });
  expect(error).toMatchObject({ code: 'NODE_FAILED', message: `Map it failed: ${logged}` });
});

test('a node without a mapping set says which field of its form is empty', async () => {
  canvas = await Canvas.load([{ ...map, mapping: '' }], [store, firm]);
  const { error } = await canvas.stopped({ payload: wonDeal() });
  expect(error.message).toBe(
    "Map it failed: Choose a mapping set (q2c-mapping) in the node's form and deploy.",
  );
});
