import { type CasePolicy, casePolicySchema, defaultCasePolicy } from '../../../lib/rules';
import { policyProblems } from '../../../nodes/_shared/editor/policy/problems';
import { PolicyState, readPolicy } from '../../../nodes/_shared/editor/policy/state';
import { firmCatalogue } from '../../../nodes/q2c-firm/catalogue';
import { defaults } from '../../../nodes/q2c-firm/types';

/** The form of a firm refuses what the deploy refuses, at the same place. */

const catalogue = firmCatalogue();
const shipped = (): CasePolicy => JSON.parse(defaults.data).casePolicy;

test('the shipped policy and the usual one are right', () => {
  expect(policyProblems(shipped(), catalogue)).toEqual([]);
  expect(policyProblems(defaultCasePolicy, catalogue)).toEqual([]);
});

const put = (into: object | undefined, values: object): void => void Object.assign(into ?? {}, values);

/** Each spoils one thing. */
const MISTAKES: [string, (policy: CasePolicy) => void][] = [
  ['version', (policy) => put(policy, { version: ' ' })],
  ['calendars.berlin.timeZone', ({ calendars }) => put(calendars.berlin, { timeZone: 'Berlin' })],
  ['calendars.berlin.hours', ({ calendars }) => put(calendars.berlin, { hours: {} })],
  ['calendars.berlin.hours.mon', (policy) => void hoursOfMonday(policy, ['9-17'])],
  ['calendars.berlin.hours.mon', (policy) => void hoursOfMonday(policy, ['17:00-09:00'])],
  ['calendars.berlin.hours.mon', (policy) => void hoursOfMonday(policy, ['09:00-12:00', '11:00-17:00'])],
  ['calendars.berlin.holidays', ({ calendars }) => void calendars.berlin?.holidays.push('2026-02-30')],
  ['calendars.berlin.fiscalCloses.1.from', (policy) => close(policy, { from: '', effect: 'pause' })],
  ['calendars.berlin.fiscalCloses.1.to', (policy) => close(policy, { to: '2025-12-31', effect: 'pause' })],
  ['calendars.berlin.fiscalCloses.1.percent', (policy) => close(policy, { effect: 'tighten', percent: 100 })],
  ['rules.0.slaHours', ({ rules }) => put(rules[0], { slaHours: 0 })],
  ['rules.0.slaHours', ({ rules }) => put(rules[0], { slaHours: Number.NaN })],
  ['rules.0.slaHours', ({ rules }) => put(rules[0], { slaHours: 10_001 })],
  ['rules.0.calendar', ({ rules }) => put(rules[0], { calendar: 'paris' })],
  ['rules.1.when.codes', ({ rules }) => put(rules[1]?.when, { codes: ['NO_SUCH'] })],
  ['rules.1.when.entities', ({ rules }) => put(rules[1]?.when, { entities: ['invoices'] })],
  ['rules.1.when.severities', ({ rules }) => put(rules[1]?.when, { severities: ['bad'] })],
  ['rules.3.when.amountAtLeast', ({ rules }) => put(rules[3]?.when.amountAtLeast, { XXQ: '1' })],
  ['rules.3.when.amountAtLeast', ({ rules }) => put(rules[3]?.when.amountAtLeast, { EUR: '1,5' })],
  ['rules.3.when.amountAtLeast', ({ rules }) => put(rules[3]?.when.amountAtLeast, { EUR: '-1' })],
  ['otherwise.calendar', ({ otherwise }) => put(otherwise, { calendar: 'paris' })],
  ['otherwise.slaHours.error', ({ otherwise }) => put(otherwise.slaHours, { error: Number.NaN })],
  ['secondPerson.thresholds', ({ secondPerson }) => put(secondPerson.thresholds, { EUR: 'many' })],
  ['secondPerson.financialEntities', ({ secondPerson }) => put(secondPerson, { financialEntities: ['x'] })],
  ['secondPerson.financialCodes', ({ secondPerson }) => put(secondPerson, { financialCodes: ['x'] })],
  ['secondPerson.always', ({ secondPerson }) => put(secondPerson, { always: ['delete'] })],
];

function hoursOfMonday({ calendars }: CasePolicy, mon: string[]): void {
  Object.assign(calendars.berlin?.hours ?? {}, { mon });
}

function close({ calendars }: CasePolicy, special: object): void {
  const closed = { from: '2026-12-30', to: '2026-12-31', effect: 'pause' as const, ...special };
  calendars.berlin?.fiscalCloses.push(closed);
}

test.each(MISTAKES)('%s: what is wrong there is told there, and refused at deploy', (path, spoil) => {
  const policy = shipped();
  spoil(policy);
  expect(policyProblems(policy, catalogue).map((problem) => problem.path)).toEqual([path]);
  const { error } = casePolicySchema.safeParse(policy);
  const places = (error?.issues ?? []).map((issue) => issue.path.join('.'));
  // The schema may be more exact about the member of a list.
  expect(places.some((place) => place.startsWith(path) || path.startsWith(place))).toBe(true);
});

describe('the state of the form', () => {
  const open = (json: string) => {
    const saved: string[] = [];
    const state = new PolicyState(
      catalogue,
      (key) => key,
      (text) => saved.push(text),
    );
    state.read(json);
    return { state, saved };
  };

  test('looking is no change, and a change leaves the rest of the set-up as it is', () => {
    const { state, saved } = open(defaults.data);
    expect(state).toMatchObject({
      isOwn: true,
      trouble: null,
      legalEntities: ['meridian-de', 'meridian-us'],
    });
    expect(saved).toEqual([]);
    state.policy.version = '2026-2';
    state.changed();
    const before = JSON.parse(defaults.data);
    // What the host adds when it is left out.
    before.casePolicy.secondPerson.always = [];
    expect(JSON.parse(saved[0] ?? '')).toEqual({
      ...before,
      casePolicy: { ...before.casePolicy, version: '2026-2' },
    });
  });

  test('without a policy the usual one is shown, can be overridden, and comes back', () => {
    const { casePolicy: _, ...others } = JSON.parse(defaults.data);
    const { state, saved } = open(JSON.stringify(others));
    expect(state).toMatchObject({ isOwn: false, trouble: null, policy: defaultCasePolicy });
    state.replace({ ...defaultCasePolicy, version: 'ours' });
    expect(casePolicySchema.parse(JSON.parse(saved.at(-1) ?? '').casePolicy).version).toBe('ours');
    state.replace(null);
    expect(JSON.parse(saved.at(-1) ?? '')).toEqual(others);
  });

  test('what a table cannot show is left alone and said', () => {
    expect(open('{').state.trouble).toBe('json');
    const { state, saved } = open(JSON.stringify({ casePolicy: { version: '1', rules: {} } }));
    expect(state.trouble).toBe('shape');
    expect(saved).toEqual([]);
    expect(readPolicy({ ...shipped(), rules: [{}] })).toBeNull();
  });
});
