import fc from 'fast-check';
import {
  add,
  compare,
  convert,
  minorUnits,
  multiply,
  negate,
  percentOf,
  Q2cError,
  roundMoney,
  splitAmount,
  splitDecimal,
  subtract,
} from '../../../lib/model';
import { minorAmount, ratio, scaledDecimal } from './arbitraries';

const codeOf = (action: () => unknown): string | undefined => {
  try {
    action();
    return undefined;
  } catch (error) {
    if (error instanceof Q2cError) return error.code;
    throw error;
  }
};

/** Exact reference: amounts as whole numbers of 10^-10. */
const scaled = (value: string): bigint => {
  const [whole = '0', fraction = ''] = value.replace('-', '').split('.');
  const digits = BigInt(whole + fraction.padEnd(10, '0'));
  return value.startsWith('-') ? -digits : digits;
};

describe('arithmetic', () => {
  test('adds without binary error and keeps the longest scale', () => {
    expect(add('0.1', '0.2')).toBe('0.3');
    expect(add('1.50', '1.50')).toBe('3.00');
    expect(add()).toBe('0');
    expect(subtract('1.00', '1')).toBe('0.00');
    expect(negate('0.00')).toBe('0.00');
  });

  test('refuses what is no decimal', () => {
    for (const bad of ['', '1e3', '1,5', '.5', '1.', '+1', 'NaN', '1'.repeat(16), `0.${'1'.repeat(11)}`]) {
      expect(codeOf(() => add(bad, '1'))).toBe('AMOUNT_INVALID');
    }
  });

  test('refuses results that are no decimal instead of rounding them', () => {
    expect(codeOf(() => add('999999999999999', '1'))).toBe('AMOUNT_INVALID');
    expect(codeOf(() => multiply('0.000001', '0.00001'))).toBe('AMOUNT_INVALID');
    expect(multiply('37.5', '220.00')).toBe('8250');
  });

  test('agrees with whole-number arithmetic', () => {
    fc.assert(
      fc.property(scaledDecimal, scaledDecimal, (a, b) => {
        expect(scaled(add(a, b))).toBe(scaled(a) + scaled(b));
        expect(scaled(subtract(a, b))).toBe(scaled(a) - scaled(b));
        expect(compare(a, b)).toBe(scaled(a) < scaled(b) ? -1 : scaled(a) > scaled(b) ? 1 : 0);
      }),
    );
  });
});

describe('minor units', () => {
  test.each([
    ['JPY', 0],
    ['EUR', 2],
    ['CHF', 2],
    ['KWD', 3],
    ['BHD', 3],
    ['TND', 3],
    ['CLF', 4],
  ])('%s has %i', (currency, units) => expect(minorUnits(currency)).toBe(units));

  test.each(['EURO', 'eur', 'XXX', 'XAU', 'DEM', ''])('"%s" is no currency', (currency) =>
    expect(codeOf(() => minorUnits(currency))).toBe('CURRENCY_INVALID'),
  );
});

describe('rounding', () => {
  test.each([
    ['647.425', 'EUR', '647.43', '647.42'],
    ['-647.425', 'EUR', '-647.43', '-647.42'],
    ['0.5', 'JPY', '1', '0'],
    ['1.0005', 'KWD', '1.001', '1.000'],
    ['-0.004', 'EUR', '0.00', '0.00'],
    ['12', 'EUR', '12.00', '12.00'],
  ])('%s %s is %s half up and %s half even', (amount, currency, up, even) => {
    expect(roundMoney(amount, currency)).toBe(up);
    expect(roundMoney(amount, currency, 'half_even')).toBe(even);
  });

  test('moves an amount by at most half a minor unit, and twice like once', () => {
    fc.assert(
      fc.property(scaledDecimal, fc.constantFrom('JPY', 'EUR', 'KWD'), (amount, currency) => {
        const unit = 10n ** BigInt(10 - minorUnits(currency));
        for (const rounding of ['half_up', 'half_even'] as const) {
          const rounded = roundMoney(amount, currency, rounding);
          const error = scaled(rounded) - scaled(amount);
          expect(2n * (error < 0n ? -error : error)).toBeLessThanOrEqual(unit);
          expect(scaled(rounded) % unit).toBe(0n);
          expect(roundMoney(rounded, currency, rounding)).toBe(rounded);
          expect(roundMoney(negate(amount), currency, rounding)).toBe(negate(rounded));
        }
      }),
    );
  });

  test('rounds the exact product once', () => {
    // Exactly 0.004999999996: cut to 10 decimals first, it would become 0.005 and then 0.01.
    expect(convert('0.04', '0.1249999999', 'EUR')).toBe('0.00');
    expect(percentOf('26371.87', '19', 'EUR')).toBe('5010.66');
  });

  test('an exchange rate must be positive', () => {
    expect(codeOf(() => convert('1.00', '0', 'EUR'))).toBe('AMOUNT_INVALID');
    expect(codeOf(() => convert('1.00', '-1', 'EUR'))).toBe('AMOUNT_INVALID');
  });
});

describe('splits', () => {
  test('give the largest remainders the rest, ties to the lowest index', () => {
    expect(splitAmount('100.00', 3, 'EUR')).toEqual(['33.34', '33.33', '33.33']);
    expect(splitAmount('-100.00', 3, 'EUR')).toEqual(['-33.34', '-33.33', '-33.33']);
    expect(splitAmount('0.00', 3, 'EUR')).toEqual(['0.00', '0.00', '0.00']);
    expect(splitAmount('10.00', ['1', '2', '0'], 'EUR')).toEqual(['3.33', '6.67', '0.00']);
    expect(splitAmount('1', ['1', '1'], 'JPY')).toEqual(['1', '0']);
  });

  test('refuse what cannot be split', () => {
    expect(codeOf(() => splitAmount('1.00', 0, 'EUR'))).toBe('AMOUNT_INVALID');
    expect(codeOf(() => splitAmount('1.00', ['0', '0'], 'EUR'))).toBe('AMOUNT_INVALID');
    expect(codeOf(() => splitAmount('1.00', ['2', '-1'], 'EUR'))).toBe('AMOUNT_INVALID');
    expect(codeOf(() => splitAmount('1.005', 2, 'EUR'))).toBe('AMOUNT_INVALID');
  });

  test('work for numbers that are no money', () => {
    expect(splitDecimal('52.25', ['1', '2'], 4)).toEqual(['17.4167', '34.8333']);
    expect(codeOf(() => splitDecimal('1.005', 2, 2))).toBe('AMOUNT_INVALID');
  });

  test('conserve the total and stay within one minor unit of the exact share', () => {
    fc.assert(
      fc.property(
        fc
          .constantFrom('JPY', 'EUR', 'KWD')
          .chain((currency) => fc.tuple(fc.constant(currency), minorAmount(currency))),
        fc
          .array(ratio, { minLength: 1, maxLength: 12 })
          .filter((weights) => weights.some((w) => compare(w, '0') > 0)),
        ([currency, total], weights) => {
          const shares = splitAmount(total, weights, currency);
          expect(compare(add(...shares), total)).toBe(0);
          const weightSum = weights.reduce((sum, weight) => sum + scaled(weight), 0n);
          const unit = 10n ** BigInt(10 - minorUnits(currency));
          shares.forEach((share, index) => {
            const error = scaled(share) * weightSum - scaled(total) * scaled(weights[index] ?? '0');
            expect(error < 0n ? -error : error).toBeLessThan(unit * weightSum);
          });
        },
      ),
    );
  });
});
