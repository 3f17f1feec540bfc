import { hash } from 'node:crypto';
import type { JsonValue } from '../model';
import type { MappingSet } from './schema';

/** Hexadecimal digits of the hash that a version shows. */
const SHOWN = 12;

/**
 * `<label>+<hash>`: the name that people gave, and the first digits of the SHA-256 of the content, so that two contents
 * never pass for one version.
 */
export const versionOf = (set: MappingSet): string => `${set.label}+${contentHash(set).slice(0, SHOWN)}`;

/**
 * SHA-256 in hexadecimal of everything but the label. The order of layers and of a layer's rules counts, that of the
 * members of objects does not. Unlike a fingerprint it tells `"1.0"` from `"1"`: a constant is sent as it is written.
 */
export function contentHash({ label: _, ...content }: MappingSet): string {
  return hash('sha256', sortedJson(JSON.parse(JSON.stringify(content)) as JsonValue));
}

function sortedJson(value: JsonValue): string {
  if (value === null || typeof value !== 'object') return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map(sortedJson).join(',')}]`;
  const members = Object.keys(value)
    .sort()
    .map((key) => `${JSON.stringify(key)}:${sortedJson(value[key] ?? null)}`);
  return `{${members.join(',')}}`;
}
