import type { SimRecord } from '../../kit/types';
import type { Env } from '../env';
import { NetSuiteError, userError } from '../errors';
import { rulesOf } from '../rules';
import { type Fields, labelOf, type RecordType } from '../schema/fields';
import { readBody } from './body';
import { type Data, linesOf, textOf } from './data';
import { merged } from './merge';
import { titleOf } from './title';

/** Internal ids that the ERP hands out start above those of the seeded lists. */
const FIRST_ID = 1000;

export function createRecord(type: RecordType, body: Data, env: Env): SimRecord {
  const changes = readBody(type, body, env);
  return saved(type, null, merged(type, {}, changes, new Set()), env);
}

/** @param replace lower-case names of sublists to replace as a whole */
export function updateRecord(
  type: RecordType,
  record: SimRecord,
  body: Data,
  env: Env,
  replace: ReadonlySet<string> = new Set(),
): SimRecord {
  const changes = readBody(type, body, env);
  return saved(type, record, merged(type, record.data, changes, replace), env);
}

/** PUT by external id: creates the record or updates it like PATCH. */
export function upsertRecord(
  type: RecordType,
  externalId: string,
  body: Data,
  env: Env,
  replace: ReadonlySet<string>,
): SimRecord {
  const existing = findByExternalId(type, externalId, env);
  const withKey = { ...body, externalId };
  return existing ? updateRecord(type, existing, withKey, env, replace) : createRecord(type, withKey, env);
}

export function deleteRecord(type: RecordType, record: SimRecord, env: Env): void {
  for (const [holder, field] of type.heldBy) {
    if (env.db.findBy(holder, field, record.id).length > 0) {
      throw userError('This record cannot be deleted because it has dependent records.');
    }
  }
  const rules = rulesOf(type.name);
  rules.deleting?.(record, env);
  env.db.remove(type.name, record.id);
  rules.deleted?.(record, env);
}

export function findByExternalId(type: RecordType, externalId: string, env: Env): SimRecord | undefined {
  return env.db.findBy(type.name, 'externalId', externalId)[0];
}

/** Applies the rules of the type to a draft and writes it. Transforms come in here with lines they computed. */
export function saved(type: RecordType, before: SimRecord | null, draft: Data, env: Env): SimRecord {
  runUserEventScripts(type, env);
  const rules = rulesOf(type.name);
  rules.prepare?.(draft, before, env);
  checkRequired(type.fields, draft);
  for (const [name, sublist] of Object.entries(type.sublists)) {
    linesOf(draft, name).forEach((line, index) => {
      checkRequired(sublist.fields, line, `${name}.items[${index}].`);
    });
  }
  checkExternalId(type, before, draft, env);
  const record = before
    ? env.db.update(type.name, before.id, draft)
    : env.db.insert(type.name, nextId(type, env), draft);
  rules.saved?.(record, before, env);
  return record;
}

export function nextId(type: RecordType, env: Env): string {
  return String(FIRST_ID + env.db.next(`id.${type.sequence}`));
}

function checkRequired(fields: Fields, data: Data, prefix = ''): void {
  const missing = requiredOf(fields).filter((name) => (data[name] ?? null) === null);
  const [first] = missing;
  if (first === undefined) return;
  throw userError(`Please enter value(s) for: ${missing.map(labelOf).join(', ')}`, prefix + first);
}

const requiredNames = new WeakMap<Fields, string[]>();

function requiredOf(fields: Fields): string[] {
  let names = requiredNames.get(fields);
  if (!names) {
    names = Object.keys(fields).filter((name) => fields[name]?.required);
    requiredNames.set(fields, names);
  }
  return names;
}

function checkExternalId(type: RecordType, before: SimRecord | null, draft: Data, env: Env): void {
  const externalId = textOf(draft, 'externalId');
  if (externalId === undefined || externalId === before?.data.externalId) return;
  const other = findByExternalId(type, externalId, env);
  if (other && other.id !== before?.id) {
    throw new NetSuiteError(
      400,
      'DUP_RCRD',
      `Error while accessing a resource. This record already exists: ${titleOf(type, other)}.`,
      { path: 'externalId' },
    );
  }
}

/** Customers' own SuiteScript throws USER_ERROR with any text (control type `userEventScript`). */
function runUserEventScripts(type: RecordType, env: Env): void {
  const script = env.db
    .findBy('userEventScript', 'recordType', type.name)
    .find(({ data }) => data.isInactive !== true);
  if (script)
    throw userError(textOf(script.data, 'message') ?? 'The record was refused by a user event script.');
}
