import type { Env } from '../env';
import { invalidContent } from '../errors';
import { type Property, propertyOf, type Shape } from '../schema';
import {
  boolean,
  date,
  email,
  type Field,
  type Fields,
  integer,
  number,
  type RecordType,
  reference,
  text,
} from '../schema/fields';
import { type Data, isObject, textOf } from './data';
import { readValue, type Value } from './values';

/** What a request wants to change: null empties a field. */
export interface Changes {
  fields: Record<string, Value | Data>;
  sublists: Record<string, Changes[]>;
}

/** Properties of replies that may come back in a request and mean nothing there. */
const IGNORED = new Set(['id', 'links', 'refname', 'totalresults', 'count', 'hasmore', 'offset']);

const CUSTOM_FIELD = /^cust(entity|body|col|record|event)_/;

/** Kinds of custom field an administrator can add (control type `customField`). */
export const CUSTOM_KINDS: Readonly<Record<string, Field>> = {
  text: text(300),
  longtext: text(100_000),
  integer,
  number,
  boolean,
  date,
  email,
  customer: reference('customer'),
};

/**
 * Reads a request body by the schema of a record or a line.
 * @throws NetSuiteError INVALID_CONTENT for wrong JSON types, and for unknown names when the caller asked for it.
 */
export function readBody(shape: Shape, body: Data, env: Env, prefix = ''): Changes {
  const changes: Changes = { fields: {}, sublists: {} };
  for (const [name, raw] of Object.entries(body)) {
    const path = prefix + name;
    const property = propertyOf(shape, name) ?? customProperty(name, env);
    if (property) readProperty(property, raw, path, env, changes);
    else if (env.refuseUnknownNames && !IGNORED.has(name.toLowerCase())) {
      throw invalidContent(`Unknown property '${name}'. Provide a valid property name.`, path);
    }
  }
  return changes;
}

function readProperty(property: Property, raw: unknown, path: string, env: Env, changes: Changes): void {
  if (property.is === 'field') {
    if (!property.field.readOnly) changes.fields[property.name] = readValue(property.field, raw, path, env);
    return;
  }
  if (property.is === 'subrecord') {
    if (!isObject(raw)) throw invalidContent(`The field '${property.name}' must be a JSON object.`, path);
    changes.fields[property.name] = readBody(property.shape, raw, env, `${path}.`).fields;
    return;
  }
  if (!isObject(raw) || !Array.isArray(raw.items)) {
    throw invalidContent(
      `The sublist '${property.name}' must be a JSON object with an array named items.`,
      path,
    );
  }
  changes.sublists[property.name] = raw.items.map((line: unknown, index) => {
    const linePath = `${path}.items[${index}]`;
    if (!isObject(line)) throw invalidContent('A line of a sublist must be a JSON object.', linePath);
    return readBody(property.sublist, line, env, `${linePath}.`);
  });
}

/** Custom fields of the account that records of the type have, by script id. */
export function customFieldsOf({ sequence }: RecordType, { db }: Env): Fields {
  const prefix = PREFIX_OF_SEQUENCE[sequence];
  const own = db
    .list('customField')
    .filter(({ data }) => prefix !== undefined && String(data.scriptId).startsWith(prefix));
  return Object.fromEntries(
    own.flatMap(({ data }) => {
      const field = CUSTOM_KINDS[textOf(data, 'kind') ?? 'text'];
      return field === undefined ? [] : [[String(data.scriptId), field]];
    }),
  );
}

/** Customers, contacts and projects share entity fields, transactions body fields. */
const PREFIX_OF_SEQUENCE: Readonly<Record<string, string>> = {
  entity: 'custentity_',
  transaction: 'custbody_',
};

function customProperty(name: string, env: Env): Property | undefined {
  const scriptId = name.toLowerCase();
  if (!CUSTOM_FIELD.test(scriptId)) return undefined;
  const definition = env.db.findBy('customField', 'scriptId', scriptId)[0];
  const field = definition && CUSTOM_KINDS[textOf(definition.data, 'kind') ?? 'text'];
  return field && { is: 'field', name: scriptId, field };
}
