/** Business dates as `YYYY-MM-DD`; the arithmetic is in UTC, so that no time zone can move them. */

export function addDays(date: string, days: number): string {
  const moved = new Date(`${date}T00:00:00Z`);
  moved.setUTCDate(moved.getUTCDate() + days);
  return moved.toISOString().slice(0, 10);
}

/** Keeps the day of the month, or takes the last one when the month is shorter. */
export function addMonths(date: string, months: number): string {
  const [year = 0, month = 1, day = 1] = date.split('-').map(Number);
  const lastDay = new Date(Date.UTC(year, month + months, 0)).getUTCDate();
  return new Date(Date.UTC(year, month - 1 + months, Math.min(day, lastDay))).toISOString().slice(0, 10);
}

/** Last day of a term of `months` that begins on `start`. */
export function endOfTerm(start: string, months: number): string {
  return addDays(addMonths(start, months), -1);
}

export function firstOfNextMonth(date: string): string {
  return `${addMonths(date, 1).slice(0, 7)}-01`;
}
