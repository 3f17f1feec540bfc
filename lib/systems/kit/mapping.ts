import { exceptionMessage } from '../../model';
import { MappingError } from './errors';

/**
 * The value, which a record cannot do without.
 * @param field which one, in words that its owner knows
 * @param step what waits for it, as a clause: "the project is created"
 * @throws MappingError `MANDATORY_FIELD_MISSING` when it is absent or empty.
 */
export function required<T>(value: T | null | undefined, field: string, step: string): T {
  if (value !== undefined && value !== null && value !== '') return value;
  const params = { field, step };
  throw new MappingError(
    'MANDATORY_FIELD_MISSING',
    exceptionMessage('MANDATORY_FIELD_MISSING', params),
    params,
  );
}

/** A value of a vendor as text: trimmed, and absent when it is empty, null or missing. */
export function textOf(value: unknown): string | undefined {
  if (typeof value !== 'string' && typeof value !== 'number') return undefined;
  const text = String(value).trim();
  return text === '' ? undefined : text;
}

/** One of the listed words, compared without case and with spaces or hyphens as underscores; else undefined. */
export function wordOf<Word extends string>(value: unknown, words: readonly Word[]): Word | undefined {
  const word = textOf(value)
    ?.toLowerCase()
    .replace(/[\s-]+/g, '_');
  return words.find((each) => each === word);
}

type Defined<T> = { [Key in keyof T]: Exclude<T[Key], undefined> };

/** The object without its undefined members: what a vendor does not say stays absent. */
export function defined<T extends object>(values: T): Partial<Defined<T>> {
  const rest: Partial<T> = {};
  for (const key in values) if (values[key] !== undefined) rest[key] = values[key];
  return rest as Partial<Defined<T>>;
}

/** As `defined`, but undefined when nothing is left. */
export function definedOrNone<T extends object>(values: T): Partial<Defined<T>> | undefined {
  const rest = defined(values);
  return Object.keys(rest).length > 0 ? rest : undefined;
}
