import fc from 'fast-check';
import type * as z from 'zod';
import { type Entity, type EntityName, entitySchemas, type JsonValue, minorUnits } from '../../../lib/model';
import { extensionsSchema } from '../../../lib/model/extensions';
import * as primitives from '../../../lib/model/primitives';

/** Random values for property tests. fast-check prints the seed of a failure; pass it to `fc.assert` to repeat. */

const decimalOf = (digits: number, places: number, { negative = true } = {}) =>
  fc
    .tuple(
      fc.boolean(),
      fc.bigInt({ min: 0n, max: 10n ** BigInt(digits) - 1n }),
      fc.integer({ min: 0, max: places }),
    )
    .map(([minus, value, scale]) => {
      const text = value.toString().padStart(scale + 1, '0');
      const whole = text.slice(0, text.length - scale);
      return `${minus && negative ? '-' : ''}${whole}${scale > 0 ? `.${text.slice(-scale)}` : ''}`;
    });

/** Decimals of up to 12 digits, so that sums of a few stay decimals. */
export const scaledDecimal = decimalOf(12, 10);

/** Amounts with exactly the decimals of the currency. */
export const minorAmount = (currency: string) =>
  fc.bigInt({ min: -(10n ** 11n), max: 10n ** 11n }).map((units) => {
    const places = minorUnits(currency);
    const digits = (units < 0n ? -units : units).toString().padStart(places + 1, '0');
    const point = digits.length - places;
    return `${units < 0n ? '-' : ''}${digits.slice(0, point)}${places > 0 ? `.${digits.slice(point)}` : ''}`;
  });

/** Weights of a split. */
export const ratio = decimalOf(6, 4, { negative: false });

export const currency = fc.constantFrom('EUR', 'USD', 'JPY', 'KWD');

export const localDate = fc
  .date({
    min: new Date('1970-01-01T00:00:00.000Z'),
    max: new Date('2199-12-31T00:00:00.000Z'),
    noInvalidDate: true,
  })
  .map((date) => date.toISOString().slice(0, 10));

const instant = fc
  .date({
    min: new Date('1970-01-01T00:00:00.000Z'),
    max: new Date('2199-12-31T00:00:00.000Z'),
    noInvalidDate: true,
  })
  .map((date) => date.toISOString());

const money = currency.chain((code) => fc.record({ amount: minorAmount(code), currency: fc.constant(code) }));

const period = fc.tuple(localDate, localDate).map((days) => {
  const [from, to] = days.toSorted();
  return { from, to };
});

/** Without members named `__proto__`: zod drops them, so that no reader's prototype can be changed. */
const json = fc
  .jsonValue({ maxDepth: 2 })
  .map((value) => JSON.stringify(value))
  .filter((text) => !text.includes('__proto__'))
  .map((text) => JSON.parse(text) as JsonValue);

/** Schemas whose rules a walk over the schema cannot see (refinements) or would hit too rarely. */
const known = new Map<unknown, fc.Arbitrary<unknown>>([
  [primitives.decimalSchema, decimalOf(15, 10)],
  [primitives.rateSchema, decimalOf(15, 6)],
  [primitives.quantityValueSchema, decimalOf(15, 4)],
  [primitives.currencySchema, currency],
  [primitives.countrySchema, fc.constantFrom('DE', 'AT', 'US', 'GB', 'CH')],
  [primitives.localDateSchema, localDate],
  [primitives.instantSchema, instant],
  [primitives.moneySchema, money],
  [primitives.periodSchema, period],
  [primitives.jsonValueSchema, json],
  [primitives.jsonObjectSchema, fc.dictionary(fc.string({ maxLength: 8 }), json, { maxKeys: 3 })],
  [primitives.regionSchema, fc.constantFrom('EMEA', 'DE-BY')],
  ...[
    primitives.text,
    primitives.taxIdText,
    primitives.bankText,
    primitives.personalText,
    primitives.personName,
  ].map((text) => [text, fc.string({ minLength: 1, maxLength: 20, unit: 'grapheme' })] as const),
  [extensionsSchema, fc.constant({})],
  [
    entitySchemas.timeEntry.shape.hours,
    fc.integer({ min: 1, max: 2400 }).map((hundredths) => String(hundredths / 100)),
  ],
  [primitives.timeZoneSchema, fc.constantFrom('Europe/Berlin', 'America/New_York')],
]);

/** Anything the schema accepts, with optional members present and absent. */
export function arbitraryOf(schema: z.core.$ZodType): fc.Arbitrary<unknown> {
  const special = known.get(schema);
  if (special !== undefined) return special;
  const { def } = (schema as z.core.$ZodTypes)._zod;
  switch (def.type) {
    case 'string':
      return stringOf(schema);
    case 'number':
      return fc.integer({ min: 1, max: 1_000_000 });
    case 'boolean':
      return fc.boolean();
    case 'enum':
      return fc.constantFrom(...Object.values(def.entries));
    case 'literal':
      return fc.constantFrom(...def.values);
    case 'array':
      return fc.array(arbitraryOf(def.element), { minLength: 1, maxLength: 3 });
    case 'record':
      return fc.dictionary(fc.string({ minLength: 1, maxLength: 8 }), arbitraryOf(def.valueType), {
        maxKeys: 3,
      });
    case 'object':
      return objectOf(def.shape).filter((value) => checksPass(schema, value));
    default:
      throw new Error(`No arbitrary for a schema of type ${def.type}`);
  }
}

function objectOf(shape: Readonly<Record<string, z.core.$ZodType>>): fc.Arbitrary<Record<string, unknown>> {
  const members: Record<string, fc.Arbitrary<unknown>> = {};
  const requiredKeys: string[] = [];
  for (const [name, member] of Object.entries(shape)) {
    const { def } = (member as z.core.$ZodTypes)._zod;
    if (def.type === 'optional') members[name] = arbitraryOf(def.innerType);
    else {
      members[name] = arbitraryOf(member);
      requiredKeys.push(name);
    }
  }
  return fc.record(members, { requiredKeys, noNullPrototype: true });
}

/** Only refined objects are filtered: for others a value that does not pass is a fault the test must show. */
const checksPass = (schema: z.core.$ZodType, value: unknown): boolean =>
  (schema._zod.def.checks ?? []).length === 0 || (schema as z.ZodType).safeParse(value).success;

function stringOf(schema: z.core.$ZodType): fc.Arbitrary<string> {
  const checks = schema._zod.def.checks ?? [];
  if (checks.length === 0) return fc.string({ maxLength: 20 });
  for (const check of checks) {
    const { def } = check._zod as { def: { pattern?: unknown } };
    if (def.pattern instanceof RegExp) return fc.stringMatching(def.pattern);
  }
  throw new Error('A string schema with checks but without pattern needs an entry in `known`.');
}

/** A valid entity of any kind. */
export const entityOf = <E extends EntityName>(name: E): fc.Arbitrary<Entity<E>> =>
  arbitraryOf(entitySchemas[name]) as fc.Arbitrary<Entity<E>>;
