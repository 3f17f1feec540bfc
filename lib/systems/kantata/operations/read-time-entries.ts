import type { DealDocument, Draft, Project, TimeEntry } from '../../../model';
import { defined, defineOperation, type MappingContext, type ReadContext, type Reference } from '../../kit';
import type { KantataClient } from '../client';
import { stories, type TimeEntryRow, timeEntries, users, workspaces } from '../collections';
import { fromMinorUnits, hoursOf, instantOf } from '../mapping';

/** All approved time of the deal's project, whether invoiced or not. */
export const readTimeEntries = defineOperation({
  entity: 'timeEntry',
  verb: 'read',
  recordType: timeEntries.type,
  duplicateSafety: 'read-only',
  visibleAfterMs: 0,
  select: ({ project }: DealDocument) => (project ? [project] : []),

  toSystem: (project: Draft<Project>, context: MappingContext) => ({
    workspaceId: context.refId(project, workspaces.type, 'project'),
  }),

  /** Kantata has no filter for approval. By creation, because new entries then only lengthen the last page. */
  async call(client: KantataClient, { workspaceId }, { signal }): Promise<TimeEntryRow[]> {
    const query = { workspace_ids: workspaceId, include: 'user,story', order: 'created_at:asc' };
    const rows = await client.list(timeEntries, query, signal);
    return rows.filter(({ approved }) => approved).map(({ references, ...row }) => row);
  },

  references: (rows): Reference[] =>
    rows.flatMap(({ id, user_id, story_id }): Reference[] => [
      { entity: 'timeEntry', type: timeEntries.type, id },
      { entity: 'resource', type: users.type, id: user_id },
      ...(story_id ? [{ entity: 'task', type: stories.type, id: story_id } as const] : []),
    ]),

  fromSystem(rows, project, context) {
    const entries = rows.map((row) => timeEntry(row, project, context));
    return {
      refs: entries.flatMap(({ id, externalRefs }) =>
        externalRefs.map((ref) => ({ id, entity: 'timeEntry', ref })),
      ),
      merge: { timeEntries: entries },
      evidence: { time_entries: rows.length },
    };
  },
});

function timeEntry(row: TimeEntryRow, project: Draft<Project>, context: ReadContext): Draft<TimeEntry> {
  const { system, instance } = context;
  return {
    id: context.idOf('timeEntry', timeEntries.type, row.id),
    externalRefs: [
      { system, instance, type: timeEntries.type, id: row.id, role: 'master', version: row.updated_at },
    ],
    version: 1,
    createdAt: instantOf(row.created_at),
    updatedAt: instantOf(row.updated_at),
    sourceSystem: system,
    extensions: {},
    ...defined({
      legalEntityId: project.legalEntityId,
      taskId: row.story_id ? context.idOf('task', stories.type, row.story_id) : undefined,
      notes: row.notes || undefined,
      rateApplied: row.rate_in_cents == null ? undefined : fromMinorUnits(row.rate_in_cents, row.currency),
    }),
    resourceId: context.idOf('resource', users.type, row.user_id),
    projectId: project.id,
    date: row.date_performed,
    hours: hoursOf(row.time_in_minutes),
    billable: row.billable,
    approvalStatus: 'approved',
    billingStatus: billingStatusOf(row),
  };
}

function billingStatusOf({ is_invoiced, billable }: TimeEntryRow): TimeEntry['billingStatus'] {
  if (is_invoiced) return 'invoiced';
  return billable ? 'unbilled' : 'not_billable';
}
