import { isCurrency } from '../../../../lib/model/iso';
import type { CasePolicy, CaseRule } from '../../../../lib/rules/case-policy';
import type { FirmCatalogue } from '../../../q2c-firm/replies';

/**
 * What is wrong with a policy, each with its place, so that it can be said beside the field. The same as
 * `casePolicySchema` refuses at deploy, in the words of the form.
 */
export interface PolicyProblem {
  /** As in the set-up, with dots: `rules.0.slaHours`. */
  path: string;
  /** Of a text of `q2c-firm`, below `policyProblem`. */
  key: string;
  values?: Record<string, string | number>;
}

export const weekdays = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] as const;

const HOURS = /^([01]\d|2[0-3]):[0-5]\d-(([01]\d|2[0-3]):[0-5]\d|24:00)$/;
const MOST_HOURS = 10_000;

type Known = Pick<FirmCatalogue, 'codes' | 'entities' | 'severities' | 'actions'>;

export function policyProblems(policy: CasePolicy, known: Known): PolicyProblem[] {
  const { version, calendars, rules, otherwise, secondPerson } = policy;
  return [
    ...needed('version', version),
    ...Object.entries(calendars).flatMap(([name, calendar]) =>
      calendarProblems(`calendars.${name}`, calendar),
    ),
    ...rules.flatMap((rule, index) => ruleProblems(`rules.${index}`, rule, policy, known)),
    ...calendarKnown('otherwise.calendar', otherwise.calendar, policy),
    ...Object.entries(otherwise.slaHours).flatMap(([name, hours]) =>
      hoursProblem(`otherwise.slaHours.${name}`, hours, Number.POSITIVE_INFINITY),
    ),
    ...unknown('secondPerson.financialEntities', secondPerson.financialEntities, known.entities),
    ...unknown('secondPerson.financialCodes', secondPerson.financialCodes, known.codes),
    ...unknown('secondPerson.always', secondPerson.always, known.actions),
    ...amountProblems('secondPerson.thresholds', secondPerson.thresholds),
  ];
}

function ruleProblems(path: string, rule: CaseRule, policy: CasePolicy, known: Known): PolicyProblem[] {
  const { when, slaHours, calendar } = rule;
  return [
    ...unknown(`${path}.when.codes`, when.codes, known.codes),
    ...unknown(`${path}.when.entities`, when.entities, known.entities),
    ...unknown(`${path}.when.severities`, when.severities, known.severities),
    ...amountProblems(`${path}.when.amountAtLeast`, when.amountAtLeast ?? {}),
    ...(slaHours === undefined ? [] : hoursProblem(`${path}.slaHours`, slaHours, MOST_HOURS)),
    ...(calendar === undefined ? [] : calendarKnown(`${path}.calendar`, calendar, policy)),
  ];
}

function calendarProblems(path: string, calendar: CasePolicy['calendars'][string]): PolicyProblem[] {
  const spans = weekdays.flatMap((day) => calendar.hours[day] ?? []);
  return [
    ...(isTimeZone(calendar.timeZone) ? [] : [{ path: `${path}.timeZone`, key: 'timeZone' }]),
    ...(spans.length === 0 ? [{ path: `${path}.hours`, key: 'noHours' }] : []),
    ...weekdays.flatMap((day) => dayProblems(`${path}.hours.${day}`, calendar.hours[day] ?? [])),
    ...calendar.holidays
      .filter((date) => !isDate(date))
      .slice(0, 1)
      .map((value) => ({ path: `${path}.holidays`, key: 'dates', values: { value } })),
    ...calendar.fiscalCloses.flatMap((close, index) => closeProblems(`${path}.fiscalCloses.${index}`, close)),
  ];
}

function dayProblems(path: string, spans: readonly string[]): PolicyProblem[] {
  const wrong = spans.find((span) => !HOURS.test(span) || span.slice(0, 5) >= span.slice(6));
  if (wrong !== undefined) return [{ path, key: 'hours', values: { value: wrong } }];
  const isInOrder = spans.every(
    (span, index) => index === 0 || (spans[index - 1] ?? '').slice(6) <= span.slice(0, 5),
  );
  return isInOrder ? [] : [{ path, key: 'overlap' }];
}

function closeProblems(
  path: string,
  close: CasePolicy['calendars'][string]['fiscalCloses'][number],
): PolicyProblem[] {
  if (!isDate(close.from)) return [{ path: `${path}.from`, key: 'date' }];
  if (!isDate(close.to)) return [{ path: `${path}.to`, key: 'date' }];
  if (close.from > close.to) return [{ path: `${path}.to`, key: 'ends' }];
  if (close.effect === 'pause' || (close.percent > 0 && close.percent < 100)) return [];
  return [{ path: `${path}.percent`, key: 'percent' }];
}

const needed = (path: string, value: string): PolicyProblem[] =>
  value.trim() === '' ? [{ path, key: 'needed' }] : [];

const hoursProblem = (path: string, hours: number, most: number): PolicyProblem[] =>
  hours > 0 && hours <= most ? [] : [{ path, key: 'slaHours' }];

const calendarKnown = (path: string, name: string, { calendars }: CasePolicy): PolicyProblem[] =>
  Object.hasOwn(calendars, name) ? [] : [{ path, key: 'calendar', values: { value: name } }];

function unknown(
  path: string,
  values: readonly string[] | undefined,
  known: readonly string[],
): PolicyProblem[] {
  const value = values?.find((each) => !known.includes(each));
  return value === undefined ? [] : [{ path, key: 'unknown', values: { value } }];
}

function amountProblems(path: string, amounts: Readonly<Record<string, string>>): PolicyProblem[] {
  for (const [currency, amount] of Object.entries(amounts)) {
    if (currency !== '*' && !isCurrency(currency))
      return [{ path, key: 'currency', values: { value: currency } }];
    if (!/^\d+(\.\d+)?$/.test(amount)) return [{ path, key: 'amount', values: { value: amount } }];
  }
  return [];
}

function isTimeZone(zone: string): boolean {
  if (zone.trim() === '') return false;
  try {
    new Intl.DateTimeFormat('en', { timeZone: zone });
    return true;
  } catch {
    // That is how the browser says that it knows no such zone.
    return false;
  }
}

function isDate(text: string): boolean {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(text)) return false;
  const midnight = new Date(`${text}T00:00:00.000Z`);
  return !Number.isNaN(midnight.getTime()) && midnight.toISOString().startsWith(text);
}
