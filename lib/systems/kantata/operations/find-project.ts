import type { DealDocument, Draft, Project } from '../../../model';
import { defineOperation, type OperationResult, type ReadContext } from '../../kit';
import type { KantataClient } from '../client';
import { workspaces } from '../collections';
import { crossReference, findOwned, type OwnedRecord } from '../references';

/** Looks the project of the deal up by our id in its external reference, archived projects included. */
export const findProject = defineOperation({
  entity: 'project',
  verb: 'find',
  recordType: workspaces.type,
  duplicateSafety: 'read-only',
  visibleAfterMs: 0,
  select: ({ project }: DealDocument) => (project ? [project] : []),
  toSystem: ({ id }: Draft<Project>) => ({ canonicalId: id }),
  call: async (client: KantataClient, { canonicalId }, { signal }) => [
    ...(await findOwned(client, workspaces, [canonicalId], signal)).values(),
  ],
  fromSystem: (reply, project, context) => projectResult(reply, project, context),
});

/** The PSA is the master of project structure (guides §7). */
export const projectResult = (
  records: readonly OwnedRecord[],
  project: Draft<Project>,
  context: ReadContext,
): OperationResult => ({
  refs: records.map((record) => ({
    id: project.id,
    entity: 'project',
    ref: crossReference(record, workspaces.type, 'master', context),
  })),
  evidence: { workspaces: records.map(({ id }) => id) },
});
