import type { SimRecord } from '../../kit/types';
import type { Account, Data } from '../account';
import {
  both,
  byField,
  type Collection,
  children,
  command,
  createdAt,
  type Filter,
  fieldIn,
  inWorkspaces,
  names,
  onCreate,
  onlyWhenTrue,
  stored,
  textOf,
  updatedAt,
} from '../collection';
import { valuesOf } from '../custom-fields';
import type { Draft } from '../draft';
import { timeCents } from '../money';
import { referencesOf } from '../references';
import { assign, assignmentsOf, namedResource, participation } from '../team';
import { newStory } from '../templates';
import {
  anything,
  boolean,
  date,
  id,
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
import { create } from '../writing';

/** Tasks, deliverables, milestones and issues. */

const TASK_STATES = ['not started', 'started', 'needs info', 'completed'];
const ISSUE_STATES = [
  'new',
  'reopened',
  'in progress',
  'blocked',
  'fixed',
  'duplicate',
  "can't repro",
  'resolved',
  "won't fix",
];
const PRIORITIES = ['low', 'normal', 'high', 'critical'];
const DEEPEST = 4;
/** Accepted only in a budgeted project. */
const BUDGET_ATTRIBUTES = ['budget_estimate_in_cents', 'time_estimate_in_minutes', 'fixed_fee', 'billable'];

const subStories = (account: Account, id: string): SimRecord[] =>
  account.find('stories.parent_id', id).filter(({ data }) => !data.deleted_at);

const descendants = (account: Account, id: string): SimRecord[] =>
  subStories(account, id).flatMap((story) => [story, ...descendants(account, story.id)]);

const resourceIds = (record: SimRecord, account: Account): SimRecord[] =>
  assignmentsOf(account, record.id).flatMap(
    ({ data }) => account.get('workspace_resources', data.resource_id) ?? [],
  );

const withAssignees: Filter = {
  test: (value, account) => {
    const wanted = new Set(value.split(','));
    return (record) => {
      const assignments = assignmentsOf(account, record.id);
      if (assignments.length === 0) return wanted.has('unassigned');
      return assignments.some(({ data }) =>
        wanted.has(data.assignee_id ? String(data.assignee_id) : 'unnamed'),
      );
    };
  },
};

const inProjects = inWorkspaces((account, id) => account.find('stories.workspace_id', id));
const isRoot = (record: SimRecord): boolean => !record.data.parent_id;

export const stories: Collection = {
  key: 'stories',
  root: 'story',
  subject: 'Story',
  methods: ['index', 'show', 'create', 'update', 'delete'],
  bulk: 300,
  newestFirst: true,
  visible: names(`
    billable title description story_type priority state status position archived deleted_at updated_at
    created_at due_date start_date sub_story_count budget_estimate_in_cents
    sub_stories_budget_estimate_in_cents budget_used_in_cents sub_stories_budget_used_in_cents
    time_estimate_in_minutes sub_stories_time_estimate_in_minutes logged_billable_time_in_minutes
    sub_stories_billable_time_in_minutes logged_nonbillable_time_in_minutes fixed_fee percentage_complete
    weight time_trackable ancestor_ids cost_budget_in_cents`),
  optional: ['can_edit', 'read_only'],
  present: presentStory,
  associations: {
    ancestors: stored('stories', 'ancestor_ids'),
    assignees: {
      collection: 'users',
      key: 'assignee_ids',
      ids: (record, account) =>
        assignmentsOf(account, record.id).flatMap(({ data }) =>
          data.assignee_id ? [String(data.assignee_id)] : [],
        ),
    },
    creator: stored('users', 'creator_id'),
    current_assignments: children('assignments', 'current_assignment_ids', assignmentsOf),
    custom_field_values: children('custom_field_values', 'custom_field_value_ids', (account, id) =>
      valuesOf(account, 'Story', id),
    ),
    descendants: children('stories', 'descendant_ids', descendants),
    external_references: children('external_references', 'external_reference_ids', (account, id) =>
      referencesOf(account, 'Story', id),
    ),
    parent: stored('stories', 'parent_id'),
    root: {
      collection: 'stories',
      key: 'root_id',
      ids: (record) => strings(record.data.ancestor_ids)[0] ?? null,
    },
    source_dependencies: children('story_dependencies', 'source_dependency_ids', (account, id) =>
      account.find('story_dependencies.target_id', id),
    ),
    sub_stories: children('stories', 'sub_story_ids', subStories),
    tags: stored('tags', 'tag_ids'),
    target_dependencies: children('story_dependencies', 'target_dependency_ids', (account, id) =>
      account.find('story_dependencies.source_id', id),
    ),
    workspace: stored('workspaces', 'workspace_id'),
    workspace_resources: {
      collection: 'workspace_resources',
      key: 'workspace_resource_ids',
      ids: (record, account) =>
        resourceIds(record, account)
          .filter(({ data }) => data.user_id)
          .map((resource) => resource.id),
    },
    workspace_resources_with_unnamed: {
      collection: 'workspace_resources',
      key: 'workspace_resources_with_unnamed_ids',
      ids: (record, account) => resourceIds(record, account).map((resource) => resource.id),
    },
  },
  inputs: {
    title: both(text(200)),
    story_type: both(oneOf('task', 'deliverable', 'milestone', 'issue')),
    workspace_id: onCreate(id('workspaces')),
    description: both(text(999)),
    parent_id: both(id('stories')),
    start_date: both(date),
    due_date: both(date),
    archived: both(boolean),
    budget_estimate_in_cents: both(integer(0)),
    cost_budget_in_cents: both(integer(0)),
    time_estimate_in_minutes: both(integer(0)),
    billable: both(boolean),
    fixed_fee: both(boolean),
    percentage_complete: both(percent),
    state: both(oneOf(...TASK_STATES, ...ISSUE_STATES)),
    status: both(oneOf(...TASK_STATES, ...ISSUE_STATES)),
    weight: both(integer(0)),
    priority: both(oneOf(...PRIORITIES)),
    time_trackable: both(boolean),
    project_plan: onCreate(boolean),
    tag_list: both(text()),
    checklist: onCreate(anything),
    sub_stories: command(onCreate(objects)),
    assignee_ids: command(both(anything)),
    assignments: command(both(objects)),
    custom_fields: command(both(objects)),
    external_reference: command(both(object)),
  },
  required: { workspace_id: "can't be blank", title: "can't be blank" },
  defaults: (draft) => ({
    ...newStory(draft.account, draft.related('workspaces', 'workspace_id'), ancestorsOf(draft)),
    story_type: 'task',
  }),
  check,
  after,
  destroy,
  hidden: (record, query) =>
    Boolean(record.data.deleted_at) !== (query.get('only_deleted') === 'true') &&
    query.get('show_deleted') !== 'true'
      ? true
      : record.data.archived === true && query.get('show_archived') !== 'true',
  filters: {
    workspace_id: inProjects,
    with_projects: inProjects,
    story_type: fieldIn('story_type'),
    story_types: fieldIn('story_type'),
    parents_only: onlyWhenTrue(isRoot),
    uncompleted: onlyWhenTrue(({ data }) => data.percentage_complete !== 100),
    with_parent_id: fieldIn('parent_id', (value, account) => subStories(account, value)),
    with_assignees: withAssignees,
  },
  search: { title: textOf('title'), description: textOf('description') },
  orders: {
    created_at: createdAt,
    updated_at: updatedAt,
    due_date: byField('due_date'),
    start_date: byField('start_date'),
    position: byField('position'),
    parent_and_position: ({ data }) =>
      `${String(data.parent_id ?? '').padStart(12)}/${String(data.position).padStart(12)}`,
    importance: ({ data }) => PRIORITIES.indexOf(String(data.priority)),
    priority_level: ({ data }) => PRIORITIES.indexOf(String(data.priority)),
  },
  order: 'updated_at:desc',
};

function ancestorsOf(draft: Draft): string[] {
  const parent = draft.related('stories', 'parent_id');
  return parent ? [...strings(parent.data.ancestor_ids), parent.id] : [];
}

// ---------------------------------------------------------------- rules

function check(draft: Draft): void {
  draft.checkPeriod('start_date', 'due_date');
  checkParent(draft);
  checkBudget(draft);
  checkState(draft);
  checkAssignees(draft);
  if (draft.has('weight') && draft.get('weight') !== null) {
    const weighable = draft.get('story_type') === 'milestone' && !draft.get('parent_id');
    if (!weighable) draft.refuse('weight', 'can only be set on a top-level milestone');
  }
  if (draft.has('tag_list')) draft.set('tag_ids', tagIds(draft));
}

function checkParent(draft: Draft): void {
  if (!draft.has('parent_id')) return;
  const parent = draft.related('stories', 'parent_id');
  const ancestors = ancestorsOf(draft);
  if (parent && parent.data.workspace_id !== draft.get('workspace_id'))
    draft.refuse('parent_id', 'must be in the same project');
  if (ancestors.length > DEEPEST) draft.refuse('parent_id', `subtasks nest at most ${DEEPEST} levels deep`);
  if (draft.before && ancestors.includes(draft.before.id))
    draft.refuse('parent_id', 'cannot be a subtask of the task');
  draft.set('ancestor_ids', ancestors);
}

function checkBudget(draft: Draft): void {
  const workspace = draft.related('workspaces', 'workspace_id');
  // `billable` and `fixed_fee` of a new task come from the project's defaults when they are not sent.
  if (workspace?.data.budgeted === true) return;
  const defaults = draft.before ?? { data: newStoryDefaults(workspace) };
  for (const attribute of BUDGET_ATTRIBUTES) {
    const value = draft.get(attribute);
    if (draft.has(attribute) && value !== null && value !== defaults.data[attribute]) {
      draft.refuse(attribute, 'can only be set if the project is budgeted');
    }
  }
}

const newStoryDefaults = (workspace: SimRecord | undefined): Data => ({
  billable: workspace?.data.tasks_default_non_billable !== true,
  fixed_fee: workspace?.data.stories_are_fixed_fee_by_default === true,
});

/** `status` wins over `state`; progress and state follow each other. */
function checkState(draft: Draft): void {
  const issue = draft.get('story_type') === 'issue';
  const sent = draft.has('status') ? draft.get('status') : draft.has('state') ? draft.get('state') : null;
  const allowed = issue ? ISSUE_STATES : TASK_STATES;
  if (sent !== null && !allowed.includes(String(sent))) {
    draft.refuse(draft.has('status') ? 'status' : 'state', 'is not included in the list');
    return;
  }
  const done = issue ? 'resolved' : 'completed';
  const idle = issue ? 'new' : 'not started';
  let state = String(sent ?? draft.before?.data.state ?? idle);
  let progress = draft.number('percentage_complete');
  if (sent !== null) progress = state === done ? 100 : state === idle ? 0 : Math.min(progress, 99);
  else if (progress === 100) state = done;
  else if (progress > 0 && [idle, done].includes(state)) state = issue ? 'in progress' : 'started';
  else if (progress === 0 && state === done) state = idle;
  draft.set('state', state);
  draft.set('status', state);
  draft.set('percentage_complete', progress);
}

function assigneesOf(draft: Draft): { userId: string; minutes: unknown }[] | null {
  const { assignments, assignee_ids: ids } = draft.values;
  if (Array.isArray(assignments)) {
    return assignments.filter(isObject).map((each) => ({
      userId: readId(each.assignee_id) ?? '',
      minutes: each.estimated_minutes,
    }));
  }
  return Array.isArray(ids) ? ids.map((id) => ({ userId: readId(id) ?? '', minutes: null })) : null;
}

function checkAssignees(draft: Draft): void {
  const attribute = draft.has('assignments') ? 'assignments' : 'assignee_ids';
  for (const { userId } of assigneesOf(draft) ?? []) {
    if (!participation(draft.account, draft.get('workspace_id'), userId)) {
      draft.refuse(attribute, 'assignee must be a participant of the project');
    }
  }
}

function tagIds(draft: Draft): string[] {
  const tags = draft
    .text('tag_list')
    .split(',')
    .map((tag) => tag.trim());
  return tags.filter(Boolean).map((name) => {
    const known = draft.account.find('tags.name', name)[0];
    return (known ?? draft.account.insert('tags', { name })).id;
  });
}

// ---------------------------------------------------------------- effects

function after(draft: Draft, record: SimRecord): void {
  replaceAssignees(draft, record);
  if (draft.before && draft.has('parent_id')) moveDescendants(draft.account, record);
  const nested = draft.values.sub_stories;
  for (const child of (Array.isArray(nested) ? nested : []).filter(isObject).reverse()) {
    create(draft.account, stories, {
      ...child,
      workspace_id: record.data.workspace_id,
      parent_id: record.id,
    });
  }
}

/** Subtasks move along with their parent. */
function moveDescendants(account: Account, parent: SimRecord): void {
  for (const child of subStories(account, parent.id)) {
    moveDescendants(
      account,
      account.update(child, { ancestor_ids: [...strings(parent.data.ancestor_ids), parent.id] }),
    );
  }
}

/** The sent set replaces the present one. */
function replaceAssignees(draft: Draft, record: SimRecord): void {
  const wanted = assigneesOf(draft);
  if (!wanted) return;
  const { account } = draft;
  const present = assignmentsOf(account, record.id);
  const wantedIds = new Set(wanted.map(({ userId }) => userId));
  for (const assignment of present) {
    if (!wantedIds.has(String(assignment.data.assignee_id))) account.remove(assignment);
  }
  for (const { userId, minutes } of wanted) {
    if (present.some(({ data }) => data.assignee_id === userId)) continue;
    const resource = namedResource(account, String(record.data.workspace_id), userId);
    assign(account, record.id, resource, minutes);
  }
}

/** Tasks are deleted softly, with their subtasks: they stay visible to `show_deleted` and `only_deleted`. */
function destroy(record: SimRecord, account: Account): void {
  const deleted_at = new Date(account.now).toISOString();
  for (const story of [...descendants(account, record.id), record]) account.update(story, { deleted_at });
}

function presentStory(record: SimRecord, account: Account): Data {
  const below = descendants(account, record.id);
  const sum = (records: SimRecord[], field: string): number =>
    records.reduce((total, { data }) => total + Number(data[field] ?? 0), 0);
  const time = account.find('time_entries.story_id', record.id);
  const timeBelow = below.flatMap((story) => account.find('time_entries.story_id', story.id));
  const billable = (entries: SimRecord[]) => entries.filter(({ data }) => data.billable);
  const cents = (entries: SimRecord[]) =>
    billable(entries).reduce(
      (total, { data }) => total + timeCents(Number(data.time_in_minutes), Number(data.rate_in_cents)),
      0,
    );
  return {
    sub_story_count: below.length,
    sub_stories_budget_estimate_in_cents: sum(below, 'budget_estimate_in_cents'),
    sub_stories_time_estimate_in_minutes: sum(below, 'time_estimate_in_minutes'),
    budget_used_in_cents: cents(time),
    sub_stories_budget_used_in_cents: cents(timeBelow),
    logged_billable_time_in_minutes: sum(billable(time), 'time_in_minutes'),
    logged_nonbillable_time_in_minutes: sum(time, 'time_in_minutes') - sum(billable(time), 'time_in_minutes'),
    sub_stories_billable_time_in_minutes: sum(billable(timeBelow), 'time_in_minutes'),
    can_edit: true,
    read_only: false,
  };
}
