import type { SimRecord } from '../kit/types';
import type { Account, Data } from './account';

/** Who works on a project: participants (people with access) and resources (named or unnamed places to staff). */

export const participation = (
  account: Account,
  workspaceId: unknown,
  userId: unknown,
): SimRecord | undefined =>
  account
    .find('participations.workspace_id', String(workspaceId))
    .find(({ data }) => data.user_id === userId && typeof userId === 'string');

/** Adds a person to a project, once. */
export function addParticipant(
  account: Account,
  workspaceId: string,
  userId: string,
  data: Data = {},
): SimRecord {
  return (
    participation(account, workspaceId, userId) ??
    account.insert('participations', {
      role: 'maven',
      is_team_lead: false,
      access_level: 'time_logging',
      can_invite: false,
      show_as_read_only: false,
      ...data,
      workspace_id: workspaceId,
      user_id: userId,
    })
  );
}

/** The place of a person on a project; made, with the participation, when there is none. */
export function namedResource(
  account: Account,
  workspaceId: string,
  userId: string,
  roleId?: unknown,
): SimRecord {
  const member = addParticipant(account, workspaceId, userId);
  const present = account
    .find('workspace_resources.workspace_id', workspaceId)
    .find(({ data }) => data.user_id === userId);
  const user = account.need('users', userId);
  return (
    present ??
    account.insert('workspace_resources', {
      workspace_id: workspaceId,
      user_id: userId,
      role_id: roleId ?? user.data.role_id ?? null,
      participation_id: member.id,
      label: user.data.full_name,
    })
  );
}

/** A place to be staffed, for example "Unnamed Consultant". */
export function unnamedResource(account: Account, workspaceId: string, roleId: unknown): SimRecord {
  const role = account.get('roles', roleId);
  return account.insert('workspace_resources', {
    workspace_id: workspaceId,
    user_id: null,
    role_id: role?.id ?? null,
    participation_id: null,
    label: `Unnamed ${role ? String(role.data.name) : 'Resource'}`,
  });
}

/** Puts a resource on a task. */
export function assign(account: Account, storyId: string, resource: SimRecord, minutes: unknown): SimRecord {
  return account.insert('assignments', {
    story_id: storyId,
    assignee_id: resource.data.user_id ?? null,
    resource_id: resource.id,
    current: true,
    estimated_minutes: minutes ?? 0,
    allocated_minutes: 0,
  });
}

export const assignmentsOf = (account: Account, storyId: string): SimRecord[] =>
  account.find('assignments.story_id', storyId);

/** Hourly bill rate of a person on a project: the project's rate card for the role, in subunits; null without one. */
export function billRate(account: Account, workspace: SimRecord, roleId: unknown): number | null {
  const card = account.get('rate_cards', workspace.data.rate_card_id);
  const version = card && effectiveVersion(account, card);
  if (!version) return null;
  const rate = account
    .find('rate_card_roles.rate_card_version_id', version.id)
    .find(({ data }) => data.role_id === roleId);
  return Math.round(Number(rate?.data.rate ?? version.data.default_rate ?? 0) * 100);
}

/** The version of the newest rate card set version that is in force today. */
export function effectiveVersion(account: Account, card: SimRecord): SimRecord | undefined {
  const effective = (version: SimRecord): string =>
    String(
      account.get('rate_card_set_versions', version.data.rate_card_set_version_id)?.data.effective_date ?? '',
    );
  return account
    .find('rate_card_versions.rate_card_id', card.id)
    .filter((version) => effective(version) <= account.today)
    .sort((a, b) => (effective(a) < effective(b) ? 1 : -1))[0];
}
