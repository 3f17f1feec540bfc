import { Mapping, type Rule, type Source } from '../../../lib/mapping';
import { wonDeal } from '../../support/deals';
import { mapDeal, mappingOf, ruleOf, setOf } from './support';

const jsonata = (expression: string): Source => ({ kind: 'jsonata', expression });

test.each<[string, Partial<Rule>, string]>([
  ['a field of the record', { source: { kind: 'path', path: 'serviceLine' } }, 'implementation'],
  ['a field of another record', { source: { kind: 'path', path: 'deal.customer.legalName' } }, 'ACME GmbH'],
  ['an element of a list', { source: { kind: 'path', path: 'deal.contacts.0.name' } }, 'Mia Moll'],
  ['a constant', { source: { kind: 'constant', value: 'Fixed' } }, 'Fixed'],
  ['an expression', { source: jsonata('name & " (" & $deal.customer.country & ")"') }, 'ACME roll-out (DE)'],
  ['a lookup', { source: { kind: 'lookup', table: 'areas', path: 'region' } }, 'Europe'],
  ['a lookup in an expression', { source: jsonata('$table("areas", region) & "!"') }, 'Europe!'],
  [
    'a default where there is nothing',
    { source: { kind: 'path', path: 'ownerId' }, default: 'nobody' },
    'nobody',
  ],
  ['no value and no default: as it was', { source: { kind: 'path', path: 'ownerId' } }, 'ACME roll-out'],
  [
    'a condition that is false: as it was',
    { source: { kind: 'constant', value: 'x' }, when: 'region = "APAC"' },
    'ACME roll-out',
  ],
  ['a condition that is true', { source: { kind: 'constant', value: 'x' }, when: 'region = "EMEA"' }, 'x'],
])('%s', async (_, fields, expected) => {
  const set = setOf({ rules: [ruleOf(fields)], tables: { netsuite: { areas: { EMEA: 'Europe' } } } });
  const { deal, problems } = await mapDeal(new Mapping(set));
  expect(problems).toEqual([]);
  expect(deal.opportunity?.name).toBe(expected);
});

test('every record of a list is mapped by itself, lines within a record too; the deal before is not touched', async () => {
  const before = wonDeal();
  const copy = structuredClone(before);
  const mapping = mappingOf(
    { entity: 'contact', target: 'title', source: jsonata('$uppercase(name)') },
    { entity: 'quoteLine', target: 'description', source: jsonata('lineNo & ". " & description') },
  );
  const { deal } = await mapDeal(mapping, { deal: before });
  expect(deal.contacts?.map(({ title }) => title)).toEqual(['MIA MOLL']);
  expect(deal.quote?.lines?.map(({ description }) => description)).toEqual([
    '1. Blueprint',
    '2. Roll-out',
    '3. Consulting',
    '4. Care',
    '5. Tickets',
    '6. Travel',
  ]);
  expect(before).toEqual(copy);
});

test('rules see the deal as it came, whatever other rules make of it', async () => {
  const { deal } = await mapDeal(
    mappingOf(
      { target: 'name', source: { kind: 'path', path: 'serviceLine' } },
      { target: 'serviceLine', source: { kind: 'path', path: 'name' } },
    ),
  );
  expect(deal.opportunity).toMatchObject({ name: 'implementation', serviceLine: 'ACME roll-out' });
});

test('fields of the system itself are kept beside the record', async () => {
  const target = 'extensions.netsuite.custentity_area';
  const { deal } = await mapDeal(
    mappingOf({ entity: 'customer', target, source: { kind: 'constant', value: 7 } }),
  );
  expect(deal.customer?.extensions).toEqual({ netsuite: { custentity_area: 7 } });
});

test('the rules of another system or direction do not count', async () => {
  const mapping = mappingOf({ source: { kind: 'constant', value: 'x' } });
  expect((await mapDeal(mapping, { system: 'kantata' })).values).toEqual([]);
  expect((await mapDeal(mapping, { direction: 'read' })).values).toEqual([]);
});

// ---------------------------------------------------------------- problems

test.each<[string, Partial<Rule>, string, RegExp]>([
  [
    'a value that the table does not know, in spite of a default',
    { source: { kind: 'lookup', table: 'areas', path: 'region' }, default: 'x' },
    'LOOKUP_VALUE_UNKNOWN',
    /^"EMEA" is not in the lookup table netsuite\.areas of Mapping test\+[0-9a-f]{12} \(Layer 1\), which fills opportunity\.name from region by the table areas\. Add an entry/,
  ],
  [
    'the same in an expression',
    { source: jsonata('$table("areas", region)') },
    'LOOKUP_VALUE_UNKNOWN',
    /^"EMEA" is not in the lookup table netsuite\.areas of .* from the expression \$table/,
  ],
  [
    'a required field without a value',
    { source: { kind: 'path', path: 'ownerId' }, required: true },
    'MANDATORY_FIELD_MISSING',
    /needs a value for opportunity\.name, and ownerId has none\. Fill it in/,
  ],
  [
    'an expression that fails',
    { source: jsonata('name + 1') },
    'MAPPING_FAILED',
    /cannot fill opportunity\.name from the expression name \+ 1: .*Correct the rule/,
  ],
  ['a condition that fails', { when: 'name + 1 = 2' }, 'MAPPING_FAILED', /cannot fill opportunity\.name/],
  [
    'an amount as a number',
    { target: 'amount.amount', source: jsonata('1.5') },
    'MAPPING_FAILED',
    /1\.5 is not valid there: .*amounts and numbers are text, write \$string/,
  ],
  [
    'a value that the field cannot have',
    { entity: 'customer', target: 'paymentTerms', source: { kind: 'constant', value: 'soon' } },
    'MAPPING_FAILED',
    /customer\.paymentTerms from the constant "soon": "soon" is not valid there: must be payment terms/,
  ],
  [
    'a function',
    { source: jsonata('function($x) { $x }') },
    'MAPPING_FAILED',
    /a function instead of a value/,
  ],
  [
    'the time of day',
    { source: jsonata('$now()') },
    'MAPPING_FAILED',
    /\$now\(\) gives another value at every run/,
  ],
  ['chance', { source: jsonata('$string($random())') }, 'MAPPING_FAILED', /\$random\(\) gives another value/],
  [
    'a lookup by a whole object',
    { source: { kind: 'lookup', table: 'areas', path: 'amount' } },
    'MAPPING_FAILED',
    /amount is not a single value/,
  ],
])('%s is a problem that says what and where', async (_, fields, code, message) => {
  const before = wonDeal();
  const { deal, problems } = await mapDeal(mappingOf(fields), { deal: before });
  expect(problems).toMatchObject([{ code, message: expect.stringMatching(message) }]);
  const subject = fields.entity === 'customer' ? before.customer?.id : before.opportunity?.id;
  expect(problems[0]?.subject).toBe(subject);
  expect(deal).toBe(before);
});

test('all problems are found at once, and nothing is mapped by halves', async () => {
  const before = wonDeal();
  const { deal, problems } = await mapDeal(
    mappingOf(
      { target: 'name', source: { kind: 'constant', value: 'fine' } },
      { target: 'region', source: { kind: 'path', path: 'none' }, required: true },
      {
        entity: 'quoteLine',
        target: 'taxCategory',
        source: { kind: 'lookup', table: 't', path: 'commercialModel' },
      },
    ),
    { deal: before },
  );
  expect(problems.map(({ code }) => code)).toEqual([
    'MANDATORY_FIELD_MISSING',
    ...Array(6).fill('LOOKUP_VALUE_UNKNOWN'),
  ]);
  expect(problems[1]?.subject).toBe(before.quote?.id);
  expect(deal).toBe(before);
});

test('a rule for one legal entity waits until the deal has one', async () => {
  const set = setOf({}, { scope: { legalEntity: 'us' }, rules: [ruleOf({})] });
  const { problems } = await mapDeal(new Mapping(set));
  expect(problems).toMatchObject([
    {
      code: 'MANDATORY_FIELD_MISSING',
      message: expect.stringContaining('behind the readiness check (q2c-check)'),
    },
  ]);
});

test("the firm's own tables answer below those of the set, also by the short name of a legal entity", async () => {
  const deal = wonDeal();
  const id = 'len_01KASY4Q8G3M6Z0V5T9R2B7XDE';
  Object.assign(deal.contract ?? {}, { legalEntityId: id });
  const rules = [
    ruleOf({ source: { kind: 'lookup', table: 'subsidiary', path: 'deal.contract.legalEntityId' } }),
    ruleOf({ target: 'ownerId', source: jsonata('$table("subsidiary", $deal.contract.legalEntityId)') }),
    ruleOf({ target: 'region', source: { kind: 'lookup', table: 'areas', path: 'region' } }),
  ];
  const mapping = new Mapping(setOf({ rules, tables: { netsuite: { areas: { EMEA: 'own' } } } }));
  const firmTables = { subsidiary: { de: '2' }, areas: { EMEA: "the firm's" } };
  const mapped = await mapDeal(mapping, { deal, firmTables, legalEntityKey: () => 'de' });
  expect(mapped.problems).toEqual([]);
  expect(mapped.deal.opportunity).toMatchObject({ name: '2', ownerId: '2', region: 'own' });
  expect(mapping.lookUp(deal, 'netsuite', 'areas', 'EMEA')).toBe('own');
  expect(mapping.lookUp(deal, 'netsuite', 'areas', 'toString')).toBeUndefined();
  expect(mapping.lookUp(deal, 'netsuite', 'toString', 'EMEA')).toBeUndefined();
});
