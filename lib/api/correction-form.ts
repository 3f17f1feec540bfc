import * as z from 'zod';
import { isCorrectable, type RecordInput } from '../engine';
import {
  countrySchema,
  currencySchema,
  decimalSchema,
  entitySchemas,
  instantSchema,
  type JsonValue,
  localDateSchema,
  paymentTermsSchema,
  percentSchema,
  quantityValueSchema,
  rateSchema,
} from '../model';
import type { CorrectionForm, FormField } from './schemas/corrections';

/** The form of a record's correction, made from the schema of its entity. */

export function correctionForm({ record, entity, fields, content }: RecordInput): CorrectionForm {
  const found = fieldsBelow(entitySchemas[entity], content, '', true);
  const ordered = fields.flatMap((path) => found.filter((field) => isWithin(field.path, path)));
  return {
    record,
    entity,
    suggested: [...new Set(ordered.map(({ path }) => path))],
    fields: found,
    content,
    masked: [],
  };
}

/** What is suggested may be an object of several fields. */
const isWithin = (path: string, suggested: string): boolean =>
  path === suggested || path.startsWith(`${suggested}.`);

/** @param isNeeded whether whatever holds these fields is there, or cannot be missing */
function fieldsBelow(
  schema: z.ZodType,
  content: JsonValue | undefined,
  path: string,
  isNeeded: boolean,
): FormField[] {
  if (path !== '' && !isCorrectable(path)) return [];
  const inner = unwrapped(schema);
  const at = (name: string | number) => (path === '' ? String(name) : `${path}.${name}`);
  if (inner instanceof z.ZodObject) {
    const isThere = isNeeded || content !== undefined;
    return Object.entries(inner.shape).flatMap(([name, member]: [string, z.ZodType]) =>
      fieldsBelow(member, memberOf(content, name), at(name), isThere && !(member instanceof z.ZodOptional)),
    );
  }
  if (inner instanceof z.ZodArray && unwrapped(inner.element as z.ZodType) instanceof z.ZodObject) {
    // Entries come and go in the system that owns them.
    return (Array.isArray(content) ? content : []).flatMap((each, index) =>
      fieldsBelow(inner.element as z.ZodType, each, at(index), true),
    );
  }
  const kind = kindOf(inner);
  return kind === null ? [] : [{ path, ...kind, isRequired: isNeeded }];
}

function memberOf(content: JsonValue | undefined, name: string): JsonValue | undefined {
  if (typeof content !== 'object' || content === null || Array.isArray(content)) return undefined;
  return content[name];
}

const unwrapped = (schema: z.ZodType): z.ZodType =>
  schema instanceof z.ZodOptional ? unwrapped(schema.unwrap() as z.ZodType) : schema;

const KINDS = new Map<z.ZodType, FormField['kind']>([
  [countrySchema, 'country'],
  [currencySchema, 'currency'],
  [decimalSchema, 'decimal'],
  [rateSchema, 'decimal'],
  [quantityValueSchema, 'decimal'],
  [percentSchema, 'percent'],
  [paymentTermsSchema, 'payment_terms'],
  [localDateSchema, 'date'],
  [instantSchema, 'instant'],
]);

function kindOf(schema: z.ZodType): Pick<FormField, 'kind' | 'choices'> | null {
  const known = KINDS.get(schema);
  if (known !== undefined) return { kind: known };
  if (schema instanceof z.ZodEnum) return { kind: 'choice', choices: schema.options.map(String) };
  if (schema instanceof z.ZodBoolean) return { kind: 'flag' };
  if (schema instanceof z.ZodNumber) return { kind: 'integer' };
  if (schema instanceof z.ZodArray) return { kind: 'list' };
  return schema instanceof z.ZodString ? { kind: 'text' } : null;
}
