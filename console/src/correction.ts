import type { JsonObject } from '../../lib/model';
import type { Json } from './api/types';

/** A step's content as a flat list of fields for a form, and back as what the API takes for a correction. */

export interface Field {
  /** Names, and places in lists, from the outside in. */
  path: readonly string[];
  value: Json;
}

export interface Change {
  path: string;
  before: Json | undefined;
  after: Json | undefined;
}

/** A merge patch (RFC 7396), or all of the content. */
export type Correction = { patch: JsonObject } | { wire: Json };

const isObject = (value: Json | undefined): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Has fields of its own: an object, or a list of objects. A list of single values is one field. */
const hasFields = (value: Json | undefined): value is JsonObject | Json[] =>
  (isObject(value) && Object.keys(value).length > 0) || (Array.isArray(value) && value.some(isObject));

export function fieldsOf(value: Json, path: readonly string[] = []): Field[] {
  if (!hasFields(value)) return path.length === 0 && isObject(value) ? [] : [{ path, value }];
  return Object.entries(value).flatMap(([name, inner]: [string, Json | undefined]) =>
    inner === undefined ? [] : fieldsOf(inner, [...path, name]),
  );
}

/** What stands there; undefined where nothing does. */
export function valueAt(content: Json | undefined, path: readonly string[]): Json | undefined {
  return path.reduce<Json | undefined>((at, name) => {
    if (Array.isArray(at)) return at[Number(name)];
    return isObject(at) ? at[name] : undefined;
  }, content);
}

/** The content with one field set, or taken away with `undefined`. */
export function withField(content: Json | undefined, path: readonly string[], value: Json | undefined): Json {
  const [name, ...rest] = path;
  if (name === undefined) return value ?? null;
  if (Array.isArray(content)) {
    const at = Number(name);
    if (rest.length === 0 && value === undefined) return content.filter((_, index) => index !== at);
    return content.map((each, index) => (index === at ? withField(each, rest, value) : each));
  }
  const object = isObject(content) ? content : {};
  if (rest.length > 0) return { ...object, [name]: withField(object[name], rest, value) };
  if (value !== undefined) return { ...object, [name]: value };
  const { [name]: _, ...others } = object;
  return others;
}

/** What has to be sent so that `before` becomes `after`; null when nothing does. */
export function correctionFrom(before: Json, after: Json): Correction | null {
  if (isEqual(before, after)) return null;
  // A patch leaves alone what it does not name: what is masked, and what has changed at the master since.
  return isObject(before) && isObject(after) ? { patch: mergePatch(before, after) } : { wire: after };
}

/** Null takes a field away; a list is replaced as a whole. */
function mergePatch(before: JsonObject, after: JsonObject): JsonObject {
  const patch: JsonObject = {};
  for (const name of new Set([...Object.keys(before), ...Object.keys(after)])) {
    const [was, is] = [before[name], after[name]];
    if (isEqual(was, is)) continue;
    if (is === undefined) patch[name] = null;
    else patch[name] = isObject(was) && isObject(is) ? mergePatch(was, is) : is;
  }
  return patch;
}

/** Differences field by field, for people. */
export function changesBetween(before: Json, after: Json): Change[] {
  const was = new Map(fieldsOf(before).map(({ path, value }) => [path.join('.'), value]));
  const is = new Map(fieldsOf(after).map(({ path, value }) => [path.join('.'), value]));
  return [...new Set([...was.keys(), ...is.keys()])]
    .map((path) => ({ path, before: was.get(path), after: is.get(path) }))
    .filter((change) => !isEqual(change.before, change.after));
}

/** What was typed as the kind of value that stood there. @throws RangeError when a number was there and none was typed */
export function typed(text: string, before: Json): Json {
  if (typeof before === 'number') {
    const number = Number(text);
    if (text.trim() === '' || !Number.isFinite(number)) throw new RangeError(text);
    return number;
  }
  if (before === null && text === '') return null;
  return typeof before === 'object' && before !== null ? (JSON.parse(text) as Json) : text;
}

function isEqual(a: Json | undefined, b: Json | undefined): boolean {
  return a === b || JSON.stringify(a) === JSON.stringify(b);
}
