import shipped from '../../nodes/q2c-firm/default-firm.json';
import { wonDeal } from '../support/deals';
import { Canvas, firm, store } from './canvas';

const check = { id: 'check', type: 'q2c-check', name: 'Ready?', store: 'store', firm: 'firm' };
let canvas: Canvas;
afterEach(() => canvas.close());

function withLegalEntity(fields: object): string {
  const [first, ...others] = shipped.legalEntities;
  return JSON.stringify({ ...shipped, legalEntities: [{ ...first, ...fields }, ...others] });
}

test.each([
  ['text that is not JSON', '{ "legalEntities": [', "The firm's set-up is not JSON: "],
  ['an empty form', '', "The firm's set-up is not JSON: "],
  ['a missing part', JSON.stringify({ ...shipped, planning: undefined }), 'planning: '],
  [
    'a currency that does not exist',
    withLegalEntity({ functionalCurrency: 'XXQ' }),
    'legalEntities.0.functionalCurrency: ',
  ],
  [
    'a rule for a legal entity that is not there',
    JSON.stringify({ ...shipped, sellingRules: [{ legalEntity: 'meridian-fr' }] }),
    'sellingRules.0.legalEntity: there is no legal entity "meridian-fr"',
  ],
  [
    'an entry that nobody knows',
    JSON.stringify({ ...shipped, sellingRule: [] }),
    'the whole: Unrecognized key: "sellingRule"',
  ],
])('%s is refused with its place', async (_, data, place) => {
  canvas = await Canvas.load([check], [store, { ...firm, data }]);
  const [logged, ...more] = canvas.logged;
  expect(more).toEqual([]);
  expect(logged).toContain(place);
  // Whoever needs the set-up says the same, as a case: the deal is not lost.
  const { error } = await canvas.stopped({ payload: wonDeal() });
  expect(error).toMatchObject({ code: 'NODE_FAILED', message: `Ready? failed: ${logged}` });
  expect(await canvas.cases()).toMatchObject([{ message: error.message, ownerRole: 'integration_ops' }]);
});

test('another set-up than the shipped one decides', async () => {
  const acceptance = { ...shipped.acceptance, taxRegistrationCountries: ['FR'] };
  canvas = await Canvas.load([check], [store, { ...firm, data: JSON.stringify({ ...shipped, acceptance }) }]);
  const deal = wonDeal();
  Object.assign(deal.customer ?? {}, { taxProfile: { status: 'unknown' } });
  await canvas.through(deal);
});

test('a node without a set-up says which field of its form is empty', async () => {
  canvas = await Canvas.load([{ ...check, firm: '' }], [store]);
  const { error } = await canvas.stopped({ payload: wonDeal() });
  expect(error.message).toBe(
    "Ready? failed: Choose a firm's set-up (q2c-firm) in the node's form and deploy.",
  );
});
