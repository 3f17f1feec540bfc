import { contract, quote, quoteLineItem } from './contracts';
import type { Field, SObject } from './field';
import {
  opportunityLineItem,
  opportunityLineItemSchedule,
  pricebook2,
  pricebookEntry,
  product2,
} from './products';
import { account, contact, opportunity, opportunityContactRole } from './sales';
import { currencyType, opportunityStage, organization, user } from './setup';

export type { Field, SObject } from './field';

export const OBJECTS: readonly SObject[] = [
  account,
  contact,
  contract,
  currencyType,
  opportunity,
  opportunityContactRole,
  opportunityLineItem,
  opportunityLineItemSchedule,
  opportunityStage,
  organization,
  pricebook2,
  pricebookEntry,
  product2,
  quote,
  quoteLineItem,
  user,
];

/** Names are case-insensitive in paths and SOQL. */
const objectsByName = new Map(OBJECTS.map((object) => [object.name.toLowerCase(), object]));
const objectsByPrefix = new Map(OBJECTS.map((object) => [object.keyPrefix, object]));
/** Also of objects as a user sees them, which lack what is hidden from him. */
const fieldsByName = new WeakMap<SObject, Map<string, Field>>();

export function findObject(name: string): SObject | undefined {
  return objectsByName.get(name.toLowerCase());
}

/** @throws Error: the schema itself is wrong. */
export function objectNamed(name: string): SObject {
  const object = findObject(name);
  if (!object) throw new Error(`The schema has no object ${name}`);
  return object;
}

export function objectOfId(id: string): SObject | undefined {
  return objectsByPrefix.get(id.slice(0, 3));
}

export function findField(object: SObject, name: string): Field | undefined {
  let fields = fieldsByName.get(object);
  if (fields === undefined) {
    fields = new Map(object.fields.map((field) => [field.name.toLowerCase(), field]));
    fieldsByName.set(object, fields);
  }
  return fields.get(name.toLowerCase());
}

/** The look-up whose parent is called `name` in SOQL, for example `Account`. */
export function findParent(object: SObject, name: string): Field | undefined {
  return object.fields.find((field) => field.relationshipName?.toLowerCase() === name.toLowerCase());
}

/** A look-up seen from the parent. */
export interface ChildRelationship {
  child: SObject;
  field: Field;
}

const children = new Map<string, ChildRelationship[]>();
for (const child of OBJECTS) {
  for (const field of child.fields) {
    if (!field.referenceTo || field.calculated) continue;
    children.set(field.referenceTo, [...(children.get(field.referenceTo) ?? []), { child, field }]);
  }
}

export function childrenOf(object: SObject): readonly ChildRelationship[] {
  return children.get(object.name) ?? [];
}

/** `type.field` pairs worth an index: look-ups, and what records are found by. */
export const INDEXES: readonly string[] = OBJECTS.flatMap((object) =>
  object.fields
    .filter((f) => !f.calculated && (f.externalId || (f.idLookup && f.type !== 'id') || isOwnLookup(f)))
    .map((field) => `${object.name}.${field.name}`),
);

/** Every record points to a handful of users: an index over those would hold everything under one key. */
function isOwnLookup(field: Field): boolean {
  return field.referenceTo !== null && field.referenceTo !== 'User';
}
