import * as z from 'zod';
import { jsonValueSchema } from '../model';
import { type MappedEntityName, recordSchema } from './records';

/** The fields that rules can fill, read from the schemas of the canonical model. */

export interface TargetField {
  /** Dotted path in the record. */
  path: string;
  /** In words: `text`, `decimal number as text`, `one of …`. */
  type: string;
  /** The record is not complete without it. */
  required: boolean;
  /** The only values allowed, if there are few. */
  values?: string[];
}

/** What identifies a record, and what the engine keeps: no rule may touch it. */
const PROTECTED = new Set(['id', 'version', 'externalRefs', 'createdAt', 'updatedAt', 'sourceSystem']);

/** Namespace of `extensions` whose members a system's node sends as fields of its record. */
const VENDOR_FIELD = /^extensions\.([a-z][a-z0-9-]*)\.[A-Za-z_][\w]*$/;

/** The system whose own field a target is (`extensions.netsuite.memo` → `netsuite`); undefined = a canonical field. */
export const systemOfTarget = (target: string): string | undefined => VENDOR_FIELD.exec(target)?.[1];

/**
 * Schema of the value at a path of a record.
 * @returns undefined when there is no such field, or rules may not fill it.
 */
export function schemaAt(entity: MappedEntityName, path: string): z.ZodType | undefined {
  if (systemOfTarget(path) !== undefined) return jsonValueSchema;
  const parts = path.split('.');
  if (PROTECTED.has(parts[0] ?? '') || parts[0] === 'extensions') return undefined;
  return parts.reduce<z.ZodType | undefined>(
    (schema, part) => schema && memberOf(unwrapped(schema), part),
    recordSchema(entity),
  );
}

function memberOf(schema: z.ZodType, name: string): z.ZodType | undefined {
  if (schema instanceof z.ZodObject && Object.hasOwn(schema.shape, name)) return schema.shape[name];
  if (schema instanceof z.ZodRecord) return schema.valueType as z.ZodType;
  return undefined;
}

function unwrapped(schema: z.ZodType): z.ZodType {
  return schema instanceof z.ZodOptional ? unwrapped(schema.unwrap() as z.ZodType) : schema;
}

/** The fields of an entity, those of objects below their object. */
export function targetFields(entity: MappedEntityName): TargetField[] {
  return fieldsOf(recordSchema(entity), '', true).filter(({ path }) => {
    const first = path.split('.')[0] ?? '';
    return !PROTECTED.has(first) && first !== 'extensions';
  });
}

function fieldsOf(schema: z.ZodType, prefix: string, isRequired: boolean): TargetField[] {
  const object = unwrapped(schema);
  if (!(object instanceof z.ZodObject)) return [];
  return Object.entries(object.shape).flatMap(([name, member]: [string, z.ZodType]) => {
    const path = prefix + name;
    const required = isRequired && !(member instanceof z.ZodOptional);
    const below = fieldsOf(member, `${path}.`, required);
    return [{ path, required: required && below.length === 0, ...typeOf(member) }, ...below];
  });
}

function typeOf(member: z.ZodType): Pick<TargetField, 'type' | 'values'> {
  const schema = unwrapped(member);
  if (schema instanceof z.ZodEnum) return { type: 'one of a list', values: schema.options.map(String) };
  if (schema instanceof z.ZodBoolean) return { type: 'true or false' };
  if (schema instanceof z.ZodNumber) return { type: 'whole number' };
  if (schema instanceof z.ZodArray) return { type: 'list' };
  if (schema instanceof z.ZodRecord) return { type: 'values by name' };
  if (schema instanceof z.ZodObject) return { type: 'object' };
  const { description, format } = (z.globalRegistry.get(schema) ?? {}) as {
    description?: string;
    format?: string;
  };
  return { type: description ?? FORMATS[format ?? ''] ?? 'text' };
}

const FORMATS: Record<string, string> = { date: 'date, YYYY-MM-DD', 'date-time': 'moment in UTC' };
