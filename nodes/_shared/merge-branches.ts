import { isDeepStrictEqual } from 'node:util';
import { canonicalJson } from '../../lib/model';

/** Two branches have changed the same thing in different ways. */
export class BranchConflict extends Error {
  /** @param place of what differs, such as `project.number`; never its values, which may be confidential */
  constructor(readonly place: string) {
    super(`Branches of the flow say different things about ${place}`);
    this.name = 'BranchConflict';
  }
}

/**
 * One value out of what branches have made of it: what only one of them has changed, or all in the same way, is taken.
 * Objects are merged field by field, records in lists by their id, cross-references by system, instance and type.
 * @param base the value before the branches; where that is not known, undefined: then whatever is there counts as changed
 * @throws BranchConflict when two have changed it in different ways
 */
export function mergeBranches(base: unknown, values: readonly unknown[], place = ''): unknown {
  // Most of a document is as it was: to see that costs less than to put it together.
  if (values.every((value) => isDeepStrictEqual(value, base))) return base;
  if (values.every(isObject)) return mergeObjects(isObject(base) ? base : {}, values, place);
  if (values.every(isKeyedList)) return mergeLists(isKeyedList(base) ? base : [], values, place);
  return mergeOther(base, values, place);
}

/** Plain values, and what only some of the branches have. */
function mergeOther(base: unknown, values: readonly unknown[], place: string): unknown {
  const changes = new Map(values.map((value) => [textOf(value), value]));
  changes.delete(textOf(base));
  if (changes.size === 0) return base;
  const [change, ...others] = changes.values();
  if (others.length === 0) return change;
  const conflicting = [change, ...others];
  if (conflicting.every(isObject)) return mergeObjects({}, conflicting, place);
  if (conflicting.every(isKeyedList)) return mergeLists([], conflicting, place);
  throw new BranchConflict(place || 'the payload');
}

/** Values of the same content have the same text, also when a function node has made one of them. */
const textOf = (value: unknown): string => (value === undefined ? '' : canonicalJson(value));

function mergeObjects(base: Fields, values: readonly Fields[], place: string): Fields {
  const names = new Set(Object.keys(base));
  for (const value of values) for (const name of Object.keys(value)) names.add(name);
  const merged: [string, unknown][] = [];
  for (const name of names) {
    const field = mergeBranches(
      own(base, name),
      values.map((value) => own(value, name)),
      place === '' ? name : `${place}.${name}`,
    );
    if (field !== undefined) merged.push([name, field]);
  }
  // Defined, not assigned: a field may have any name, also `__proto__`.
  return Object.fromEntries(merged);
}

const own = (fields: Fields, name: string): unknown =>
  Object.hasOwn(fields, name) ? fields[name] : undefined;

function mergeLists(base: readonly Fields[], values: readonly Fields[][], place: string): unknown[] {
  const byKey = (list: readonly Fields[]) => new Map(list.map((element) => [keyOf(element), element]));
  const before = byKey(base);
  const after = values.map(byKey);
  const keys = new Set([...before.keys(), ...after.flatMap((list) => [...list.keys()])]);
  return [...keys]
    .map((key) =>
      mergeBranches(
        before.get(key),
        after.map((list) => list.get(key)),
        `${place}[${key}]`,
      ),
    )
    .filter((element) => element !== undefined);
}

type Fields = Record<string, unknown>;

const isObject = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** A list of records or cross-references. The order of any other list may matter, so it counts as a whole. */
const isKeyedList = (value: unknown): value is Fields[] =>
  Array.isArray(value) && value.every((element) => isObject(element) && typeof element.id === 'string');

/** What makes an element the same one in all branches: a cross-reference has one id per system, instance and type. */
function keyOf({ id, system, instance, type }: Fields): string {
  return system === undefined || type === undefined ? String(id) : [system, instance, type].join(' ');
}
