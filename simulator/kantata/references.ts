import type { SimRecord } from '../kit/types';
import type { Account, Data } from './account';
import type { Collection } from './collection';
import type { Draft } from './draft';
import { badRequest } from './errors';
import { boolean, isObject, oneOf, readBoolean, text } from './values';

/**
 * External references: the foreign keys of other systems. One object has at most one reference per
 * `service_name`; nothing keeps two objects from carrying the same reference.
 */

export const REFERENCE_CASTS = {
  service_name: text(255),
  service_model: text(255),
  service_model_ref: text(255),
  status: oneOf('pending', 'successful', 'failed'),
  external_link: text(),
  external_message: text(),
  external_status: text(255),
  locked: boolean,
};
const REQUIRED = ['service_name', 'service_model', 'service_model_ref'];
const MOST_REFS = 200;

export const subjectKey = (subject: string, id: string): string => `${subject}/${id}`;
const lookupKey = (subject: string, service: unknown, ref: unknown): string =>
  `${subject}/${String(service)}/${String(ref)}`;

export const referencesOf = (account: Account, subject: string, id: string): SimRecord[] =>
  account.find('external_references.subject_key', subjectKey(subject, id));

/** Checks an inline `external_reference` before anything is written. */
export function checkReference(draft: Draft): void {
  const reference = draft.values.external_reference;
  if (!isObject(reference)) return;
  for (const key of REQUIRED)
    if (!reference[key]) draft.refuse(`external_reference.${key}`, "can't be blank");
  for (const [key, cast] of Object.entries(REFERENCE_CASTS)) {
    try {
      cast(reference[key], draft.account);
    } catch (error) {
      draft.refuse(`external_reference.${key}`, (error as Error).message);
    }
  }
}

/** Adds the reference, or changes the one that the object already has under this service name. */
export function putReference(account: Account, subject: string, subjectId: string, sent: Data): SimRecord {
  const values: Data = {};
  for (const [key, cast] of Object.entries(REFERENCE_CASTS))
    if (key in sent) values[key] = cast(sent[key], account);
  const present = referencesOf(account, subject, subjectId).find(
    (reference) => reference.data.service_name === values.service_name,
  );
  const data: Data = {
    status: 'pending',
    locked: false,
    ...present?.data,
    ...values,
    subject_type: subject,
    subject_id: Number(subjectId),
    subject_key: subjectKey(subject, subjectId),
    lookup_key: lookupKey(subject, values.service_name, values.service_model_ref),
  };
  return present ? account.update(present, data) : account.insert('external_references', data);
}

export function dropReferences(account: Account, subject: string, id: string): void {
  for (const reference of referencesOf(account, subject, id)) account.remove(reference);
}

// ---------------------------------------------------------------- finding objects by reference

/** Query parameter → attribute of a reference that must equal it. */
const EQUALS: Record<string, string> = {
  external_reference_service_name: 'service_name',
  external_reference_service_model: 'service_model',
  external_reference_service_model_ref: 'service_model_ref',
  external_reference_status: 'status',
  external_reference_external_status: 'external_status',
  external_reference_external_message: 'external_message',
};

export interface ReferenceFilter {
  /** Ids of the only objects that can match; absent when references exclude rather than select. */
  ids?: Set<string>;
  test(id: string): boolean;
}

/**
 * The reference conditions of a query: all of them hold for one and the same reference.
 * `…_service_model_ref` is typed integer by the vendor, so text keys need `…_service_model_refs`.
 */
export function referenceFilter(
  account: Account,
  collection: Collection,
  query: URLSearchParams,
): ReferenceFilter | null {
  const subject = collection.subject;
  if (!subject || !('external_references' in collection.associations)) return null;
  const tests: ((id: string) => boolean)[] = [];
  const has = readBoolean(query.get('has_external_references') ?? '');
  if (has !== undefined) tests.push((id) => referencesOf(account, subject, id).length > 0 === has);
  const without = query.get('without_external_reference_service_name');
  if (without) {
    tests.push(
      (id) => !referencesOf(account, subject, id).some((each) => each.data.service_name === without),
    );
  }
  const ids = selectedIds(account, subject, query);
  if (ids) tests.push((id) => ids.has(id));
  return tests.length === 0 ? null : { ids, test: (id) => tests.every((test) => test(id)) };
}

function selectedIds(account: Account, subject: string, query: URLSearchParams): Set<string> | undefined {
  const conditions = Object.entries(EQUALS).flatMap(([parameter, attribute]) => {
    const value = query.get(parameter);
    return value === null ? [] : [{ attribute, value }];
  });
  const refs = readRefs(query);
  if (conditions.length === 0 && !refs) return undefined;
  const service = query.get('external_reference_service_name');
  const matching = candidates(account, subject, service, refs).filter(
    ({ data }) =>
      data.subject_type === subject &&
      conditions.every(({ attribute, value }) => String(data[attribute] ?? '') === value),
  );
  return new Set(matching.map((reference) => String(reference.data.subject_id)));
}

/** The foreign keys asked for; null when the query names none. */
function readRefs(query: URLSearchParams): string[] | null {
  const single = query.get('external_reference_service_model_ref');
  if (single !== null && !/^\d+$/.test(single)) {
    throw badRequest('external_reference_service_model_ref must be an integer');
  }
  const many = query.get('external_reference_service_model_refs');
  if (many === null) return single === null ? null : [single];
  const refs = [...new Set(many.split(',').map((ref) => ref.trim()))];
  if (refs.length > MOST_REFS) throw badRequest(`at most ${MOST_REFS} external_reference_service_model_refs`);
  return refs;
}

/** References that have been there long enough to be found, by the narrowest index the query allows. */
function candidates(
  account: Account,
  subject: string,
  service: string | null,
  refs: string[] | null,
): SimRecord[] {
  const { visibleAfterMs } = account.settings;
  const newest = account.now - visibleAfterMs;
  const all = indexed(account, subject, service, refs);
  return visibleAfterMs > 0 ? all.filter((reference) => reference.created <= newest) : all;
}

function indexed(
  account: Account,
  subject: string,
  service: string | null,
  refs: string[] | null,
): SimRecord[] {
  if (refs && service) {
    return refs.flatMap((ref) =>
      account.find('external_references.lookup_key', lookupKey(subject, service, ref)),
    );
  }
  if (refs) return refs.flatMap((ref) => account.find('external_references.service_model_ref', ref));
  if (service) return account.find('external_references.service_name', service);
  return account.find('external_references.subject_type', subject);
}
