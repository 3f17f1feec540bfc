import type { SimRecord } from '../kit/types';
import type { Account, Data } from './account';
import type { Draft } from './draft';
import { subjectKey } from './references';
import { isDate, isObject, readId } from './values';

/** Custom fields and their values: one value per object and field, in a format that depends on the field's type. */

export const VALUE_TYPES = ['string', 'date', 'number', 'currency', 'single', 'multi'];

/** The types of objects that can have custom fields (custom field sets carry the type). */
export const SUBJECTS_OF_FIELDS: Record<string, string> = {
  Workspace: 'workspaces',
  Story: 'stories',
  User: 'users',
  WorkspaceGroup: 'workspace_groups',
  Resource: 'workspace_resources',
};

/** The stored form of a value, or why the field cannot take it. */
export function readValue(
  account: Account,
  field: SimRecord,
  value: unknown,
): { value: unknown } | { problem: string } {
  const stored = parse(account, field, value);
  return stored === undefined
    ? { problem: `is not a valid ${String(field.data.value_type)} value` }
    : { value: stored };
}

function parse(account: Account, field: SimRecord, value: unknown): unknown {
  switch (field.data.value_type) {
    case 'date':
      return typeof value === 'string' && isDate(value) ? value : undefined;
    case 'number':
      return /^-?\d+$/.test(String(value)) ? Number(value) : undefined;
    case 'currency':
      return Array.isArray(value) && Number.isInteger(value[0]) && /^[A-Z]{3}$/.test(String(value[1]))
        ? value.slice(0, 2)
        : undefined;
    case 'single':
    case 'multi':
      return parseChoices(account, field, value);
    default:
      return typeof value === 'object' || value === undefined ? undefined : String(value);
  }
}

function parseChoices(account: Account, field: SimRecord, value: unknown): number[] | undefined {
  if (!Array.isArray(value) || (field.data.value_type === 'single' && value.length > 1)) return undefined;
  const allowed = choicesOf(account, field.id).map((choice) => choice.id);
  const ids = value.map((id) => readId(id) ?? '');
  return ids.every((id) => allowed.includes(id)) ? ids.map(Number) : undefined;
}

export const choicesOf = (account: Account, fieldId: string): SimRecord[] =>
  account.find('custom_field_choices.custom_field_id', fieldId);

export const valuesOf = (account: Account, subject: string, id: string): SimRecord[] =>
  account.find('custom_field_values.subject_key', subjectKey(subject, id));

const uniqueKey = (fieldId: string, value: unknown): string => `${fieldId}/${JSON.stringify(value)}`;

/** The message integrations look for when a field with `unique_constraint` refuses a duplicate. */
export function duplicateProblem(
  account: Account,
  field: SimRecord,
  value: unknown,
  own?: string,
): string | null {
  if (!field.data.unique_constraint) return null;
  const others = account.find('custom_field_values.unique_key', uniqueKey(field.id, value));
  return others.some((other) => other.id !== own)
    ? `${String(field.data.name)}: ${String(value)} has already been entered`
    : null;
}

/** What is stored of a value, besides the value itself. */
export const valueData = (field: SimRecord, value: unknown): Data => ({
  value,
  type: field.data.value_type,
  unique_key: uniqueKey(field.id, value),
});

/** Checks an inline `custom_fields: [{custom_field_id, value}]` before anything is written. */
export function checkCustomFields(draft: Draft, subject: string): void {
  for (const { field, value } of inlineValues(draft)) {
    if (!field || subjectOfField(draft.account, field) !== subject) {
      draft.refuse('custom_fields', 'custom field could not be found');
      continue;
    }
    const read = readValue(draft.account, field, value);
    const own = draft.before ? valueFor(draft.account, subject, draft.before.id, field)?.id : undefined;
    const problem =
      'problem' in read ? read.problem : duplicateProblem(draft.account, field, read.value, own);
    if (problem) draft.refuse('custom_fields', problem);
  }
}

/** Sets the values; one that the object has already is replaced. */
export function putCustomFields(draft: Draft, subject: string, subjectId: string): void {
  const { account } = draft;
  for (const { field, value } of inlineValues(draft)) {
    const read = field && readValue(account, field, value);
    if (!field || !read || 'problem' in read) continue;
    const present = valueFor(account, subject, subjectId, field);
    if (present) account.update(present, valueData(field, read.value));
    else {
      account.insert('custom_field_values', {
        subject_type: subject,
        subject_id: Number(subjectId),
        subject_key: subjectKey(subject, subjectId),
        custom_field_id: field.id,
        custom_field_name: field.data.name,
        setter_id: account.actor,
        ...valueData(field, read.value),
      });
    }
  }
}

const valueFor = (account: Account, subject: string, id: string, field: SimRecord): SimRecord | undefined =>
  valuesOf(account, subject, id).find(({ data }) => data.custom_field_id === field.id);

/** A field belongs to the kind of object its set was made for. */
export const subjectOfField = (account: Account, field: SimRecord): unknown =>
  account.get('custom_field_sets', field.data.custom_field_set_id)?.data.subject_type;

function inlineValues(draft: Draft): { field: SimRecord | undefined; value: unknown }[] {
  const sent = draft.values.custom_fields;
  return (Array.isArray(sent) ? sent : []).filter(isObject).map((entry) => ({
    field: draft.account.get('custom_fields', readId(entry.custom_field_id)),
    value: entry.value,
  }));
}

export function displayValue(account: Account, { data }: SimRecord): string {
  if (data.type === 'single' || data.type === 'multi') {
    const chosen = new Set((Array.isArray(data.value) ? data.value : []).map(String));
    const choices = choicesOf(account, String(data.custom_field_id)).filter((choice) =>
      chosen.has(choice.id),
    );
    return choices.map((choice) => String(choice.data.label)).join(', ');
  }
  if (data.type === 'currency' && Array.isArray(data.value)) {
    return `${(Number(data.value[0]) / 100).toFixed(2)} ${String(data.value[1])}`;
  }
  return String(data.value ?? '');
}
