import { Q2cError } from '../model';

/** Pages of lists: a cursor holds where in its order a page has ended, so that what comes in between moves nothing. */

export interface Page<T> {
  items: T[];
  /** Null = there are no more. */
  next: string | null;
}

export interface PageRequest {
  limit: number;
  cursor?: string | undefined;
}

type Place = (string | number | null)[];

export const cursorOf = (place: Place): string => Buffer.from(JSON.stringify(place)).toString('base64url');

/**
 * Where the page before has ended; null for the first page.
 * @param length number of values that a place of this list has
 * @throws Q2cError `VALUE_INVALID` for a cursor of another list
 */
export function placeOf(cursor: string | undefined, length: number): Place | null {
  if (cursor === undefined) return null;
  const place = parsed(cursor);
  if (Array.isArray(place) && place.length === length) return place as Place;
  throw new Q2cError('VALUE_INVALID', 'The cursor is not one that this list has given; begin without one.');
}

function parsed(cursor: string): unknown {
  try {
    return JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8'));
  } catch {
    // What cannot be read is no cursor of ours either.
    return null;
  }
}

/**
 * Makes a page of rows of which one more than the limit was asked for.
 * @param placeOfRow its place in the order of the list
 */
export function pageOf<R, T>(
  rows: readonly R[],
  limit: number,
  placeOfRow: (row: R) => Place,
  itemOf: (row: R) => T,
): Page<T> {
  const shown = rows.slice(0, limit);
  const last = shown.at(-1);
  return {
    items: shown.map(itemOf),
    next: rows.length > limit && last !== undefined ? cursorOf(placeOfRow(last)) : null,
  };
}

/** A filter without the members that were not asked for. */
export const given = <T extends object>(filter: T): { [K in keyof T]?: Exclude<T[K], undefined> } =>
  Object.fromEntries(Object.entries(filter).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]?: Exclude<T[K], undefined>;
  };
