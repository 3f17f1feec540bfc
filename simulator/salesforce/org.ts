import type { SimContext, SimRecord } from '../kit/types';
import { computedValue } from './computed';
import { formatDatetime } from './dates';
import { ApiError, notFound } from './errors';
import { makeId, normaliseId } from './ids';
import { RULES } from './rules';
import { type ChildRelationship, childrenOf, type Field, objectOfId, type SObject } from './schema';
import { checkReferences, checkRequired, checkUnique, type Data, readBody } from './validation';
import type { FieldValue } from './values';

/** Who works in the org. A person at the screens is not held to picklist restrictions and to the roll-up of Amount. */
export interface Actor {
  userId: string;
  isPerson: boolean;
}

/** Address fields in one, as the API gives them. */
export type CompoundAddress = Record<string, string | number | null>;

/**
 * The org as one user sees it: reads, and saves with everything that a save sets off on the platform
 * (validation, defaults, roll-ups, stamps, cascades).
 */
export class Org {
  readonly context: SimContext;
  readonly actor: Actor;

  constructor(context: SimContext, actor: Actor) {
    this.context = context;
    this.actor = actor;
  }

  /** By 15- or 18-character id. */
  find(object: SObject, id: string): SimRecord | undefined {
    const normalised = normaliseId(id);
    return normalised === null ? undefined : this.context.db.get(object.name, normalised);
  }

  /** The record a look-up of `record` points to. */
  parent(record: SimRecord | undefined, lookup: string): SimRecord | undefined {
    const id = record?.data[lookup];
    const object = typeof id === 'string' ? objectOfId(id) : undefined;
    return object && typeof id === 'string' ? this.context.db.get(object.name, id) : undefined;
  }

  /** Records of `type` whose look-up points to `id`, in order of creation. */
  children(type: string, lookup: string, id: string): SimRecord[] {
    return this.context.db.findBy(type, lookup, id);
  }

  /** What a field of a record shows. */
  value(object: SObject, record: SimRecord, field: Field): FieldValue | CompoundAddress {
    switch (field.name) {
      case 'Id':
        return record.id;
      case 'IsDeleted':
        return record.deleted;
      case 'CreatedDate':
        return formatDatetime(record.created);
      case 'LastModifiedDate':
      case 'SystemModstamp':
        return formatDatetime(record.modified);
    }
    if (field.calculated) return computedValue(this, object, record, field.name);
    return storedValue(record.data[field.name]);
  }

  /** @throws ApiError 400 as the platform refuses a save. */
  create(object: SObject, body: Record<string, unknown>): SimRecord {
    const given = readBody(this, object, body, 'insert');
    const data: Data = { ...defaultsOf(object, this.actor), ...given };
    const rules = RULES[object.name];
    rules?.beforeInsert?.(this, data, given);
    checkRequired(object, data);
    checkReferences(this, object, given);
    checkUnique(this, object, data, null);
    const id = makeId(object.keyPrefix, this.context.db.next(`id.${object.name}`));
    const stored = {
      ...withoutCalculated(object, data),
      CreatedById: this.actor.userId,
      LastModifiedById: this.actor.userId,
    };
    const record = this.context.db.insert(object.name, id, stored);
    rules?.afterInsert?.(this, record, given);
    rules?.afterChange?.(this, record);
    return record;
  }

  /** @throws ApiError 400 as the platform refuses a save. */
  update(object: SObject, record: SimRecord, body: Record<string, unknown>): SimRecord {
    const changes = readBody(this, object, body, 'update');
    const data: Data = { ...this.data(record), ...changes };
    const rules = RULES[object.name];
    rules?.beforeUpdate?.(this, record, data, changes);
    checkRequired(object, data);
    checkReferences(this, object, changes);
    checkUnique(this, object, changes, record.id);
    const updated = this.write(record, data);
    rules?.afterChange?.(this, updated);
    return updated;
  }

  /** Moves a record and what hangs on it to the recycle bin; look-ups to it are emptied. */
  delete(object: SObject, record: SimRecord): void {
    this.context.db.remove(object.name, record.id);
    for (const relationship of childrenOf(object)) this.#release(relationship, record.id);
    RULES[object.name]?.afterChange?.(this, record);
  }

  /** Writes fields without the checks of a save: for what the platform itself does. */
  write(record: SimRecord, changes: Data): SimRecord {
    const data = { ...record.data, ...changes, LastModifiedById: this.actor.userId };
    return this.context.db.update(record.type, record.id, data);
  }

  /** The stored fields of a record, to be changed. */
  data(record: SimRecord): Data {
    return Object.fromEntries(Object.entries(record.data).map(([name, value]) => [name, storedValue(value)]));
  }

  #release({ child, field }: ChildRelationship, parentId: string): void {
    for (const record of this.children(child.name, field.name, parentId)) {
      if (field.cascadeDelete) this.delete(child, record);
      else this.write(record, { [field.name]: null });
    }
  }
}

/** @throws ApiError 404 `NOT_FOUND`, or `ENTITY_IS_DELETED` while it lies in the recycle bin. */
export function existing(org: Org, object: SObject, id: string): SimRecord {
  const record = org.find(object, id);
  if (record) return record;
  const normalised = normaliseId(id);
  const deleted = org.context.db
    .list(object.name, { deleted: true })
    .some((other) => other.id === normalised);
  if (deleted) throw new ApiError(404, { errorCode: 'ENTITY_IS_DELETED', message: 'entity is deleted' });
  throw notFound();
}

function defaultsOf(object: SObject, actor: Actor): Data {
  const defaults: Data = {};
  for (const field of object.fields) {
    if (field.calculated || field.name === 'Id' || field.name === 'IsDeleted') continue;
    if (field.name === 'OwnerId') defaults.OwnerId = actor.userId;
    else if (field.defaultValue !== null) defaults[field.name] = field.defaultValue;
  }
  return defaults;
}

function withoutCalculated(object: SObject, data: Data): Data {
  const stored = { ...data };
  for (const field of object.fields) if (field.calculated) delete stored[field.name];
  return stored;
}

function storedValue(value: unknown): FieldValue {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' ? value : null;
}
