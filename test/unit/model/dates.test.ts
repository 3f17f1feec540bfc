import fc from 'fast-check';
import {
  addDays,
  addMonths,
  daysBetween,
  dueDate,
  isInstant,
  isLocalDate,
  isPaymentTerms,
  monthlyDates,
  monthlyPeriods,
  periodContains,
  todayIn,
  toInstant,
} from '../../../lib/model';
import { localDate } from './arbitraries';

const invalid = expect.objectContaining({ code: 'VALUE_INVALID' });

describe('local dates', () => {
  test.each(['2026-02-28', '2024-02-29', '0001-01-01', '9999-12-31'])('%s exists', (date) =>
    expect(isLocalDate(date)).toBe(true),
  );
  test.each(['2026-02-29', '2026-13-01', '2026-1-1', '2026-01-01T00:00:00.000Z', '', 20260101, null])(
    '%s does not',
    (date) => expect(isLocalDate(date)).toBe(false),
  );

  test('refuse to reckon with what is no date', () => {
    expect(() => addDays('2026-02-30', 1)).toThrow(invalid);
    expect(() => addDays('9999-12-31', 1)).toThrow(invalid);
    expect(() => periodContains({ from: '2026-01-01', to: 'soon' }, '2026-01-02')).toThrow(invalid);
  });

  test('days are added and counted alike', () => {
    fc.assert(
      fc.property(localDate, fc.integer({ min: -40_000, max: 40_000 }), (date, days) => {
        expect(daysBetween(date, addDays(date, days))).toBe(days);
        expect(addDays(addDays(date, days), -days)).toBe(date);
      }),
    );
  });
});

describe('months', () => {
  test('keep the anchor day and fall back to the last day of shorter months', () => {
    expect(monthlyDates('2024-01-31', 5)).toEqual([
      '2024-01-31',
      '2024-02-29',
      '2024-03-31',
      '2024-04-30',
      '2024-05-31',
    ]);
    expect(addMonths('2026-03-31', -1)).toBe('2026-02-28');
    expect(monthlyDates('2026-01-15', 0)).toEqual([]);
  });

  test('periods follow each other without gap or overlap', () => {
    expect(monthlyPeriods('2026-01-31', 2)).toEqual([
      { from: '2026-01-31', to: '2026-02-27' },
      { from: '2026-02-28', to: '2026-03-30' },
    ]);
    fc.assert(
      fc.property(localDate, fc.integer({ min: 1, max: 36 }), (anchor, count) => {
        const periods = monthlyPeriods(anchor, count);
        expect(periods[0]?.from).toBe(anchor);
        periods.slice(1).forEach((period, index) => {
          expect(period.from).toBe(addDays(periods[index]?.to ?? '', 1));
        });
        for (const { from, to } of periods) expect(from < to).toBe(true);
      }),
    );
  });

  test('both ends belong to a period', () => {
    const january = { from: '2026-01-01', to: '2026-01-31' };
    expect(
      ['2025-12-31', '2026-01-01', '2026-01-31', '2026-02-01'].map((day) => periodContains(january, day)),
    ).toEqual([false, true, true, false]);
  });
});

describe('payment terms', () => {
  test.each([
    ['due_on_receipt', { due: '2026-01-15' }],
    ['net_0', { due: '2026-01-15' }],
    ['net_45', { due: '2026-03-01' }],
    ['eom_0', { due: '2026-01-31' }],
    ['2_10_net_30', { due: '2026-02-14', discountDue: '2026-01-25', discountPercent: '2' }],
  ])('%s', (terms, expected) => expect(dueDate('2026-01-15', terms)).toEqual(expected));

  test.each(['net_', 'net_x', 'NET_30', 'net_-1', '0_10_net_30', 'cash', ''])('"%s" are none', (terms) => {
    expect(isPaymentTerms(terms)).toBe(false);
    expect(() => dueDate('2026-01-15', terms)).toThrow(invalid);
  });
});

describe('moments', () => {
  test('the business date depends on the zone', () => {
    const moment = '2026-06-30T22:30:00.000Z';
    expect(todayIn('Europe/Berlin', moment)).toBe('2026-07-01');
    expect(todayIn('America/New_York', moment)).toBe('2026-06-30');
    expect(todayIn('Asia/Tokyo', new Date(moment))).toBe('2026-07-01');
    expect(() => todayIn('Middle/Earth', moment)).toThrow(invalid);
  });

  test.each([
    ['2026-01-31T10:00:00.000+0000', '2026-01-31T10:00:00.000Z'],
    ['2026-01-31T10:00:00+02:00', '2026-01-31T08:00:00.000Z'],
    ['2026-01-31T10:00:00Z', '2026-01-31T10:00:00.000Z'],
    ['2026-01-31T10:00:00.123456Z', '2026-01-31T10:00:00.123Z'],
  ])('%s is written %s', (moment, written) => {
    expect(toInstant(moment)).toBe(written);
    expect(isInstant(written)).toBe(true);
  });

  test.each(['2026-01-31', '2026-01-31T10:00:00', '2026-02-30T10:00:00Z', 'now'])(
    '"%s" is no moment',
    (moment) => expect(() => toInstant(moment)).toThrow(invalid),
  );
  test('an invalid Date is no moment', () => expect(() => toInstant(new Date(Number.NaN))).toThrow(invalid));
});
