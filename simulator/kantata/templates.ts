import type { SimRecord } from '../kit/types';
import type { Account, Data } from './account';
import type { Draft } from './draft';
import { assign, namedResource, unnamedResource } from './team';
import { addDays, isObject, readId, weekday } from './values';

/**
 * Project templates: a text of JSON with the tasks, their days counted from the project's start, and the places
 * to staff (`/project_template_assignments`). Applying one is not repeatable: a second time inserts all tasks again.
 */

interface TemplateStory {
  title: string;
  story_type: string;
  description: string | null;
  relative_start_date: number | null;
  relative_due_date: number | null;
  temp_id: string | null;
  budget_estimate_in_cents: number | null;
  time_estimate_in_minutes: number | null;
  billable: boolean;
  weight: number | null;
  tag_list: string | null;
  assignments: { resourceId: string; minutes: number | null }[];
  sub_stories: TemplateStory[];
}

interface Template {
  stories: TemplateStory[];
  dependencies: { source: string; target: string; type: number; lag: number }[];
}

const list = (value: unknown): Data[] => (Array.isArray(value) ? value.filter(isObject) : []);
const number = (value: unknown): number | null => (typeof value === 'number' ? value : null);
const string = (value: unknown): string | null => (typeof value === 'string' ? value : null);

/** Reads `raw_json`; null when it is no JSON of tasks. */
export function readTemplate(raw: unknown): Template | null {
  try {
    const parsed: unknown = JSON.parse(String(raw ?? '{}'));
    if (!isObject(parsed)) return null;
    return {
      stories: list(parsed.stories).map(readStory),
      dependencies: list(parsed.dependencies).map((each) => ({
        source: String(each.source_temp_id),
        target: String(each.target_temp_id),
        type: number(each.dependency_type) ?? FINISH_TO_START,
        lag: number(each.lag) ?? 0,
      })),
    };
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}

export const FINISH_TO_START = 2;

const readStory = (raw: Data): TemplateStory => ({
  title: String(raw.title ?? ''),
  story_type: string(raw.story_type) ?? 'task',
  description: string(raw.description),
  relative_start_date: number(raw.relative_start_date),
  relative_due_date: number(raw.relative_due_date),
  temp_id: raw.temp_id === undefined ? null : String(raw.temp_id),
  budget_estimate_in_cents: number(raw.budget_estimate_in_cents),
  time_estimate_in_minutes: number(raw.time_estimate_in_minutes),
  billable: raw.billable !== false,
  weight: number(raw.weight),
  tag_list: string(raw.tag_list),
  assignments: list(raw.assignments).map((each) => ({
    resourceId: readId(each.resource_id) ?? '',
    minutes: number(each.estimated_minutes),
  })),
  sub_stories: list(raw.sub_stories).map(readStory),
});

// ---------------------------------------------------------------- mapping people

interface Mapping {
  placeId: string;
  userId: string | null;
  roleId: string | null;
}

function mappings(draft: Draft): Mapping[] {
  return list(draft.get('project_template_assignment_mappings')).map((each) => ({
    placeId: readId(each.resource_id) ?? '',
    userId: readId(each.user_id),
    roleId: readId(each.role_id),
  }));
}

/** Checks the template attributes of a project before anything is written. */
export function checkTemplate(draft: Draft): void {
  const template = draft.get('project_tracker_template_id');
  const attribute = 'project_template_assignment_mappings';
  const places = template ? placesOf(draft.account, String(template)).map((place) => place.id) : [];
  for (const { placeId, userId, roleId } of mappings(draft)) {
    if (!places.includes(placeId)) draft.refuse(attribute, 'resource could not be found in the template');
    if (userId && !isMember(draft, userId))
      draft.refuse(attribute, 'user must be a participant of the project');
    if (roleId && !draft.account.get('roles', roleId)) draft.refuse(attribute, 'role could not be found');
  }
  const neighbour = draft.related('stories', 'project_template_before_story_id');
  if (neighbour && (neighbour.data.parent_id || neighbour.data.workspace_id !== draft.before?.id)) {
    draft.refuse('project_template_before_story_id', 'must be a top-level task of the project');
  }
}

function isMember(draft: Draft, userId: string): boolean {
  const sent = list(draft.get('participations')).some((each) => readId(each.user_id) === userId);
  const present = draft.before
    ? draft.account
        .find('participations.workspace_id', draft.before.id)
        .some(({ data }) => data.user_id === userId)
    : userId === draft.account.actor;
  return sent || present;
}

const placesOf = (account: Account, templateId: string): SimRecord[] =>
  account.find('project_template_assignments.project_template_id', templateId);

/**
 * The resource for each place of the template. `project_template_create_unnamed_resources` makes all of them unnamed
 * and ignores the mappings; otherwise a place that is not mapped gets no resource.
 */
function staff(draft: Draft, workspace: SimRecord, templateId: string): Map<string, SimRecord> {
  const { account } = draft;
  const allUnnamed = draft.get('project_template_create_unnamed_resources') === true;
  const mapped = new Map(mappings(draft).map((mapping) => [mapping.placeId, mapping]));
  const resources = new Map<string, SimRecord>();
  for (const place of placesOf(account, templateId)) {
    const { userId, roleId } = mapped.get(place.id) ?? { userId: null, roleId: null };
    if (allUnnamed) resources.set(place.id, unnamedResource(account, workspace.id, place.data.role_id));
    else if (userId) resources.set(place.id, namedResource(account, workspace.id, userId, roleId));
    else if (roleId) resources.set(place.id, unnamedResource(account, workspace.id, roleId));
  }
  return resources;
}

// ---------------------------------------------------------------- applying

/** Inserts the template's tasks, dependencies and resources into a project. */
export function instantiateTemplate(draft: Draft, workspace: SimRecord): void {
  const { account } = draft;
  const templateId = draft.text('project_tracker_template_id');
  const template = readTemplate(account.need('project_templates', templateId).data.raw_json);
  if (!template) return;
  const start = String(
    draft.get('project_template_start_date') ?? workspace.data.start_date ?? account.today,
  );
  const weekends = draft.get('project_template_weekends_as_workdays') === true;
  const application: Application = {
    account,
    workspace,
    day: (offset) => (offset === null ? null : workday(addDays(start, offset), weekends)),
    resources: staff(draft, workspace, templateId),
    stories: new Map(),
  };
  const roots = insertStories(application, template.stories, []);
  for (const { source, target, type, lag } of template.dependencies) {
    const [from, to] = [application.stories.get(source), application.stories.get(target)];
    if (from && to) addDependency(account, workspace.id, from, to, type, lag);
  }
  const neighbour = draft.related('stories', 'project_template_before_story_id');
  if (neighbour) moveBelow(account, workspace.id, roots, neighbour);
}

interface Application {
  account: Account;
  workspace: SimRecord;
  day(offset: number | null): string | null;
  resources: Map<string, SimRecord>;
  /** `temp_id` → id of the task made of it. */
  stories: Map<string, string>;
}

/** A day that falls on a weekend moves to Monday, unless weekends are workdays. */
const workday = (day: string, weekends: boolean): string =>
  weekends ? day : addDays(day, { 6: 2, 0: 1 }[weekday(day)] ?? 0);

function insertStories(application: Application, stories: TemplateStory[], ancestors: string[]): SimRecord[] {
  const { account } = application;
  // A new task goes to the top of its list, so that the last one comes first.
  const made = [...stories].reverse().map((story) => {
    const record = account.insert('stories', storyData(application, story, ancestors));
    if (story.temp_id) application.stories.set(story.temp_id, record.id);
    for (const { resourceId, minutes } of story.assignments) {
      const resource = application.resources.get(resourceId);
      if (resource) assign(account, record.id, resource, minutes);
    }
    insertStories(application, story.sub_stories, [...ancestors, record.id]);
    return record;
  });
  return made.reverse();
}

function storyData(
  { account, workspace, day }: Application,
  story: TemplateStory,
  ancestors: string[],
): Data {
  const budgeted = workspace.data.budgeted === true;
  return {
    ...newStory(account, workspace, ancestors),
    title: story.title,
    story_type: story.story_type,
    description: story.description,
    start_date: day(story.relative_start_date),
    due_date: day(story.relative_due_date),
    state: story.story_type === 'issue' ? 'new' : 'not started',
    billable: story.billable && workspace.data.tasks_default_non_billable !== true,
    budget_estimate_in_cents: budgeted ? story.budget_estimate_in_cents : null,
    time_estimate_in_minutes: story.time_estimate_in_minutes,
    weight: story.weight,
    tag_list: story.tag_list,
  };
}

/** What every new task starts from. `position` falls, because new tasks go to the top. */
export const newStory = (account: Account, workspace: SimRecord | undefined, ancestors: string[]): Data => ({
  workspace_id: workspace?.id ?? null,
  parent_id: ancestors.at(-1) ?? null,
  ancestor_ids: ancestors,
  creator_id: account.actor,
  archived: false,
  deleted_at: null,
  percentage_complete: 0,
  priority: 'normal',
  time_trackable: true,
  project_plan: true,
  billable: workspace?.data.tasks_default_non_billable !== true,
  fixed_fee: workspace?.data.stories_are_fixed_fee_by_default === true,
  position: 1_000_000_000 - account.context.db.next('position'),
});

export const addDependency = (
  account: Account,
  workspace_id: string,
  source_id: string,
  target_id: string,
  dependency_type: number,
  lag: number,
): SimRecord =>
  account.insert('story_dependencies', { workspace_id, source_id, target_id, dependency_type, lag });

/**
 * Moves tasks from the top of the project to the place below another one. (The attribute that names the other one is
 * called `…_before_story_id`; the contract says the tasks come after it.)
 */
function moveBelow(account: Account, workspaceId: string, moved: SimRecord[], neighbour: SimRecord): void {
  const ids = new Set(moved.map((story) => story.id));
  const others = account
    .find('stories.workspace_id', workspaceId)
    .filter((story) => !story.data.parent_id && !ids.has(story.id))
    .sort((a, b) => Number(a.data.position) - Number(b.data.position));
  const at = others.findIndex((story) => story.id === neighbour.id) + 1;
  const order = [...others.slice(0, at), ...moved, ...others.slice(at)];
  const positions = order.map((story) => Number(story.data.position)).sort((a, b) => a - b);
  for (const [index, story] of order.entries()) account.update(story, { position: positions[index] });
}
