import * as z from 'zod';
import type { Instant, JsonValue } from '../../model';
import { SystemError } from './errors';

/**
 * Change detection by a vendor's modification stamp.
 *
 * A scan reads rows in the order (stamp, id), page by page, and starts a few minutes before the last stamp seen:
 * vendors stamp a change when it is made, not when it is committed, so a row can appear behind the watermark.
 * Rows of the overlap that an earlier scan has already delivered are left out.
 */
export type PollCursor = {
  /** Latest stamp that any scan has seen; null before the first row. */
  watermark: Instant | null;
  /** Inside a scan: the last row read, the next page goes on behind it. Null = the next poll starts a new scan. */
  position: Position | null;
  /** `id@stamp` of rows at or after the start of the next scan. */
  delivered: string[];
};

export type Position = {
  stamp: Instant;
  id: string;
};

export interface ScanOptions {
  /** Where to begin when nothing was seen yet. */
  startAt: Instant;
  overlapMinutes: number;
}

/** More than this need not be remembered: the store drops a repeated event by its id anyway. */
const MAX_DELIVERED = 5_000;

const position = z.object({ stamp: z.iso.datetime(), id: z.string() });
const cursorSchema = z.object({
  watermark: z.iso.datetime().nullable(),
  position: position.nullable(),
  delivered: z.array(z.string()),
});

/**
 * The cursor as stored, or a new one for null.
 * @throws SystemError when it is none of ours: starting over would send old deals through again unasked.
 */
export function readCursor(system: string, stored: JsonValue | null): PollCursor {
  if (stored === null) return { watermark: null, position: null, delivered: [] };
  const parsed = cursorSchema.safeParse(stored);
  if (parsed.success) return parsed.data;
  throw new SystemError({
    system,
    kind: 'rejected',
    code: 'SCHEMA_CHANGED',
    reason: 'the stored position of this event source cannot be read; reset the source to choose a new start',
  });
}

/**
 * A start for vendors whose stamps have whole seconds: a later start within its second would leave out what is in it.
 */
export function wholeSecond(instant: Instant): Instant {
  return new Date(Math.floor(Date.parse(instant) / 1000) * 1000).toISOString();
}

/** Rows strictly behind this place, in the order (stamp, id), are the next page. An empty id is before all ids. */
export function nextPosition(cursor: PollCursor, options: ScanOptions): Position {
  if (cursor.position) return cursor.position;
  return { stamp: cursor.watermark ? overlapStart(cursor.watermark, options) : options.startAt, id: '' };
}

/**
 * Takes in one page: which of its rows are new, and the cursor after it.
 * `complete` is false when the vendor has more rows behind the last one.
 */
export function advance<Row extends Position>(
  cursor: PollCursor,
  page: { rows: Row[]; complete: boolean },
  options: ScanOptions,
): { fresh: Row[]; cursor: PollCursor; more: boolean } {
  const delivered = new Set(cursor.delivered);
  const fresh = page.rows.filter((row) => !delivered.has(keyOf(row)));
  const last = page.rows.at(-1);
  const watermark = latest(cursor.watermark, last?.stamp ?? null);
  const more = !page.complete && last !== undefined;
  const kept = [...cursor.delivered, ...fresh.map(keyOf)];
  return {
    fresh,
    more,
    cursor: {
      watermark,
      position: more ? { stamp: last.stamp, id: last.id } : null,
      delivered: more ? kept.slice(-MAX_DELIVERED) : withinOverlap(kept, watermark, options),
    },
  };
}

function withinOverlap(keys: string[], watermark: Instant | null, options: ScanOptions): string[] {
  if (watermark === null) return [];
  const start = overlapStart(watermark, options);
  return keys.filter((key) => stampOf(key) >= start).slice(-MAX_DELIVERED);
}

/** Never before the place the source was told to start at. */
function overlapStart(watermark: Instant, { overlapMinutes, startAt }: ScanOptions): Instant {
  const start = new Date(Date.parse(watermark) - overlapMinutes * 60_000).toISOString();
  return start < startAt ? startAt : start;
}

function latest(a: Instant | null, b: Instant | null): Instant | null {
  if (a === null || b === null) return a ?? b;
  return a > b ? a : b;
}

function keyOf(row: Position): string {
  return `${row.id}@${row.stamp}`;
}

function stampOf(key: string): Instant {
  return key.slice(key.lastIndexOf('@') + 1);
}
