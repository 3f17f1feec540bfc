import { language, locale } from './index';

/** Numbers, money and times as the viewer writes them, in the viewer's time zone. */

const times = new Intl.DateTimeFormat(locale, {
  year: 'numeric',
  month: 'short',
  day: '2-digit',
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
  timeZoneName: 'short',
});
const shortTimes = new Intl.DateTimeFormat(locale, {
  month: 'short',
  day: '2-digit',
  hour: '2-digit',
  minute: '2-digit',
});
const days = new Intl.DateTimeFormat(locale, { month: 'short', day: 'numeric' });
const numbers = new Intl.NumberFormat(locale);
const percents = new Intl.NumberFormat(locale, { style: 'percent', maximumFractionDigits: 1 });
const relative = new Intl.RelativeTimeFormat(language, { numeric: 'auto', style: 'short' });

export const formatTime = (instant: string): string => times.format(new Date(instant));
export const formatShortTime = (instant: string): string => shortTimes.format(new Date(instant));
/** @param day `YYYY-MM-DD`, a day of a calendar and of no time zone */
export const formatDay = (day: string): string => days.format(new Date(`${day}T00:00`));
export const formatPercent = (share: number): string => percents.format(share);
export const formatNumber = (value: number): string => numbers.format(value);

/** @param amount decimal text; it is never made a number, so no digit is lost */
export function formatMoney(amount: string, currency: string): string {
  const value = amount as Intl.StringNumericLiteral;
  try {
    return new Intl.NumberFormat(locale, { style: 'currency', currency, currencyDisplay: 'code' }).format(
      value,
    );
  } catch {
    // No currency, or none that has a code: the amount is said all the same.
    return `${amount} ${currency}`.trim();
  }
}

const units: [Intl.RelativeTimeFormatUnit, number][] = [
  ['day', 86_400],
  ['hour', 3_600],
  ['minute', 60],
  ['second', 1],
];

/** "5 min ago", "in 2 hr". */
export function formatRelative(instant: string, now: number): string {
  const seconds = (Date.parse(instant) - now) / 1000;
  const [unit, size] = units.find(([, length]) => Math.abs(seconds) >= length) ?? ['second', 1];
  return relative.format(Math.trunc(seconds / size), unit);
}

/** "350 ms", "4.2 s", "3 min 20 s", "2 h 5 min", "4 d 3 h". */
export function formatDuration(ms: number): string {
  if (ms < 1_000) return `${numbers.format(Math.round(ms))} ms`;
  if (ms < 60_000) return `${numbers.format(Math.round(ms / 100) / 10)} s`;
  const seconds = Math.round(ms / 1000);
  if (seconds < 3_600) return pair(seconds, 60, 'min', 1, 's');
  if (seconds < 86_400) return pair(seconds, 3_600, 'h', 60, 'min');
  return pair(seconds, 86_400, 'd', 3_600, 'h');
}

function pair(seconds: number, large: number, largeUnit: string, small: number, smallUnit: string): string {
  const whole = Math.floor(seconds / large);
  const rest = Math.floor((seconds % large) / small);
  return rest === 0
    ? `${numbers.format(whole)} ${largeUnit}`
    : `${numbers.format(whole)} ${largeUnit} ${rest} ${smallUnit}`;
}
