import { Policies, policyVersion } from '../../../lib/governance';
import { onBreach, type RoutedCase, routeCase, secondPersonReason } from '../../../lib/governance/routing';
import { casePolicySchema, defaultCasePolicy, gatedActions, parseFirm } from '../../../lib/rules';
import shippedFirm from '../../../nodes/q2c-firm/default-firm.json';
import { MONDAY, policyWith } from './support';

const routed = (special: Partial<RoutedCase> = {}): RoutedCase => ({
  code: 'TARGET_REJECTED',
  system: 'netsuite',
  entity: 'customer',
  legalEntity: 'meridian-de',
  region: 'EMEA',
  amountAtRisk: { amount: '1000.00', currency: 'EUR' },
  ...special,
});
const stated = { ownerRole: 'sales_ops', severity: 'error' } as const;

describe('rules', () => {
  test('of each thing the first rule that fits and says it counts, else the code and the rest of the policy', () => {
    const policy = policyWith({
      rules: [
        { when: { systems: ['kantata'] }, ownerRole: 'project_ops' },
        { when: { systems: ['netsuite'], entities: ['customer'] }, ownerRole: 'data_steward' },
        { when: { legalEntities: ['meridian-de'] }, ownerRole: 'finance_ops', slaHours: 3 },
        { when: { regions: ['EMEA'] }, slaHours: 1, onBreach: { escalateTo: 'admin' } },
      ],
    });
    expect(routeCase(policy, routed(), stated, MONDAY)).toEqual({
      ownerRole: 'data_steward',
      severity: 'error',
      slaDue: '2026-11-16T12:00:00.000Z',
    });
    expect(routeCase(policy, routed({ system: null, legalEntity: null }), stated, MONDAY)).toEqual({
      ownerRole: 'sales_ops',
      severity: 'error',
      slaDue: '2026-11-16T10:00:00.000Z',
    });
    expect(onBreach(policy, routed(), 'error')).toEqual({ escalateTo: 'admin' });
    expect(onBreach(policy, routed({ region: null }), 'error')).toEqual({ severity: 'critical' });
  });

  test.each([
    ['1000.00', 'EUR', true],
    ['999.99', 'EUR', false],
    ['5', 'JPY', true],
    ['4', 'JPY', false],
  ])('an amount of %s %s counts from its own threshold on', (amount, currency, fits) => {
    const when = { amountAtLeast: { EUR: '1000', '*': '5' } };
    const policy = policyWith({ rules: [{ when, severity: 'critical' }] });
    const { severity } = routeCase(policy, routed({ amountAtRisk: { amount, currency } }), stated, MONDAY);
    expect(severity).toBe(fits ? 'critical' : 'error');
  });

  test('a severity that a rule says decides the time, and the rules that ask for it', () => {
    const policy = policyWith({
      rules: [
        { when: { entities: ['customer'] }, severity: 'critical' },
        { when: { severities: ['critical'] }, ownerRole: 'finance_controller' },
      ],
    });
    expect(routeCase(policy, routed(), stated, MONDAY)).toEqual({
      ownerRole: 'finance_controller',
      severity: 'critical',
      slaDue: '2026-11-16T13:00:00.000Z',
    });
  });
});

describe('a second person', () => {
  const small = { amount: '10.00', currency: 'EUR' };
  const large = { amount: '50000.00', currency: 'EUR' };
  const other = { amount: '1', currency: 'JPY' };

  test.each([
    ['retry', 'customer', large, false],
    ['retry', 'invoice', small, false],
    ['retry', 'invoice', large, true],
    ['retry', 'invoice', other, true],
    ['retry', 'invoice', null, true],
    ['correct', 'creditNote', large, true],
    ['cancel', 'billingScheduleLine', large, true],
    ['waive', 'customer', small, false],
    ['waive', 'customer', large, true],
    ['waive', 'customer', null, false],
    ['waive', 'invoice', small, true],
  ] as const)('to %s a case about a %s with %j: %s', (action, entity, amountAtRisk, isNeeded) => {
    const reason = secondPersonReason(defaultCasePolicy, action, routed({ entity, amountAtRisk }));
    expect(reason !== null).toBe(isNeeded);
  });

  test('is needed for some codes, and for what the policy always asks it for', () => {
    const hold = routed({ code: 'CREDIT_HOLD', entity: null, amountAtRisk: large });
    expect(secondPersonReason(defaultCasePolicy, 'retry', hold)).toBe(
      'The case is about money, and the amount at risk is 50000 EUR or more.',
    );
    const always = [...gatedActions];
    const strict = policyWith({ secondPerson: { ...defaultCasePolicy.secondPerson, always } });
    for (const action of gatedActions) expect(secondPersonReason(strict, action, routed())).not.toBeNull();
  });
});

describe('a policy', () => {
  const [rule] = defaultCasePolicy.rules;
  test.each<[string, object, string]>([
    ['an unknown code', { rules: [{ ...rule, when: { codes: ['NOPE'] } }] }, 'rules.0.when.codes.0'],
    ['an unknown calendar', { rules: [{ ...rule, calendar: 'night' }] }, 'there is no calendar "night"'],
    ['a misspelt field', { rules: [{ when: { code: ['CREDIT_HOLD'] } }] }, 'rules.0.when'],
    ['no hours', { calendars: { office: { timeZone: 'UTC', hours: {} } } }, 'needs working hours'],
    [
      'hours over midnight',
      { calendars: { office: { timeZone: 'UTC', hours: { mon: ['22:00-06:00'] } } } },
      'hours of one day',
    ],
    [
      'hours that overlap',
      { calendars: { office: { timeZone: 'UTC', hours: { mon: ['09:00-12:00', '11:00-17:00'] } } } },
      'must not overlap',
    ],
    [
      'an unknown time zone',
      { calendars: { office: { timeZone: 'Berlin', hours: { mon: ['09:00-17:00'] } } } },
      'calendars.office.timeZone: must be a time zone',
    ],
    [
      'an amount that is a number',
      { secondPerson: { ...defaultCasePolicy.secondPerson, thresholds: { EUR: 50000 } } },
      'secondPerson.thresholds.EUR',
    ],
    ['an unknown legal entity', { rules: [{ when: { legalEntities: ['acme'] } }] }, 'no legal entity "acme"'],
  ])('with %s is refused, naming the place', (_, special, words) => {
    const casePolicy = { ...defaultCasePolicy, ...special };
    expect(() => parseFirm(JSON.stringify({ ...shippedFirm, casePolicy }))).toThrow(words);
  });

  test('is part of the firm’s set-up, and the one that is shipped is valid', () => {
    expect(casePolicySchema.parse(defaultCasePolicy)).toEqual(defaultCasePolicy);
    const firm = parseFirm(JSON.stringify({ ...shippedFirm, casePolicy: defaultCasePolicy }));
    expect(firm.casePolicy).toEqual(defaultCasePolicy);
  });

  test('two contents never pass for one version', () => {
    const one = policyWith({ rules: [] });
    expect(policyVersion(one)).toBe(policyVersion(policyWith({ rules: [] })));
    expect(policyVersion(one)).not.toBe(policyVersion(policyWith({})));
  });

  test('what names none goes by that of the only firm, else by the default', () => {
    const policies = new Policies();
    const standard = policyVersion(defaultCasePolicy);
    expect(policies.find(undefined).version).toBe(standard);
    const mine = policyWith({});
    policies.use('firm', mine);
    expect(policies.find(undefined).policy).toBe(mine);
    expect(policies.find(standard).version).toBe(standard);
    policies.use('other firm', policyWith({ rules: [] }));
    expect(policies.find(undefined).version).toBe(standard);
    expect(policies.find(policyVersion(mine)).policy).toBe(mine);
    policies.release('other firm');
    expect(policies.find('unknown').policy).toBe(mine);
  });
});
