import type { SimRecord } from '../../kit/types';
import type { Account, Data } from '../account';
import {
  ALL_METHODS,
  both,
  byField,
  type Collection,
  children,
  command,
  createdAt,
  fieldIn,
  inWorkspaces,
  names,
  onCreate,
  onlyWhenTrue,
  onUpdate,
  stored,
  updatedAt,
} from '../collection';
import { valuesOf } from '../custom-fields';
import type { Draft } from '../draft';
import { addParticipant, billRate, participation, unnamedResource } from '../team';
import {
  anything,
  boolean,
  date,
  decimal,
  id,
  ids,
  integer,
  object,
  objects,
  oneOf,
  percent,
  text,
  workdays,
} from '../values';
import { remove, update } from '../writing';
import { externalReferences } from './planning';
import { ACCESS } from './workspaces';

/** Who works on a project: participations, resources, their allocations, and requests to staff them. */

const resourcesOf = (account: Account, id: string): SimRecord[] =>
  account.find('workspace_resources.workspace_id', id);
const allocationsOf = (account: Account, id: string): SimRecord[] =>
  account.find('workspace_allocations.workspace_resource_id', id);

export const participations: Collection = {
  key: 'participations',
  root: 'participation',
  subject: 'Participation',
  methods: ALL_METHODS,
  visible: names(`
    role is_team_lead estimated_workspace_minutes allocated_workspace_minutes rate_in_cents
    default_rate_in_cents cost_in_cents show_as_read_only can_invite can_edit can_post can_edit_expense
    can_edit_time created_at updated_at`),
  optional: ['access_level', 'is_foreign_participant', 'can_schedule_their_hours', 'can_schedule_team_hours'],
  present: ({ data }) => ({
    can_edit: data.access_level === 'admin',
    can_edit_time: data.access_level !== 'collaboration',
    can_edit_expense: data.access_level !== 'collaboration',
    can_post: true,
    is_foreign_participant: false,
  }),
  associations: {
    external_references: externalReferences('Participation'),
    user: stored('users', 'user_id'),
    workspace: stored('workspaces', 'workspace_id'),
    workspace_resources: {
      collection: 'workspace_resources',
      key: 'workspace_resource_ids',
      ids: ({ data }, account) =>
        resourcesOf(account, String(data.workspace_id))
          .filter((resource) => resource.data.user_id === data.user_id)
          .map((resource) => resource.id),
    },
    workspace_role: stored('roles', 'workspace_role_id'),
  },
  inputs: {
    workspace_id: onCreate(id('workspaces')),
    user_id: onCreate(id('users')),
    role: onCreate(oneOf('maven', 'buyer')),
    access_level: both(oneOf(...ACCESS)),
    can_invite: both(boolean),
    can_schedule_their_hours: both(boolean),
    can_schedule_team_hours: both(boolean),
    permissions: command(both(anything)),
    team_lead: command(onUpdate(boolean)),
    cost_in_cents: onUpdate(integer(0)),
    rate_in_cents: onUpdate(integer(0)),
    workspace_role_id: onUpdate(id('roles')),
    external_reference: command(both(object)),
  },
  required: { workspace_id: "can't be blank", user_id: "can't be blank" },
  defaults: () => ({
    role: 'maven',
    access_level: 'time_logging',
    is_team_lead: false,
    can_invite: false,
    show_as_read_only: false,
  }),
  check(draft) {
    if (!draft.before && participation(draft.account, draft.get('workspace_id'), draft.get('user_id'))) {
      draft.refuse('user_id', 'is already a participant of the project');
    }
    if (draft.has('team_lead')) draft.set('is_team_lead', draft.get('team_lead'));
  },
  refuseList: (query) => (query.has('workspace_id') || query.has('only') ? null : 'workspace_id is required'),
  filters: {
    workspace_id: inWorkspaces((account, id) => account.find('participations.workspace_id', id)),
    user_id: fieldIn('user_id'),
  },
};

export const workspaceResources: Collection = {
  key: 'workspace_resources',
  root: 'workspace_resource',
  subject: 'WorkspaceResource',
  methods: ALL_METHODS,
  bulk: 200,
  visible: names(`
    label role_name full_name workspace_title display_label allocations_count assignments_count deletable total_allocated_minutes earliest_allocation_date
    latest_allocation_date is_foreign_user role_available_on_rate_card created_at updated_at`),
  optional: ['resource_bill_rate', 'resource_cost_rate'],
  present: presentResource,
  associations: {
    custom_field_values: children('custom_field_values', 'custom_field_value_ids', (account, id) =>
      valuesOf(account, 'Resource', id),
    ),
    external_references: externalReferences('WorkspaceResource'),
    participation: stored('participations', 'participation_id'),
    pending_resource_request: {
      collection: 'resource_requests',
      key: 'pending_resource_request_id',
      ids: (record, account) =>
        account.find('resource_requests.resource_id', record.id).find(({ data }) => data.status === 'new')
          ?.id ?? null,
    },
    role: stored('roles', 'role_id'),
    user: stored('users', 'user_id'),
    workspace: stored('workspaces', 'workspace_id'),
  },
  inputs: {
    workspace_id: onCreate(id('workspaces')),
    user_id: both(id('users')),
    role_id: both(id('roles')),
    label: onUpdate(text(255)),
    auto_update_label: command(onUpdate(boolean)),
    bill_rate: onUpdate(decimal),
    cost_rate: onUpdate(decimal),
    external_reference: command(both(object)),
  },
  required: { workspace_id: "can't be blank" },
  check: checkResource,
  destroy(record, account) {
    for (const allocation of allocationsOf(account, record.id))
      remove(account, workspaceAllocations, allocation);
    for (const assignment of account.find('assignments.resource_id', record.id)) {
      remove(account, { subject: 'Assignment' }, assignment);
    }
    remove(account, workspaceResources, record);
  },
  // Lists are of people unless places without one are asked for, also when they are looked up by reference.
  hidden: ({ data }, query) =>
    !data.user_id && query.get('include_unnamed') !== 'true' && query.get('only_unnamed') !== 'true',
  filters: {
    workspace_id: inWorkspaces(resourcesOf),
    user_id: fieldIn('user_id'),
    role_id: fieldIn('role_id'),
    only_unnamed: onlyWhenTrue(({ data }) => !data.user_id),
  },
  order: 'updated_at:desc',
};

/** A person on a resource is a participant; a resource without a person needs a role to look for. */
function checkResource(draft: Draft): void {
  const { account } = draft;
  const user = draft.related('users', 'user_id');
  const workspaceId = draft.text('workspace_id');
  if (!user && !draft.get('role_id')) draft.refuse('role_id', "can't be blank for an unnamed resource");
  const taken = resourcesOf(account, workspaceId).some(
    (other) => user && other.data.user_id === user.id && other.id !== draft.before?.id,
  );
  if (taken) draft.refuse('user_id', 'is already a resource of the project');
  if (draft.problems.length > 0) return;
  if (user) draft.set('participation_id', addParticipant(account, workspaceId, user.id).id);
  if (user && !draft.get('role_id')) draft.set('role_id', user.data.role_id);
  const role = draft.related('roles', 'role_id');
  const named = draft.has('user_id') && draft.get('user_id') !== draft.before?.data.user_id;
  if (!draft.get('label') || (named && !draft.has('label'))) {
    draft.set('label', user?.data.full_name ?? `Unnamed ${String(role?.data.name)}`);
  }
}

function presentResource(record: SimRecord, account: Account): Data {
  const { data } = record;
  const allocations = allocationsOf(account, record.id);
  const dates = (field: string): string[] => allocations.map((each) => String(each.data[field])).sort();
  const workspace = account.need('workspaces', data.workspace_id);
  const role = account.get('roles', data.role_id);
  const rate = billRate(account, workspace, data.role_id);
  return {
    role_name: role?.data.name,
    full_name: account.get('users', data.user_id)?.data.full_name,
    workspace_title: workspace.data.title,
    display_label: data.label,
    resource_bill_rate: data.bill_rate ?? (rate === null ? null : rate / 100),
    resource_cost_rate: data.cost_rate,
    role_available_on_rate_card: rate !== null,
    allocations_count: allocations.length,
    total_allocated_minutes: allocations.reduce((sum, each) => sum + Number(each.data.minutes), 0),
    earliest_allocation_date: dates('start_date')[0],
    latest_allocation_date: dates('end_date').at(-1),
    assignments_count: account.find('assignments.resource_id', record.id).length,
    deletable: true,
    is_foreign_user: false,
  };
}

const MINUTES_A_DAY = 480;

export const workspaceAllocations: Collection = {
  key: 'workspace_allocations',
  root: 'workspace_allocation',
  subject: 'WorkspaceAllocation',
  methods: ALL_METHODS,
  visible: ['start_date', 'end_date', 'hard', 'minutes', 'percentage', 'notes', 'created_at', 'updated_at'],
  present: ({ data }) => {
    const capacity = workdays(String(data.start_date), String(data.end_date)) * MINUTES_A_DAY;
    return { percentage: capacity === 0 ? 0 : Math.round((Number(data.minutes) / capacity) * 100) };
  },
  associations: {
    creator: stored('users', 'creator_id'),
    external_references: externalReferences('WorkspaceAllocation'),
    updater: stored('users', 'updater_id'),
    workspace: stored('workspaces', 'workspace_id'),
    workspace_resource: stored('workspace_resources', 'workspace_resource_id'),
  },
  inputs: {
    resource_id: command(onCreate(id('workspace_resources'))),
    start_date: both(date),
    end_date: both(date),
    minutes: both(integer(0)),
    hard: both(boolean),
    notes: both(text()),
    external_reference: command(both(object)),
  },
  required: { start_date: "can't be blank", end_date: "can't be blank", minutes: "can't be blank" },
  defaults: (draft) => ({ hard: false, creator_id: draft.account.actor }),
  check(draft) {
    const resource = draft.related('workspace_resources', 'resource_id');
    if (!draft.before && !resource) draft.refuse('resource_id', "can't be blank");
    draft.checkPeriod('start_date', 'end_date');
    draft.set('updater_id', draft.account.actor);
    if (!resource) return;
    draft.set('workspace_resource_id', resource.id);
    draft.set('workspace_id', resource.data.workspace_id);
  },
  filters: {
    workspace_id: inWorkspaces((account, id) => account.find('workspace_allocations.workspace_id', id)),
    workspace_resource_id: fieldIn('workspace_resource_id', (value, account) =>
      allocationsOf(account, value),
    ),
  },
  orders: { created_at: createdAt, updated_at: updatedAt, start_date: byField('start_date') },
};

export const resourceRequests: Collection = {
  key: 'resource_requests',
  root: 'resource_request',
  methods: ALL_METHODS,
  visible: ['status', 'created_at', 'updated_at'],
  associations: {
    approvers: stored('users', 'approver_ids'),
    creator: stored('users', 'creator_id'),
    resource: stored('workspace_resources', 'resource_id'),
  },
  inputs: {
    resource_id: onCreate(id('workspace_resources')),
    resource_workspace_id: command(onCreate(id('workspaces'))),
    resource_role_id: command(onCreate(id('roles'))),
    approver_ids: onCreate(ids('users')),
    workspace_allocation_start_date: command(onCreate(date)),
    workspace_allocation_end_date: command(onCreate(date)),
    workspace_allocation_percentage: command(onCreate(percent)),
    custom_fields: command(onCreate(objects)),
    request_resolution_status: command(onUpdate(oneOf('approve', 'reject', 'cancel'))),
    user_id: command(onUpdate(id('users'))),
    allocations_state: command(onUpdate(boolean)),
  },
  required: { approver_ids: "can't be blank" },
  defaults: (draft) => ({ status: 'new', creator_id: draft.account.actor }),
  check: checkRequest,
  after: (draft) => {
    if (draft.get('status') === 'approved') nameResource(draft);
  },
  filters: {
    pending_requests_only: onlyWhenTrue(({ data }) => data.status === 'new'),
    requests_for_approver: {
      test: (value) => (record) =>
        Array.isArray(record.data.approver_ids) && record.data.approver_ids.includes(value),
    },
  },
};

const RESOLUTIONS: Record<string, string> = { approve: 'approved', reject: 'rejected', cancel: 'cancelled' };

/** A request is for a resource that is there, or makes one from a project and a role; it is resolved once. */
function checkRequest(draft: Draft): void {
  if (draft.before) {
    if (draft.before.data.status !== 'new') draft.refuse('request_resolution_status', 'is resolved already');
    const resolution = draft.text('request_resolution_status');
    if (!resolution) draft.refuse('request_resolution_status', "can't be blank");
    draft.set('status', RESOLUTIONS[resolution]);
    return;
  }
  if (draft.get('resource_id')) return;
  const [workspace, role] = [
    draft.related('workspaces', 'resource_workspace_id'),
    draft.get('resource_role_id'),
  ];
  if (!workspace || !role) {
    draft.refuse('resource_id', "can't be blank");
    return;
  }
  const resource = unnamedResource(draft.account, workspace.id, role);
  draft.set('resource_id', resource.id);
  const [from, to] = [
    draft.get('workspace_allocation_start_date'),
    draft.get('workspace_allocation_end_date'),
  ];
  if (typeof from !== 'string' || typeof to !== 'string') return;
  const share = Number(draft.get('workspace_allocation_percentage') ?? 100) / 100;
  draft.account.insert('workspace_allocations', {
    workspace_id: workspace.id,
    workspace_resource_id: resource.id,
    creator_id: draft.account.actor,
    start_date: from,
    end_date: to,
    minutes: Math.round(workdays(from, to) * MINUTES_A_DAY * share),
    hard: false,
  });
}

/** Approval staffs the resource; its allocations become hard unless the approver says otherwise. */
function nameResource(draft: Draft): void {
  const { account } = draft;
  const resource = draft.related('workspace_resources', 'resource_id');
  if (!resource) return;
  if (draft.get('user_id')) update(account, workspaceResources, resource, { user_id: draft.get('user_id') });
  const hard = draft.get('allocations_state') !== false;
  for (const allocation of allocationsOf(account, resource.id)) account.update(allocation, { hard });
}

/** Known from the vendor's gem only; its published contract does not list it. */
export const staffingDemands: Collection = {
  key: 'staffing_demands',
  root: 'staffing_demand',
  subject: 'StaffingDemand',
  methods: ALL_METHODS,
  visible: names('description title start_date end_date quantity status created_at updated_at'),
  associations: {
    creator: stored('users', 'creator_id'),
    role: stored('roles', 'role_id'),
    workspace: stored('workspaces', 'workspace_id'),
  },
  inputs: {
    title: both(text(255)),
    description: both(text()),
    start_date: both(date),
    end_date: both(date),
    quantity: both(integer(1)),
    workspace_id: both(id('workspaces')),
    role_id: both(id('roles')),
    status: both(text(50)),
    skills: command(onCreate(anything)),
    external_reference: command(both(object)),
  },
  required: { title: "can't be blank", workspace_id: "can't be blank" },
  defaults: (draft) => ({ quantity: 1, status: 'open', creator_id: draft.account.actor }),
  check: (draft) => draft.checkPeriod('start_date', 'end_date'),
  filters: { workspace_id: inWorkspaces((account, id) => account.find('staffing_demands.workspace_id', id)) },
};
