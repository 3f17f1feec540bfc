import type * as z from 'zod';
import { type Classification, classificationOf } from './classified';
import { entitySchemas } from './entities';
import { type EntityName, entityNames, entityOfId } from './ids';

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

/** Parts of a name stand in names of firms and places as well: only a whole name tells who somebody is. */
export const isWholeName = (field: string): boolean =>
  !/^(first|middle|last|given|family)_?name$/i.test(field);

/** Whole names of people in a document of canonical entities, wherever they stand in it. */
export function personNames(document: unknown): string[] {
  if (Array.isArray(document)) return document.flatMap(personNames);
  if (typeof document !== 'object' || document === null) return [];
  const { id } = document as { id?: unknown };
  const entity = typeof id === 'string' ? entityOfId(id) : undefined;
  const fields = (entity && classifiedFields[entity]) ?? {};
  return Object.entries(document).flatMap(([name, member]) => {
    if (!Object.hasOwn(fields, name) || fields[name] !== 'person_name') return personNames(member);
    return typeof member === 'string' && isWholeName(name) ? [member] : [];
  });
}
