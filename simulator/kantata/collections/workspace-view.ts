import type { SimRecord } from '../../kit/types';
import type { Account, Data } from '../account';
import { baseUnit, currencyAttributes, formatCents, timeCents } from '../money';

/** What a project shows beyond what is stored of it: amounts as the vendor prints them, and roll-ups. */

export function presentWorkspace(record: SimRecord, account: Account): Data {
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
    // The names and colours belong to the account's own list of statuses, which the API does not show.
    status: {
      key: data.status_key,
      color: 'grey',
      message: data.status_key === NO_STATUS ? 'No Status' : null,
    },
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

/** Key of a project that nobody has given a status. */
export const NO_STATUS = 1;
