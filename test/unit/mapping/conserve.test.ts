import fc from 'fast-check';
import { Mapping, type Rule } from '../../../lib/mapping';
import { differences } from '../../../lib/mapping/conserve';
import { measures } from '../../../lib/mapping/schema';
import { add, type DealDocument, newId } from '../../../lib/model';
import { wonDeal } from '../../support/deals';
import { mapDeal, mappingOf, ruleOf, setOf } from './support';

const jsonata = (expression: string): Rule['source'] => ({ kind: 'jsonata', expression });
const cents = (value: number): string => `${Math.trunc(value / 100)}.${String(value % 100).padStart(2, '0')}`;

function dealOf(amounts: readonly string[]): DealDocument {
  const deal = wonDeal();
  const lines = amounts.map((amount, at) => ({
    lineNo: at + 1,
    serviceCode: 'X',
    commercialModel: 'fixed_fee' as const,
    amount,
  }));
  Object.assign(deal.quote ?? {}, { lines, total: { amount: add('0', ...amounts), currency: 'EUR' } });
  return deal;
}

const amounts = fc.array(fc.integer({ min: 1, max: 99_999_999 }).map(cents), { minLength: 2, maxLength: 30 });

test('a mapping that only moves amounts between lines conserves; one that loses a cent does not', () => {
  fc.assert(
    fc.property(amounts, fc.nat(), (values, seed) => {
      const before = dealOf(values);
      const [first = '0', second = '0', ...rest] = values;
      const moved = dealOf(
        [add(first, '5.01'), add(second, '-5.01'), ...rest].toSorted(() => (seed % 2 ? 1 : -1)),
      );
      expect(differences(before, moved, measures)).toEqual([]);
      const lost = dealOf(values);
      Object.assign(lost.quote?.lines?.[seed % values.length] ?? {}, {
        amount: add(values[seed % values.length] ?? '0', '-0.01'),
      });
      expect(differences(before, lost, measures)).toEqual([
        { what: 'quote lines (EUR)', before: add(...values), after: add(...values, '-0.01') },
      ]);
      expect(differences(before, lost, ['quantities'])).toEqual([]);
    }),
  );
});

test.each<[string, Partial<Rule>, RegExp]>([
  [
    'the amount of a line',
    { entity: 'quoteLine', target: 'amount', source: jsonata('$substringBefore(amount, ".")') },
    /changes quote lines \(EUR\) from 240000\.00 to 239999\./,
  ],
  [
    'the value of the contract',
    { entity: 'contract', target: 'totalValue.amount', source: { kind: 'constant', value: '1.00' } },
    /value of the contract \(EUR\) from 240000\.00 to 1\.00/,
  ],
  [
    'a currency',
    { entity: 'opportunity', target: 'amount.currency', source: { kind: 'constant', value: 'USD' } },
    /opportunity \(EUR\) from 240000\.00 to 0/,
  ],
  [
    'a quantity',
    {
      entity: 'quoteLine',
      target: 'quantity.value',
      source: { kind: 'constant', value: '1' },
      when: 'quantity.unit = "hour"',
    },
    /quote lines \(hour\) from 250 to 1/,
  ],
])('%s that a rule changes stops the deal, and says from what to what', async (_, fields, message) => {
  const { problems } = await mapDeal(mappingOf(fields));
  expect(problems.length).toBeGreaterThan(0);
  expect(problems[0]).toMatchObject({
    code: 'MAPPING_NOT_CONSERVING',
    message: expect.stringMatching(message),
    ownerRole: 'integration_ops',
  });
});

test('the same value written otherwise is no change', async () => {
  const source = jsonata('$substringBefore(amount, ".") & ".0" & $substring(amount, -2) & "00"');
  const deal = dealOf(['10.00', '20.00']);
  Object.assign(deal.quote?.lines?.[0] ?? {}, { amount: '10' });
  const rule: Partial<Rule> = {
    entity: 'quoteLine',
    target: 'amount',
    source: jsonata('$split(amount, ".")[0] & ".00"'),
  };
  expect((await mapDeal(mappingOf(rule), { deal })).problems).toEqual([]);
  expect((await mapDeal(mappingOf({ ...rule, source }), { deal })).problems).not.toEqual([]);
});

test('tax groups are compared one by one: a sum that stays the same does not hide a shift', async () => {
  const line = { billingEventLineId: 'b', description: 'Work', taxRate: '19', net: '100.00' };
  const invoice = {
    id: newId('invoice'),
    externalRefs: [],
    currency: 'EUR',
    lines: [
      { ...line, taxCategory: 'standard' as const },
      { ...line, taxCategory: 'standard' as const },
    ],
    taxBreakdown: [{ category: 'standard' as const, rate: '19', base: '200.00', tax: '38.00' }],
  };
  const deal = { ...wonDeal(), invoices: [invoice] };
  const mapping = mappingOf({
    entity: 'invoiceLine',
    target: 'taxCategory',
    source: { kind: 'constant', value: 'exempt' },
    when: '$deal.customer.country = "DE"',
  });
  const { problems } = await mapDeal(mapping, { deal });
  expect(problems.map(({ params }) => params.what)).toEqual([
    `lines of invoice ${invoice.id} with standard tax of 19 %`,
    `lines of invoice ${invoice.id} with exempt tax of 19 %`,
  ]);
});

test('what a set declares counts: less than everything, or a sum of its own', async () => {
  const rule = ruleOf({
    entity: 'quoteLine',
    target: 'amount',
    source: { kind: 'constant', value: '40000.00' },
  });
  const declared = (conserves: NonNullable<Parameters<typeof setOf>[0]['conserves']>) =>
    mapDeal(new Mapping(setOf({ rules: [rule], conserves })));
  expect((await declared(['quantities'])).problems).toEqual([]);
  const sum = { parts: 'quote.lines.amount', total: 'quote.total.amount' };
  expect((await declared([sum])).problems).toEqual([]);
  const wrong = ruleOf({ ...rule, source: { kind: 'constant', value: '40000.01' } });
  const { problems } = await mapDeal(new Mapping(setOf({ rules: [wrong], conserves: [sum] })));
  expect(problems).toMatchObject([{ message: expect.stringContaining('from 240000.00 to 240000.06') }]);
});
