import type { SimRecord, SimResponse } from '../kit/types';
import { type Env, levelOf, recordUrl } from './env';
import { insufficientPermission, invalidContent, methodNotAllowed, NetSuiteError, notFound } from './errors';
import type { StoredRequest } from './jobs';
import { listRecords } from './records/collection';
import { type Data, isObject, linesOf } from './records/data';
import { renderLine, renderRecord, renderSublist } from './records/render';
import { createRecord, deleteRecord, findByExternalId, updateRecord, upsertRecord } from './records/save';
import { transform } from './records/transform';
import { propertyOf, servedType } from './schema';
import type { RecordType } from './schema/fields';

const EXTERNAL = 'eid:';

/**
 * The record service below `/services/rest/record/v1`.
 * @param segments decoded path behind the version: type, id, sublist or action
 */
export function recordService(segments: readonly string[], request: StoredRequest, env: Env): SimResponse {
  const [typeName = '', id, ...rest] = segments;
  const type = servedType(typeName);
  if (!type) {
    throw new NetSuiteError(404, 'NONEXISTENT_ID', `Record type '${typeName}' does not exist.`, {
      urlPath: typeName,
    });
  }
  const level = levelOf(env, type.name);
  if (level === 'none' || (level === 'view' && request.method !== 'GET')) throw insufficientPermission();
  if (id === undefined) return collectionCall(type, request, env);
  const [part, target] = rest;
  if (part === '!transform' && target !== undefined) return transformCall(type, id, target, request, env);
  if (part !== undefined) return sublistCall(type, id, rest, request, env);
  return instanceCall(type, id, request, env);
}

function collectionCall(type: RecordType, request: StoredRequest, env: Env): SimResponse {
  if (request.method === 'GET') return shown(listRecords(type, request.query, env), 'collection');
  if (request.method !== 'POST') throw methodNotAllowed(request.method);
  return located(type, createRecord(type, bodyOf(request), env), env);
}

function instanceCall(type: RecordType, id: string, request: StoredRequest, env: Env): SimResponse {
  switch (request.method) {
    case 'GET': {
      const fields = request.query.get('fields');
      const options = {
        expandSubResources: request.query.get('expandSubResources') === 'true',
        fields:
          fields === null
            ? null
            : new Set(
                fields
                  .toLowerCase()
                  .split(',')
                  .map((name) => name.trim()),
              ),
      };
      return shown(renderRecord(type, existing(type, id, env), options, env), 'singular');
    }
    case 'PATCH': {
      const record = existing(type, id, env);
      return located(
        type,
        updateRecord(type, record, bodyOf(request), env, replacedSublists(type, request)),
        env,
      );
    }
    case 'PUT': {
      if (!id.startsWith(EXTERNAL) || id === EXTERNAL) {
        throw new NetSuiteError(
          400,
          'INVALID_ID',
          'PUT needs an external ID. Provide it as eid:<externalId>.',
          { urlPath: id },
        );
      }
      const externalId = id.slice(EXTERNAL.length);
      return located(
        type,
        upsertRecord(type, externalId, bodyOf(request), env, replacedSublists(type, request)),
        env,
      );
    }
    case 'DELETE':
      deleteRecord(type, existing(type, id, env), env);
      return { status: 204 };
    default:
      throw methodNotAllowed(request.method);
  }
}

function transformCall(
  type: RecordType,
  id: string,
  targetName: string,
  request: StoredRequest,
  env: Env,
): SimResponse {
  if (request.method !== 'POST') throw methodNotAllowed(request.method);
  const target = servedType(targetName);
  if (!target)
    throw new NetSuiteError(404, 'NONEXISTENT_ID', `Record type '${targetName}' does not exist.`, {
      urlPath: targetName,
    });
  const body = request.body.trim() === '' ? {} : bodyOf(request);
  return located(target, transform(type, existing(type, id, env), target, body, env), env);
}

/** `GET /record/v1/{type}/{id}/{sublist}[/{key}[/{subrecord}]]` */
function sublistCall(
  type: RecordType,
  id: string,
  path: readonly string[],
  request: StoredRequest,
  env: Env,
): SimResponse {
  const [name = '', key, subrecord] = path;
  const property = propertyOf(type, name);
  if (property?.is !== 'sublist') throw notFound(name);
  if (request.method !== 'GET') throw methodNotAllowed(request.method);
  const { sublist } = property;
  const record = existing(type, id, env);
  if (key === undefined) return shown(renderSublist(type, record, property.name, sublist, env), 'collection');
  const line = linesOf(record.data, property.name).find(
    (candidate) => String(candidate[sublist.key]) === key,
  );
  if (!line) throw notFound(key);
  const rendered = renderLine(sublist, line, recordUrl(env, type.name, record.id, property.name), env);
  if (subrecord === undefined) return shown(rendered, 'singular');
  const inner = rendered[subrecord];
  if (!isObject(inner)) throw notFound(subrecord);
  return shown(inner, 'singular');
}

function existing(type: RecordType, id: string, env: Env): SimRecord {
  const record = id.startsWith(EXTERNAL)
    ? findByExternalId(type, id.slice(EXTERNAL.length), env)
    : env.db.get(type.name, id);
  if (!record) throw notFound(id);
  return record;
}

function replacedSublists(type: RecordType, request: StoredRequest): Set<string> {
  const names = (request.query.get('replace') ?? '').split(',').filter((name) => name !== '');
  return new Set(
    names.map((name) => {
      const property = propertyOf(type, name.trim());
      if (property?.is === 'sublist') return property.name.toLowerCase();
      throw new NetSuiteError(400, 'INVALID_PARAMETER', `'${name}' is not a sublist of ${type.name}.`, {
        queryParam: 'replace',
      });
    }),
  );
}

function bodyOf(request: StoredRequest): Data {
  try {
    const parsed: unknown = JSON.parse(request.body);
    if (isObject(parsed)) return parsed;
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
  }
  throw invalidContent('Invalid content in the request body. Provide a JSON object.');
}

function located(type: RecordType, record: SimRecord, env: Env): SimResponse {
  return { status: 204, headers: { location: recordUrl(env, type.name, record.id) } };
}

function shown(body: Data, kind: 'singular' | 'collection'): SimResponse {
  return {
    status: 200,
    headers: { 'content-type': `application/vnd.oracle.resource+json; type=${kind}; charset=UTF-8` },
    body,
  };
}
