import type { DealDocument, Draft, Project, TimeEntry } from '../../../model';
import { defined, defineOperation, type MappingContext, type ReadContext, type Reference } from '../../kit';
import type { KantataClient } from '../client';
import { type TimeEntryRow, timeEntries, workspaces } from '../collections';
import { instantOf } from '../mapping';
import { timeEntryReference, timeEntryValues, workIds, workReferences } from '../time-entry';

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

  /**
   * No filter gives approved entries alone (`in_active_submission` is true of those that still wait, too). By creation,
   * because new entries then only lengthen the last page.
   */
  async call(client: KantataClient, { workspaceId }, { signal }): Promise<TimeEntryRow[]> {
    const query = { workspace_ids: workspaceId, include: 'user,story', order: 'created_at:asc' };
    const rows = await client.list(timeEntries, query, signal);
    return rows.filter(({ approved }) => approved).map(({ references, ...row }) => row);
  },

  references: (rows): Reference[] => rows.flatMap((row) => [timeEntryReference(row), ...workReferences(row)]),

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
    ...defined({ legalEntityId: project.legalEntityId }),
    projectId: project.id,
    ...workIds(row, context.idOf),
    ...timeEntryValues(row),
  };
}
