import fc from 'fast-check';
import { addWorkingTime, shareOfTime, workingTimeBetween } from '../../../lib/governance/working-time';
import type { WorkingCalendar } from '../../../lib/rules';
import { chosenSeed } from '../../support/seed';

const HOUR = 3_600_000;
const seed = chosenSeed('working time');
const DAYS = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] as const;

const calendar = (special: Partial<WorkingCalendar> = {}): WorkingCalendar => ({
  timeZone: 'Europe/Berlin',
  hours: Object.fromEntries(DAYS.slice(0, 5).map((day) => [day, ['09:00-17:00']])),
  holidays: [],
  fiscalCloses: [],
  ...special,
});
const roundTheClock = (timeZone: string) =>
  calendar({ timeZone, hours: Object.fromEntries(DAYS.map((day) => [day, ['00:00-24:00']])) });

describe('known answers', () => {
  test.each([
    ['within a day', '2026-11-16T09:00:00.000Z', 2, '2026-11-16T11:00:00.000Z'],
    ['over night', '2026-11-16T15:00:00.000Z', 2, '2026-11-17T09:00:00.000Z'],
    ['over the weekend', '2026-11-20T15:30:00.000Z', 1, '2026-11-23T08:30:00.000Z'],
    ['from outside of hours', '2026-11-21T12:00:00.000Z', 8, '2026-11-23T16:00:00.000Z'],
    ['to the very end of a day', '2026-11-16T08:00:00.000Z', 8, '2026-11-16T16:00:00.000Z'],
  ])('%s', (_, from, hours, due) => {
    expect(addWorkingTime(calendar(), from, hours * HOUR)).toBe(due);
  });

  test('holidays do not count', () => {
    const holidays = ['2026-11-17', '2026-11-18'];
    expect(addWorkingTime(calendar({ holidays }), '2026-11-16T15:00:00.000Z', 2 * HOUR)).toBe(
      '2026-11-19T09:00:00.000Z',
    );
  });

  test('a fiscal close lets work rest, or leaves it less time', () => {
    const days = { from: '2026-11-30', to: '2026-12-01' };
    const pausing = calendar({ fiscalCloses: [{ ...days, effect: 'pause' }] });
    expect(addWorkingTime(pausing, '2026-11-27T15:00:00.000Z', 2 * HOUR)).toBe('2026-12-02T09:00:00.000Z');
    const tight = calendar({ fiscalCloses: [{ ...days, effect: 'tighten', percent: 50 }] });
    expect(shareOfTime(tight, '2026-12-01T22:59:59.000Z')).toBe(50);
    // Midnight in Berlin.
    expect(shareOfTime(tight, '2026-12-01T23:00:00.000Z')).toBe(100);
  });

  test.each([
    // The clock is put forward at 02:00 and back at 03:00.
    ['Europe/Berlin', '2026-03-28T23:00:00.000Z', '2026-03-29T22:00:00.000Z', 23],
    ['Europe/Berlin', '2026-10-24T22:00:00.000Z', '2026-10-25T23:00:00.000Z', 25],
    ['America/New_York', '2026-03-08T05:00:00.000Z', '2026-03-09T04:00:00.000Z', 23],
    ['Australia/Lord_Howe', '2026-10-03T13:30:00.000Z', '2026-10-04T13:00:00.000Z', 23.5],
  ])('a day of the change of time in %s', (zone, from, to, hours) => {
    expect(workingTimeBetween(roundTheClock(zone), from, to)).toBe(hours * HOUR);
  });

  test('a calendar without a free day is refused, not searched for ever', () => {
    const closed = calendar({ fiscalCloses: [{ from: '2000-01-01', to: '2100-01-01', effect: 'pause' }] });
    expect(() => addWorkingTime(closed, '2026-11-16T09:00:00.000Z', HOUR)).toThrow(/not enough working time/);
  });
});

describe('for any calendar', () => {
  const time = fc.integer({ min: 0, max: 24 * 4 });
  const spans = fc.uniqueArray(time, { minLength: 2, maxLength: 6 }).map((ends) => {
    const sorted = [...ends].sort((a, b) => a - b);
    return sorted.flatMap((end, index) =>
      index % 2 === 1 ? [`${clock(sorted[index - 1] ?? 0)}-${clock(end)}`] : [],
    );
  });
  const clock = (quarters: number) =>
    `${String(Math.floor(quarters / 4)).padStart(2, '0')}:${String((quarters % 4) * 15).padStart(2, '0')}`;
  const zone = fc.constantFrom(
    ...[
      'UTC',
      'Europe/Berlin',
      'America/New_York',
      'Asia/Kolkata',
      'Pacific/Auckland',
      'Australia/Lord_Howe',
    ],
  );
  const instant = fc
    .date({ min: new Date('2025-01-01'), max: new Date('2028-01-01'), noInvalidDate: true })
    .map((date) => date.toISOString());
  const day = instant.map((at) => at.slice(0, 10));
  const anyCalendar = fc
    .record({
      timeZone: zone,
      hours: fc.dictionary(fc.constantFrom(...DAYS), spans, { minKeys: 1, noNullPrototype: true }),
      holidays: fc.array(day, { maxLength: 10 }),
      fiscalCloses: fc.constant<WorkingCalendar['fiscalCloses']>([]),
    })
    .map((made): WorkingCalendar => made);
  const duration = fc.integer({ min: 1, max: 60 * HOUR });
  const options = { seed, numRuns: 200 };

  test('as much working time lies between the begin and the due time as was added', () => {
    fc.assert(
      fc.property(anyCalendar, instant, duration, (known, from, ms) => {
        expect(workingTimeBetween(known, from, addWorkingTime(known, from, ms))).toBe(ms);
      }),
      options,
    );
  });

  test('working time adds up', () => {
    fc.assert(
      fc.property(anyCalendar, fc.tuple(instant, instant, instant), (known, moments) => {
        const [a, b, c] = [...moments].sort() as [string, string, string];
        expect(workingTimeBetween(known, a, b) + workingTimeBetween(known, b, c)).toBe(
          workingTimeBetween(known, a, c),
        );
      }),
      { ...options, numRuns: 20 },
    );
  });

  test('added in two parts it is the same, and more is never due earlier', () => {
    fc.assert(
      fc.property(anyCalendar, instant, duration, duration, (known, from, one, other) => {
        const first = addWorkingTime(known, from, one);
        expect(addWorkingTime(known, first, other)).toBe(addWorkingTime(known, from, one + other));
        expect(first > from).toBe(true);
      }),
      options,
    );
  });

  test('there is never more working time than time', () => {
    fc.assert(
      fc.property(anyCalendar, instant, duration, (known, from, ms) => {
        const to = new Date(Date.parse(from) + ms).toISOString();
        expect(workingTimeBetween(known, from, to)).toBeLessThanOrEqual(ms);
        expect(workingTimeBetween(roundTheClock(known.timeZone), from, to)).toBe(ms);
      }),
      options,
    );
  });
});
