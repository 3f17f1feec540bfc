import { ControlError, type ControlRoute, type RecordStore, type SimContext } from '../kit/types';
import type { Org } from './org';
import { findField, findObject, objectNamed, type SObject } from './schema';

/**
 * What the integration user may see and do. All of it at the start; the control API takes rights away as an
 * administrator does in permission sets. Objects that a user may not read, and fields that are hidden from him, look to the
 * API as if they were not there.
 */
interface Access {
  /** False: the user is deactivated and cannot log in. */
  userActive: boolean;
  /** False: the user lacks "API Enabled". */
  apiEnabled: boolean;
  objects: Record<string, ObjectAccess>;
}

interface ObjectAccess {
  rights: readonly Right[];
  hiddenFields: readonly string[];
  readOnlyFields: readonly string[];
}

const RIGHTS = ['read', 'create', 'update'] as const;
type Right = (typeof RIGHTS)[number];

const FULL: Access = { userActive: true, apiEnabled: true, objects: {} };
const KEY = 'access';

/** Asked at every request, so it is not read from the store each time. */
const cache = new WeakMap<RecordStore, { access: Access; views: Map<SObject, SObject | null> }>();

function cached(db: RecordStore) {
  const known = cache.get(db);
  if (known !== undefined) return known;
  const stored = db.getValue(KEY);
  const entry = { access: stored === null ? FULL : (JSON.parse(stored) as Access), views: new Map() };
  cache.set(db, entry);
  return entry;
}

/** For a new or reset org: everything is allowed again. */
export function forgetAccess({ db }: Pick<SimContext, 'db'>): void {
  cache.delete(db);
}

export const isUserActive = ({ db }: Pick<SimContext, 'db'>): boolean => cached(db).access.userActive;
export const isApiEnabled = ({ db }: Pick<SimContext, 'db'>): boolean => cached(db).access.apiEnabled;

/** The object as the acting user sees it; undefined when there is none for him. People at the screens see all. */
export function visibleObject(org: Org, name: string): SObject | undefined {
  const object = findObject(name);
  if (object === undefined || org.actor.isPerson) return object;
  const { access, views } = cached(org.context.db);
  const own = access.objects[object.name];
  if (own === undefined) return object;
  const known = views.get(object);
  const view = known === undefined ? viewOf(object, own) : known;
  views.set(object, view);
  return view ?? undefined;
}

function viewOf(object: SObject, { rights, hiddenFields, readOnlyFields }: ObjectAccess): SObject | null {
  if (!rights.includes('read')) return null;
  return {
    ...object,
    createable: object.createable && rights.includes('create'),
    updateable: object.updateable && rights.includes('update'),
    fields: object.fields
      .filter(({ name }) => !hiddenFields.includes(name))
      .map((field) =>
        readOnlyFields.includes(field.name) ? { ...field, createable: false, updateable: false } : field,
      ),
  };
}

/**
 * - `POST salesforce/access {object, rights?, hiddenFields?, readOnlyFields?}`: what the user may do with an object from
 *   now on; all of it where nothing is said.
 * - `POST salesforce/access {userActive?, apiEnabled?}`
 * - `DELETE salesforce/access`: everything is allowed again.
 */
export const accessRoutes: readonly ControlRoute[] = [
  { method: 'POST', path: 'salesforce/access', handle: (body, context) => change(body, context) },
  {
    method: 'DELETE',
    path: 'salesforce/access',
    handle: (_body, { db }) => {
      db.setValue(KEY, null);
      cache.delete(db);
      return FULL;
    },
  },
];

function change(body: Record<string, unknown>, { db }: SimContext): Access {
  const access: Access = structuredClone(cached(db).access);
  for (const flag of ['userActive', 'apiEnabled'] as const) {
    if (typeof body[flag] === 'boolean') access[flag] = body[flag];
  }
  if (body.object !== undefined) {
    const object = findObject(String(body.object));
    if (object === undefined) throw new ControlError('NOT_FOUND', `There is no object ${body.object}`);
    access.objects[object.name] = objectAccess(object, body);
  }
  db.setValue(KEY, JSON.stringify(access));
  cache.delete(db);
  return access;
}

function objectAccess(object: SObject, body: Record<string, unknown>): ObjectAccess {
  const rights = body.rights === undefined ? [...RIGHTS] : names(body.rights, 'rights');
  const isRight = (name: string): name is Right => RIGHTS.some((right) => right === name);
  if (!rights.every(isRight)) {
    throw new ControlError('INVALID_VALUE', `rights is a list of ${RIGHTS.join(', ')}`);
  }
  const fields = (list: 'hiddenFields' | 'readOnlyFields') =>
    names(body[list] ?? [], list).map((name) => {
      const field = findField(objectNamed(object.name), name);
      if (field === undefined) throw new ControlError('NOT_FOUND', `${object.name} has no field ${name}`);
      return field.name;
    });
  return { rights, hiddenFields: fields('hiddenFields'), readOnlyFields: fields('readOnlyFields') };
}

function names(value: unknown, what: string): string[] {
  if (Array.isArray(value) && value.every((name) => typeof name === 'string')) return value;
  throw new ControlError('INVALID_VALUE', `${what} is a list of names`);
}
