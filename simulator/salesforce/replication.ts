import type { SimRequest } from '../kit/types';
import { formatDatetime, parseDatetime } from './dates';
import { badRequest } from './errors';
import type { Org } from './org';
import type { SObject } from './schema';

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;
const UPDATED_DAYS = 30;
const DELETED_DAYS = 15;

/** `GET /sobjects/{X}/updated/?start=&end=`: ids of what was created or changed. */
export function updatedIds(org: Org, object: SObject, request: SimRequest): unknown {
  const { start, end } = span(org, request, UPDATED_DAYS);
  const records = org.context.db
    .list(object.name)
    .filter(({ modified }) => modified >= start && modified < end);
  return { ids: records.map(({ id }) => id), latestDateCovered: formatDatetime(end) };
}

/** `GET /sobjects/{X}/deleted/?start=&end=`: what went to the recycle bin, and when. */
export function deletedIds(org: Org, object: SObject, request: SimRequest): unknown {
  const { start, end } = span(org, request, DELETED_DAYS);
  const records = org.context.db
    .list(object.name, { deleted: true })
    .filter(({ deleted, modified }) => deleted && modified >= start && modified < end);
  return {
    deletedRecords: records.map(({ id, modified }) => ({ id, deletedDate: formatDatetime(modified) })),
    earliestDateAvailable: formatDatetime(org.context.now() - DELETED_DAYS * DAY),
    latestDateCovered: formatDatetime(end),
  };
}

/** Seconds are ignored; the start lies more than a minute before the end and not longer ago than the log reaches. */
function span(org: Org, request: SimRequest, days: number): { start: number; end: number } {
  const now = org.context.now();
  const start = instant(request, 'start');
  const end = Math.min(instant(request, 'end'), now);
  if (end - start < MINUTE) {
    throw badRequest(
      'INVALID_REPLICATION_DATE',
      'endDate must be at least one minute greater than startDate',
    );
  }
  if (start < now - days * DAY) {
    throw badRequest(
      'INVALID_REPLICATION_DATE',
      `startDate before org replication enabled date or more than ${days} days ago`,
    );
  }
  return { start, end };
}

function instant(request: SimRequest, name: string): number {
  const text = request.query.get(name);
  // A plus sign that was not encoded arrives as a blank.
  const value = text === null ? null : parseDatetime(text.replace(' ', '+'));
  if (value === null)
    throw badRequest('INVALID_REPLICATION_DATE', `${name} is missing or not a valid dateTime`);
  return Math.floor(value / MINUTE) * MINUTE;
}
