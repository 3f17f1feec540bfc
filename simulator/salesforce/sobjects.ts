import type { SimRecord, SimRequest, SimResponse } from '../kit/types';
import { visibleObject } from './access';
import { jsonObject } from './body';
import { checkUnmodified, notModified, stateHeaders } from './conditional';
import { basicInformation, describe, describeGlobal } from './describe';
import { ApiError, badRequest, insufficientAccess, methodNotAllowed, notFound } from './errors';
import { existing, type Org } from './org';
import { fieldsParameter, recordUrl, renderRecord } from './render';
import { deletedIds, updatedIds } from './replication';
import { type Field, findField, objectNamed, type SObject } from './schema';

/** Version from which an upsert that updates answers 200 with a body instead of 204. */
const UPSERT_BODY_VERSION = 46;

/** Everything below `/services/data/vNN.N/sobjects`. */
export function sobjects(
  org: Org,
  version: string,
  request: SimRequest,
  path: readonly string[],
): SimResponse {
  const [name, second, third, ...rest] = path;
  if (name === undefined) return { status: 200, body: describeGlobal(version) };
  const object = visibleObject(org, name);
  if (!object || rest.length > 0) throw notFound();
  if (second === undefined) return collection(org, version, request, object);
  if (third !== undefined) return byExternalId(org, version, request, object, second, third);
  switch (second) {
    case 'describe':
      return { status: 200, body: describe(object, version) };
    case 'updated':
      return { status: 200, body: updatedIds(org, object, request) };
    case 'deleted':
      return { status: 200, body: deletedIds(org, object, request) };
    case 'Id':
      // Upsert without an id is a create.
      return collection(org, version, request, object);
  }
  return single(org, version, request, object, second);
}

function collection(org: Org, version: string, request: SimRequest, object: SObject): SimResponse {
  switch (request.method) {
    case 'GET':
    case 'HEAD':
      return { status: 200, body: basicInformation(object, version) };
    case 'POST':
      return created(version, createRecord(org, object, jsonObject(request)));
    default:
      throw methodNotAllowed(request.method, ['GET', 'HEAD', 'POST']);
  }
}

function single(org: Org, version: string, request: SimRequest, object: SObject, id: string): SimResponse {
  const record = existing(org, object, id);
  switch (request.method) {
    case 'GET':
    case 'HEAD':
      return read(org, version, request, object, record);
    case 'PATCH':
      checkUnmodified(request, record);
      updateRecord(org, object, record, jsonObject(request));
      return { status: 204 };
    case 'DELETE':
      deleteRecord(org, object, record);
      return { status: 204 };
    default:
      throw methodNotAllowed(request.method, ['GET', 'HEAD', 'PATCH', 'DELETE']);
  }
}

function byExternalId(
  org: Org,
  version: string,
  request: SimRequest,
  object: SObject,
  fieldName: string,
  encodedKey: string,
): SimResponse {
  const field = lookupField(object, fieldName);
  const matches = recordsByKey(org, object, field, encodedKey);
  if (matches.length > 1) {
    return { status: 300, body: matches.map(({ id }) => recordUrl(version, object.name, id)) };
  }
  const [match] = matches;
  if (request.method === 'PATCH')
    return upsert(org, version, request, { object, field, key: encodedKey, match });
  if (!match) throw notFound();
  return single(org, version, request, object, match.id);
}

interface Upsert {
  object: SObject;
  field: Field;
  key: string;
  match: SimRecord | undefined;
}

function upsert(
  org: Org,
  version: string,
  request: SimRequest,
  { object, field, key, match }: Upsert,
): SimResponse {
  const body = jsonObject(request);
  if (Object.keys(body).some((name) => name.toLowerCase() === field.name.toLowerCase())) {
    throw badRequest('INVALID_FIELD', `The ${field.name} field should not be specified in the sobject data.`);
  }
  if (match) {
    checkUnmodified(request, match);
    updateRecord(org, object, match, body);
    if (Number(version) < UPSERT_BODY_VERSION) return { status: 204 };
    return { status: 200, body: { id: match.id, success: true, errors: [], created: false } };
  }
  if (field.type === 'id' || request.query.get('updateOnly') === 'true') throw notFound();
  const record = createRecord(org, object, { ...body, [field.name]: key });
  const response = created(version, record);
  return { ...response, body: { id: record.id, success: true, errors: [], created: true } };
}

/** @throws ApiError 404: no such field, or none that records can be found by. */
export function lookupField(object: SObject, name: string): Field {
  const field = findField(object, name);
  if (!field || !(field.externalId || field.idLookup)) throw notFound();
  return field;
}

export function recordsByKey(org: Org, object: SObject, field: Field, key: string): SimRecord[] {
  if (field.type !== 'id') return org.context.db.findBy(object.name, field.name, key);
  const record = org.find(object, key);
  return record ? [record] : [];
}

export function createRecord(org: Org, object: SObject, body: Record<string, unknown>): SimRecord {
  if (!object.createable) throw notPermitted(object);
  return org.create(object, body);
}

export function updateRecord(
  org: Org,
  object: SObject,
  record: SimRecord,
  body: Record<string, unknown>,
): SimRecord {
  if (!object.updateable) throw notPermitted(object);
  return org.update(object, record, body);
}

export function deleteRecord(org: Org, object: SObject, record: SimRecord): void {
  if (!object.deletable) throw notPermitted(object);
  org.delete(object, record);
}

/** Either nobody may, or this user may not. */
function notPermitted(object: SObject): ApiError {
  const { createable } = objectNamed(object.name);
  if (createable) return insufficientAccess();
  const message = `entity type ${object.name} does not support this operation`;
  return new ApiError(400, { errorCode: 'INVALID_TYPE_FOR_OPERATION', message });
}

function created(version: string, record: SimRecord): SimResponse {
  return {
    status: 201,
    headers: { Location: recordUrl(version, record.type, record.id) },
    body: { id: record.id, success: true, errors: [] },
  };
}

function read(
  org: Org,
  version: string,
  request: SimRequest,
  object: SObject,
  record: SimRecord,
): SimResponse {
  const unchanged = notModified(request, record);
  if (unchanged) return unchanged;
  const fields = fieldsParameter(object, request.query.get('fields'));
  return {
    status: 200,
    headers: stateHeaders(record),
    body: renderRecord(org, version, object, record, fields),
  };
}
