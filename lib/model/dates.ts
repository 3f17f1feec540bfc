import { DateTime } from 'luxon';
import { Q2cError } from './errors';
import {
  daysInMonth,
  type Instant,
  isLocalDate,
  type LocalDate,
  PAYMENT_TERMS,
  type Percent,
  type Period,
} from './primitives';

/**
 * Business dates (guides §1, §10). A date has no time of day and no zone; which date "today" is depends on the
 * legal entity's zone. All functions throw Q2cError `VALUE_INVALID` for what is no date, zone or moment.
 */

const invalid = (message: string) => new Q2cError('VALUE_INVALID', message);

const DAY_MS = 86_400_000;

/** @returns its midnight in UTC, in milliseconds. @throws Q2cError `VALUE_INVALID` */
function midnight(date: LocalDate): number {
  if (!isLocalDate(date)) throw invalid(`"${date}" is not a date of the form YYYY-MM-DD.`);
  return Date.parse(date);
}

function dateOf(midnightMs: number): LocalDate {
  const text = Number.isNaN(midnightMs)
    ? ''
    : new Date(midnightMs).toISOString().slice(0, -'T00:00:00.000Z'.length);
  if (isLocalDate(text)) return text;
  throw invalid('The date is outside the years 0000 to 9999.');
}

export const addDays = (date: LocalDate, days: number): LocalDate => dateOf(midnight(date) + days * DAY_MS);

/** Same day of a later (or earlier) month; the last day where the month is shorter. */
export function addMonths(date: LocalDate, months: number): LocalDate {
  midnight(date);
  const [year = 0, month = 0, day = 0] = date.split('-').map(Number);
  const count = year * 12 + month - 1 + months;
  return dayOfMonth(Math.floor(count / 12), (((count % 12) + 12) % 12) + 1, day);
}

export function endOfMonth(date: LocalDate): LocalDate {
  midnight(date);
  return dayOfMonth(Number(date.slice(0, 4)), Number(date.slice(5, 7)), 31);
}

function dayOfMonth(year: number, month: number, day: number): LocalDate {
  const text = [
    String(year).padStart(4, '0'),
    String(month).padStart(2, '0'),
    String(Math.min(day, daysInMonth(year, month))).padStart(2, '0'),
  ].join('-');
  if (isLocalDate(text)) return text;
  throw invalid('The date is outside the years 0000 to 9999.');
}

/** Days from one date to another; negative when `to` is earlier. */
export const daysBetween = (from: LocalDate, to: LocalDate): number =>
  (midnight(to) - midnight(from)) / DAY_MS;

/** True when the date is in the period; both ends belong to it. */
export const periodContains = ({ from, to }: Period, date: LocalDate): boolean => {
  for (const day of [from, to, date]) midnight(day);
  return from <= date && date <= to;
};

/**
 * Monthly dates from the anchor on. The anchor's day is kept: 31 January, 28 February, 31 March.
 *
 * @param count how many dates, the anchor included.
 */
export const monthlyDates = (anchor: LocalDate, count: number): LocalDate[] =>
  Array.from({ length: count }, (_, month) => addMonths(anchor, month));

/** Consecutive monthly periods from the anchor on, each ending the day before the next begins. */
export function monthlyPeriods(anchor: LocalDate, count: number): Period[] {
  return monthlyDates(anchor, count).map((from, month) => ({
    from,
    to: addDays(addMonths(anchor, month + 1), -1),
  }));
}

/** True for `net_n`, `eom_n`, `due_on_receipt` and discount terms such as `2_10_net_30`. */
export const isPaymentTerms = (value: unknown): value is string =>
  typeof value === 'string' && PAYMENT_TERMS.test(value);

export interface DueDate {
  due: LocalDate;
  /** Last day on which the discount may be taken. */
  discountDue?: LocalDate;
  discountPercent?: Percent;
}

/** When an invoice is due under payment terms. `2_10_net_30`: 2 % off within 10 days, else due after 30. */
export function dueDate(issueDate: LocalDate, terms: string): DueDate {
  if (!isPaymentTerms(terms))
    throw invalid(`"${terms}" are not payment terms such as net_30, eom_30, 2_10_net_30.`);
  if (terms === 'due_on_receipt') return { due: addDays(issueDate, 0) };

  const numbers = terms.match(/\d+/g) ?? [];
  const days = Number(numbers.at(-1));
  if (terms.startsWith('eom_')) return { due: addDays(endOfMonth(issueDate), days) };
  if (terms.startsWith('net_')) return { due: addDays(issueDate, days) };

  const [percent, discountDays] = numbers;
  return {
    due: addDays(issueDate, days),
    discountDue: addDays(issueDate, Number(discountDays)),
    discountPercent: percent,
  };
}

/** The business date of a moment in a time zone (IANA name). */
export function todayIn(zone: string, now: Instant | Date = new Date()): LocalDate {
  const moment = DateTime.fromISO(toInstant(now), { zone });
  if (!moment.isValid) throw invalid(`"${zone}" is not a time zone, for example Europe/Berlin.`);
  return moment.toISODate();
}

/** A moment in the canonical spelling: UTC with milliseconds. Takes any ISO-8601 text that names its offset. */
export function toInstant(moment: string | Date): Instant {
  if (typeof moment === 'string' && !/T.*(Z|[+-]\d{2}(:?\d{2})?)$/.test(moment)) {
    throw invalid(`"${moment}" is not a moment: it needs date, time and offset.`);
  }
  const parsed = typeof moment === 'string' ? DateTime.fromISO(moment) : DateTime.fromJSDate(moment);
  const text = parsed.toUTC().toISO();
  if (text === null) throw invalid(`"${String(moment)}" is not an existing moment.`);
  return text;
}
