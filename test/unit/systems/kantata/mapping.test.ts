import {
  fromMinorUnits,
  hoursOf,
  idNumber,
  inMinorUnits,
  instantOf,
  inWholeUnitsUp,
  minutesOf,
} from '../../../../lib/systems/kantata/mapping';

const money = (amount: string, currency = 'EUR') => ({ amount, currency });

describe('amounts', () => {
  it.each([
    ['12345.67', 'EUR', 1234567],
    ['0.1', 'USD', 10],
    ['-100.00', 'GBP', -10000],
    ['1.500000', 'EUR', 150],
    ['150', 'JPY', 150],
    ['1.234', 'KWD', 1234],
    ['90071992547409.91', 'EUR', 9007199254740991],
  ])('%s %s is %d minor units', (amount, currency, units) => {
    expect(inMinorUnits(money(amount, currency), 'amount', 'line 1')).toBe(units);
  });

  it.each([
    ['0.001', 'EUR'],
    ['0.5', 'JPY'],
    ['1e3', 'EUR'],
    ['', 'EUR'],
    ['1234567890123456', 'EUR'],
  ])('refuses %s %s instead of rounding it', (amount, currency) => {
    expect(() => inMinorUnits(money(amount, currency), 'amount', 'line 1')).toThrow(
      expect.objectContaining({ code: 'AMOUNT_INVALID' }),
    );
  });

  it('refuses what a JSON number cannot hold exactly', () => {
    expect(() => inMinorUnits(money('999999999999999.99'), 'amount', 'line 1')).toThrow(
      /cannot be sent as a number/,
    );
  });

  it.each([
    ['30000', 30000],
    ['30000.00', 30000],
    ['30000.01', 30001],
    ['0.5', 1],
  ])('a budget of %s is %d whole units', (amount, units) => {
    expect(inWholeUnitsUp(money(amount), 'value', 'contract C-1')).toBe(units);
  });

  it.each([
    [1234567, 'EUR', '12345.67'],
    [150, 'JPY', '150'],
    [5, 'USD', '0.05'],
  ])('%d minor units of %s are %s', (units, currency, amount) => {
    expect(fromMinorUnits(units, currency)).toEqual({ amount, currency });
  });
});

describe('time', () => {
  it.each([
    ['37.5', 2250],
    ['0.25', 15],
    ['11.6667', 700],
  ])('%s hours are %d minutes', (hours, minutes) => {
    expect(minutesOf(hours)).toBe(minutes);
  });

  it.each([
    [480, '8'],
    [15, '0.25'],
    [20, '0.3333333333'],
    [50, '0.8333333333'],
  ])('%d minutes are %s hours', (minutes, hours) => {
    expect(hoursOf(minutes)).toBe(hours);
  });

  it('is given in UTC', () => {
    expect(instantOf('2026-01-02T10:00:00-08:00')).toBe('2026-01-02T18:00:00.000Z');
  });
});

describe('text and ids', () => {
  it('sends ids as numbers', () => {
    expect(idNumber('812', 'template', 'the firm')).toBe(812);
  });

  it.each(['', 'TBD', '12a', '-1', '1.5', '1234567890123456'])('refuses "%s" as an id', (id) => {
    expect(() => idNumber(id, 'template', 'the firm')).toThrow(
      expect.objectContaining({ code: 'VALUE_INVALID' }),
    );
  });
});
