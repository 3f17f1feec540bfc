import type { Instant } from '../../model';

/** A text literal. Quote and backslash are escaped, control characters by their SOQL escapes. */
export function textLiteral(value: string): string {
  const escaped = value
    .replace(/[\\']/g, (char) => `\\${char}`)
    .replaceAll('\n', '\\n')
    .replaceAll('\r', '\\r')
    .replaceAll('\t', '\\t');
  return `'${escaped}'`;
}

/** A date-time literal: unquoted, in UTC. */
export function instantLiteral(value: Instant): string {
  return new Date(value).toISOString();
}

/** `Field IN ('a','b')`. */
export function inList(field: string, values: readonly string[]): string {
  return `${field} IN (${values.map(textLiteral).join(',')})`;
}

/** Field names of a parent, as a child selects them: `Account.Name`. */
export function under(parent: string, fields: readonly string[]): string[] {
  return fields.map((field) => `${parent}.${field}`);
}

/**
 * An instant as Salesforce writes it, `2026-01-02T10:00:00.000+0000`, in canonical form; undefined for anything else.
 */
export function instantOf(value: unknown): Instant | undefined {
  if (typeof value !== 'string') return undefined;
  const time = Date.parse(value.replace(/([+-]\d{2})(\d{2})$/, '$1:$2'));
  return Number.isNaN(time) ? undefined : new Date(time).toISOString();
}
