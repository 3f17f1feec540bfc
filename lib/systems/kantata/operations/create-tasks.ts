import {
  type CanonicalId,
  type DealDocument,
  type Draft,
  type JsonObject,
  type Milestone,
  type Project,
  shortened,
  type Task,
} from '../../../model';
import { defined, defineOperation, type MappingContext, MappingError, required } from '../../kit';
import type { KantataClient } from '../client';
import { stories } from '../collections';
import {
  budgetOf,
  idNumber,
  minutesOf,
  STORY_DESCRIPTION_MAX,
  STORY_TITLE_MAX,
  templateId,
  workspaceId,
} from '../mapping';
import {
  createMissing,
  crossReference,
  externalReference,
  findAll,
  findOwned,
  type OwnedRecord,
  type PlannedRecord,
  removeAll,
  VISIBLE_AFTER_MS,
} from '../references';

const STEP = 'tasks are created in Kantata';

/** Tasks can stand in a task, that one in another, down to four levels below the top one (fact sheet §4.2). */
const MAX_DEPTH = 4;

/** A task or milestone. `parent` is created before it. */
export interface PlannedStory extends PlannedRecord {
  parent: CanonicalId | null;
}

/**
 * The plan's tasks and milestones of the deal's project, in one step.
 *
 * A project from a template has its tasks from there: of the plan it gets the milestones alone, which are what is
 * billed. A project without template gets everything. `PUT` with a template would insert its tasks again, so
 * templates are applied on creation of the project only.
 */
export const createTasks = defineOperation({
  entity: 'task',
  verb: 'create',
  recordType: stories.type,
  duplicateSafety: 'probe-first',
  visibleAfterMs: VISIBLE_AFTER_MS,
  select: ({ project, tasks = [], milestones = [] }: DealDocument) =>
    project && tasks.length + milestones.length > 0 ? [project] : [],

  /** One array per depth: parents are created a call earlier than their children. */
  toSystem(project: Draft<Project>, context: MappingContext): PlannedStory[][] {
    const { deal } = context;
    const workspace = workspaceId(project, context);
    const tasks = templateId(deal, context) === undefined ? liveTasks(deal) : [];
    const levels = levelsOf(tasks).map((level) =>
      level.map((task) => plannedTask(task, tasks, workspace, context)),
    );
    const [top = [], ...below] = levels;
    const milestones = liveMilestones(deal).map((milestone) =>
      plannedMilestone(milestone, workspace, context),
    );
    return [[...top, ...milestones], ...below].filter((level) => level.length > 0);
  },

  async call(client: KantataClient, wire, { signal }) {
    const ids = wire.flat().map(({ canonicalId }) => canonicalId);
    const known = await findOwned(client, stories, ids, signal);
    for (const level of wire) {
      const planned = level.map((story) => ({ ...story, body: withParent(story, known) }));
      for (const record of await createMissing(client, stories, planned, known, signal)) {
        known.set(record.canonicalId, record);
      }
    }
    return ids.flatMap((id) => known.get(id) ?? []);
  },

  probe: (client, wire, { signal }) => findAll(client, stories, wire.flat(), signal),

  fromSystem: (reply, _project, context) => ({
    refs: reply.map((record) => ({
      id: record.canonicalId,
      entity: isMilestone(context.deal, record) ? 'milestone' : 'task',
      ref: crossReference(record, stories.type, 'master', context),
    })),
    evidence: { stories: reply.map(({ id }) => id) },
  }),

  compensate: (client, _wire, reply, { signal }) => removeAll(client, stories, reply, signal),
});

const liveTasks = ({ tasks = [] }: DealDocument) => tasks.filter(({ status }) => status !== 'cancelled');

const liveMilestones = ({ milestones = [] }: DealDocument) =>
  milestones.filter(({ status }) => status !== 'cancelled');

const isMilestone = ({ milestones = [] }: DealDocument, { canonicalId }: OwnedRecord) =>
  milestones.some(({ id }) => id === canonicalId);

function plannedTask(
  task: Draft<Task>,
  tasks: readonly Draft<Task>[],
  workspace: number,
  { settings, deal }: MappingContext,
): PlannedStory {
  return {
    canonicalId: task.id,
    parent: parentOf(task, tasks)?.id ?? null,
    body: defined({
      ...titled(required(task.name, 'Name of the task', STEP)),
      workspace_id: workspace,
      story_type: 'task',
      start_date: task.period?.from,
      due_date: task.period?.to,
      // Kantata takes these of budgeted projects only.
      ...(budgetOf(deal) && {
        billable: task.billable,
        time_estimate_in_minutes: task.budgetHours && minutesOf(task.budgetHours),
      }),
      external_reference: externalReference(settings, 'Task', task.id),
    }),
  };
}

/** The amount stands in the billing schedule; as a budget of the milestone it would count twice. */
const plannedMilestone = (
  milestone: Draft<Milestone>,
  workspace: number,
  { settings }: MappingContext,
): PlannedStory => ({
  canonicalId: milestone.id,
  parent: null,
  body: defined({
    ...titled(required(milestone.name, 'Name of the milestone', STEP), milestone.acceptanceCriteria),
    workspace_id: workspace,
    story_type: 'milestone',
    due_date: milestone.plannedDate,
    external_reference: externalReference(settings, 'Milestone', milestone.id),
  }),
});

/** A name that does not fit the title stands in full in the description. */
function titled(name: string, text?: string): JsonObject {
  const title = shortened(name, STORY_TITLE_MAX);
  const description = [title === name ? undefined : name, text].filter(Boolean).join('\n\n');
  return defined({
    title,
    description: description ? shortened(description, STORY_DESCRIPTION_MAX) : undefined,
  });
}

function withParent(
  { body, parent }: PlannedStory,
  known: ReadonlyMap<CanonicalId, OwnedRecord>,
): JsonObject {
  const record = parent === null ? undefined : known.get(parent);
  return record ? { ...body, parent_id: idNumber(record.id, 'Kantata id', 'the parent task') } : body;
}

/** Undefined also for a parent outside the plan: the task then stands at the top. */
const parentOf = (task: Draft<Task>, tasks: readonly Draft<Task>[]) =>
  tasks.find(({ id }) => id === task.parentId);

/** Tasks by depth below the top. @throws MappingError `VALUE_INVALID` for a circle, or nesting too deep for Kantata. */
function levelsOf(tasks: readonly Draft<Task>[]): Draft<Task>[][] {
  const levels: Draft<Task>[][] = [];
  for (const task of tasks) {
    const depth = depthOf(task, tasks);
    levels[depth] = [...(levels[depth] ?? []), task];
  }
  return levels;
}

function depthOf(task: Draft<Task>, tasks: readonly Draft<Task>[]): number {
  let depth = 0;
  for (let parent = parentOf(task, tasks); parent; parent = parentOf(parent, tasks)) {
    depth += 1;
    if (depth <= MAX_DEPTH) continue;
    const reason = `it stands in a circle or more than ${MAX_DEPTH} levels deep, which Kantata does not allow`;
    throw new MappingError('VALUE_INVALID', `Parent of task ${task.name} is not valid: ${reason}.`, {
      field: 'Parent',
      document: `task ${task.name}`,
      reason,
    });
  }
  return depth;
}
