import { type Instant, Q2cError } from '../../lib/model';

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** Every unit by the letters it may be shortened to. */
const UNITS: [RegExp, number][] = [
  [/^s(ec(ond)?s?)?$/, SECOND],
  [/^m(in(ute)?s?)?$/, MINUTE],
  [/^h((ou)?rs?)?$/, HOUR],
  [/^d(ays?)?$/, DAY],
  [/^w(eeks?)?$/, 7 * DAY],
];

/**
 * The instant at which a wait is over.
 * @param value a time from now such as `3 days`, an instant such as `2026-01-31T00:00:00Z`, a Date, or nothing
 * @returns null when it never is
 * @throws Q2cError `VALUE_INVALID` for anything else, also a bare number: nobody could say of what.
 */
export function deadlineOf(value: unknown, now: Instant): Instant | null {
  if (value === undefined || value === null || value === '') return null;
  const at = value instanceof Date ? value.getTime() : timeOf(String(value).trim(), now);
  if (Number.isFinite(at)) return new Date(at).toISOString();
  throw new Q2cError(
    'VALUE_INVALID',
    `"${String(value)}" is no time to wait. Give a time such as "3 days" or "4 hours", or an instant such as 2026-01-31T00:00:00Z.`,
  );
}

function timeOf(text: string, now: Instant): number {
  const [, count, unit] = /^(\d+(?:\.\d+)?)\s*([a-z]+)$/i.exec(text) ?? [];
  const found = UNITS.find(([pattern]) => unit !== undefined && pattern.test(unit.toLowerCase()));
  if (found !== undefined) return Date.parse(now) + Number(count) * found[1];
  return /^\d{4}-\d\d-\d\dT/.test(text) ? Date.parse(text) : Number.NaN;
}
