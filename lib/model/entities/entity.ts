import * as z from 'zod';
import { extensionsSchema } from '../extensions';
import type { EntityName } from '../ids';
import { externalRefSchema, idSchema, instantSchema, text } from '../primitives';

const base = {
  version: z.int().min(1),
  externalRefs: z.array(externalRefSchema),
  createdAt: instantSchema,
  updatedAt: instantSchema,
  sourceSystem: text,
  extensions: extensionsSchema,
};

/**
 * Schema of an entity: the fields every entity has (guides §5) and its own. Unknown fields are refused:
 * what the model has no field for belongs into `extensions`.
 */
export const entity = <S extends z.ZodRawShape>(name: EntityName, fields: S) =>
  z.strictObject({ id: idSchema(name), legalEntityId: idSchema('legalEntity'), ...base, ...fields });

/** As `entity`, for what belongs to no legal entity, or not yet. */
export const entityOfNoLegalEntity = <S extends z.ZodRawShape>(name: EntityName, fields: S) =>
  z.strictObject({ id: idSchema(name), ...base, ...fields });
