import { type DealDocument, type Draft, deriveId, type Project } from '../../../model';
import { defineOperation, type MappingContext } from '../../kit';
import type { KantataClient } from '../client';
import { workspaceResources } from '../collections';
import { idNumber, workspaceId } from '../mapping';
import {
  crossReference,
  ensureAll,
  externalReference,
  findAll,
  type PlannedRecord,
  removeAll,
  VISIBLE_AFTER_MS,
} from '../references';

/**
 * One unnamed resource per role on the project: the open position that resource managers fill with a person.
 *
 * The vendor's formal resource request is not used: it needs an approver and takes no external reference, so a
 * lost reply could not be told from a lost request.
 */
export const createStaffingRequest = defineOperation({
  entity: 'staffingRequest',
  verb: 'create',
  recordType: workspaceResources.type,
  duplicateSafety: 'probe-first',
  visibleAfterMs: VISIBLE_AFTER_MS,
  select: ({ project }: DealDocument, parameters) =>
    project && rolesOf(parameters).length > 0 ? [project] : [],

  toSystem(project: Draft<Project>, context: MappingContext): PlannedRecord[] {
    const workspace = workspaceId(project, context);
    return rolesOf(context.parameters).map((role, index, roles) => {
      const earlier = roles.slice(0, index).filter((each) => each === role).length;
      const canonicalId = deriveId('assignment', project.id, `staffing:${role}:${earlier + 1}`);
      return {
        canonicalId,
        body: {
          workspace_id: workspace,
          user_id: null,
          role_id: idNumber(context.lookup('role', role), `role of ${role}`, 'the firm'),
          external_reference: externalReference(context.settings, 'StaffingRequest', canonicalId),
        },
      };
    });
  },

  call: (client: KantataClient, wire, { signal }) => ensureAll(client, workspaceResources, wire, signal),

  probe: (client, wire, { signal }) => findAll(client, workspaceResources, wire, signal),

  fromSystem: (reply, _project, context) => ({
    refs: reply.map((record) => ({
      id: record.canonicalId,
      entity: 'assignment',
      ref: crossReference(record, workspaceResources.type, 'master', context),
    })),
    evidence: { workspace_resources: reply.map(({ id }) => id) },
  }),

  compensate: (client, _wire, reply, { signal }) => removeAll(client, workspaceResources, reply, signal),
});

/** `project_manager, consultant, consultant` → three roles. */
const rolesOf = ({ roles = '' }: Readonly<Record<string, string>>): string[] =>
  roles
    .split(',')
    .map((role) => role.trim())
    .filter(Boolean);
