import * as z from 'zod';
import { classified } from './classified';
import { type EntityName, idPattern, idPrefixes, isId } from './ids';
import { currencyMinorUnits, isCountry, isCurrency } from './iso';
import type { JsonObject, JsonValue } from './json';

/** The basic types of guides §1. */

/** Base-10 number as a string: at most 15 digits before and 10 after the point. */
export type Decimal = string;
/** ISO 4217 alpha-3. */
export type Currency = string;
/** ISO 3166-1 alpha-2. */
export type Country = string;
/** Business date `YYYY-MM-DD` in the legal entity's time zone. */
export type LocalDate = string;
/** ISO-8601 UTC with `Z` and milliseconds. */
export type Instant = string;
/** `Decimal` in 0–100. */
export type Percent = string;

export const text = z.string().min(1);

/** Text that only some people may see (classification.ts). */
export const taxIdText = classified('tax_id', text);
export const bankText = classified('bank', text);
export const personalText = classified('personal', text);
export const personName = classified('person_name', text);

/** Any JSON. Members may be `undefined`, as in objects that were built and not yet written. */
export const jsonValueSchema: z.ZodType<JsonValue> = z.lazy(() =>
  z.union([z.string(), z.number(), z.boolean(), z.null(), z.array(jsonValueSchema), jsonObjectSchema]),
);
export const jsonObjectSchema: z.ZodType<JsonObject> = z.record(z.string(), jsonValueSchema.optional());

const DECIMAL = /^-?\d{1,15}(\.\d{1,10})?$/;
const PERCENT = /^(100(\.0{1,10})?|\d{1,2}(\.\d{1,10})?)$/;

/** True for a string that is a `Decimal`. */
export const isDecimal = (value: unknown): value is Decimal =>
  typeof value === 'string' && DECIMAL.test(value);

/** Digits behind the point; trailing zeros do not count, they change no value. */
export const decimalPlaces = (value: Decimal): number =>
  (value.split('.')[1] ?? '').replace(/0+$/, '').length;

const decimal = z.string().regex(DECIMAL, 'must be a decimal number with at most 15 digits before the point');

export const decimalSchema = decimal.meta({ description: 'Decimal number as a string' });
export const positiveDecimalSchema = decimal.refine(
  (value) => Number(value) > 0 && !value.startsWith('-'),
  'must be greater than zero',
);
export const percentSchema = z.string().regex(PERCENT, 'must be a percentage from 0 to 100');
export const currencySchema = z
  .string()
  .regex(/^[A-Z]{3}$/)
  .refine(isCurrency, 'must be a currency code of ISO 4217');
export const countrySchema = z
  .string()
  .regex(/^[A-Z]{2}$/)
  .refine(isCountry, 'must be a country code of ISO 3166-1');
export const regionSchema = z.string().min(1).max(64);

const LOCAL_DATE = /^\d{4}-\d{2}-\d{2}$/;
const INSTANT = /^\d{4}-\d{2}-\d{2}T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d\.\d{3}Z$/;

/** True for a date that exists, written `YYYY-MM-DD`. */
export function isLocalDate(value: unknown): value is LocalDate {
  if (typeof value !== 'string' || !LOCAL_DATE.test(value)) return false;
  const day = Number(value.slice(8, 10));
  return day >= 1 && day <= daysInMonth(Number(value.slice(0, 4)), Number(value.slice(5, 7)));
}

const DAYS_IN_MONTH = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

/** @param month 1 to 12; any other has no days */
export function daysInMonth(year: number, month: number): number {
  const isLeap = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
  return month === 2 && isLeap ? 29 : (DAYS_IN_MONTH[month - 1] ?? 0);
}

/** True for a moment that exists, written in UTC with milliseconds. */
export function isInstant(value: unknown): value is Instant {
  return typeof value === 'string' && INSTANT.test(value) && isLocalDate(value.slice(0, 10));
}

export const localDateSchema = z
  .string()
  .regex(LOCAL_DATE)
  .refine(isLocalDate, 'must be an existing date')
  .meta({ format: 'date' });
export const instantSchema = z
  .string()
  .regex(INSTANT)
  .refine(isInstant, 'must be an existing moment in UTC')
  .meta({ format: 'date-time' });

/** True for a time zone of the IANA database. */
export function isTimeZone(value: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: value });
    return true;
  } catch {
    return false;
  }
}
export const timeZoneSchema = z.string().refine(isTimeZone, 'must be a time zone such as Europe/Berlin');

/** Both days inclusive. */
export const periodSchema = z
  .strictObject({ from: localDateSchema, to: localDateSchema })
  .refine(({ from, to }) => from <= to, 'must not end before it begins');
export type Period = z.infer<typeof periodSchema>;

/** Amount of a document: no more decimals than the currency has minor units. */
export const moneySchema = z
  .strictObject({ amount: decimalSchema, currency: currencySchema })
  .refine(({ amount, currency }) => decimalPlaces(amount) <= (currencyMinorUnits.get(currency) ?? 0), {
    path: ['amount'],
    message: 'has more decimals than the currency',
  });
export type Money = z.infer<typeof moneySchema>;

const RATE_DECIMALS = 6;

/** Unit price or rate: up to 6 decimals. */
export const rateSchema = decimalSchema.refine(
  (value) => decimalPlaces(value) <= RATE_DECIMALS,
  'has more than 6 decimals',
);
export const rateMoneySchema = z.strictObject({ amount: rateSchema, currency: currencySchema });

export const unitSchema = z.string().regex(/^(hour|day|each|month|usage:[A-Za-z0-9_.-]+)$/);
/** `hour`, `day`, `each`, `month` or `usage:<code>`. */
export type Unit = z.infer<typeof unitSchema>;

const QUANTITY_DECIMALS = 4;

export const quantityValueSchema = decimalSchema.refine(
  (value) => decimalPlaces(value) <= QUANTITY_DECIMALS,
  'has more than 4 decimals',
);
export const quantitySchema = z.strictObject({ value: quantityValueSchema, unit: unitSchema });
export type Quantity = z.infer<typeof quantitySchema>;

/** `net_n`, `eom_n`, `due_on_receipt`, or `<percent>_<days>_net_<n>` for a discount on early payment. */
export const PAYMENT_TERMS = /^(due_on_receipt|net_\d{1,3}|eom_\d{1,3}|[1-9]\d?_\d{1,3}_net_\d{1,3})$/;
export const paymentTermsSchema = z
  .string()
  .regex(PAYMENT_TERMS, 'must be payment terms such as net_30 or eom_30');

const idSchemas = new Map<EntityName, z.ZodString>();

/** Canonical id of the given entity. Made once: schemas are a good part of what the pack adds to the start of Node-RED. */
export function idSchema(entity: EntityName): z.ZodString {
  const known = idSchemas.get(entity) ?? z.string().regex(idPattern(idPrefixes[entity]));
  idSchemas.set(entity, known);
  return known;
}

/** Canonical id of any entity. */
export const canonicalIdSchema = z.string().refine((value) => isId(value), 'must be a canonical id');

/** A record of ours in another system. At most one per system, instance and type (guides §2). */
export const externalRefSchema = z.strictObject({
  system: text,
  instance: text,
  type: text,
  id: text,
  role: z.enum(['master', 'copy']),
  version: z.string().optional(),
  url: z.string().optional(),
});
export type ExternalRef = z.infer<typeof externalRefSchema>;

export const addressSchema = z.strictObject({
  lines: z.array(text).min(1),
  city: text,
  region: regionSchema.optional(),
  postalCode: text,
  country: countrySchema,
});
export type Address = z.infer<typeof addressSchema>;

/** Ledger and reporting dimensions, for example `costCenter`, `serviceLine`, `region`. */
export const dimensionsSchema = z.record(z.string(), z.string());
export type Dimensions = z.infer<typeof dimensionsSchema>;

export const commercialModels = [
  'fixed_fee',
  'milestone',
  'time_and_materials',
  'retainer',
  'usage',
  'cost_plus',
] as const;
export const commercialModelSchema = z.enum(commercialModels);
export type CommercialModel = z.infer<typeof commercialModelSchema>;

export const taxCategories = [
  'standard',
  'reduced',
  'zero',
  'exempt',
  'reverse_charge',
  'intra_community',
  'export',
  'out_of_scope',
] as const;
export const taxCategorySchema = z.enum(taxCategories);
export type TaxCategory = z.infer<typeof taxCategorySchema>;
