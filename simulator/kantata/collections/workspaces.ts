import type { SimRecord } from '../../kit/types';
import type { Account, Data } from '../account';
import {
  both,
  byField,
  type Collection,
  children,
  command,
  createdAt,
  fieldIn,
  flag,
  inWorkspaces,
  names,
  onCreate,
  onUpdate,
  stored,
  updatedAt,
} from '../collection';
import { valuesOf } from '../custom-fields';
import type { Draft } from '../draft';
import { invalid, unprocessable } from '../errors';
import { baseUnit, currencyAttributes, formatCents, SUPPORTED_CURRENCIES, timeCents } from '../money';
import { referencesOf } from '../references';
import { addParticipant } from '../team';
import { checkTemplate, instantiateTemplate } from '../templates';
import {
  anything,
  boolean,
  date,
  id,
  ids,
  integer,
  isObject,
  object,
  objects,
  oneOf,
  percent,
  readBoolean,
  readId,
  strings,
  text,
} from '../values';
import { create, remove } from '../writing';

/** Projects. The vendor says "workspace" in its API and "project" on its screens. */

export const ACCESS = ['admin', 'financial', 'time_logging', 'collaboration'];

/** Health shown beside a project's name (names and keys of a default account; unverified). */
const STATUSES: Record<number, Data> = {
  1: { color: 'grey', key: 1, message: 'No Status' },
  100: { color: 'light_green', key: 100, message: 'In Setup' },
  300: { color: 'green', key: 300, message: 'On Track' },
  400: { color: 'yellow', key: 400, message: 'At Risk' },
  500: { color: 'grey', key: 500, message: 'Done' },
};

const byWorkspace =
  (
    collection:
      | 'participations'
      | 'workspace_resources'
      | 'timesheet_submissions'
      | 'workspace_invoice_preferences',
  ) =>
  (account: Account, id: string) =>
    account.find(`${collection}.workspace_id`, id);

const participantIds = (record: SimRecord, account: Account): string[] =>
  account.find('participations.workspace_id', record.id).map(({ data }) => String(data.user_id));

export const workspaces: Collection = {
  key: 'workspaces',
  root: 'workspace',
  subject: 'Workspace',
  methods: ['index', 'show', 'create', 'update', 'delete'],
  bulk: 100,
  visible: names(`
    title account_id archived description due_date effective_due_date budgeted change_orders_enabled
    updated_at created_at consultant_role_name client_role_name can_create_line_items default_rate
    currency_symbol currency_base_unit can_invite has_budget_access price price_in_cents budget_used
    over_budget currency start_date status stories_are_fixed_fee_by_default workspace_invoice_preference_id
    require_expense_approvals require_time_approvals percentage_complete access_level
    exclude_archived_stories_percent_complete tasks_default_non_billable rate_card_id
    posts_require_privacy_decision has_active_timesheet_submissions has_active_expense_report_submissions
    permissions expenses_in_burn_rate total_expenses_in_cents percent_of_budget_used budget_used_in_cents
    budget_remaining target_margin require_notes_on_time_entries time_trackable`),
  optional: ['external_link', 'revenue_recognition_method', 'stage', 'status_key'],
  present: presentWorkspace,
  associations: {
    approvers: stored('users', 'approver_ids'),
    creator: stored('users', 'creator_id'),
    current_user_participation: {
      collection: 'participations',
      key: 'current_user_participation_id',
      ids: (record, account) =>
        account
          .find('participations.workspace_id', record.id)
          .find(({ data }) => data.user_id === account.actor)?.id ?? null,
    },
    custom_field_values: children('custom_field_values', 'custom_field_value_ids', (account, id) =>
      valuesOf(account, 'Workspace', id),
    ),
    external_references: children('external_references', 'external_reference_ids', (account, id) =>
      referencesOf(account, 'Workspace', id),
    ),
    participants: { collection: 'users', key: 'participant_ids', ids: participantIds },
    participations: children('participations', 'participation_ids', byWorkspace('participations')),
    primary_counterpart: stored('users', 'primary_counterpart_id'),
    primary_maven: stored('users', 'primary_maven_id'),
    primary_workspace_group: stored('workspace_groups', 'primary_workspace_group_id'),
    timesheet_submissions: children(
      'timesheet_submissions',
      'timesheet_submission_ids',
      byWorkspace('timesheet_submissions'),
    ),
    workspace_groups: stored('workspace_groups', 'workspace_group_ids'),
    workspace_resources: children('workspace_resources', 'workspace_resource_ids', (account, id) =>
      account.find('workspace_resources.workspace_id', id).filter(({ data }) => data.user_id),
    ),
    workspace_resources_with_unnamed: children(
      'workspace_resources',
      'workspace_resources_with_unnamed_ids',
      byWorkspace('workspace_resources'),
    ),
  },
  inputs: {
    title: both(text(255)),
    creator_role: command(onCreate(text())),
    budgeted: both(boolean),
    description: both(text()),
    currency: both(oneOf(...SUPPORTED_CURRENCIES)),
    price: both(integer(0)),
    start_date: both(date),
    due_date: both(date),
    change_orders: command(onCreate(boolean)),
    change_orders_enabled: both(boolean),
    consultant_role_name: both(text(255)),
    client_role_name: both(text(255)),
    access_level: both(oneOf('invitation', 'open', 'admin')),
    archived: onUpdate(boolean),
    expenses_in_burn_rate: both(boolean),
    posts_require_privacy_decision: both(boolean),
    stories_are_fixed_fee_by_default: both(boolean),
    tasks_default_non_billable: both(boolean),
    require_expense_approvals: onCreate(boolean),
    require_time_approvals: onCreate(boolean),
    require_notes_on_time_entries: both(boolean),
    time_trackable: both(boolean),
    exclude_archived_stories_percent_complete: both(boolean),
    rate_card_id: both(id('rate_cards')),
    status_key: both(integer()),
    workspace_group_ids: both(ids('workspace_groups')),
    primary_workspace_group_id: both(id('workspace_groups')),
    approver_id: both(id('users')),
    approver_ids: both(ids('users')),
    primary_maven_id: onCreate(id('users')),
    target_margin: both(percent),
    account_color_id: both(anything),
    external_link: both(anything),
    revenue_recognition_method: both(text()),
    stage: both(oneOf('estimate', 'project')),
    project_tracker_template_id: command(both(id('project_templates'))),
    project_template_start_date: command(both(date)),
    project_template_assignment_mappings: command(both(objects)),
    project_template_weekends_as_workdays: command(both(boolean)),
    project_template_create_unnamed_resources: command(both(boolean)),
    project_template_before_story_id: command(onUpdate(id('stories'))),
    participations: command(onCreate(objects)),
    invoice_preference: command(onCreate(object)),
    custom_fields: command(onCreate(objects)),
    external_reference: command(both(object)),
  },
  required: { title: 'Please give your project a title' },
  defaults: (draft) => ({
    creator_role: 'maven',
    budgeted: false,
    currency: 'USD',
    access_level: 'invitation',
    archived: false,
    stage: 'project',
    status_key: 1,
    consultant_role_name: 'Consultants',
    client_role_name: 'Clients',
    change_orders_enabled: draft.get('change_orders') ?? draft.get('budgeted') ?? false,
    expenses_in_burn_rate: true,
    posts_require_privacy_decision: false,
    stories_are_fixed_fee_by_default: false,
    tasks_default_non_billable: false,
    require_expense_approvals: true,
    require_time_approvals: true,
    require_notes_on_time_entries: false,
    time_trackable: true,
    exclude_archived_stories_percent_complete: false,
    workspace_group_ids: [],
    primary_maven_id: draft.account.actor,
    creator_id: draft.account.actor,
  }),
  check,
  after,
  destroy,
  hidden: (record, query) =>
    record.data.archived === true &&
    readBoolean(query.get('include_archived') ?? '') !== true &&
    readBoolean(query.get('archived') ?? '') !== true,
  filters: {
    archived: flag((record) => record.data.archived === true),
    budgeted: flag((record) => record.data.budgeted === true),
    workspace_group_id: {
      test: (value) => (record) => strings(record.data.workspace_group_ids).includes(value),
    },
    primary_workspace_group_id: fieldIn('primary_workspace_group_id'),
    participant_in: {
      test: (value, account) => (record) => participantIds(record, account).includes(value),
    },
  },
  search: ['title', 'description'],
  orders: {
    created_at: createdAt,
    updated_at: updatedAt,
    title: byField('title'),
    start_date: byField('start_date'),
    due_date: byField('due_date'),
  },
  order: 'updated_at:desc',
};

function check(draft: Draft): void {
  if (!draft.before && !['maven', 'consultant', 'buyer', 'client'].includes(draft.text('creator_role'))) {
    draft.refuse('creator_role', 'Please select a role for this project');
  }
  if (draft.get('budgeted') === true && draft.get('price') === null) {
    draft.refuse('price', "can't be blank for a budgeted project");
  }
  if (!(draft.number('status_key') in STATUSES)) draft.refuse('status_key', 'is not included in the list');
  draft.checkPeriod('start_date', 'due_date');
  checkParticipations(draft);
  const primary = draft.get('primary_workspace_group_id');
  const groups = strings(draft.get('workspace_group_ids'));
  if (primary && !groups.includes(String(primary))) draft.set('workspace_group_ids', [...groups, primary]);
  checkTemplate(draft);
}

function checkParticipations(draft: Draft): void {
  for (const entry of participationsOf(draft)) {
    if (!draft.account.get('users', entry.userId)) draft.refuse('participations', 'user could not be found');
    if (!ACCESS.includes(entry.access)) draft.refuse('participations', 'access is not included in the list');
  }
}

export function participationsOf(draft: Draft): { userId: string; access: string }[] {
  const sent = draft.values.participations;
  return (Array.isArray(sent) ? sent : []).filter(isObject).map((entry) => ({
    userId: readId(entry.user_id) ?? '',
    access: String(entry.access ?? 'time_logging'),
  }));
}

function after(draft: Draft, record: SimRecord): void {
  const { account } = draft;
  if (!draft.before) {
    const preference = createPreference(draft, record);
    if (preference) account.update(record, { workspace_invoice_preference_id: preference.id });
    addParticipant(account, record.id, account.actor, { access_level: 'admin', is_team_lead: true });
    for (const { userId, access } of participationsOf(draft)) {
      addParticipant(account, record.id, userId, { access_level: access });
    }
  }
  if (draft.get('project_tracker_template_id')) instantiateTemplate(draft, record);
}

/** What invoices of the project print, besides their items. */
export const workspaceInvoicePreferences: Collection = {
  key: 'workspace_invoice_preferences',
  root: 'workspace_invoice_preference',
  methods: ['index', 'show', 'create', 'update'],
  visible: names(`
    workspace_id purchase_order project_code client_invoice_name client_invoice_address consultant_invoice_name
    consultant_invoice_address`),
  associations: {},
  inputs: {
    workspace_id: onCreate(id('workspaces')),
    purchase_order: both(text(255)),
    project_code: both(text(255)),
    client_invoice_name: both(text(255)),
    client_invoice_address: both(text()),
    consultant_invoice_name: both(text(255)),
    consultant_invoice_address: both(text()),
  },
  required: { workspace_id: "can't be blank" },
  filters: { workspace_id: inWorkspaces(byWorkspace('workspace_invoice_preferences')) },
};

function createPreference(draft: Draft, record: SimRecord): SimRecord | null {
  const sent = draft.values.invoice_preference;
  if (!isObject(sent)) return null;
  return create(draft.account, workspaceInvoicePreferences, { ...sent, workspace_id: record.id });
}

function presentWorkspace(record: SimRecord, account: Account): Data {
  const { data } = record;
  const unit = baseUnit(data.currency);
  const price = typeof data.price === 'number' ? data.price * unit : null;
  const expenses = account.find('expenses.workspace_id', record.id);
  const spent = expenses.reduce((sum, expense) => sum + Number(expense.data.amount_in_cents), 0);
  const used = billedTime(account, record.id) + (data.expenses_in_burn_rate ? spent : 0);
  const pending = (collection: 'timesheet_submissions' | 'expense_report_submissions') =>
    account.find(`${collection}.workspace_id`, record.id).some(({ data }) => data.status === 'new');
  return {
    ...currencyAttributes(data.currency),
    account_id: Number(account.id),
    effective_due_date: data.due_date,
    price: price === null ? null : formatCents(price, data.currency),
    price_in_cents: price,
    budget_used: formatCents(used, data.currency),
    budget_used_in_cents: used,
    budget_remaining: price === null ? null : formatCents(price - used, data.currency),
    percent_of_budget_used: price ? Math.round((used / price) * 100) : 0,
    over_budget: price !== null && used > price,
    total_expenses_in_cents: spent,
    status: STATUSES[Number(data.status_key)],
    rate_card_id: data.rate_card_id ? Number(data.rate_card_id) : null,
    percentage_complete: percentageComplete(record, account),
    default_rate: null,
    can_invite: true,
    can_create_line_items: data.time_trackable,
    has_budget_access: true,
    has_active_timesheet_submissions: pending('timesheet_submissions'),
    has_active_expense_report_submissions: pending('expense_report_submissions'),
    permissions: { is_participant: true, access_level: 'admin', can_edit: true, can_see_financials: true },
  };
}

const billedTime = (account: Account, workspaceId: string): number =>
  account
    .find('time_entries.workspace_id', workspaceId)
    .filter(({ data }) => data.billable)
    .reduce((sum, { data }) => sum + timeCents(Number(data.time_in_minutes), Number(data.rate_in_cents)), 0);

function percentageComplete(record: SimRecord, account: Account): number {
  const roots = account
    .find('stories.workspace_id', record.id)
    .filter(({ data }) => !data.parent_id && !data.deleted_at)
    .filter(({ data }) => !(data.archived && record.data.exclude_archived_stories_percent_complete));
  const total = roots.reduce((sum, { data }) => sum + Number(data.percentage_complete ?? 0), 0);
  return roots.length === 0 ? 0 : Math.round(total / roots.length);
}

/** Deleting a project is final and takes everything in it along. */
const BELONGINGS = [
  ['story_dependencies.workspace_id', undefined],
  ['stories.workspace_id', 'Story'],
  ['billing_milestones.workspace_id', 'BillingMilestone'],
  ['workspace_allocations.workspace_id', 'WorkspaceAllocation'],
  ['workspace_resources.workspace_id', 'WorkspaceResource'],
  ['participations.workspace_id', 'Participation'],
  ['staffing_demands.workspace_id', 'StaffingDemand'],
  ['time_entries.workspace_id', 'TimeEntry'],
  ['expenses.workspace_id', 'Expense'],
  ['timesheet_submissions.workspace_id', 'Submission'],
  ['expense_report_submissions.workspace_id', 'Submission'],
  ['workspace_invoice_preferences.workspace_id', undefined],
] as const;

function destroy(record: SimRecord, account: Account): void {
  const lines = [
    ...account.find('time_entries.workspace_id', record.id),
    ...account.find('expenses.workspace_id', record.id),
  ];
  if (lines.some(({ data }) => data.is_invoiced)) {
    throw unprocessable([invalid('base', 'A project with invoiced time or expenses cannot be deleted')]);
  }
  for (const story of account.find('stories.workspace_id', record.id)) {
    for (const assignment of account.find('assignments.story_id', story.id)) {
      remove(account, { subject: 'Assignment' }, assignment);
    }
  }
  for (const [index, subject] of BELONGINGS) {
    for (const belonging of account.find(index, record.id)) remove(account, { subject }, belonging);
  }
  remove(account, workspaces, record);
}
