import type { JsonObject } from '../../lib/model';
import type { Json } from './api/types';

/** A step's content as a flat list of fields for a form, and back as a merge patch (RFC 7396). */

export interface Field {
  /** Names from the outside in. */
  path: readonly string[];
  value: Json;
}

export interface Change {
  path: string;
  before: Json | undefined;
  after: Json | undefined;
}

type Branch = JsonObject;

const isBranch = (value: Json | undefined): value is Branch =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Fields of objects within objects. A list is one field: a merge patch replaces it as a whole. */
export function fieldsOf(value: Json, path: readonly string[] = []): Field[] {
  if (!isBranch(value) || (path.length > 0 && Object.keys(value).length === 0)) return [{ path, value }];
  return Object.entries(value).flatMap(([name, inner]) =>
    inner === undefined ? [] : fieldsOf(inner, [...path, name]),
  );
}

/** What has to be sent so that `before` becomes `after`; null takes a field away. */
export function mergePatch(before: Branch, after: Branch): Branch {
  const patch: Branch = {};
  for (const name of new Set([...Object.keys(before), ...Object.keys(after)])) {
    const [was, is] = [before[name], after[name]];
    if (is === undefined) patch[name] = null;
    else if (isBranch(was) && isBranch(is)) {
      const inner = mergePatch(was, is);
      if (Object.keys(inner).length > 0) patch[name] = inner;
    } else if (!isEqual(was, is)) patch[name] = is;
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

/** The content with one field set, or taken away with `undefined`. */
export function withField(content: Branch, path: readonly string[], value: Json | undefined): Branch {
  const [name, ...rest] = path;
  if (name === undefined) return content;
  if (rest.length > 0) {
    const inner = content[name];
    return { ...content, [name]: withField(isBranch(inner) ? inner : {}, rest, value) };
  }
  if (value !== undefined) return { ...content, [name]: value };
  const { [name]: _, ...others } = content;
  return others;
}

/** What was typed as the kind of value that stood there. @throws RangeError when a number was there and none was typed */
export function typed(text: string, before: Json): Json {
  if (typeof before === 'number') {
    const number = Number(text);
    if (text.trim() === '' || !Number.isFinite(number)) throw new RangeError(text);
    return number;
  }
  if (before === null && text === '') return null;
  return Array.isArray(before) || isBranch(before) ? (JSON.parse(text) as Json) : text;
}

function isEqual(a: Json | undefined, b: Json | undefined): boolean {
  return a === b || JSON.stringify(a) === JSON.stringify(b);
}
