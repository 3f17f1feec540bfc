import type { JsonObject, JsonValue } from '../model';

/** Dotted paths into JSON: `billingAddress.country`, `lines.0.amount`. */

/** Names that would reach into the language instead of the data. */
const FORBIDDEN = new Set(['__proto__', 'constructor', 'prototype']);

/** The names of a path, or null when it is none. */
export function pathParts(path: string): string[] | null {
  const parts = path.split('.');
  return parts.every((part) => part !== '' && !FORBIDDEN.has(part)) ? parts : null;
}

/** What lies at a path; undefined when there is nothing. */
export function valueAt(value: unknown, path: string): JsonValue | undefined {
  let at = value;
  for (const part of pathParts(path) ?? ['']) {
    if (typeof at !== 'object' || at === null || !Object.hasOwn(at, part)) return undefined;
    at = (at as Record<string, unknown>)[part];
  }
  return at as JsonValue | undefined;
}

/** A copy with another value at a path; objects on the way are made as needed. */
export function withValueAt(record: JsonObject, path: string, value: JsonValue): JsonObject {
  const [first, ...rest] = pathParts(path) ?? [];
  if (first === undefined) return record;
  if (rest.length === 0) return { ...record, [first]: value };
  const inner = record[first];
  const object = typeof inner === 'object' && inner !== null && !Array.isArray(inner) ? inner : {};
  return { ...record, [first]: withValueAt(object, rest.join('.'), value) };
}
