import type { CaseRule } from '../../../../lib/rules/case-policy';
import type { Option } from '../mapping/dom';
import type { PolicyProblem } from './problems';
import type { PolicyState } from './state';

/** Words for what a policy holds. */

export const CONDITIONS = ['codes', 'systems', 'entities', 'legalEntities', 'regions', 'severities'] as const;
export type Condition = (typeof CONDITIONS)[number];

export const problemText = ({ text }: PolicyState, { key, values }: PolicyProblem): string =>
  text(`policyProblem.${key}`, values);

export const tagTexts = ({ text }: PolicyState) => ({ add: text('add'), remove: text('remove') });

export const amountTexts = (state: PolicyState) => ({
  ...tagTexts(state),
  currency: state.text('currency'),
  amount: state.text('amount'),
});

export const asOptions = (values: readonly string[]): Option[] =>
  values.map((value) => ({ value, label: value }));

export const roleOptions = ({ catalogue, text }: PolicyState): Option[] =>
  catalogue.roles.map((value) => ({ value, label: text(`role.${value}`) }));

export const severityOptions = ({ catalogue, text }: PolicyState): Option[] =>
  catalogue.severities.map((value) => ({ value, label: text(`severity.${value}`) }));

export const calendarOptions = ({ policy }: PolicyState): Option[] =>
  asOptions(Object.keys(policy.calendars));

/** A choice that may be left open. */
export const orNothing = (options: Option[], label: string): Option[] => [{ value: '', label }, ...options];

/** "Codes: TAX_MISMATCH · from EUR 250000" */
export function conditionsOf({ text }: PolicyState, { when }: CaseRule): string {
  const lists = CONDITIONS.flatMap((name) => {
    const values = when[name] ?? [];
    return values.length === 0 ? [] : `${text(`when.${name}`)}: ${values.join(', ')}`;
  });
  const amounts = Object.entries(when.amountAtLeast ?? {}).map(
    ([currency, amount]) => `${currency} ${amount}`,
  );
  if (amounts.length > 0) lists.push(`${text('when.amountAtLeast')}: ${amounts.join(', ')}`);
  return lists.length === 0 ? text('always') : lists.join(' · ');
}

/** "Finance operations · 4 h · berlin" */
export function outcomesOf({ text }: PolicyState, rule: CaseRule): string {
  const { ownerRole, severity, slaHours, calendar, onBreach } = rule;
  const parts = [
    ownerRole && text(`role.${ownerRole}`),
    severity && text(`severity.${severity}`),
    slaHours !== undefined && text('hours', { hours: Number.isNaN(slaHours) ? '?' : slaHours }),
    calendar,
    onBreach?.severity && `${text('late')}: ${text(`severity.${onBreach.severity}`)}`,
    onBreach?.escalateTo && `${text('late')}: ${text(`role.${onBreach.escalateTo}`)}`,
  ].filter((part) => typeof part === 'string' && part !== '');
  return parts.length === 0 ? '–' : parts.join(' · ');
}
