import type { SimRecord } from '../../kit/types';
import type { Env } from '../env';
import { invalidReference, userError } from '../errors';
import { type Data, isTrue, linesOf, numberOf, textOf } from '../records/data';
import { multiply, precisionOf, sum } from '../records/money';
import { FIXED_BID_MILESTONE } from '../schema/billing';
import type { Rules } from './types';

export const billingScheduleRules: Rules = {
  prepare(draft, _before, env) {
    draft.scheduleType ??= 'STD';
    draft.inArrears ??= false;
    draft.isPublic ??= false;
    draft.isInactive ??= false;
    if (draft.scheduleType === FIXED_BID_MILESTONE) prepareMilestones(draft, env);
    else if (draft.scheduleType === 'STD') requireRecurrence(draft);
  },
  deleting(record, env) {
    const bills = ({ data }: SimRecord): boolean =>
      linesOf(data, 'item').some((line) => line.billingSchedule === record.id);
    if (env.db.list('salesOrder').some(bills)) {
      throw userError('This record cannot be deleted because it has dependent records.');
    }
  },
};

/**
 * Milestones are shares or amounts of one project: they add up to 100 per cent, or to the project's price.
 */
function prepareMilestones(draft: Data, env: Env): void {
  const project = env.db.get('job', textOf(draft, 'project') ?? '');
  if (!project) throw userError('Please enter value(s) for: Project', 'project');
  if (project.data.jobBillingType !== FIXED_BID_MILESTONE) {
    throw userError('The schedule type does not match the billing type of the project.', 'scheduleType');
  }
  const lines = linesOf(draft, 'milestone');
  if (lines.length === 0) throw userError('Please enter value(s) for: Milestone', 'milestone');
  lines.forEach((line, index) => {
    const task = env.db.get('projectTask', textOf(line, 'projectTask') ?? '');
    if (task && task.data.project !== project.id) {
      throw invalidReference(
        `Invalid projecttask reference key ${task.id}.`,
        `milestone.items[${index}].projectTask`,
      );
    }
  });
  requireMilestoneTotal(lines, numberOf(draft, 'initialAmount') ?? 0, numberOf(project.data, 'jobPrice'));
  draft.milestone = lines.map((line) => ({
    ...line,
    milestoneCompleted: isCompleted(line),
    milestoneActualCompletionDate: isCompleted(line)
      ? (line.milestoneActualCompletionDate ?? env.today)
      : undefined,
  }));
}

function isCompleted(line: Data): boolean {
  return isTrue(line, 'milestoneCompleted');
}

function requireMilestoneTotal(lines: readonly Data[], initial: number, price: number | undefined): void {
  const amounts = lines.map((line) => numberOf(line, 'milestoneAmount') ?? 0);
  if (amounts.some((amount) => amount < 0)) {
    throw userError('Milestone amounts cannot be negative.', 'milestone');
  }
  const total = sum([initial, ...amounts]);
  if (total === 100 || total === price) return;
  throw userError(
    `The milestones total ${total}. They must total 100 percent or the project price${price === undefined ? '' : ` ${price}`}.`,
    'milestone',
  );
}

function requireRecurrence(draft: Data): void {
  const frequency = textOf(draft, 'frequency');
  if (frequency === undefined) throw userError('Please enter value(s) for: Frequency', 'frequency');
  if (frequency === 'CUSTOM') {
    if (linesOf(draft, 'recurrence').length === 0)
      throw userError('Please enter value(s) for: Recurrence', 'recurrence');
  } else if (frequency !== 'NEVER' && frequency !== 'ONETIME' && draft.numberRemaining === undefined) {
    throw userError('Please enter value(s) for: Recurrence Count', 'numberRemaining');
  }
}

export const chargeRules: Rules = {
  prepare(draft, before, env) {
    if (before?.data.stage === 'PROCESSED')
      throw userError('This charge has been processed and cannot be edited.');
    if (draft.stage === 'PROCESSED') throw userError('A charge is processed by billing only.', 'stage');
    draft.use ??= 'Actual';
    const billTo =
      env.db.get('job', textOf(draft, 'billTo') ?? '') ??
      env.db.get('customer', textOf(draft, 'billTo') ?? '');
    draft.currency = billTo?.data.currency;
    const task = env.db.get('projectTask', textOf(draft, 'projectTask') ?? '');
    if (task && task.data.project !== draft.billTo) {
      throw invalidReference(`Invalid projecttask reference key ${task.id}.`, 'projectTask');
    }
    const [rate, quantity] = [numberOf(draft, 'rate'), numberOf(draft, 'quantity')];
    if (rate === undefined || quantity === undefined) return;
    const repriced = before && (rate !== before.data.rate || quantity !== before.data.quantity);
    if (draft.amount === undefined || (repriced && draft.amount === before.data.amount)) {
      draft.amount = multiply(rate, quantity, precisionOf(env.db, textOf(draft, 'currency')));
    }
  },
  deleting(record) {
    if (record.data.stage === 'PROCESSED')
      throw userError('This charge has been processed and cannot be deleted.');
  },
};
