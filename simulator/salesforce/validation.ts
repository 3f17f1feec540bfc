import { badRequest, saveError } from './errors';
import type { Org } from './org';
import { type Field, findField, findParent, objectNamed, type SObject } from './schema';
import { type FieldValue, fieldValue } from './values';

/** Field values of one record by field name. */
export type Data = Record<string, FieldValue>;

type Save = 'insert' | 'update';

/**
 * The fields of a body as they will be stored. Parents may be named by an external id of theirs:
 * `{"Account": {"Q2C_External_Id__c": "…"}}` in place of `AccountId`.
 * @throws ApiError 400 for unknown and read-only fields and for values of the wrong type, length or list.
 */
export function readBody(org: Org, object: SObject, body: Record<string, unknown>, save: Save): Data {
  const data: Data = {};
  const refused: string[] = [];
  for (const [name, value] of Object.entries(body)) {
    if (name === 'attributes') continue;
    const field = findField(object, name);
    if (field) {
      if (field.name === 'Id') throw badRequest('INVALID_FIELD', `cannot specify Id in an ${save} call`);
      if (!isWritable(field, save)) refused.push(field.name);
      else data[field.name] = checkedValue(org, field, value);
      continue;
    }
    const parent = findParent(object, name);
    if (!parent) throw noSuchColumn(object, name);
    if (!isWritable(parent, save)) refused.push(parent.name);
    else data[parent.name] = parentByExternalId(org, parent, value);
  }
  if (refused.length > 0) throw notWritable(refused);
  return data;
}

export function noSuchColumn(object: SObject, name: string) {
  return badRequest('INVALID_FIELD', `No such column '${name}' on sobject of type ${object.name}`);
}

function isWritable(field: Field, save: Save): boolean {
  return save === 'insert' ? field.createable : field.updateable;
}

function notWritable(fields: string[]) {
  const message = `Unable to create/update fields: ${fields.join(', ')}. Please check the security settings of this field and verify that it is read/write for your profile or permission set.`;
  return saveError('INVALID_FIELD_FOR_INSERT_UPDATE', message, fields);
}

function checkedValue(org: Org, field: Field, value: unknown): FieldValue {
  const checked = fieldValue(field, value);
  if (
    field.restricted &&
    checked !== null &&
    !field.picklist.includes(String(checked)) &&
    !org.actor.isPerson
  ) {
    const message = `${field.label}: bad value for restricted picklist field: ${checked}`;
    throw saveError('INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST', message, [field.name]);
  }
  return checked;
}

function parentByExternalId(org: Org, lookup: Field, value: unknown): string {
  const parent = objectNamed(lookup.referenceTo ?? '');
  const keys =
    typeof value === 'object' && value !== null
      ? Object.entries(value).filter(([k]) => k !== 'attributes')
      : [];
  const [name, key] = keys[0] ?? [];
  const field = name === undefined ? undefined : findField(parent, name);
  if (keys.length !== 1 || !field?.externalId) {
    throw badRequest(
      'INVALID_FIELD',
      `${lookup.relationshipName} must name one external id field of ${parent.name}`,
    );
  }
  const [match, ...others] = org.context.db.findBy(parent.name, field.name, String(key));
  if (!match || others.length > 0) {
    const message = `Foreign key external ID: ${key} not found for field ${field.name} in entity ${parent.name}`;
    throw badRequest('INVALID_FIELD', message);
  }
  return match.id;
}

/** @throws ApiError 400 `REQUIRED_FIELD_MISSING` naming all of them. */
export function checkRequired(object: SObject, data: Data): void {
  const missing = object.fields
    .filter((field) => !field.nillable && (field.createable || field.updateable) && isEmpty(data[field.name]))
    .map((field) => field.name);
  if (missing.length > 0) {
    throw saveError(
      'REQUIRED_FIELD_MISSING',
      `Required fields are missing: [${missing.join(', ')}]`,
      missing,
    );
  }
}

function isEmpty(value: FieldValue | undefined): boolean {
  return value === null || value === undefined;
}

/** @throws ApiError 400 `INVALID_CROSS_REFERENCE_KEY` when a look-up points to nothing, or to the recycle bin. */
export function checkReferences(org: Org, object: SObject, data: Data): void {
  for (const [name, value] of Object.entries(data)) {
    const field = findField(object, name);
    if (!field?.referenceTo || typeof value !== 'string') continue;
    if (!org.find(objectNamed(field.referenceTo), value)) {
      throw saveError('INVALID_CROSS_REFERENCE_KEY', 'invalid cross reference id', []);
    }
  }
}

/** @throws ApiError 400 `DUPLICATE_VALUE` naming the record that has the value. */
export function checkUnique(org: Org, object: SObject, data: Data, ownId: string | null): void {
  for (const field of object.fields) {
    const value = data[field.name];
    if (!field.unique || typeof value !== 'string') continue;
    const other = org.context.db.findBy(object.name, field.name, value).find((record) => record.id !== ownId);
    if (other) {
      const message = `duplicate value found: ${field.name} duplicates value on record with id: ${other.id}`;
      throw saveError('DUPLICATE_VALUE', message, []);
    }
  }
}
