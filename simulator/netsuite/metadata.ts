import type { SimRequest, SimResponse } from '../kit/types';
import { type Env, levelOf, recordUrl } from './env';
import { NetSuiteError } from './errors';
import { customFieldsOf } from './records/body';
import type { Data } from './records/data';
import { selfLink } from './records/render';
import { RECORD_TYPES, servedType } from './schema';
import { type Field, type Fields, labelOf, type RecordType } from './schema/fields';
import { UNSERVED } from './schema/lists';

const SCHEMA_TYPE = 'application/schema+json';
const OPENAPI_TYPE = 'application/swagger+json';

/**
 * `GET /record/v1/metadata-catalog[/{type}]`: the list of record types, or their schemas as JSON Schema or
 * OpenAPI 3, by the Accept header. `select` narrows it.
 */
export function metadataCatalog(name: string | undefined, request: SimRequest, env: Env): SimResponse {
  const types = name === undefined ? selectedTypes(request.query, env) : [existing(name, env)];
  const accept = request.headers.accept ?? '';
  if (accept.includes(OPENAPI_TYPE)) return json(OPENAPI_TYPE, openApi(types, env));
  if (name !== undefined) return json(SCHEMA_TYPE, jsonSchema(existing(name, env), env));
  const items = types.map((type) => ({
    name: type.name,
    links: [
      { rel: 'canonical', href: catalogUrl(type, env) },
      { rel: 'describes', href: recordUrl(env, type.name) },
    ],
  }));
  return json('application/json', { links: [selfLink(recordUrl(env, 'metadata-catalog'))], items });
}

function selectedTypes(query: URLSearchParams, env: Env): RecordType[] {
  const select = query.get('select');
  if (select !== null) return select.split(',').map((name) => existing(name.trim(), env));
  return RECORD_TYPES.filter((type) => !UNSERVED.has(type.name) && levelOf(env, type.name) !== 'none');
}

/** What the role may not see is not in its catalogue. */
function existing(name: string, env: Env): RecordType {
  const type = servedType(name);
  if (!type || levelOf(env, type.name) === 'none')
    throw new NetSuiteError(404, 'NONEXISTENT_ID', `Record type '${name}' does not exist.`, {
      urlPath: name,
    });
  return type;
}

function catalogUrl(type: RecordType, env: Env): string {
  return recordUrl(env, 'metadata-catalog', type.name);
}

function json(contentType: string, body: Data): SimResponse {
  return { status: 200, headers: { 'content-type': contentType }, body };
}

function jsonSchema(type: RecordType, env: Env): Data {
  const sublists = Object.entries(type.sublists).map(([name, { fields, subrecords }]) => {
    const inner = Object.entries(subrecords ?? {}).map(([key, shape]) => [
      key,
      objectSchema(propertiesOf(shape.fields)),
    ]);
    const line = objectSchema({ ...propertiesOf(fields), ...Object.fromEntries(inner) });
    return [name, objectSchema({ items: { type: 'array', items: line } })];
  });
  const stamps: Data = { id: { type: 'string', title: 'Internal ID' } };
  const instant = { type: 'string', format: 'date-time', readOnly: true };
  if (type.created) stamps[type.created] = instant;
  if (type.modified) stamps.lastModifiedDate = instant;
  const properties = {
    ...stamps,
    ...propertiesOf(type.fields),
    ...propertiesOf(customFieldsOf(type, env)),
    ...Object.fromEntries(sublists),
  };
  return { $schema: 'http://json-schema.org/draft-06/hyper-schema#', ...objectSchema(properties) };
}

function objectSchema(properties: Data): Data {
  return { type: 'object', properties };
}

function propertiesOf(fields: Fields): Data {
  return Object.fromEntries(Object.entries(fields).map(([name, field]) => [name, propertyOf(name, field)]));
}

function propertyOf(name: string, field: Field): Data {
  const common = {
    title: labelOf(name),
    ...(field.readOnly && { readOnly: true }),
    nullable: !field.required,
    'x-ns-filterable': true,
  };
  switch (field.kind) {
    case 'boolean':
      return { type: 'boolean', ...common };
    case 'integer':
      return { type: 'integer', format: 'int64', ...common };
    case 'number':
    case 'amount':
      return { type: 'number', format: 'double', ...common };
    case 'date':
      return { type: 'string', format: 'date', ...common };
    case 'dateTime':
      return { type: 'string', format: 'date-time', ...common };
    case 'choice':
    case 'country':
    case 'reference': {
      const id = { type: 'string', ...(field.values && { enum: Object.keys(field.values) }) };
      return {
        ...objectSchema({ id, externalId: { type: 'string' }, refName: { type: 'string' } }),
        ...common,
      };
    }
    default:
      return { type: 'string', ...(field.max !== undefined && { maxLength: field.max }), ...common };
  }
}

function openApi(types: readonly RecordType[], env: Env): Data {
  return {
    openapi: '3.0.1',
    info: { title: 'NetSuite REST Record API', version: 'v1' },
    servers: [{ url: recordUrl(env) }],
    components: { schemas: Object.fromEntries(types.map((type) => [type.name, jsonSchema(type, env)])) },
    paths: Object.fromEntries(
      types.flatMap((type) => [
        [`/${type.name}`, {}],
        [`/${type.name}/{id}`, {}],
      ]),
    ),
  };
}
