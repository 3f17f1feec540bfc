import type { SimRecord } from '../../kit/types';
import type { Account, Data } from '../account';
import {
  ALL_METHODS,
  both,
  byField,
  type Collection,
  command,
  createdAt,
  dateBetween,
  fieldIn,
  flag,
  inWorkspaces,
  names,
  onCreate,
  presence,
  READ_ONLY,
  stored,
  updatedAt,
} from '../collection';
import type { Draft } from '../draft';
import { currencyAttributes } from '../money';
import { billRate, participation } from '../team';
import { boolean, date, id, integer, object, text } from '../values';
import { externalReferences } from './planning';

/** What people log on a project: time and expenses. Approval is the submissions' business. */

const MINUTES_A_DAY = 1440;

/** A line that someone approves, has approved or has billed can no longer be changed. */
function lockedLine(record: SimRecord): string | null {
  if (record.data.is_invoiced) return 'An invoiced line item cannot be changed';
  return record.data.active_submission_id ? 'A submitted or approved line item cannot be changed' : null;
}

const currencyOf = ({ data }: SimRecord, account: Account): Data =>
  currencyAttributes(account.get('workspaces', data.workspace_id)?.data.currency);

const accountLines = {
  workspace_id: fieldIn('workspace_id'),
  with_user_ids: fieldIn('user_id'),
  invoiced: presence(({ data }) => data.is_invoiced === true),
  uninvoiced: presence(({ data }) => data.is_invoiced !== true),
  billable: flag(({ data }) => data.billable === true),
  in_active_submission: flag(({ data }) => Boolean(data.active_submission_id)),
  has_active_submission: flag(({ data }) => Boolean(data.active_submission_id)),
  on_my_account: flag(() => true),
};

/** Lines of archived projects are left out of lists unless asked for. */
const inArchivedProject = (record: SimRecord, query: URLSearchParams, account: Account): boolean =>
  query.get('from_archived_workspaces') !== 'true' &&
  account.get('workspaces', record.data.workspace_id)?.data.archived === true;

export const timeEntries: Collection = {
  key: 'time_entries',
  root: 'time_entry',
  subject: 'TimeEntry',
  methods: ALL_METHODS,
  bulk: 100,
  visible: names(`
    created_at updated_at date_performed time_in_minutes billable notes rate_in_cents cost_rate_in_cents currency
    currency_symbol currency_base_unit approved taxable is_invoiced location`),
  optional: ['user_can_edit'],
  present: (record, account) => ({
    ...currencyOf(record, account),
    user_can_edit: lockedLine(record) === null,
  }),
  associations: {
    active_submission: stored('timesheet_submissions', 'active_submission_id'),
    external_references: externalReferences('TimeEntry'),
    invoice: stored('invoices', 'invoice_id'),
    recent_submission: stored('timesheet_submissions', 'recent_submission_id'),
    role: stored('roles', 'role_id'),
    story: stored('stories', 'story_id'),
    user: stored('users', 'user_id'),
    workspace: stored('workspaces', 'workspace_id'),
  },
  inputs: {
    workspace_id: both(id('workspaces')),
    date_performed: both(date),
    time_in_minutes: both(integer(1, MINUTES_A_DAY)),
    billable: both(boolean),
    notes: both(text()),
    rate_in_cents: both(integer(0)),
    cost_rate_in_cents: both(integer(0)),
    role_id: both(id('roles')),
    story_id: both(id('stories')),
    user_id: both(id('users')),
    location: both(text(255)),
    external_reference: command(both(object)),
  },
  required: {
    workspace_id: "can't be blank",
    date_performed: "can't be blank",
    time_in_minutes: "can't be blank",
  },
  defaults: timeDefaults,
  check: checkTime,
  locked: lockedLine,
  hidden: inArchivedProject,
  filters: {
    ...accountLines,
    workspace_ids: inWorkspaces((account, id) => account.find('time_entries.workspace_id', id)),
    workspace_id: inWorkspaces((account, id) => account.find('time_entries.workspace_id', id)),
    story_id: fieldIn('story_id', (value, account) => account.find('time_entries.story_id', value)),
    date_performed_between: dateBetween('date_performed'),
    with_timesheet_id: fieldIn('active_submission_id'),
    with_recent_timesheet_ids: fieldIn('recent_submission_id'),
  },
  orders: { created_at: createdAt, updated_at: updatedAt, date_performed: byField('date_performed') },
  order: 'date_performed:desc',
};

/** Rate and role come from the person and the project's rate card; whether it is billed, from the task. */
function timeDefaults(draft: Draft): Data {
  const { account } = draft;
  const user = account.get('users', draft.get('user_id') ?? account.actor);
  const workspace = draft.related('workspaces', 'workspace_id');
  const story = draft.related('stories', 'story_id');
  const role = draft.get('role_id') ?? user?.data.role_id ?? null;
  return {
    user_id: user?.id,
    role_id: role,
    billable: story?.data.billable ?? true,
    rate_in_cents: workspace ? (billRate(account, workspace, role) ?? 0) : 0,
    taxable: false,
    is_invoiced: false,
    invoice_id: null,
    // Without approvals in the project nobody has to approve.
    approved: workspace?.data.require_time_approvals === false,
    active_submission_id: null,
    recent_submission_id: null,
  };
}

function checkLine(draft: Draft): void {
  const workspaceId = draft.get('workspace_id');
  if (!participation(draft.account, workspaceId, draft.get('user_id'))) {
    draft.refuse('user_id', 'must be a participant of the project');
  }
  const story = draft.related('stories', 'story_id');
  if (story && story.data.workspace_id !== workspaceId) draft.refuse('story_id', 'must be in the project');
  if (story?.data.time_trackable === false) draft.refuse('story_id', 'does not accept time or expenses');
}

function checkTime(draft: Draft): void {
  checkLine(draft);
  const workspace = draft.related('workspaces', 'workspace_id');
  if (workspace?.data.require_notes_on_time_entries === true && !draft.get('notes')) {
    draft.refuse('notes', "can't be blank");
  }
  // The simulated account has no locations, and a location must be one of the account's.
  if (draft.get('location') !== null) draft.refuse('location', 'is not included in the list');
}

export const expenses: Collection = {
  key: 'expenses',
  root: 'expense',
  subject: 'Expense',
  methods: ALL_METHODS,
  visible: names(`
    created_at updated_at date notes category amount_in_cents currency currency_symbol currency_base_unit
    is_invoiced is_billable taxable reimbursable foreign_exchange_amount`),
  optional: ['user_can_edit'],
  present: (record, account) => ({
    ...currencyOf(record, account),
    is_billable: record.data.billable,
    user_can_edit: lockedLine(record) === null,
  }),
  associations: {
    active_submission: stored('expense_report_submissions', 'active_submission_id'),
    expense_category: stored('expense_categories', 'expense_category_id'),
    external_references: externalReferences('Expense'),
    recent_submission: stored('expense_report_submissions', 'recent_submission_id'),
    story: stored('stories', 'story_id'),
    user: stored('users', 'user_id'),
    workspace: stored('workspaces', 'workspace_id'),
  },
  inputs: {
    workspace_id: onCreate(id('workspaces')),
    date: both(date),
    category: both(text(255)),
    expense_category_id: both(id('expense_categories')),
    amount_in_cents: both(integer()),
    notes: both(text()),
    user_id: both(id('users')),
    receipt_id: both(id('attachments')),
    billable: both(boolean),
    reimbursable: onCreate(boolean),
    story_id: both(id('stories')),
    vendor_id: onCreate(id('vendors')),
    foreign_exchange_amount: both(integer()),
    external_reference: command(both(object)),
  },
  required: {
    workspace_id: "can't be blank",
    date: "can't be blank",
    amount_in_cents: "can't be blank",
    category: "can't be blank",
  },
  defaults: (draft) => ({
    user_id: draft.account.actor,
    category: draft.related('expense_categories', 'expense_category_id')?.data.name ?? null,
    billable: true,
    reimbursable: false,
    taxable: false,
    is_invoiced: false,
    invoice_id: null,
    approved: draft.related('workspaces', 'workspace_id')?.data.require_expense_approvals === false,
    active_submission_id: null,
    recent_submission_id: null,
  }),
  check: checkLine,
  locked: lockedLine,
  hidden: inArchivedProject,
  filters: {
    ...accountLines,
    workspace_ids: inWorkspaces((account, id) => account.find('expenses.workspace_id', id)),
    workspace_id: inWorkspaces((account, id) => account.find('expenses.workspace_id', id)),
    date_between: dateBetween('date'),
  },
  orders: { created_at: createdAt, updated_at: updatedAt, date: byField('date') },
  order: 'date:desc',
};

export const expenseCategories: Collection = {
  key: 'expense_categories',
  root: 'expense_category',
  methods: [...READ_ONLY, 'create', 'update'],
  visible: ['name', 'deleted_at'],
  associations: {},
  inputs: { name: both(text(255)) },
  required: { name: "can't be blank" },
};
