import { type Data, isTrue, linesOf, numberOf, textOf } from './data';
import { multiply, round, sum } from './money';

/** Months between two instalments of a schedule. */
const MONTHS: Readonly<Record<string, number>> = {
  MONTHLY: 1,
  STARTOFPERIOD: 1,
  ENDOFPERIOD: 1,
  BIMONTHLY: 2,
  QUARTERLY: 3,
  SEMIANNUALLY: 6,
  ANNUALLY: 12,
  BIENNIALLY: 24,
  TRIENNIALLY: 36,
};
const DAYS: Readonly<Record<string, number>> = {
  HOURLY: 0,
  DAILY: 1,
  WEEKLY: 7,
  BIWEEKLY: 14,
  SEMIMONTHLY: 15,
  QUADWEEKLY: 28,
};

/**
 * How much of a line may have been billed by a day: milestones that are complete, instalments that are due.
 * The last part takes what rounding left over, so the parts sum to the line.
 */
export function dueAmount(
  schedule: Data | undefined,
  amount: number,
  start: string,
  today: string,
  places: number,
): number {
  if (!schedule) return amount;
  const milestones = linesOf(schedule, 'milestone');
  if (milestones.length > 0) {
    return share(
      milestones.map((line) => [numberOf(line, 'milestoneAmount') ?? 0, isTrue(line, 'milestoneCompleted')]),
    );
  }
  const custom = linesOf(schedule, 'recurrence');
  if (custom.length > 0) {
    return share(
      custom.map((line) => [
        numberOf(line, 'amount') ?? 0,
        (textOf(line, 'recurrenceDate') ?? start) <= today,
      ]),
    );
  }
  return instalmentsDue(schedule, amount, start, today, places);

  function share(parts: readonly (readonly [part: number, due: boolean])[]): number {
    if (parts.every(([, due]) => due)) return amount;
    const due = sum(parts.filter(([, isDue]) => isDue).map(([part]) => part));
    return round((amount * due) / sum(parts.map(([part]) => part)), places);
  }
}

function instalmentsDue(
  schedule: Data,
  amount: number,
  start: string,
  today: string,
  places: number,
): number {
  const count = numberOf(schedule, 'numberRemaining') ?? 0;
  const initial = Math.min(amount, numberOf(schedule, 'initialAmount') ?? (count === 0 ? amount : 0));
  if (start > today) return 0;
  const frequency = textOf(schedule, 'frequency') ?? 'MONTHLY';
  if (count === 0 || frequency === 'NEVER' || frequency === 'ONETIME') return amount;
  const every = Number(textOf(schedule, 'repeatEvery') ?? '1');
  const first = isTrue(schedule, 'inArrears') || initial > 0 ? 1 : 0;
  let due = 0;
  while (due < count && periodStart(start, frequency, every * (due + first)) <= today) due++;
  if (due === count) return amount;
  return sum([initial, multiply(amount - initial, due / count, places)]);
}

function periodStart(start: string, frequency: string, periods: number): string {
  const date = new Date(`${start}T00:00:00Z`);
  const day = date.getUTCDate();
  const days = DAYS[frequency];
  if (days !== undefined) date.setUTCDate(day + days * periods);
  else {
    date.setUTCDate(1);
    date.setUTCMonth(date.getUTCMonth() + (MONTHS[frequency] ?? 1) * periods);
    const last = new Date(Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 0)).getUTCDate();
    date.setUTCDate(Math.min(day, last));
  }
  return date.toISOString().slice(0, 10);
}
