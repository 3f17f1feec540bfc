import fc from 'fast-check';
import {
  add,
  compare,
  documentTotals,
  lineNet,
  minorUnits,
  percentOf,
  splitEntryAtCap,
  subtract,
  type TaxableLine,
  taxBreakdown,
  usageCharge,
} from '../../../lib/model';
import { currency, minorAmount, ratio } from './arbitraries';

const taxableLines = currency.chain((code) =>
  fc.tuple(
    fc.constant(code),
    fc.array(
      fc.record<TaxableLine>({
        net: minorAmount(code),
        taxCategory: fc.constantFrom('standard', 'reduced', 'exempt'),
        taxRate: fc.constantFrom('19', '19.0', '7', '0', '8.25'),
      }),
      { maxLength: 8 },
    ),
  ),
);

describe('tax', () => {
  test('the invoice equations hold exactly', () => {
    fc.assert(
      fc.property(taxableLines, ([code, lines]) => {
        const { taxBreakdown: groups, totals } = documentTotals(lines, code);
        expect(compare(totals.net, add(...lines.map(({ net }) => net)))).toBe(0);
        expect(compare(totals.net, add(...groups.map(({ base }) => base)))).toBe(0);
        expect(compare(totals.tax, add(...groups.map(({ tax }) => tax)))).toBe(0);
        expect(compare(totals.gross, add(totals.net, totals.tax))).toBe(0);
        expect(totals.payable).toBe(totals.gross);
        for (const { base, rate, tax } of groups) expect(tax).toBe(percentOf(base, rate, code));
      }),
    );
  });

  test('there is one group per category and rate, however the rate is written', () => {
    const line = (taxRate: string, taxCategory: TaxableLine['taxCategory']) => ({
      net: '0.03',
      taxRate,
      taxCategory,
    });
    const groups = taxBreakdown(
      [line('19', 'standard'), line('19.0', 'standard'), line('19', 'reduced'), line('7', 'standard')],
      'EUR',
    );
    expect(groups.map(({ category, rate, base, tax }) => [category, rate, base, tax])).toEqual([
      ['standard', '19', '0.06', '0.01'],
      ['reduced', '19', '0.03', '0.01'],
      ['standard', '7', '0.03', '0.00'],
    ]);
  });

  test('prepaid and cash rounding change what is payable only', () => {
    const { totals } = documentTotals([{ net: '100.02', taxRate: '8.1', taxCategory: 'standard' }], 'CHF', {
      prepaid: '20.00',
      rounding: '0.03',
    });
    expect(totals).toEqual({
      net: '100.02',
      tax: '8.10',
      gross: '108.12',
      prepaid: '20.00',
      rounding: '0.03',
      payable: '88.15',
    });
  });

  test('lines must be rounded before they are summed', () => {
    expect(() => taxBreakdown([{ net: '0.005', taxRate: '19', taxCategory: 'standard' }], 'EUR')).toThrow(
      expect.objectContaining({ code: 'AMOUNT_INVALID' }),
    );
  });

  test('a document without lines has zero totals', () => {
    expect(documentTotals([], 'JPY')).toEqual({
      taxBreakdown: [],
      totals: { net: '0', tax: '0', gross: '0', payable: '0' },
    });
  });
});

describe('line net', () => {
  test('takes the discount off before rounding', () => {
    expect(lineNet({ quantity: '3', unitPrice: '33.335', discount: '10' }, 'EUR')).toBe('90.00');
    expect(lineNet({ quantity: '1', unitPrice: '10', discount: '100' }, 'EUR')).toBe('0.00');
  });
});

describe('cap', () => {
  test('billed and held add up to the entry, and never exceed the room', () => {
    fc.assert(
      fc.property(
        currency.chain((code) => fc.tuple(fc.constant(code), minorAmount(code), minorAmount(code))),
        ratio.filter((quantity) => compare(quantity, '0') > 0),
        ([code, amount, room], quantity) => {
          const { billed, held } = splitEntryAtCap({ quantity, amount }, room, code);
          expect(compare(add(billed?.amount ?? '0', held?.amount ?? '0'), amount)).toBe(0);
          expect(compare(add(billed?.quantity ?? '0', held?.quantity ?? '0'), quantity)).toBe(0);
          if (compare(amount, '0') > 0 && billed) expect(compare(billed.amount, room)).toBeLessThanOrEqual(0);
          if (compare(amount, '0') <= 0) expect(held).toBeUndefined();
          if (held) expect(compare(held.quantity, '0')).toBeGreaterThanOrEqual(0);
        },
      ),
    );
  });
});

describe('usage tiers', () => {
  const tiers = [
    { upTo: '10', rate: '1' },
    { upTo: '20', rate: '0.5' },
  ];

  test.each([
    ['0', '0.00', 0],
    ['10', '10.00', 1],
    ['10.5', '10.25', 2],
    ['20', '15.00', 2],
  ])('%s units cost %s', (quantity, amount, count) => {
    const charge = usageCharge(quantity, tiers, 'EUR');
    expect(charge.amount).toBe(amount);
    expect(charge.tiers).toHaveLength(count);
  });

  test.each([
    ['more than the last tier covers', '20.1', tiers],
    ['a negative quantity', '-1', tiers],
    [
      'tiers that fall',
      '5',
      [
        { upTo: '10', rate: '1' },
        { upTo: '9', rate: '1' },
      ],
    ],
    ['a tier behind the endless one', '5', [{ rate: '1' }, { upTo: '9', rate: '1' }]],
    ['no tiers', '1', []],
  ])('refuses %s', (_, quantity, given) => {
    expect(() => usageCharge(quantity, given, 'EUR')).toThrow(
      expect.objectContaining({ code: 'AMOUNT_INVALID' }),
    );
  });

  test('quantities of the tiers add up to the usage', () => {
    fc.assert(
      fc.property(
        ratio,
        fc.array(fc.integer({ min: 1, max: 1000 }), { maxLength: 4 }),
        (quantity, widths) => {
          const rising = widths.map((_, index) => ({
            upTo: String(widths.slice(0, index + 1).reduce((end, width) => end + width, 0)),
            rate: '0.01',
          }));
          const charge = usageCharge(quantity, [...rising, { rate: '0.02' }], 'EUR');
          expect(compare(add(...charge.tiers.map((tier) => tier.quantity)), quantity)).toBe(0);
          expect(compare(subtract(charge.amount, add(...charge.tiers.map((tier) => tier.amount))), '0')).toBe(
            0,
          );
          expect(charge.amount.split('.')[1]).toHaveLength(minorUnits('EUR'));
        },
      ),
    );
  });
});
