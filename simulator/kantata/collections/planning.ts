import type { SimRecord } from '../../kit/types';
import type { Account } from '../account';
import {
  ALL_METHODS,
  both,
  byField,
  type Collection,
  children,
  command,
  createdAt,
  dateBetween,
  fieldIn,
  inWorkspaces,
  names,
  onCreate,
  READ_ONLY,
  stored,
  updatedAt,
} from '../collection';
import type { Draft } from '../draft';
import { currencyAttributes } from '../money';
import { referencesOf } from '../references';
import { participation } from '../team';
import { FINISH_TO_START, readTemplate } from '../templates';
import { boolean, date, id, integer, object, oneOf, text } from '../values';

/** What surrounds the tasks of a project: dependencies, assignments, the billing schedule and templates. */

export const externalReferences = (subject: string) =>
  children('external_references', 'external_reference_ids', (account, id) =>
    referencesOf(account, subject, id),
  );

export const storyDependencies: Collection = {
  key: 'story_dependencies',
  root: 'story_dependency',
  methods: ALL_METHODS,
  visible: ['dependency_type', 'lag', 'created_at', 'updated_at'],
  associations: { source: stored('stories', 'source_id'), target: stored('stories', 'target_id') },
  inputs: {
    workspace_id: onCreate(id('workspaces')),
    source_id: onCreate(id('stories')),
    target_id: onCreate(id('stories')),
    // 0 start-start, 1 start-finish, 2 finish-start, 3 finish-finish
    dependency_type: both(integer(0, 3)),
    lag: both(integer()),
  },
  required: { workspace_id: "can't be blank", source_id: "can't be blank", target_id: "can't be blank" },
  defaults: () => ({ dependency_type: FINISH_TO_START, lag: 0 }),
  check(draft) {
    const [source, target] = [draft.related('stories', 'source_id'), draft.related('stories', 'target_id')];
    for (const [attribute, story] of [['source_id', source] as const, ['target_id', target] as const]) {
      if (story?.data.workspace_id !== draft.get('workspace_id'))
        draft.refuse(attribute, 'must be in the project');
    }
    if (source?.id === target?.id) draft.refuse('target_id', 'cannot depend on itself');
  },
  filters: {
    workspace_id: inWorkspaces((account, id) => account.find('story_dependencies.workspace_id', id)),
  },
};

export const assignments: Collection = {
  key: 'assignments',
  root: 'assignment',
  subject: 'Assignment',
  methods: ALL_METHODS,
  visible: ['created_at', 'updated_at', 'current', 'estimated_minutes', 'allocated_minutes'],
  associations: {
    assignee: stored('users', 'assignee_id'),
    external_references: externalReferences('Assignment'),
    resource: stored('workspace_resources', 'resource_id'),
    story: stored('stories', 'story_id'),
  },
  inputs: {
    story_id: onCreate(id('stories')),
    assignee_id: both(id('users')),
    resource_id: both(id('workspace_resources')),
    current: both(boolean),
    estimated_minutes: both(integer(0)),
    external_reference: command(both(object)),
  },
  required: { story_id: "can't be blank" },
  defaults: () => ({ current: true, estimated_minutes: 0, allocated_minutes: 0 }),
  check: checkAssignment,
  filters: { story_id: fieldIn('story_id', (value, account) => account.find('assignments.story_id', value)) },
};

/** Either a person or a resource is assigned; the other follows, except for an unnamed resource. */
function checkAssignment(draft: Draft): void {
  const workspaceId = draft.related('stories', 'story_id')?.data.workspace_id;
  const resource = draft.related('workspace_resources', 'resource_id');
  if (!draft.get('assignee_id') && !resource) draft.refuse('assignee_id', "can't be blank");
  if (resource && resource.data.workspace_id !== workspaceId)
    draft.refuse('resource_id', 'must be in the project');
  if (resource && !draft.has('assignee_id')) draft.set('assignee_id', resource.data.user_id);
  const assignee = draft.get('assignee_id');
  if (assignee && !participation(draft.account, workspaceId, assignee)) {
    draft.refuse('assignee_id', 'must be a participant of the project');
  }
}

export const billingMilestones: Collection = {
  key: 'billing_milestones',
  root: 'billing_milestone',
  subject: 'BillingMilestone',
  methods: ALL_METHODS,
  bulk: 100,
  timeless: true,
  visible: names(`
    title date_to_invoice amount_in_cents billing_type created_at updated_at currency workspace_id story_id
    invoice_id`),
  present: (record, account) =>
    currencyAttributes(account.get('workspaces', record.data.workspace_id)?.data.currency),
  associations: {
    external_references: externalReferences('BillingMilestone'),
    invoices: {
      collection: 'invoices',
      key: 'invoice_ids',
      ids: ({ data }) => (data.invoice_id ? [String(data.invoice_id)] : []),
    },
    story: stored('stories', 'story_id'),
    workspace: stored('workspaces', 'workspace_id'),
  },
  inputs: {
    title: both(text(255)),
    date_to_invoice: both(date),
    // A negative amount is a discount.
    amount_in_cents: both(integer()),
    billing_type: both(oneOf('fixed_date', 'upon_completion')),
    workspace_id: onCreate(id('workspaces')),
    story_id: both(id('stories')),
    external_reference: command(both(object)),
  },
  required: { title: "can't be blank", amount_in_cents: "can't be blank", workspace_id: "can't be blank" },
  defaults: () => ({ billing_type: 'fixed_date', invoice_id: null }),
  check(draft) {
    const story = draft.related('stories', 'story_id');
    if (story && story.data.workspace_id !== draft.get('workspace_id')) {
      draft.refuse('story_id', 'must be in the project');
    }
    const needed = draft.get('billing_type') === 'upon_completion' ? 'story_id' : 'date_to_invoice';
    if (!draft.get(needed)) draft.refuse(needed, "can't be blank");
  },
  locked: ({ data }) => (data.invoice_id ? 'An invoiced billing milestone cannot be changed' : null),
  filters: {
    workspace_ids: inWorkspaces((account, id) => account.find('billing_milestones.workspace_id', id)),
    story_ids: fieldIn('story_id'),
    date_between: dateBetween('date_to_invoice'),
  },
  orders: { created_at: createdAt },
  order: 'created_at:desc',
};

export const tags: Collection = {
  key: 'tags',
  root: 'tag',
  methods: READ_ONLY,
  visible: ['name'],
  associations: {},
  inputs: {},
};

const places = (account: Account, id: string): SimRecord[] =>
  account.find('project_template_assignments.project_template_id', id);

const byTitle = {
  test: (value: string) => (record: SimRecord) =>
    String(record.data.title).toLowerCase().includes(value.toLowerCase()),
};

export const projectTemplates: Collection = {
  key: 'project_templates',
  root: 'project_template',
  methods: ALL_METHODS,
  visible: ['title', 'shared', 'is_budgeted', 'budget', 'item_count', 'duration', 'currency', 'description'],
  optional: ['raw_json'],
  present: (record) => ({ item_count: readTemplate(record.data.raw_json)?.stories.length ?? 0 }),
  associations: {
    project_template_assignments: children(
      'project_template_assignments',
      'project_template_assignment_ids',
      places,
    ),
    user: stored('users', 'user_id'),
  },
  inputs: {
    title: both(text(255)),
    description: both(text()),
    raw_json: both(text()),
    shared: both(boolean),
    is_budgeted: both(boolean),
    budget: both(integer(0)),
    currency: both(text(3)),
    duration: both(integer(0)),
  },
  required: { title: "can't be blank", currency: "can't be blank" },
  defaults: (draft) => ({ shared: false, is_budgeted: false, raw_json: '{}', user_id: draft.account.actor }),
  check(draft) {
    if (!readTemplate(draft.get('raw_json'))) draft.refuse('raw_json', 'is invalid');
  },
  filters: { by_title: byTitle, matching: byTitle },
  orders: {
    updated_at: updatedAt,
    title: byField('title'),
    duration: byField('duration'),
    budget: byField('budget'),
    is_budgeted: byField('is_budgeted'),
  },
  order: 'updated_at:desc',
};

export const projectTemplateAssignments: Collection = {
  key: 'project_template_assignments',
  root: 'project_template_assignment',
  methods: ['index', 'show', 'delete'],
  visible: ['name'],
  associations: {
    project_template: stored('project_templates', 'project_template_id'),
    role: stored('roles', 'role_id'),
  },
  inputs: {},
  filters: {
    project_template_id: fieldIn('project_template_id', (value, account) => places(account, value)),
  },
};
