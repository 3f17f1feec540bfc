import type { DealDocument, Draft, JsonObject, Task } from '../../../model';
import { defined, defineOperation, jsonNumberOf, type MappingContext } from '../../kit';
import type { NetSuiteClient } from '../client';
import { externalIdOf, reference, refTo, required } from '../mapping';
import { probeByKey, type RecordReply, type RecordWire } from '../written-record';

const STEP = 'the task is created in NetSuite';

const STATUS: Record<NonNullable<Task['status']>, string> = {
  planned: 'NOTSTART',
  in_progress: 'PROGRESS',
  completed: 'COMPLETE',
  cancelled: 'COMPLETE',
};

/** One project task per task of the deal; a parent comes before its children, which refer to it. */
export const upsertTask = defineOperation<NetSuiteClient, Draft<Task>, RecordWire, RecordReply>({
  entity: 'task',
  verb: 'upsert',
  recordType: 'projectTask',
  duplicateSafety: 'external-id',
  visibleAfterMs: 0,

  select: parentsFirst,

  toSystem: (task, context) => ({
    externalId: externalIdOf(context, task.id),
    body: taskBody(task, context),
  }),

  call: async (client, { externalId, body }, { signal }) => ({
    id: await client.records.upsert('projectTask', externalId, body, { signal }),
  }),

  fromSystem: ({ id }, task, context) => ({
    refs: [refTo(context, { id: task.id, entity: 'task', type: 'projectTask', recordId: id })],
    evidence: { id },
  }),

  probe: probeByKey('projectTask'),

  // Time may have been tracked on the task by now: then NetSuite refuses, and a human decides.
  compensate: (client, _wire, { id }, { signal }) => client.records.remove('projectTask', id, signal),
});

function taskBody(task: Draft<Task>, context: MappingContext): JsonObject {
  const { project, tasks = [] } = context.deal;
  const parent = task.parentId && tasks.find(({ id }) => id === task.parentId);
  return defined({
    title: required(task.name, 'Name of the task', STEP),
    project: reference(context.refId(project, 'job', 'the project')),
    parent: parent ? reference(context.refId(parent, 'projectTask', `the task "${parent.name}"`)) : undefined,
    nonBillableTask: task.billable === false,
    estimatedWork: task.budgetHours && jsonNumberOf(task.budgetHours, 'NetSuite', `Hours of "${task.name}"`),
    constraintType: reference(task.period ? 'FIXEDSTART' : 'ASAP'),
    startDate: task.period?.from,
    status: reference(STATUS[task.status ?? 'planned']),
  });
}

/** Depth of a task in the tree; a parent that is missing or circular counts as none. */
function parentsFirst({ tasks = [] }: DealDocument): Draft<Task>[] {
  const byId = new Map(tasks.map((task) => [task.id, task]));
  const depthOf = (task: Draft<Task>, seen: ReadonlySet<string> = new Set()): number => {
    const parent = task.parentId === undefined ? undefined : byId.get(task.parentId);
    if (!parent || seen.has(parent.id)) return 0;
    return 1 + depthOf(parent, new Set([...seen, task.id]));
  };
  return tasks.toSorted((a, b) => depthOf(a) - depthOf(b));
}
