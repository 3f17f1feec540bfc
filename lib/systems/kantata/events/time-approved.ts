import { fingerprint, type Instant, type JsonObject } from '../../../model';
import {
  advance,
  defineEventSource,
  nextPosition,
  type PollContext,
  type Position,
  pollOverlapMinutes,
  type Reference,
  readCursor,
  type SourceEvent,
  SystemError,
  wholeSecond,
} from '../../kit';
import { chunksOf, type KantataClient } from '../client';
import { type ProjectTimeRow, projectTime, type TimesheetRow, timesheets, workspaces } from '../collections';
import { instantOf } from '../mapping';
import { timeEntryReference, timeEntryValues, workIds, workReferences } from '../time-entry';

type Timesheet = Position & Pick<TimesheetRow, 'time_entry_ids'>;
/** An entry with the instant of its approval. */
type ApprovedEntry = { entry: ProjectTimeRow; time: Instant };

/** The ids stand in the URL: Kantata shows 200 objects a page, but proxies may not take such a long line. */
const IDS_PER_QUERY = 100;

/**
 * The time entries of timesheets that were approved. A time entry itself does not say when it was approved, and
 * Kantata does not promise that approval moves its stamp: the timesheet is what changes.
 */
export const timeApproved = defineEventSource<KantataClient, ProjectTimeRow>({
  id: 'time-approved',
  async poll(client, stored, context) {
    const options = {
      startAt: wholeSecond(context.startAt),
      overlapMinutes: pollOverlapMinutes(context.settings),
    };
    const from = readCursor(client.system, stored);
    const changed = await approvedBehind(client, nextPosition(from, options), context.signal);
    const rows = firstOf(changed, context.pageSize);
    const complete = rows.length === changed.length;
    const { fresh, cursor, more } = advance(from, { rows, complete }, options);
    const entries = await entriesOf(client, fresh, context);
    return { events: entries.map(eventOf), cursor, more };
  },
  link: (entry, idOf) => ({
    projectId: idOf('project', workspaces.type, entry.workspace_id),
    ...workIds(entry, idOf),
  }),
});

/**
 * Approved timesheets behind a place, in the order (stamp, id). All of them are listed and sorted here: the vendor
 * orders timesheets by week only, and a page of that order says nothing about what comes later.
 */
async function approvedBehind(
  client: KantataClient,
  position: Position,
  signal: AbortSignal,
): Promise<Timesheet[]> {
  const query = {
    statuses: 'approved',
    // Leaves out the second that is named.
    updated_after: new Date(Date.parse(position.stamp) - 1000).toISOString(),
    include: 'time_entries',
  };
  const rows = await client.list(timesheets, query, signal);
  return rows
    .map(({ id, updated_at, time_entry_ids }) => ({ id, stamp: instantOf(updated_at), time_entry_ids }))
    .filter((row) => byPosition(row, position) > 0)
    .sort(byPosition);
}

function byPosition(a: Position, b: Position): number {
  if (a.stamp !== b.stamp) return a.stamp < b.stamp ? -1 : 1;
  return Number(a.id) - Number(b.id);
}

/** As many timesheets as hold about one page of entries; at least one. */
function firstOf(sheets: Timesheet[], pageSize: number): Timesheet[] {
  let entries = 0;
  const end = sheets.findIndex(({ time_entry_ids }) => {
    entries += time_entry_ids.length;
    return entries >= pageSize;
  });
  return end < 0 ? sheets : sheets.slice(0, end + 1);
}

/**
 * The entries of the timesheets in their own order, without those that are no longer approved.
 * @throws SystemError `transient` when an entry is not shown: going on would lose it without a word.
 */
async function entriesOf(
  client: KantataClient,
  sheets: Timesheet[],
  { signal }: PollContext,
): Promise<ApprovedEntry[]> {
  const rows = new Map<string, ProjectTimeRow>();
  const ids = sheets.flatMap(({ time_entry_ids }) => time_entry_ids);
  for (const some of chunksOf(ids, IDS_PER_QUERY)) {
    const query = { only: some.join(','), include: 'user,story,workspace', from_archived_workspaces: true };
    for (const row of await client.list(projectTime, query, signal)) rows.set(row.id, row);
  }
  return sheets.flatMap(({ id, stamp, time_entry_ids }) =>
    time_entry_ids
      .map((entryId) => rows.get(entryId) ?? missing(client, entryId, id))
      .filter(({ approved }) => approved)
      .map((entry) => ({ entry, time: stamp })),
  );
}

function missing({ system }: KantataClient, entry: string, timesheet: string): never {
  throw new SystemError({
    system,
    kind: 'transient',
    reason: `time entry ${entry} of the approved timesheet ${timesheet} is not shown; it was just deleted, or the integration user may not see it`,
  });
}

function eventOf({ entry, time }: ApprovedEntry): SourceEvent {
  const project: Reference = { entity: 'project', type: workspaces.type, id: entry.workspace_id };
  return {
    id: `${entry.id}:${fingerprint(contentOf(entry)).slice(0, 32)}`,
    type: 'q2c.time.approved.v1',
    time,
    subject: timeEntryReference(entry),
    data: timeEntryValues(entry),
    references: [project, ...workReferences(entry)],
    record: entry,
  };
}

/** What was approved. Invoicing the entry later, or approving the same again, is no news. */
function contentOf(entry: ProjectTimeRow): JsonObject {
  return {
    project: entry.workspace_id,
    task: entry.story_id ?? null,
    person: entry.user_id,
    date: entry.date_performed,
    minutes: entry.time_in_minutes,
    billable: entry.billable,
    rate: entry.rate_in_cents ?? null,
    currency: entry.currency,
    notes: entry.notes ?? null,
  };
}
