/** A moment or a day. Printed in the integration user's date format unless TO_CHAR says otherwise. */
export class SqlDate {
  readonly time: number;

  constructor(time: number) {
    this.time = time;
  }

  static ofDay(day: string): SqlDate {
    return new SqlDate(Date.parse(`${day}T00:00:00Z`));
  }

  /** `M/D/YYYY`, without leading zeros: a new user's preference. */
  toString(): string {
    const date = new Date(this.time);
    return `${date.getUTCMonth() + 1}/${date.getUTCDate()}/${date.getUTCFullYear()}`;
  }
}

export type SqlValue = string | number | SqlDate | null;

/** Less than, equal, greater than 0; null when one side is null (SQL: unknown). */
export function compareValues(a: SqlValue, b: SqlValue): number | null {
  if (a === null || b === null) return null;
  if (a instanceof SqlDate || b instanceof SqlDate) return sign(timeOf(a), timeOf(b));
  if (typeof a === 'number' || typeof b === 'number') return sign(Number(a), Number(b));
  return a < b ? -1 : a > b ? 1 : 0;
}

function sign(a: number, b: number): number | null {
  return Number.isNaN(a) || Number.isNaN(b) ? null : Math.sign(a - b);
}

/** A text beside a date is read in the user's format `M/D/YYYY`. */
function timeOf(value: string | number | SqlDate): number {
  if (value instanceof SqlDate) return value.time;
  const match = /^(\d{1,2})\/(\d{1,2})\/(\d{4})$/.exec(String(value));
  return match ? Date.UTC(Number(match[3]), Number(match[1]) - 1, Number(match[2])) : Number.NaN;
}

const PARTS = /"([^"]*)"|YYYY|YY|MM|MON|DD|HH24|HH12|HH|MI|SS|FF3|AM|[^A-Z"]+/gi;
const MONTHS = ['JAN', 'FEB', 'MAR', 'APR', 'MAY', 'JUN', 'JUL', 'AUG', 'SEP', 'OCT', 'NOV', 'DEC'];

/** TO_CHAR of a date: Oracle's format elements, quoted text as it is. */
export function formatDate(value: SqlDate, format: string): string {
  const date = new Date(value.time);
  const two = (part: number): string => String(part).padStart(2, '0');
  return format.replace(PARTS, (part, quoted: string | undefined) => {
    if (quoted !== undefined) return quoted;
    switch (part.toUpperCase()) {
      case 'YYYY':
        return String(date.getUTCFullYear());
      case 'YY':
        return two(date.getUTCFullYear() % 100);
      case 'MM':
        return two(date.getUTCMonth() + 1);
      case 'MON':
        return MONTHS[date.getUTCMonth()] ?? '';
      case 'DD':
        return two(date.getUTCDate());
      case 'HH24':
        return two(date.getUTCHours());
      case 'HH':
      case 'HH12':
        return two(date.getUTCHours() % 12 || 12);
      case 'MI':
        return two(date.getUTCMinutes());
      case 'SS':
        return two(date.getUTCSeconds());
      case 'FF3':
        return String(date.getUTCMilliseconds()).padStart(3, '0');
      case 'AM':
        return date.getUTCHours() < 12 ? 'AM' : 'PM';
      default:
        return part;
    }
  });
}

/** TO_DATE, TO_TIMESTAMP. Null when the text does not fit the format. */
export function parseDate(text: string, format: string): SqlDate | null {
  const fields: Record<string, number> = { YYYY: 1970, MM: 1, DD: 1, HH24: 0, MI: 0, SS: 0, FF3: 0 };
  let rest = text;
  for (const [part, quoted] of format.matchAll(PARTS)) {
    const key = part.toUpperCase();
    if (fields[key] === undefined) {
      const literal = quoted ?? part;
      if (!rest.startsWith(literal)) return null;
      rest = rest.slice(literal.length);
      continue;
    }
    const digits = new RegExp(`^\\d{1,${key === 'YYYY' ? 4 : key === 'FF3' ? 3 : 2}}`).exec(rest)?.[0];
    if (digits === undefined) return null;
    fields[key] = Number(digits);
    rest = rest.slice(digits.length);
  }
  if (rest !== '') return null;
  const { YYYY = 1970, MM = 1, DD = 1, HH24 = 0, MI = 0, SS = 0, FF3 = 0 } = fields;
  return new SqlDate(Date.UTC(YYYY, MM - 1, DD, HH24, MI, SS, FF3));
}
