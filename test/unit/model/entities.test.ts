import fc from 'fast-check';
import * as z from 'zod';
import {
  canonicalJson,
  dealDocumentParts,
  dealDocumentSchema,
  draftSchema,
  entityNames,
  entitySchemas,
  extensions,
  type JsonObject,
  newId,
  registerExtension,
} from '../../../lib/model';
import { entityOf } from './arbitraries';

const runs = { numRuns: 30 };

const sample = <T>(arbitrary: fc.Arbitrary<T>): T => {
  const [value] = fc.sample(arbitrary, { numRuns: 1, seed: 20260131 });
  if (value === undefined) throw new Error('no sample');
  return value;
};

describe.each(entityNames)('%s', (name) => {
  const schema = entitySchemas[name];

  test('is the same after it was written and read', () => {
    fc.assert(
      fc.property(entityOf(name), (entity) => {
        const read = schema.parse(JSON.parse(JSON.stringify(entity)));
        expect(read).toEqual(entity);
        expect(canonicalJson(read)).toBe(canonicalJson(entity));
      }),
      runs,
    );
  });

  test('needs every required field, and has no other than its own', () => {
    const entity = sample(entityOf(name)) as JsonObject;
    for (const [field, member] of Object.entries(schema.shape)) {
      const { [field]: _, ...rest } = entity;
      const optional = member instanceof z.ZodOptional || (name === 'milestone' && field === 'amount');
      if (!optional)
        expect({ field, success: schema.safeParse(rest).success }).toEqual({ field, success: false });
    }
    expect(schema.safeParse({ ...entity, somethingElse: 1 }).success).toBe(false);
  });

  test('refuses the id of another entity', () => {
    const id = newId(name === 'task' ? 'project' : 'task');
    expect(schema.safeParse({ ...sample(entityOf(name)), id }).success).toBe(false);
  });

  test('is a draft with nothing but id and cross-references', () => {
    const id = newId(name);
    expect(draftSchema(name).safeParse({ id, externalRefs: [] }).success).toBe(true);
    expect(draftSchema(name).safeParse({ externalRefs: [] }).success).toBe(false);
    expect(
      draftSchema(name).safeParse({ id: newId(name === 'task' ? 'project' : 'task'), externalRefs: [] })
        .success,
    ).toBe(false);
  });
});

describe('values', () => {
  const opportunity = sample(entityOf('opportunity'));
  const accepts = (amount: string, currency = 'EUR') =>
    entitySchemas.opportunity.safeParse({ ...opportunity, amount: { amount, currency } }).success;

  test.each([
    ['240000.00', 'EUR', true],
    ['240000.000', 'EUR', true],
    ['240000.001', 'EUR', false],
    ['1.5', 'JPY', false],
    ['1.125', 'KWD', true],
    ['1234567890123456', 'EUR', false],
    ['1e5', 'EUR', false],
    ['10.00', 'EURO', false],
    ['10.00', 'DEM', false],
  ])('an amount of %s %s: %p', (amount, currency, valid) => expect(accepts(amount, currency)).toBe(valid));

  test('money is never a number', () => {
    expect(
      entitySchemas.opportunity.safeParse({ ...opportunity, amount: { amount: 10, currency: 'EUR' } })
        .success,
    ).toBe(false);
  });

  test.each([
    ['0', false],
    ['-1', false],
    ['0.25', true],
    ['24', true],
    ['24.01', false],
  ])('a time entry of %s hours: %p', (hours, valid) => {
    const entry = sample(entityOf('timeEntry'));
    expect(entitySchemas.timeEntry.safeParse({ ...entry, hours }).success).toBe(valid);
  });

  test('a milestone has an amount or a percentage', () => {
    const { amount, percent, ...rest } = sample(entityOf('milestone'));
    const both = { amount: { amount: '1.00', currency: 'EUR' }, percent: '10' };
    const valid = (part: object) => entitySchemas.milestone.safeParse({ ...rest, ...part }).success;
    expect([both, { amount: both.amount }, { percent: both.percent }, {}].map(valid)).toEqual([
      false,
      true,
      true,
      false,
    ]);
    expect(valid({ percent: '100.5' })).toBe(false);
  });

  test('a period does not end before it begins', () => {
    const contract = sample(entityOf('contract'));
    const valid = (from: string, to: string) =>
      entitySchemas.contract.safeParse({ ...contract, effective: { from, to } }).success;
    expect([valid('2026-01-01', '2026-01-01'), valid('2026-01-02', '2026-01-01')]).toEqual([true, false]);
  });

  test.each(['Mars/Olympus', '', 'CEST+99'])('"%s" is no time zone', (timeZone) => {
    const legalEntity = sample(entityOf('legalEntity'));
    expect(entitySchemas.legalEntity.safeParse({ ...legalEntity, timeZone }).success).toBe(false);
  });
});

describe('extensions', () => {
  const customer = sample(entityOf('customer'));
  const parse = (data: JsonObject) => entitySchemas.customer.safeParse({ ...customer, extensions: data });

  test('are refused until their namespace is registered, and checked by its schema', () => {
    expect(parse({ 'acme.travel': { zone: 'A' } }).error?.issues).toEqual([
      expect.objectContaining({
        path: ['extensions', 'acme.travel'],
        message: 'extension "acme.travel" is not registered',
      }),
    ]);

    const schema = z.strictObject({ zone: z.enum(['A', 'B']) });
    registerExtension('acme.travel', schema);
    registerExtension('acme.travel', schema);
    expect(extensions.get('acme.travel')).toBe(schema);
    expect(parse({ 'acme.travel': { zone: 'A' } }).success).toBe(true);
    expect(parse({ 'acme.travel': { zone: 'C' } }).error?.issues[0]?.path).toEqual([
      'extensions',
      'acme.travel',
      'zone',
    ]);
    expect(() => registerExtension('acme.travel', z.any())).toThrow(/registered with another schema/);
  });

  test.each(['Acme', 'acme travel', '', 'acme.', '1acme'])('"%s" is no namespace', (namespace) =>
    expect(() => registerExtension(namespace, z.any())).toThrow(
      expect.objectContaining({ code: 'VALUE_INVALID' }),
    ),
  );
});

describe('deal document', () => {
  test('keeps every draft and every unknown key', () => {
    const parts = Object.fromEntries(
      Object.entries(dealDocumentParts).map(([part, { entity, many }]) => {
        const draft = {
          id: newId(entity),
          externalRefs: [],
          version: undefined,
          wrong: ['any', { json: 1 }],
        };
        return [part, many ? [draft] : draft];
      }),
    );
    const deal = { ...parts, note: 'mine' };
    expect(dealDocumentSchema.parse(deal)).toEqual(deal);
    expect(Object.keys(dealDocumentSchema.shape)).toEqual(Object.keys(dealDocumentParts));
  });

  test('refuses a part of the wrong kind', () => {
    const task = { id: newId('task'), externalRefs: [] };
    expect(dealDocumentSchema.safeParse({ project: task }).success).toBe(false);
    expect(dealDocumentSchema.safeParse({ tasks: task }).success).toBe(false);
    expect(dealDocumentSchema.safeParse({ tasks: [task] }).success).toBe(true);
  });
});
