import type { SimRecord } from '../../kit/types';
import type { Account } from '../account';
import {
  ALL_METHODS,
  both,
  type Collection,
  children,
  command,
  type Filter,
  fieldIn,
  names,
  onCreate,
  onUpdate,
  READ_ONLY,
  stored,
  updatedAt,
} from '../collection';
import {
  choicesOf,
  displayValue,
  duplicateProblem,
  readValue,
  SUBJECTS_OF_FIELDS,
  subjectOfField,
  VALUE_TYPES,
  valueData,
} from '../custom-fields';
import { changes, RETENTION_MS, SUBJECTS, shuffledRank } from '../events';
import { REFERENCE_CASTS, subjectKey } from '../references';
import { anything, boolean, id, integer, object, oneOf, strings, text } from '../values';
import { externalReferences } from './planning';

/** What hangs on other objects: custom fields, external references, and the feed of events. */

export const customFieldSets: Collection = {
  key: 'custom_field_sets',
  root: 'custom_field_set',
  subject: 'CustomFieldSet',
  methods: ALL_METHODS,
  visible: ['name', 'subject_type', 'updated_at', 'created_at'],
  associations: {
    custom_fields: children('custom_fields', 'custom_field_ids', (account, id) =>
      account.list('custom_fields').filter(({ data }) => data.custom_field_set_id === id),
    ),
    external_references: externalReferences('CustomFieldSet'),
  },
  inputs: {
    name: both(text(255)),
    subject_type: both(oneOf(...Object.keys(SUBJECTS_OF_FIELDS))),
    external_reference: command(both(object)),
  },
  required: { name: "can't be blank", subject_type: "can't be blank" },
};

export const customFields: Collection = {
  key: 'custom_fields',
  root: 'custom_field',
  subject: 'CustomField',
  methods: ALL_METHODS,
  visible: names(`
    name value_type default_text unique_constraint write_access read_access created_at updated_at values_count
    has_values hidden_in_user_interface available_on_estimates available_to_resources`),
  present(record, account) {
    const count = account
      .list('custom_field_values')
      .filter(({ data }) => data.custom_field_id === record.id).length;
    return { values_count: count, has_values: count > 0 };
  },
  associations: {
    choices: children('custom_field_choices', 'choice_ids', choicesOf),
    creator: stored('users', 'creator_id'),
    custom_field_set: stored('custom_field_sets', 'custom_field_set_id'),
    external_references: externalReferences('CustomField'),
  },
  inputs: {
    name: both(text(255)),
    value_type: both(oneOf(...VALUE_TYPES)),
    default_text: both(text()),
    unique_constraint: both(boolean),
    choices: command(both(anything)),
    custom_field_set_id: both(id('custom_field_sets')),
    write_access: both(text()),
    read_access: both(text()),
    hidden_in_user_interface: both(boolean),
    available_on_estimates: onUpdate(boolean),
    available_to_resources: onUpdate(boolean),
    external_reference: command(both(object)),
  },
  required: { name: "can't be blank", custom_field_set_id: "can't be blank" },
  defaults: (draft) => ({ value_type: 'string', unique_constraint: false, creator_id: draft.account.actor }),
  after(draft, record) {
    const labels = Array.isArray(draft.values.choices) ? draft.values.choices.map(String) : [];
    const known = choicesOf(draft.account, record.id).map(({ data }) => data.label);
    for (const label of labels.filter((each) => !known.includes(each))) {
      draft.account.insert('custom_field_choices', { label, custom_field_id: record.id });
    }
  },
  filters: { custom_field_set_id: fieldIn('custom_field_set_id') },
};

export const customFieldChoices: Collection = {
  key: 'custom_field_choices',
  root: 'custom_field_choice',
  subject: 'CustomFieldChoice',
  methods: READ_ONLY,
  visible: ['label', 'updated_at', 'created_at'],
  associations: {
    custom_field: stored('custom_fields', 'custom_field_id'),
    external_references: externalReferences('CustomFieldChoice'),
  },
  inputs: {},
};

export const customFieldValues: Collection = {
  key: 'custom_field_values',
  root: 'custom_field_value',
  subject: 'CustomFieldValue',
  methods: ALL_METHODS,
  visible: names(`
    subject_type subject_id value display_value can_edit type account_id custom_field_name created_at updated_at`),
  present: (record, account) => ({
    account_id: Number(account.id),
    can_edit: true,
    display_value: displayValue(account, record),
  }),
  associations: {
    custom_field: stored('custom_fields', 'custom_field_id'),
    external_references: externalReferences('CustomFieldValue'),
    setter: stored('users', 'setter_id'),
  },
  inputs: {
    subject_type: onCreate(oneOf(...Object.keys(SUBJECTS_OF_FIELDS))),
    subject_id: onCreate(integer(1)),
    custom_field_id: onCreate(id('custom_fields')),
    value: both(anything),
  },
  required: {
    subject_type: "can't be blank",
    subject_id: "can't be blank",
    custom_field_id: "can't be blank",
  },
  defaults: (draft) => ({ setter_id: draft.account.actor }),
  check(draft) {
    const { account } = draft;
    const [type, subjectId] = [draft.text('subject_type'), draft.text('subject_id')];
    const field = account.need('custom_fields', draft.get('custom_field_id'));
    if (!account.get(SUBJECTS_OF_FIELDS[type] ?? '', subjectId))
      draft.refuse('subject_id', 'could not be found');
    if (subjectOfField(account, field) !== type) draft.refuse('custom_field_id', `is not for a ${type}`);
    const key = subjectKey(type, subjectId);
    const taken = account
      .find('custom_field_values.subject_key', key)
      .some((other) => other.data.custom_field_id === field.id && other.id !== draft.before?.id);
    if (taken) draft.refuse('custom_field_id', 'has a value on this object already');
    const read = readValue(account, field, draft.get('value'));
    if ('problem' in read) return draft.refuse('value', read.problem);
    const duplicate = duplicateProblem(account, field, read.value, draft.before?.id);
    if (duplicate) draft.refuse('value', duplicate);
    draft.set('subject_key', key);
    draft.set('custom_field_name', field.data.name);
    for (const [attribute, value] of Object.entries(valueData(field, read.value)))
      draft.set(attribute, value);
  },
  filters: {
    subject_type: fieldIn('subject_type'),
    subject_id: fieldIn('subject_id'),
    custom_field_id: fieldIn('custom_field_id'),
    with_custom_field_ids: fieldIn('custom_field_id'),
  },
};

export const externalReferenceCollection: Collection = {
  key: 'external_references',
  root: 'external_reference',
  methods: ['index', 'show', 'delete'],
  visible: names(`
    service_name service_model service_model_ref subject_id subject_type status external_link external_message
    external_status locked created_at updated_at last_synced_at`),
  present: (record) => ({
    last_synced_at: record.data.status === 'successful' ? updatedAtText(record) : null,
  }),
  associations: {},
  inputs: Object.fromEntries(
    Object.entries(REFERENCE_CASTS).map(([attribute, cast]) => [attribute, both(cast)]),
  ),
  refuseList: (query) => (query.has('subject_type') ? null : 'subject_type is required'),
  filters: {
    subject_type: fieldIn('subject_type', (value, account) =>
      account.find('external_references.subject_type', value),
    ),
    subject_id: fieldIn('subject_id'),
    service_name: fieldIn('service_name'),
    service_model: fieldIn('service_model'),
    service_model_ref: fieldIn('service_model_ref'),
    service_model_refs: fieldIn('service_model_ref'),
    status: fieldIn('status'),
  },
};

const updatedAtText = (record: SimRecord): string => new Date(updatedAt(record) * 1000).toISOString();

// ---------------------------------------------------------------- events

/** Keeps the newest event of each group. */
const newestPer = (group: (record: SimRecord) => string): Filter => ({
  test: (value, account: Account) => {
    if (value !== 'true') return () => true;
    const newest = new Map<string, string>();
    for (const event of account.list('subscribed_events')) newest.set(group(event), event.id);
    return (record) => newest.get(group(record)) === record.id;
  },
});

const subjectOf = ({ data }: SimRecord): string => `${String(data.subject_type)}/${String(data.subject_id)}`;

export const subscribedEvents: Collection = {
  key: 'subscribed_events',
  root: 'subscribed_event',
  methods: ['index'],
  visible: names(`
    event_type account_id user_id subject_id subject_type subject_changed_at updated_at created_at
    context_workspace_id`),
  optional: ['previous_payload', 'current_payload', 'payload_changes'],
  present: ({ data }) => {
    const [previous, current] = [payload(data.previous), payload(data.current)];
    return {
      previous_payload: previous && JSON.stringify(previous),
      current_payload: current && JSON.stringify(current),
      payload_changes: JSON.stringify(changes(previous, current)),
    };
  },
  associations: {
    subject: {
      collection: '',
      key: 'subject_ref',
      refers: ({ data }) => ({ key: String(data.subject_key), id: String(data.subject_id) }),
    },
  },
  inputs: {},
  hidden: (record, _query, account) => record.created < account.now - RETENTION_MS,
  filters: {
    event_types: fieldIn('event_type'),
    most_recent: newestPer(subjectOf),
    most_recent_by_event_type: newestPer(
      (record) => `${subjectOf(record)}/${String(record.data.event_type)}`,
    ),
  },
  orders: { shuffled: (record) => shuffledRank(record.id) },
  order: 'shuffled:asc',
};

const payload = (value: unknown): Record<string, unknown> | null =>
  typeof value === 'object' && value !== null ? { ...value } : null;

/** `GET /subscribed_events/event_types`: what can happen, and the fields of each kind of object. */
export function eventSchemas(
  visible: Record<string, readonly string[]>,
): Record<string, Record<string, string>> {
  return Object.fromEntries(
    Object.entries(SUBJECTS).map(([key, { event }]) => [
      event,
      Object.fromEntries(strings(visible[key]).map((field) => [field, field.replaceAll('_', ' ')])),
    ]),
  );
}
