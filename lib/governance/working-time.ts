import { DateTime } from 'luxon';
import { type Instant, Q2cError } from '../model';
import type { Weekday, WorkingCalendar } from '../rules';

/**
 * Working time on a calendar: the hours of its weekdays, on its own wall clock, without holidays and without days on
 * which a fiscal close lets work rest. Where the clock is put forward or back, a day has as many hours as it really has.
 */

/** A stretch of working time, in ms since the epoch; `to` is not part of it. */
interface Span {
  from: number;
  to: number;
}

const WEEKDAYS: readonly Weekday[] = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'];

/** A calendar whose working days have all been taken away must not be searched for ever. */
const MAX_DAYS = 20 * 366;

/**
 * The moment at which an amount of working time is over, counted from another moment. None left over ends at once,
 * also outside of working hours.
 *
 * @throws Q2cError `VALUE_INVALID` when the calendar has not so much working time within twenty years.
 */
export function addWorkingTime(calendar: WorkingCalendar, from: Instant, ms: number): Instant {
  if (ms <= 0) return from;
  let left = ms;
  for (const span of workingSpans(calendar, from)) {
    const length = span.to - span.from;
    if (left <= length) return new Date(span.from + left).toISOString();
    left -= length;
  }
  throw new Q2cError('VALUE_INVALID', 'The calendar has not enough working time; check its hours and days.');
}

/** Working time between two moments in ms; 0 when the second is not later. */
export function workingTimeBetween(calendar: WorkingCalendar, from: Instant, to: Instant): number {
  const end = Date.parse(to);
  let sum = 0;
  for (const span of workingSpans(calendar, from)) {
    if (span.from >= end) break;
    sum += Math.min(span.to, end) - span.from;
  }
  return sum;
}

/** What is left, in percent, of the working time of something that begins at a moment: less in a close that tightens. */
export function shareOfTime(calendar: WorkingCalendar, at: Instant): number {
  const date = DateTime.fromISO(at, { zone: calendar.timeZone }).toISODate() ?? '';
  const shares = calendar.fiscalCloses.map((close) =>
    close.effect === 'tighten' && close.from <= date && date <= close.to ? close.percent : 100,
  );
  return Math.min(100, ...shares);
}

/** Working time from a moment on. */
function* workingSpans(calendar: WorkingCalendar, from: Instant): Generator<Span> {
  const start = Date.parse(from);
  let day = DateTime.fromISO(from, { zone: calendar.timeZone }).startOf('day');
  for (let count = 0; count < MAX_DAYS; count++) {
    for (const span of spansOf(calendar, day)) {
      if (span.to > start) yield { from: Math.max(span.from, start), to: span.to };
    }
    day = day.plus({ days: 1 });
  }
}

function spansOf(calendar: WorkingCalendar, day: DateTime): Span[] {
  const date = day.toISODate() ?? '';
  if (calendar.holidays.includes(date)) return [];
  if (calendar.fiscalCloses.some((close) => close.effect === 'pause' && isWithin(close, date))) return [];
  const hours = calendar.hours[WEEKDAYS[day.weekday - 1] ?? 'mon'] ?? [];
  return hours
    .map((span) => ({ from: atTime(day, span.slice(0, 5)), to: atTime(day, span.slice(6)) }))
    .filter(({ from, to }) => to > from);
}

const isWithin = ({ from, to }: { from: string; to: string }, date: string): boolean =>
  from <= date && date <= to;

/** A time that the clock leaves out is the moment to which it is put forward. */
function atTime(day: DateTime, time: string): number {
  if (time === '24:00') return day.plus({ days: 1 }).startOf('day').toMillis();
  return day.set({ hour: Number(time.slice(0, 2)), minute: Number(time.slice(3)) }).toMillis();
}
