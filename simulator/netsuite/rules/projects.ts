import type { SimRecord } from '../../kit/types';
import type { Env } from '../env';
import { invalidReference, userError } from '../errors';
import { type Data, linesOf, numberOf, textOf } from '../records/data';
import { round, sum } from '../records/money';
import type { Rules } from './types';

const HOURS_PER_DAY = 8;
const DAY = 86_400_000;

export const projectTaskRules: Rules = {
  prepare(draft, before, env) {
    draft.status ??= 'NOTSTART';
    draft.priority ??= 'MEDIUM';
    draft.constraintType ??= 'ASAP';
    draft.nonBillableTask ??= false;
    draft.estimatedWork ??= 0;
    draft.actualWork ??= 0;
    if (before && draft.project !== before.data.project) {
      throw userError('The project of a task cannot be changed.', 'project');
    }
    requireParentInProject(draft, before, env);
    const project = env.db.get('job', textOf(draft, 'project') ?? '');
    const start = textOf(draft, 'startDate') ?? textOf(project?.data ?? {}, 'startDate') ?? env.today;
    const work = numberOf(draft, 'estimatedWork') ?? 0;
    draft.startDate = start;
    draft.endDate = workEnd(start, work);
    draft.remainingWork = Math.max(0, work - (numberOf(draft, 'actualWork') ?? 0));
  },
  saved(record, before, env) {
    if (record.data.status === 'COMPLETE' && before?.data.status !== 'COMPLETE')
      completeMilestones(record, env);
    if (
      !before ||
      before.data.status !== record.data.status ||
      before.data.estimatedWork !== record.data.estimatedWork
    ) {
      rollUpProject(textOf(record.data, 'project'), env);
    }
  },
  deleting(record, env) {
    const used = schedulesOf(record, env).some(({ data }) =>
      linesOf(data, 'milestone').some((line) => line.projectTask === record.id),
    );
    if (used) throw userError('This record cannot be deleted because it has dependent records.');
  },
  deleted(record, env) {
    rollUpProject(textOf(record.data, 'project'), env);
  },
};

export const timeBillRules: Rules = {
  prepare(draft, _before, env) {
    const hours = numberOf(draft, 'hours') ?? 0;
    if (hours <= 0 || hours > 24)
      throw userError('The duration must be more than 0 and at most 24 hours.', 'hours');
    const task = env.db.get('projectTask', textOf(draft, 'caseTaskEvent') ?? '');
    draft.customer ??= task?.data.project;
    if (task && task.data.project !== draft.customer) {
      throw invalidReference(`Invalid casetaskevent reference key ${task.id}.`, 'caseTaskEvent');
    }
    draft.tranDate ??= env.today;
    draft.approvalStatus ??= '1';
    draft.isBillable ??= task?.data.nonBillableTask !== true;
    draft.subsidiary ??= env.db.get('employee', textOf(draft, 'employee') ?? '')?.data.subsidiary;
  },
  saved(record, before, env) {
    for (const task of new Set([record.data.caseTaskEvent, before?.data.caseTaskEvent]))
      rollUpTask(task, env);
  },
  deleted(record, env) {
    rollUpTask(record.data.caseTaskEvent, env);
  },
};

export const expenseReportRules: Rules = {
  prepare(draft, _before, env) {
    const lines = linesOf(draft, 'expense');
    if (lines.length === 0)
      throw userError('You must enter at least one line item for this transaction.', 'expense');
    draft.tranDate ??= env.today;
    draft.tranId ??= `EXP${1000 + env.db.next('number.expenseReport')}`;
    draft.approvalStatus ??= '11';
    draft.subsidiary ??= env.db.get('employee', textOf(draft, 'entity') ?? '')?.data.subsidiary;
    draft.amount = sum(lines.map((line) => numberOf(line, 'amount') ?? 0));
    draft.total = draft.amount;
  },
};

/** Last working day of `hours` of work that begin on `start`. */
function workEnd(start: string, hours: number): string {
  let time = Date.parse(`${start}T00:00:00Z`);
  for (let left = Math.ceil(hours / HOURS_PER_DAY) - 1; left > 0; ) {
    time += DAY;
    if (isWorkday(time)) left--;
  }
  return new Date(time).toISOString().slice(0, 10);
}

function isWorkday(time: number): boolean {
  const day = new Date(time).getUTCDay();
  return day !== 0 && day !== 6;
}

function requireParentInProject(draft: Data, before: SimRecord | null, env: Env): void {
  const parent = env.db.get('projectTask', textOf(draft, 'parent') ?? '');
  if (!parent) return;
  if (parent.id === before?.id || parent.data.project !== draft.project) {
    throw invalidReference(`Invalid parent reference key ${parent.id}.`, 'parent');
  }
}

function schedulesOf(task: SimRecord, env: Env): SimRecord[] {
  return env.db.findBy('billingSchedule', 'project', textOf(task.data, 'project') ?? '');
}

/** A completed task releases the milestones of fixed bid schedules that name it. */
function completeMilestones(task: SimRecord, env: Env): void {
  for (const schedule of schedulesOf(task, env)) {
    const lines = linesOf(schedule.data, 'milestone');
    if (!lines.some((line) => line.projectTask === task.id && line.milestoneCompleted !== true)) continue;
    const milestone = lines.map((line) =>
      line.projectTask === task.id && line.milestoneCompleted !== true
        ? { ...line, milestoneCompleted: true, milestoneActualCompletionDate: env.today }
        : line,
    );
    env.db.update('billingSchedule', schedule.id, { ...schedule.data, milestone });
  }
}

function rollUpProject(id: string | undefined, env: Env): void {
  const project = env.db.get('job', id ?? '');
  if (!project) return;
  const percentComplete = completion(env.db.findBy('projectTask', 'project', project.id));
  if (percentComplete === project.data.percentComplete) return;
  env.db.update('job', project.id, { ...project.data, percentComplete });
}

/** Share of the planned work of completed tasks, in per cent; of their number when no work is planned. */
function completion(tasks: readonly SimRecord[]): number {
  const completed = tasks.filter(({ data }) => data.status === 'COMPLETE');
  if (completed.length === 0) return 0;
  const weigh = (task: SimRecord): number => numberOf(task.data, 'estimatedWork') ?? 0;
  const planned = sum(tasks.map(weigh));
  const weight = planned > 0 ? weigh : () => 1;
  return round((sum(completed.map(weight)) / sum(tasks.map(weight))) * 100, 2);
}

function rollUpTask(id: unknown, env: Env): void {
  const task = typeof id === 'string' ? env.db.get('projectTask', id) : undefined;
  if (!task) return;
  const actualWork = sum(
    env.db.findBy('timeBill', 'caseTaskEvent', task.id).map(({ data }) => numberOf(data, 'hours') ?? 0),
  );
  const remainingWork = Math.max(0, (numberOf(task.data, 'estimatedWork') ?? 0) - actualWork);
  env.db.update('projectTask', task.id, { ...task.data, actualWork, remainingWork });
}
