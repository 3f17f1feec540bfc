/** Data of a record or a line as it is stored: references and choices as plain ids, sublists as arrays of lines. */
export type Data = Record<string, unknown>;

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function textOf(data: Data, field: string): string | undefined {
  const value = data[field];
  return typeof value === 'string' ? value : undefined;
}

export function numberOf(data: Data, field: string): number | undefined {
  const value = data[field];
  return typeof value === 'number' ? value : undefined;
}

export function isTrue(data: Data, field: string): boolean {
  return data[field] === true;
}

/** Lines of a sublist; an empty list when there are none. */
export function linesOf(data: Data, sublist: string): Data[] {
  const value = data[sublist];
  return Array.isArray(value) ? value.filter(isObject) : [];
}
