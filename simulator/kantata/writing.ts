import type { SimRecord } from '../kit/types';
import type { Account, Data } from './account';
import type { Collection } from './collection';
import { checkCustomFields, putCustomFields, valuesOf } from './custom-fields';
import { Draft } from './draft';
import { badRequest, invalid, notFound, unprocessable } from './errors';
import { checkReference, dropReferences, putReference } from './references';
import { InvalidValue, isObject } from './values';

/** Creating, updating and deleting objects of any collection. A refusal leaves partly written work to be undone by the caller. */

/** Single (`{"story":{…}}`) or bulk (`{"stories":[…]}`) create; bulk is all or nothing. */
export function createFromBody(account: Account, collection: Collection, body: Data): SimRecord[] {
  const many = body[collection.key];
  if (!Array.isArray(many)) return [create(account, collection, attributes(collection, body))];
  if (!collection.bulk) throw badRequest(`${collection.key} cannot be created in bulk`);
  if (many.length > collection.bulk)
    throw badRequest(`At most ${collection.bulk} ${collection.key} per request`);
  const items = many.map((item) => (isObject(item) ? item : {}));
  if (!collection.newestFirst) return items.map((item) => create(account, collection, item));
  return items
    .reverse()
    .map((item) => create(account, collection, item))
    .reverse();
}

/** The object under the singular root, which Rails demands. */
export function attributes(collection: Collection, body: Data): Data {
  const root = body[collection.root];
  if (!isObject(root)) throw badRequest(`param is missing or the value is empty: ${collection.root}`);
  return root;
}

export function create(account: Account, collection: Collection, sent: Data): SimRecord {
  const draft = new Draft(account, null);
  permit(draft, collection, sent);
  for (const [attribute, value] of Object.entries(collection.defaults?.(draft) ?? {})) {
    if (draft.get(attribute) === null) draft.set(attribute, value);
  }
  check(draft, collection);
  const record = account.insert(collection.key, storedValues(draft, collection));
  finish(draft, collection, record);
  return account.need(collection.key, record.id);
}

export function update(account: Account, collection: Collection, before: SimRecord, sent: Data): SimRecord {
  const draft = new Draft(account, before);
  permit(draft, collection, sent);
  const touchesMore = Object.keys(draft.values).some((attribute) => attribute !== 'external_reference');
  const locked = touchesMore ? collection.locked?.(before, account) : null;
  if (locked) throw unprocessable([invalid('base', locked)]);
  check(draft, collection);
  finish(draft, collection, account.update(before, storedValues(draft, collection)));
  return account.need(collection.key, before.id);
}

export function destroy(account: Account, collection: Collection, record: SimRecord): void {
  const locked = collection.locked?.(record, account);
  if (locked) throw unprocessable([invalid('base', locked)]);
  if (collection.destroy) collection.destroy(record, account);
  else remove(account, collection, record);
}

/** Deletes an object with its references and custom field values; a unique value is free again. */
export function remove(account: Account, collection: Pick<Collection, 'subject'>, record: SimRecord): void {
  if (collection.subject) {
    dropReferences(account, collection.subject, record.id);
    for (const value of valuesOf(account, collection.subject, record.id)) account.remove(value);
  }
  account.remove(record);
}

/** Takes the attributes the vendor permits for this action; all others are ignored, as strong parameters do. */
function permit(draft: Draft, collection: Collection, sent: Data): void {
  for (const [attribute, input] of Object.entries(collection.inputs)) {
    if (!(attribute in sent) || !(draft.before ? input.update : input.create)) continue;
    try {
      draft.set(attribute, input.cast(sent[attribute], draft.account));
    } catch (error) {
      if (!(error instanceof InvalidValue)) throw error;
      draft.refuse(attribute, error.message);
    }
  }
}

function check(draft: Draft, collection: Collection): void {
  const refused = new Set(draft.problems.map((problem) => problem.field));
  for (const [attribute, message] of Object.entries(collection.required ?? {})) {
    if (draft.get(attribute) === null && !refused.has(attribute)) draft.refuse(attribute, message);
  }
  checkReference(draft);
  if (collection.subject) checkCustomFields(draft, collection.subject);
  // The collection's own rules read other attributes, so that they start from attributes that are sound.
  if (draft.problems.length === 0) collection.check?.(draft);
  if (draft.problems.length > 0) throw unprocessable(draft.problems);
}

function finish(draft: Draft, collection: Collection, record: SimRecord): void {
  const reference = draft.values.external_reference;
  if (collection.subject && isObject(reference))
    putReference(draft.account, collection.subject, record.id, reference);
  if (collection.subject) putCustomFields(draft, collection.subject, record.id);
  collection.after?.(draft, record);
}

function storedValues(draft: Draft, collection: Collection): Data {
  return Object.fromEntries(
    Object.entries(draft.values).filter(([attribute]) => collection.inputs[attribute]?.stored !== false),
  );
}

/** An object by the id of a path, or 404. */
export function existing(account: Account, collection: Collection, id: string): SimRecord {
  const record = account.get(collection.key, id);
  if (!record) throw notFound();
  return record;
}
