import type { SimRecord } from '../kit/types';
import type { Account, Data } from './account';
import { timestamp } from './values';

/**
 * The feed of subscribed events: what changed in the account during the last nine days.
 * As the vendor warns, the feed has no order, and one change can appear as two events.
 */

export const RETENTION_MS = 9 * 86_400_000;

/** Collections whose changes the vendor announces, with the names it uses (Subscribed Events Reference). */
export const SUBJECTS: Record<string, { event: string; subject: string }> = {
  assignments: { event: 'assignment', subject: 'Assignment' },
  billing_milestones: { event: 'billing_milestone', subject: 'BillingMilestone' },
  custom_field_sets: { event: 'custom_field_set', subject: 'CustomFieldSet' },
  custom_fields: { event: 'custom_field', subject: 'CustomField' },
  expense_report_submissions: { event: 'expense_report', subject: 'ExpenseReportSubmission' },
  expenses: { event: 'expense', subject: 'Expense' },
  invoices: { event: 'invoice', subject: 'Invoice' },
  participations: { event: 'participation', subject: 'Participation' },
  roles: { event: 'role', subject: 'Role' },
  stories: { event: 'story', subject: 'Story' },
  time_entries: { event: 'time_entry', subject: 'TimeEntry' },
  timesheet_submissions: { event: 'timesheet', subject: 'TimesheetSubmission' },
  users: { event: 'user', subject: 'User' },
  workspace_allocations: { event: 'workspace_allocation', subject: 'WorkspaceAllocation' },
  workspace_groups: { event: 'workspace_group', subject: 'WorkspaceGroup' },
  workspace_resources: { event: 'workspace_resource', subject: 'WorkspaceResource' },
  workspaces: { event: 'workspace', subject: 'Workspace' },
};

const FACTS: Record<string, string[]> = {
  timesheet: ['created', 'updated', 'time_entry_added'],
  expense_report: ['created', 'updated', 'expense_added'],
};

export function eventTypes(): string[] {
  return Object.values(SUBJECTS)
    .flatMap(({ event }) =>
      (FACTS[event] ?? ['created', 'deleted', 'updated']).map((fact) => `${event}:${fact}`),
    )
    .sort();
}

/** Every seventh event is delivered a second time under an id of its own. */
const DUPLICATE_EVERY = 7;

export function recordChange(
  account: Account,
  fact: 'created' | 'updated' | 'deleted',
  record: SimRecord,
  before: Data | null,
): void {
  // A soft delete reaches the store as an update that sets `deleted_at`.
  const gone = fact === 'updated' && record.data.deleted_at && !before?.deleted_at;
  recordEvent(account, gone ? 'deleted' : fact, record, before);
}

export function recordEvent(account: Account, fact: string, record: SimRecord, before: Data | null): void {
  const subject = SUBJECTS[record.type];
  if (!subject || (FACTS[subject.event] && !FACTS[subject.event]?.includes(fact))) return;
  const { db } = account.context;
  const data = {
    event_type: `${subject.event}:${fact}`,
    account_id: Number(account.id),
    user_id: Number(account.actor),
    subject_key: record.type,
    subject_id: Number(record.id),
    subject_type: subject.subject,
    subject_changed_at: timestamp(account.now),
    context_workspace_id: record.data.workspace_id ?? null,
    previous: before,
    current: fact === 'deleted' ? null : record.data,
  };
  const sequence = db.next('event');
  db.insert('subscribed_events', String(sequence * 2), data);
  if (sequence % DUPLICATE_EVERY === 0) db.insert('subscribed_events', String(sequence * 2 + 1), data);
}

/** Field → [old, new]: what the vendor calls `payload_changes`. */
export function changes(before: Data | null, after: Data | null): Record<string, [unknown, unknown]> {
  const fields = new Set([...Object.keys(before ?? {}), ...Object.keys(after ?? {})]);
  const result: Record<string, [unknown, unknown]> = {};
  for (const field of fields) {
    const pair: [unknown, unknown] = [before?.[field] ?? null, after?.[field] ?? null];
    if (JSON.stringify(pair[0]) !== JSON.stringify(pair[1])) result[field] = pair;
  }
  return result;
}

/** The feed's order: fixed for one event, so that pages fit together, but unrelated to time (Knuth's hash). */
export const shuffledRank = (id: string): number => Math.imul(Number(id), 2654435761) >>> 0;
