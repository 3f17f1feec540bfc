import * as z from 'zod';
import { entitySchemas } from './entities';
import { type BusinessEventType, eventDataSchema, eventSchemaUri } from './events';
import type { EntityName } from './ids';

/**
 * The model as JSON Schema (draft 2020-12), for programs in other languages. What JSON Schema cannot say
 * (a currency that exists, a period that does not end before it begins, registered extensions) only zod checks.
 */
export type JsonSchema = z.core.JSONSchema.JSONSchema;

/** Same word order in file names as in event types: `billingScheduleLine` → `billing-schedule-line`. */
export const kebabCase = (name: string): string =>
  name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);

const describe = (schema: z.ZodType, id: string, title: string): JsonSchema => {
  const { $schema, ...body } = z.toJSONSchema(schema, { target: 'draft-2020-12', reused: 'inline' });
  return { $schema, $id: id, title, ...body };
};

export const entityJsonSchema = (entity: EntityName): JsonSchema =>
  describe(entitySchemas[entity], `urn:q2c:schema:${entity}`, entity);

export const eventJsonSchema = (type: BusinessEventType): JsonSchema =>
  describe(eventDataSchema(type), eventSchemaUri(type), type);
