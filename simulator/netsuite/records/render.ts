import type { SimRecord } from '../../kit/types';
import { type Env, recordUrl } from '../env';
import { balanceOf } from '../rules/receivables';
import { anyType } from '../schema';
import type { Field, Fields, RecordType, Sublist } from '../schema/fields';
import { UNSERVED } from '../schema/lists';
import { CUSTOM_KINDS } from './body';
import { type Data, isObject, linesOf, textOf } from './data';
import { titleOf } from './title';
import { countryName, formatHours } from './values';

export interface RenderOptions {
  expandSubResources: boolean;
  /** Lower-case names of the body fields asked for; null = all. */
  fields: ReadonlySet<string> | null;
}

/** A record as `GET /record/v1/{type}/{id}` shows it. */
export function renderRecord(type: RecordType, record: SimRecord, options: RenderOptions, env: Env): Data {
  const self = recordUrl(env, type.name, record.id);
  const wanted = (name: string): boolean => options.fields === null || options.fields.has(name.toLowerCase());
  const shown: Data = { links: [selfLink(self)], id: record.id };
  if (type.created && wanted(type.created)) shown[type.created] = instant(record.created);
  if (type.modified && wanted('lastModifiedDate')) shown.lastModifiedDate = instant(record.modified);
  for (const [name, value] of Object.entries(record.data)) {
    const field = type.fields[name] ?? customField(name, env);
    if (field && wanted(name)) shown[name] = renderValue(field, value, env);
  }
  if (type.name === 'customer' && wanted('balance')) shown.balance = balanceOf(record, env);
  for (const [name, sublist] of Object.entries(type.sublists)) {
    if (!wanted(name)) continue;
    shown[name] = options.expandSubResources
      ? renderSublist(type, record, name, sublist, env)
      : { links: [selfLink(`${self}/${name}`)] };
  }
  return shown;
}

/** The lines of a sublist as a collection. */
export function renderSublist(
  type: RecordType,
  record: SimRecord,
  name: string,
  sublist: Sublist,
  env: Env,
): Data {
  const self = `${recordUrl(env, type.name, record.id)}/${name}`;
  const items = linesOf(record.data, name).map((line) => renderLine(sublist, line, self, env));
  return {
    links: [selfLink(self)],
    count: items.length,
    hasMore: false,
    items,
    offset: 0,
    totalResults: items.length,
  };
}

export function renderLine(sublist: Sublist, line: Data, sublistUrl: string, env: Env): Data {
  const self = `${sublistUrl}/${String(line[sublist.key])}`;
  const shown: Data = { links: [selfLink(self)], ...renderFields(sublist.fields, line, env) };
  for (const [name, { fields }] of Object.entries(sublist.subrecords ?? {})) {
    const value = line[name];
    if (isObject(value))
      shown[name] = { links: [selfLink(`${self}/${name}`)], ...renderFields(fields, value, env) };
  }
  return shown;
}

export function selfLink(href: string): { rel: string; href: string } {
  return { rel: 'self', href };
}

/** ISO 8601 in UTC with whole seconds. */
export function instant(time: number): string {
  return new Date(time).toISOString().replace(/\.\d+Z$/, 'Z');
}

function renderFields(fields: Fields, data: Data, env: Env): Data {
  const shown: Data = {};
  for (const [name, field] of Object.entries(fields)) {
    if (data[name] !== undefined && data[name] !== null) shown[name] = renderValue(field, data[name], env);
  }
  return shown;
}

function renderValue(field: Field, value: unknown, env: Env): unknown {
  if (field.kind === 'choice') return { id: value, refName: field.values?.[String(value)] };
  if (field.kind === 'country') return { id: value, refName: countryName(String(value)) };
  if (field.kind === 'duration') return formatHours(Number(value));
  if (field.kind === 'reference') return renderReference(field, String(value), env);
  return value;
}

function renderReference(field: Field, id: string, env: Env): Data {
  for (const name of field.to ?? []) {
    const record = env.db.get(name, id);
    const type = anyType(name);
    if (!record || !type) continue;
    const links = UNSERVED.has(name) ? [] : [selfLink(recordUrl(env, name, id))];
    return { links, id, refName: titleOf(type, record) };
  }
  return { links: [], id };
}

function customField(name: string, env: Env): Field | undefined {
  const definition = name.startsWith('cust') ? env.db.findBy('customField', 'scriptId', name)[0] : undefined;
  return definition && CUSTOM_KINDS[textOf(definition.data, 'kind') ?? 'text'];
}
