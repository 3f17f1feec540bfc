import type { DealDocument, Draft, JsonObject, Task } from '../../../model';
import {
  defined,
  defineOperation,
  jsonNumberOf,
  type MappingContext,
  required,
  SystemError,
} from '../../kit';
import type { NetSuiteClient } from '../client';
import { externalIdOf, reference, refTo } from '../mapping';
import { adoptByKey, probeByKey, type RecordReply, type RecordWire, remove } from '../written-record';

const STEP = 'the task is created in NetSuite';

const STATUS: Partial<Record<NonNullable<Task['status']>, string>> = {
  planned: 'NOTSTART',
  in_progress: 'PROGRESS',
  completed: 'COMPLETE',
};

export interface TaskWire extends RecordWire {
  /** Our key of the task above it. */
  parentKey: string | null;
}

/** One project task per task of the deal; NetSuite has no word for cancelled ones, they are left out. */
export const upsertTask = defineOperation<NetSuiteClient, Draft<Task>, TaskWire, RecordReply>({
  entity: 'task',
  verb: 'upsert',
  recordType: 'projectTask',
  duplicateSafety: 'external-id',
  visibleAfterMs: 0,

  select: parentsFirst,

  toSystem: (task, context) => ({
    externalId: externalIdOf(context, task.id),
    parentKey: task.parentId ? externalIdOf(context, task.parentId) : null,
    body: taskBody(task, context),
  }),

  async call(client, { externalId, parentKey, body }, { signal }) {
    const parent = parentKey === null ? {} : { parent: reference(await parentId(client, parentKey, signal)) };
    return { id: await client.records.upsert('projectTask', externalId, { ...body, ...parent }, { signal }) };
  },

  fromSystem: ({ id }, task, context) => ({
    refs: [refTo(context, { id: task.id, entity: 'task', type: 'projectTask', recordId: id })],
    evidence: { id },
  }),

  probe: probeByKey('projectTask'),
  adopt: adoptByKey('projectTask'),

  // Time may have been tracked on the task by now: then NetSuite refuses, and a human decides.
  compensate: (client, _wire, { id }, { signal }) => remove(client, 'projectTask', id, signal),
});

function taskBody(task: Draft<Task>, context: MappingContext): JsonObject {
  return defined({
    title: required(task.name, 'Name of the task', STEP),
    project: reference(context.refId(context.deal.project, 'job', 'the project')),
    nonBillableTask: task.billable === false,
    estimatedWork: task.budgetHours && jsonNumberOf(task.budgetHours, 'NetSuite', `Hours of "${task.name}"`),
    constraintType: reference(task.period ? 'FIXEDSTART' : 'ASAP'),
    startDate: task.period?.from,
    status: reference(STATUS[task.status ?? 'planned'] ?? 'NOTSTART'),
  });
}

/** @throws SystemError `transient` when the task above is not written yet: tasks of a deal are written side by side. */
async function parentId(client: NetSuiteClient, parentKey: string, signal: AbortSignal): Promise<string> {
  const parent = await client.records.find('projectTask', parentKey, [], signal);
  if (parent) return parent.id;
  throw new SystemError({
    system: client.system,
    kind: 'transient',
    reason: 'the task above it is not in NetSuite yet',
  });
}

/** By depth in the tree, so that a parent is under way before its children; a circle counts as no parent. */
function parentsFirst({ tasks = [] }: DealDocument): Draft<Task>[] {
  const byId = new Map(tasks.map((task) => [task.id, task]));
  const depthOf = (task: Draft<Task>, seen: ReadonlySet<string> = new Set()): number => {
    const parent = task.parentId === undefined ? undefined : byId.get(task.parentId);
    if (!parent || seen.has(parent.id)) return 0;
    return 1 + depthOf(parent, new Set([...seen, task.id]));
  };
  return tasks.filter(({ status }) => status !== 'cancelled').toSorted((a, b) => depthOf(a) - depthOf(b));
}
