import type { CanonicalId, Draft, TimeEntry } from '../../model';
import { defined, type ReadContext, type Reference } from '../kit';
import { stories, type TimeEntryRow, timeEntries, users } from './collections';
import { fromMinorUnits, hoursOf } from './mapping';

/** What an approved row itself says of the time entry, in canonical fields. */
export function timeEntryValues(row: TimeEntryRow) {
  return {
    ...defined({
      notes: row.notes || undefined,
      rateApplied: row.rate_in_cents == null ? undefined : fromMinorUnits(row.rate_in_cents, row.currency),
    }),
    date: row.date_performed,
    hours: hoursOf(row.time_in_minutes),
    billable: row.billable,
    approvalStatus: 'approved',
    billingStatus: billingStatusOf(row),
  } satisfies Partial<Draft<TimeEntry>>;
}

export const timeEntryReference = ({ id }: TimeEntryRow): Reference => ({
  entity: 'timeEntry',
  type: timeEntries.type,
  id,
});

/** Person and task of the time entry. */
export function workReferences({ user_id, story_id }: TimeEntryRow): Reference[] {
  const person: Reference = { entity: 'resource', type: users.type, id: user_id };
  return story_id ? [person, { entity: 'task', type: stories.type, id: story_id }] : [person];
}

/** The canonical ids of the `workReferences`. */
export function workIds({ user_id, story_id }: TimeEntryRow, idOf: ReadContext['idOf']) {
  const resourceId: CanonicalId = idOf('resource', users.type, user_id);
  return story_id ? { resourceId, taskId: idOf('task', stories.type, story_id) } : { resourceId };
}

function billingStatusOf({ is_invoiced, billable }: TimeEntryRow): TimeEntry['billingStatus'] {
  if (is_invoiced) return 'invoiced';
  return billable ? 'unbilled' : 'not_billable';
}
