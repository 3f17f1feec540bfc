import type { SimRecord, SimRequest, SimResponse } from '../kit/types';
import { visibleObject } from './access';
import { asArray, asObject, jsonObject } from './body';
import { ApiError, badRequest, methodNotAllowed, notFound } from './errors';
import type { Org } from './org';
import { fieldsParameter, renderRecord } from './render';
import { type Field, objectOfId, type SObject } from './schema';
import { createRecord, deleteRecord, lookupField, recordsByKey, updateRecord } from './sobjects';

const MAX_RECORDS = 200;

interface SaveResult {
  id?: string;
  success: boolean;
  errors: { statusCode: string; message: string; fields: string[] }[];
  created?: boolean;
}

/** `/composite/sobjects`: up to 200 records in one call. The status is 200 also when records fail. */
export function collections(
  org: Org,
  version: string,
  request: SimRequest,
  path: readonly string[],
): SimResponse {
  const [type, field] = path;
  switch (request.method) {
    case 'POST':
      return type === undefined
        ? save(org, request, createOne)
        : retrieve(org, version, objectNamedIn(org, type), request);
    case 'PATCH':
      return type === undefined || field === undefined
        ? save(org, request, updateOne)
        : save(org, request, upsertBy(objectNamedIn(org, type), field));
    case 'DELETE':
      return remove(org, request);
    case 'GET':
      if (type !== undefined) return retrieve(org, version, objectNamedIn(org, type), request);
  }
  throw methodNotAllowed(request.method, ['POST', 'PATCH', 'DELETE', 'GET']);
}

type SaveOne = (org: Org, record: Record<string, unknown>) => SaveResult;

function save(org: Org, request: SimRequest, saveOne: SaveOne): SimResponse {
  const body = jsonObject(request);
  const records = asArray(body.records, 'records').map((record) => asObject(record, 'a record'));
  return each(org, records, body.allOrNone === true, saveOne);
}

function remove(org: Org, request: SimRequest): SimResponse {
  const ids = (request.query.get('ids') ?? '').split(',').filter(Boolean);
  if (ids.length === 0) throw badRequest('MISSING_ARGUMENT', 'The ids parameter is required');
  return each(org, ids, request.query.get('allOrNone') === 'true', (_org, id) => {
    const { object, record } = recordOf(org, id);
    deleteRecord(org, object, record);
    return { id: record.id, success: true, errors: [] };
  });
}

/** One result per item in order. With `allOrNone` one failure undoes the others. */
function each<T>(
  org: Org,
  items: readonly T[],
  allOrNone: boolean,
  one: (org: Org, item: T) => SaveResult,
): SimResponse {
  if (items.length > MAX_RECORDS) {
    const message = `record limit reached. cannot submit more than ${MAX_RECORDS} records into this call`;
    throw badRequest('EXCEEDED_ID_LIMIT', message);
  }
  const { db } = org.context;
  let results: SaveResult[] = [];
  try {
    db.savepoint(() => {
      results = items.map((item) => attempt(() => db.savepoint(() => one(org, item))));
      if (allOrNone && results.some((result) => !result.success)) throw new RolledBack();
    });
  } catch (error) {
    if (!(error instanceof RolledBack)) throw error;
    results = results.map((result) => (result.success ? ROLLED_BACK : result));
  }
  return { status: 200, body: results };
}

class RolledBack extends Error {}

const ROLLED_BACK: SaveResult = {
  success: false,
  errors: [
    {
      statusCode: 'ALL_OR_NONE_OPERATION_ROLLED_BACK',
      message:
        'Record rolled back because not all records were valid and the request was using AllOrNone header',
      fields: [],
    },
  ],
};

function attempt(save: () => SaveResult): SaveResult {
  try {
    return save();
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    const errors = error.errors.map(({ errorCode, message, fields = [] }) => ({
      statusCode: errorCode,
      message,
      fields,
    }));
    return { success: false, errors };
  }
}

const createOne: SaveOne = (org, record) => {
  const { id } = createRecord(org, typeOf(org, record), record);
  return { id, success: true, errors: [] };
};

const updateOne: SaveOne = (org, record) => {
  const { Id, id = Id, ...fields } = record;
  if (typeof id !== 'string') throw badRequest('MISSING_ARGUMENT', 'Id not specified in an update call');
  const found = recordOf(org, id);
  updateRecord(org, found.object, found.record, fields);
  return { id: found.record.id, success: true, errors: [] };
};

/** Here the external id stands in the record itself. */
function upsertBy(object: SObject, fieldName: string): SaveOne {
  const field: Field = lookupField(object, fieldName);
  return (org, record) => {
    if (typeOf(org, record) !== object)
      throw badRequest('INVALID_TYPE', `Records must be of type ${object.name}`);
    const { [field.name]: key, ...fields } = record;
    if (typeof key !== 'string' || key === '')
      throw badRequest('MISSING_ARGUMENT', `${field.name} not specified`);
    const [match, ...others] = recordsByKey(org, object, field, key);
    if (others.length > 0) {
      throw badRequest(
        'DUPLICATE_VALUE',
        `${field.name}: more than one record found for external id field: ${key}`,
      );
    }
    if (!match) return { ...createOne(org, record), created: true };
    updateRecord(org, object, match, fields);
    return { id: match.id, success: true, errors: [], created: false };
  };
}

function typeOf(org: Org, record: Record<string, unknown>): SObject {
  const { type } = asObject(record.attributes ?? {}, 'attributes');
  const object = typeof type === 'string' ? visibleObject(org, type) : undefined;
  if (!object) throw badRequest('INVALID_TYPE', `sObject type '${type}' is not supported.`);
  return object;
}

function recordOf(org: Org, id: string): { object: SObject; record: SimRecord } {
  const object = objectOfId(id);
  if (!object) throw badRequest('MALFORMED_ID', `malformed id ${id}`);
  const record = org.find(object, id);
  if (!record) throw badRequest('INVALID_CROSS_REFERENCE_KEY', 'invalid cross reference id');
  return { object, record };
}

function objectNamedIn(org: Org, path: string): SObject {
  const object = visibleObject(org, path);
  if (!object) throw notFound();
  return object;
}

/** Records by id in the order asked; null where there is none. Ids and fields stand in the query, or in the body of a POST. */
function retrieve(org: Org, version: string, object: SObject, request: SimRequest): SimResponse {
  const asked = request.method === 'POST' ? jsonObject(request) : null;
  const ids = asked
    ? asArray(asked.ids, 'ids').map(String)
    : (request.query.get('ids') ?? '').split(',').filter(Boolean);
  const names = asked ? asArray(asked.fields, 'fields').join(',') : request.query.get('fields');
  if (ids.length === 0 || !names) throw badRequest('MISSING_ARGUMENT', 'ids and fields are required');
  const fields = fieldsParameter(object, names);
  const body = ids.map((id) => {
    const record = org.find(object, id);
    return record ? renderRecord(org, version, object, record, fields) : null;
  });
  return { status: 200, body };
}
