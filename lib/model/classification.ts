import type * as z from 'zod';
import { type Classification, classificationOf } from './classified';
import { entitySchemas } from './entities';
import { type EntityName, entityNames } from './ids';

/** Which fields hold what only some people may see (guides §13, privacy). The schemas of the entities say it. */

/** Stands for a value that is not shown. */
export const MASK = '•••';

/** Fields of an entity that are classified, by path with dots; arrays have no step of their own. */
export type ClassifiedFields = Readonly<Record<string, Classification>>;

/** Of every entity that has some. */
export const classifiedFields: Readonly<Partial<Record<EntityName, ClassifiedFields>>> = Object.fromEntries(
  entityNames
    .map((entity) => [entity, fieldsOf(entitySchemas[entity], '')] as const)
    .filter(([, fields]) => Object.keys(fields).length > 0),
);

function fieldsOf(schema: z.ZodType, path: string): Record<string, Classification> {
  const own = classificationOf(schema);
  if (own !== undefined) return { [path]: own };
  const { def } = schema as z.ZodType & {
    def: { type: string; innerType?: z.ZodType; element?: z.ZodType; shape?: object };
  };
  if (def.innerType !== undefined) return fieldsOf(def.innerType, path);
  if (def.element !== undefined) return fieldsOf(def.element, path);
  const members = Object.entries((def.shape ?? {}) as Record<string, z.ZodType>);
  const found = members.map(([name, member]) => fieldsOf(member, path === '' ? name : `${path}.${name}`));
  return Object.assign({}, ...found) as Record<string, Classification>;
}
