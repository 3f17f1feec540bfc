import type { SimRecord } from '../../kit/types';
import { visibleObject } from '../access';
import { parseDatetime } from '../dates';
import { badRequest } from '../errors';
import type { Org } from '../org';
import { type Field, findField, findParent, type SObject } from '../schema';

/** A field path of a query, resolved against the schema: the look-ups to follow and the field at the end. */
export interface ResolvedPath {
  lookups: readonly { field: Field; parent: SObject }[];
  object: SObject;
  field: Field;
}

/** @throws ApiError 400 `INVALID_FIELD` in the platform's words. */
export function resolvePath(org: Org, object: SObject, path: readonly string[]): ResolvedPath {
  // An object may be named as its own alias: `SELECT Account.Name FROM Account`.
  const names = path.length > 1 && isOwnName(object, path[0] ?? '') ? path.slice(1) : path;
  const lookups: { field: Field; parent: SObject }[] = [];
  let current = object;
  for (const name of names.slice(0, -1)) {
    const field = findParent(current, name);
    if (!field?.referenceTo) {
      const message = `Didn't understand relationship '${name}' in field path. If you are attempting to use a custom relationship, be sure to append the '__r' after the custom relationship name. Please reference your WSDL or the describe call for the appropriate names.`;
      throw badRequest('INVALID_FIELD', message);
    }
    const parent = visibleObject(org, field.referenceTo);
    if (!parent) throw noColumn(name, current);
    current = parent;
    lookups.push({ field, parent });
  }
  const name = names.at(-1) ?? '';
  const field = findField(current, name);
  if (!field) throw noColumn(name, current);
  return { lookups, object: current, field };
}

function noColumn(name: string, object: SObject) {
  const message = `No such column '${name}' on entity '${object.name}'. If you are attempting to use a custom field, be sure to append the '__c' after the custom field name. Please reference your WSDL or the describe call for the appropriate names.`;
  return badRequest('INVALID_FIELD', message);
}

function isOwnName(object: SObject, name: string): boolean {
  return name.toLowerCase() === object.name.toLowerCase() && !findParent(object, name);
}

/** @throws ApiError 400 `INVALID_TYPE` */
export function queriedObject(org: Org, name: string): SObject {
  const object = visibleObject(org, name);
  if (object) return object;
  const message = `sObject type '${name}' is not supported. If you are attempting to use a custom object, be sure to append the '__c' after the entity name. Please reference your WSDL or the describe call for the appropriate names.`;
  throw badRequest('INVALID_TYPE', message);
}

/** What a path leads to, in the form it is compared and sorted in: instants as epoch milliseconds, text as `comparableText` has it. */
export type Comparable = string | number | boolean | null;

export function comparableValue(org: Org, record: SimRecord, path: ResolvedPath): Comparable {
  let current: SimRecord | undefined = record;
  for (const { field } of path.lookups) current = org.parent(current, field.name);
  if (!current) return null;
  switch (path.field.name) {
    case 'SystemModstamp':
    case 'LastModifiedDate':
      return current.modified;
    case 'CreatedDate':
      return current.created;
  }
  const value = org.value(path.object, current, path.field);
  if (typeof value !== 'string') return typeof value === 'object' ? null : value;
  return path.field.type === 'datetime' ? parseDatetime(value) : comparableText(path.field, value);
}

/** Text compares without regard to case, except ids and external ids (which are set up as case-sensitive here). */
export function comparableText(field: Field, text: string): string {
  return isExact(field) ? text : text.toLowerCase();
}

export function isExact(field: Field): boolean {
  return field.type === 'id' || field.type === 'reference' || field.externalId;
}
