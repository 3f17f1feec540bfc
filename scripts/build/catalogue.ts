/** Texts of one node set in one language: nested keys, as i18next reads them. */
export interface Catalogue {
  [key: string]: string | Catalogue;
}

/** The language that every text exists in; the host falls back to it key by key. */
export const sourceLanguage = 'en-US';

/** The catalogue with all texts of `over` in place of its own. */
export function merge(base: Catalogue, over: Catalogue): Catalogue {
  const merged = { ...base };
  for (const [key, value] of Object.entries(over)) {
    const below = merged[key];
    merged[key] = typeof value === 'object' && typeof below === 'object' ? merge(below, value) : value;
  }
  return merged;
}

/** The text or the sub-catalogue under a dotted key; undefined when there is none. */
export function lookUp(catalogue: Catalogue, key: string): string | Catalogue | undefined {
  return key
    .split('.')
    .reduce<string | Catalogue | undefined>(
      (at, part) => (typeof at === 'object' ? at[part] : undefined),
      catalogue,
    );
}

/** @throws when there is no text under the key, naming it. */
export function requireText(catalogue: Catalogue, key: string): string {
  const text = lookUp(catalogue, key);
  if (typeof text !== 'string') throw new Error(`text '${key}' is missing`);
  return text;
}

/** Dotted key → text. */
export function flatten(catalogue: Catalogue, prefix = ''): Map<string, string> {
  return new Map(
    Object.entries(catalogue).flatMap(([key, value]): [string, string][] =>
      typeof value === 'string' ? [[prefix + key, value]] : [...flatten(value, `${prefix}${key}.`)],
    ),
  );
}
