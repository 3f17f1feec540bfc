/**
 * A deeply frozen copy of JSON data, as it would come back from a file: fields set to undefined are absent. Parts that
 * are frozen already are taken as they are: they are parts of other records, which nobody can change.
 * @throws TypeError naming the field whose value JSON cannot hold
 */
export function frozenCopy(data: Readonly<Record<string, unknown>>): Record<string, unknown> {
  if (Object.isFrozen(data)) return data;
  const copy: Record<string, unknown> = {};
  for (const [field, value] of Object.entries(data)) {
    if (value !== undefined) copy[field] = frozenValue(value, field);
  }
  return Object.freeze(copy);
}

function frozenValue(value: unknown, path: string): unknown {
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return value;
  if (typeof value === 'number' && Number.isFinite(value)) return value;
  if (Array.isArray(value)) {
    if (Object.isFrozen(value)) return value;
    return Object.freeze(value.map((item, i) => frozenValue(item, `${path}[${i}]`)));
  }
  if (isPlainObject(value)) return frozenCopy(value);
  throw new TypeError(`Field ${path} holds ${String(value)}, which JSON cannot`);
}

function isPlainObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype;
}
