import type { SimRecord } from '../../kit/types';
import type { Account, Data } from '../account';
import {
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
  onlyWhenTrue,
  READ_ONLY,
  stored,
  updatedAt,
} from '../collection';
import type { Draft } from '../draft';
import { badRequest, invalid, unprocessable } from '../errors';
import { recordEvent } from '../events';
import { currencyAttributes, formatCents, timeCents } from '../money';
import {
  addDays,
  anything,
  id,
  isObject,
  object,
  readId,
  strings,
  text,
  timestamp,
  weekStart,
} from '../values';
import { externalReferences } from './planning';

/**
 * Approval of time and expenses. A submission holds lines of one person in one project (time: of one week) and is
 * resolved once: new → approved, rejected or cancelled. Only an approved submission approves its lines; a rejected
 * or cancelled one sets them free for a new submission.
 */

type LineCollection = 'time_entries' | 'expenses';

export const RESOLUTIONS = {
  approve: { status: 'approved', type: 'approval' },
  reject: { status: 'rejected', type: 'rejection' },
  cancel: { status: 'cancelled', type: 'cancellation' },
} as const;
export type Resolution = keyof typeof RESOLUTIONS;

const isActive = ({ data }: SimRecord): boolean => data.status === 'new' || data.status === 'approved';

function lineCents(line: SimRecord): number {
  const { data } = line;
  return line.type === 'expenses'
    ? Number(data.amount_in_cents)
    : timeCents(Number(data.time_in_minutes), Number(data.rate_in_cents));
}

function linesOf(record: SimRecord, account: Account, collection: LineCollection): SimRecord[] {
  return strings(record.data.line_ids).flatMap((id) => account.get(collection, id) ?? []);
}

function submissionCollection(options: {
  key: 'timesheet_submissions' | 'expense_report_submissions';
  root: string;
  type: string;
  lines: LineCollection;
  lineKey: string;
  added: string;
  oneWeek: boolean;
}): Collection {
  const { key, lines } = options;
  return {
    key,
    root: options.root,
    subject: 'Submission',
    methods: [...READ_ONLY, 'create'],
    visible: names(`
      created_at updated_at status title comment type resolution_description line_item_total_formatted
      line_item_total_in_cents currency currency_symbol currency_base_unit current_resolution_description
      current_resolution_creator_id current_resolution_created_at_date permissions
      ${options.oneWeek ? 'start_date end_date' : ''}`),
    present: (record, account) => presentSubmission(record, account, options.type, lines),
    associations: {
      external_references: externalReferences('Submission'),
      ...(!options.oneWeek && { resolutions: stored('resolutions', 'resolution_ids') }),
      [lines]: children(lines, options.lineKey, (account, id) => {
        const record = account.get(key, id);
        return record ? linesOf(record, account, lines) : [];
      }),
      user: stored('users', 'user_id'),
      workspace: stored('workspaces', 'workspace_id'),
    },
    inputs: {
      title: onCreate(text(255)),
      comment: onCreate(text()),
      workspace_id: onCreate(id('workspaces')),
      user_id: onCreate(id('users')),
      line_item_ids: command(onCreate(anything)),
      ...(options.oneWeek && { external_reference: command(onCreate(object)) }),
    },
    required: { title: "can't be blank", workspace_id: "can't be blank", line_item_ids: "can't be blank" },
    defaults: (draft) => ({ user_id: draft.account.actor, status: 'new', resolution_ids: [] }),
    check: (draft) => checkSubmission(draft, lines, options.oneWeek),
    after(draft, record) {
      for (const line of linesOf(record, draft.account, lines)) {
        draft.account.update(line, { active_submission_id: record.id, recent_submission_id: record.id });
        recordEvent(draft.account, options.added, record, null);
      }
    },
    actions: {
      approve: (record, body, account) => resolve(record, 'approve', body, account),
      reject: (record, body, account) => resolve(record, 'reject', body, account),
      cancel: (record, body, account) => resolve(record, 'cancel', body, account),
    },
    filters: {
      statuses: fieldIn('status'),
      active: flag(isActive),
      not_cancelled: onlyWhenTrue(({ data }) => data.status !== 'cancelled'),
      workspace_id: inWorkspaces((account, id) => account.find(`${key}.workspace_id`, id)),
      workspace_ids: inWorkspaces((account, id) => account.find(`${key}.workspace_id`, id)),
      user_id: fieldIn('user_id'),
      start_date_after: {
        test:
          (value) =>
          ({ data }) =>
            String(data.start_date) > value,
      },
      all_on_account: flag(() => true),
    },
    orders: { date: byField('start_date'), created_at: createdAt, updated_at: updatedAt },
    order: 'date:desc',
  };
}

export const timesheetSubmissions = submissionCollection({
  key: 'timesheet_submissions',
  root: 'timesheet_submission',
  type: 'TimesheetSubmission',
  lines: 'time_entries',
  lineKey: 'time_entry_ids',
  added: 'time_entry_added',
  oneWeek: true,
});

export const expenseReportSubmissions = submissionCollection({
  key: 'expense_report_submissions',
  root: 'expense_report_submission',
  type: 'ExpenseReportSubmission',
  lines: 'expenses',
  lineKey: 'expense_ids',
  added: 'expense_added',
  oneWeek: false,
});

export const resolutions: Collection = {
  key: 'resolutions',
  root: 'resolution',
  methods: READ_ONLY,
  visible: ['type', 'created_at', 'updated_at', 'description', 'target_type', 'target_id', 'user_id'],
  associations: {},
  inputs: {},
};

// ---------------------------------------------------------------- submitting

function checkSubmission(draft: Draft, collection: LineCollection, oneWeek: boolean): void {
  const sent = draft.get('line_item_ids');
  const ids = (Array.isArray(sent) ? sent : [sent]).map((id) => readId(id) ?? '');
  const lines = ids.flatMap((id) => draft.account.get(collection, id) ?? []);
  const refuse = (message: string): void => draft.refuse('line_item_ids', message);
  if (ids.length === 0) refuse("can't be blank");
  if (lines.length < ids.length) refuse('line item could not be found');
  const day = ({ data }: SimRecord): string => String(data.date_performed ?? data.date);
  const start = lines[0] ? weekStart(day(lines[0])) : '';
  for (const line of lines) {
    if (line.data.workspace_id !== draft.get('workspace_id')) refuse('must all be in the project');
    if (line.data.user_id !== draft.get('user_id')) refuse('must all be of the user');
    if (line.data.active_submission_id) refuse('are submitted already');
    if (line.data.is_invoiced) refuse('are invoiced already');
    if (oneWeek && weekStart(day(line)) !== start) refuse('must all be in one week');
  }
  draft.set('line_ids', ids);
  draft.set('start_date', start);
  draft.set('end_date', start && addDays(start, 6));
}

// ---------------------------------------------------------------- resolving

/** `PUT /x/{id}/approve` and its kin, body `{"resolution":{"description"}}`. */
function resolve(record: SimRecord, resolution: Resolution, body: Data, account: Account): SimRecord {
  const description = isObject(body.resolution) ? String(body.resolution.description ?? '') : '';
  addResolution(record, resolution, description, account);
  return account.need(record.type, record.id);
}

/** `POST /timesheet_approvals` and its kin: many at once, all or none. */
export function resolveMany(
  collection: Collection,
  resolution: Resolution,
  body: Data,
  account: Account,
): SimRecord[] {
  const sent = isObject(body.resolution) ? body.resolution : {};
  if (!Array.isArray(sent.submission_ids))
    throw badRequest('param is missing or the value is empty: submission_ids');
  return sent.submission_ids.map((id) => {
    const record = account.get(collection.key, readId(id));
    if (!record) throw unprocessable([invalid('submission_ids', 'could not be found')]);
    return addResolution(record, resolution, String(sent.description ?? ''), account);
  });
}

function addResolution(
  record: SimRecord,
  resolution: Resolution,
  description: string,
  account: Account,
): SimRecord {
  const { status, type } = RESOLUTIONS[resolution];
  if (record.data.status !== 'new') {
    throw unprocessable([
      invalid('status', `A ${String(record.data.status)} submission cannot be ${status}`),
    ]);
  }
  const resolved = account.insert('resolutions', {
    type,
    description,
    target_type: record.type === 'timesheet_submissions' ? 'TimesheetSubmission' : 'ExpenseReportSubmission',
    target_id: Number(record.id),
    user_id: Number(account.actor),
  });
  account.update(record, { status, resolution_ids: [...strings(record.data.resolution_ids), resolved.id] });
  const lines = record.type === 'timesheet_submissions' ? 'time_entries' : 'expenses';
  for (const line of linesOf(record, account, lines)) {
    account.update(line, resolution === 'approve' ? { approved: true } : { active_submission_id: null });
  }
  return resolved;
}

function presentSubmission(
  record: SimRecord,
  account: Account,
  type: string,
  collection: LineCollection,
): Data {
  const { data } = record;
  const currency = account.get('workspaces', data.workspace_id)?.data.currency;
  const total = linesOf(record, account, collection).reduce((sum, line) => sum + lineCents(line), 0);
  const resolution = account.get('resolutions', strings(data.resolution_ids).at(-1));
  const open = data.status === 'new';
  return {
    ...currencyAttributes(currency),
    type,
    line_item_total_in_cents: total,
    line_item_total_formatted: formatCents(total, currency),
    resolution_description: resolution?.data.description,
    current_resolution_description: resolution?.data.description,
    current_resolution_creator_id: resolution?.data.user_id,
    current_resolution_created_at_date: resolution && timestamp(resolution.created),
    permissions: {
      can_approve_submission: open,
      can_reject_submission: open,
      can_cancel_submission: open,
      can_resubmit_submission: data.status === 'rejected',
    },
  };
}
