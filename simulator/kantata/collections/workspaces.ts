import type { SimRecord } from '../../kit/types';
import type { Account } from '../account';
import {
  both,
  byField,
  type Collection,
  children,
  command,
  createdAt,
  dayAfter,
  dayBefore,
  fieldIn,
  flag,
  names,
  onCreate,
  onUpdate,
  stored,
  textOf,
  updatedAt,
} from '../collection';
import { displayValue, valuesOf } from '../custom-fields';
import type { Draft } from '../draft';
import { invalid, unprocessable } from '../errors';
import { SUPPORTED_CURRENCIES } from '../money';
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
  readId,
  strings,
  text,
} from '../values';
import { create, remove, update } from '../writing';
import { workspaceInvoicePreferences } from './invoice-preferences';
import { NO_STATUS, presentWorkspace } from './workspace-view';

/** Projects. The vendor says "workspace" in its API and "project" on its screens. */

export const ACCESS = ['admin', 'financial', 'time_logging', 'collaboration'];

const byWorkspace =
  (collection: 'participations' | 'workspace_resources' | 'timesheet_submissions' | 'billing_milestones') =>
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
    approver: stored('users', 'approver_id'),
    approvers: stored('users', 'approver_ids'),
    billing_milestones: children(
      'billing_milestones',
      'billing_milestone_ids',
      byWorkspace('billing_milestones'),
    ),
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
    access_level: both(oneOf('invitation', 'open', 'admin', 'admins')),
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
    status_key: both(integer(1)),
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
    invoice_preference: command(both(object)),
    custom_fields: command(both(objects)),
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
    status_key: NO_STATUS,
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
  hidden: (record, query) => {
    const { archived } = record.data;
    const asked = query.get('archived');
    if (asked === 'only') return !archived;
    return archived === true && asked !== 'include' && query.get('include_archived') !== 'true';
  },
  filters: {
    budgeted: flag(({ data }) => data.budgeted === true),
    stage: fieldIn('stage'),
    creator: fieldIn('creator_id'),
    provider_lead: fieldIn('primary_maven_id'),
    has_participant: {
      test: (value, account) => (record) => participantIds(record, account).includes(value),
    },
    workspace_groups: {
      test: (value) => (record) =>
        strings(record.data.workspace_group_ids).some((group) => value.split(',').includes(group)),
    },
    except: { test: (value) => (record) => !value.split(',').includes(record.id) },
    matching: { test: (value) => (record) => startsWords(textOf('title')(record), value) },
    start_date_after: dayAfter('start_date'),
    start_date_before: dayBefore('start_date'),
    due_date_after: dayAfter('due_date'),
    due_date_before: dayBefore('due_date'),
    has_value_for_custom_field_ids: {
      test: (value, account) => (record) =>
        valuesOf(account, 'Workspace', record.id).some(({ data }) =>
          value.split(',').includes(String(data.custom_field_id)),
        ),
    },
    by_custom_text_value: {
      test: (value, account) => (record) => hasCustomText(record, value, account),
    },
  },
  search: {
    workspace_id: (record) => record.id,
    title: textOf('title'),
    description: textOf('description'),
    custom_field_value: (record, account) =>
      valuesOf(account, 'Workspace', record.id)
        .map((value) => displayValue(account, value))
        .join('\n'),
  },
  orders: {
    created_at: createdAt,
    updated_at: updatedAt,
    title: byField('title'),
    price: byField('price'),
    start_date: byField('start_date'),
    due_date: byField('due_date'),
  },
  order: 'updated_at:desc',
};

/** Every word of the query starts a word of the text. */
function startsWords(text: string, query: string): boolean {
  const words = text.toLowerCase().split(/\s+/);
  return query
    .toLowerCase()
    .split(/\s+/)
    .every((start) => words.some((word) => word.startsWith(start)));
}

/** `92:text`, `(92:text):(93:other)`, or a bare `92` for any value; values of one field are alternatives. */
function hasCustomText(record: SimRecord, value: string, account: Account): boolean {
  const terms = (
    value.includes('(') ? [...value.matchAll(/\(([^)]*)\)/g)].map((term) => term[1] ?? '') : value.split(';')
  )
    .map((term) => /^(\d+)(?::(.*))?$/.exec(term))
    .filter((term) => term !== null);
  const own = valuesOf(account, 'Workspace', record.id);
  const fields = new Set(terms.map(([, field]) => field));
  return [...fields].every((field) =>
    own.some(
      ({ data }) =>
        data.custom_field_id === field &&
        terms.some(([, id, text]) => id === field && (text === undefined || data.value === text)),
    ),
  );
}

function check(draft: Draft): void {
  if (!draft.before && !['maven', 'consultant', 'buyer', 'client'].includes(draft.text('creator_role'))) {
    draft.refuse('creator_role', 'Please select a role for this project');
  }
  if (draft.get('budgeted') === true && draft.get('price') === null) {
    draft.refuse('price', "can't be blank for a budgeted project");
  }
  const card = draft.related('rate_cards', 'rate_card_id');
  if (card && card.data.currency !== draft.get('currency')) {
    draft.refuse('rate_card_id', 'must have the currency of the project');
  }
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
  putPreference(draft, record);
  if (!draft.before) {
    addParticipant(account, record.id, account.actor, { access_level: 'admin', is_team_lead: true });
    for (const { userId, access } of participationsOf(draft)) {
      addParticipant(account, record.id, userId, { access_level: access });
    }
  }
  if (draft.get('project_tracker_template_id')) instantiateTemplate(draft, record);
}

function putPreference(draft: Draft, record: SimRecord): void {
  const { account } = draft;
  const sent = draft.values.invoice_preference;
  if (!isObject(sent)) return;
  const present = account.find('workspace_invoice_preferences.workspace_id', record.id)[0];
  if (present) update(account, workspaceInvoicePreferences, present, sent);
  else {
    const made = create(account, workspaceInvoicePreferences, { ...sent, workspace_id: record.id });
    account.update(record, { workspace_invoice_preference_id: made.id });
  }
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
