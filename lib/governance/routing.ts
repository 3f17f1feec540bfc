import {
  compare,
  type ExceptionCode,
  type Instant,
  type Money,
  type Role,
  roles,
  type Severity,
} from '../model';
import type { CasePolicy, CaseRule, GatedAction } from '../rules';
import { addWorkingTime, shareOfTime } from './working-time';

/** What a policy says about a case. Pure: the same case and policy give the same answer. */

/** What a case is routed by. */
export interface RoutedCase {
  code: ExceptionCode;
  system: string | null;
  entity: string | null;
  /** Key of the legal entity in the firm's set-up. */
  legalEntity: string | null;
  region: string | null;
  amountAtRisk: Money | null;
}

export interface Routing {
  ownerRole: string;
  severity: Severity;
  slaDue: Instant;
}

const HOUR_MS = 3_600_000;

/**
 * Owner, severity and due time of a case that is opened.
 * @param stated owner and severity of its code, or as a node says them; the rules may say others
 */
export function routeCase(
  policy: CasePolicy,
  routed: RoutedCase,
  stated: { ownerRole: string; severity: Severity },
  at: Instant,
): Routing {
  const severity = decide(policy, routed, stated.severity, 'severity') ?? stated.severity;
  const said = <K extends keyof CaseRule>(what: K) => decide(policy, routed, severity, what);
  const calendar = policy.calendars[said('calendar') ?? policy.otherwise.calendar];
  if (calendar === undefined) throw new Error('The policy names a calendar that it does not have.');
  const hours = said('slaHours') ?? policy.otherwise.slaHours[severity];
  const ms = Math.round((hours * HOUR_MS * shareOfTime(calendar, at)) / 100);
  return {
    ownerRole: said('ownerRole') ?? stated.ownerRole,
    severity,
    slaDue: addWorkingTime(calendar, at, ms),
  };
}

/** What becomes of a case whose time is over. */
export function onBreach(
  policy: CasePolicy,
  routed: RoutedCase,
  severity: Severity,
): { severity?: Severity | undefined; escalateTo?: Role | undefined } {
  return decide(policy, routed, severity, 'onBreach') ?? policy.otherwise.onBreach;
}

/** The first rule that fits and says it. */
function decide<K extends keyof CaseRule>(
  { rules }: CasePolicy,
  routed: RoutedCase,
  severity: Severity,
  what: K,
): CaseRule[K] | undefined {
  return rules.find((rule) => rule[what] !== undefined && fits(rule, routed, severity))?.[what];
}

function fits({ when }: CaseRule, routed: RoutedCase, severity: Severity): boolean {
  return (
    isAmong(when.codes, routed.code) &&
    isAmong(when.systems, routed.system) &&
    isAmong(when.entities, routed.entity) &&
    isAmong(when.legalEntities, routed.legalEntity) &&
    isAmong(when.regions, routed.region) &&
    isAmong(when.severities, severity) &&
    (when.amountAtLeast === undefined || isAtLeast(when.amountAtLeast, routed.amountAtRisk))
  );
}

const isAmong = (values: readonly string[] | undefined, value: string | null): boolean =>
  values === undefined || (value !== null && values.includes(value));

function isAtLeast(amounts: Readonly<Record<string, string>>, money: Money | null): boolean {
  if (money === null) return false;
  const amount = amounts[money.currency] ?? amounts['*'];
  return amount !== undefined && compare(money.amount, amount) >= 0;
}

/**
 * Why an action needs a second person (guides §13), in words; null when it does not. What waives a case needs one when
 * it is about money or above the threshold; what repairs or takes back, when it is both.
 */
export function secondPersonReason(
  { secondPerson }: CasePolicy,
  action: GatedAction,
  { code, entity, amountAtRisk }: RoutedCase,
): string | null {
  const { always, financialCodes, financialEntities, thresholds } = secondPerson;
  if (always.includes(action)) return 'The policy asks for a second person whenever this is done.';
  const isFinancial = financialCodes.includes(code) || isAmong(financialEntities, entity);
  const threshold = amountAtRisk === null ? undefined : thresholdOf(thresholds, amountAtRisk.currency);
  const isAbove =
    amountAtRisk !== null && (threshold === undefined || compare(amountAtRisk.amount, threshold) >= 0);
  const above =
    threshold === undefined
      ? `there is no threshold for ${amountAtRisk?.currency ?? ''}`
      : `the amount at risk is ${threshold} ${amountAtRisk?.currency ?? ''} or more`;
  if (action === 'waive') {
    if (isFinancial) return 'The case is about money.';
    return isAbove ? `To waive it takes two: ${above}.` : null;
  }
  if (!isFinancial) return null;
  // What money it is about is not known: then it may be any.
  if (amountAtRisk === null) return 'The case is about money, and the amount at risk is not known.';
  return isAbove ? `The case is about money, and ${above}.` : null;
}

const thresholdOf = (thresholds: Readonly<Record<string, string>>, currency: string): string | undefined =>
  thresholds[currency] ?? thresholds['*'];

const SEVERITIES: readonly Severity[] = ['warning', 'error', 'critical'];

/** A severity as stored; one that is not known counts as the worst. */
export const severityOf = (text: string): Severity =>
  SEVERITIES.find((known) => known === text) ?? 'critical';

export const worse = (one: string, other: Severity): Severity =>
  SEVERITIES.indexOf(severityOf(one)) > SEVERITIES.indexOf(other) ? severityOf(one) : other;

/** A role as stored; one that is not known would be nobody's. */
export const roleOf = (text: string): Role => roles.find((known) => known === text) ?? 'integration_ops';
