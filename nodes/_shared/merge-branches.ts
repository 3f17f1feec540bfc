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
export const mergeBranches = (base: unknown, values: readonly unknown[]): unknown =>
  values.reduce((one, other) => merge(base, one, other, ''));

/** A three-way merge. @param place of the value in the document, as `BranchConflict` has it */
function merge(base: unknown, one: unknown, other: unknown, place: string): unknown {
  if (isSame(one, base)) return other;
  if (isSame(other, base) || isSame(one, other)) return one;
  if (isObject(one) && isObject(other)) return mergeObjects(isObject(base) ? base : {}, one, other, place);
  if (isKeyedList(one) && isKeyedList(other))
    return mergeLists(isKeyedList(base) ? base : [], one, other, place);
  throw new BranchConflict(place || 'the payload');
}

/** The same content: fields in whatever order, decimals with or without the zeros that end them. */
function isSame(one: unknown, other: unknown): boolean {
  if (one === other) return true;
  if (one === undefined || other === undefined) return false;
  if (Array.isArray(one) && Array.isArray(other)) {
    return one.length === other.length && one.every((element, index) => isSame(element, other[index]));
  }
  if (isObject(one) && isObject(other)) {
    const names = Object.keys(one);
    if (names.length !== Object.keys(other).length) return false;
    return names.every((name) => Object.hasOwn(other, name) && isSame(one[name], other[name]));
  }
  return canonicalJson(one) === canonicalJson(other);
}

function mergeObjects(base: Fields, one: Fields, other: Fields, place: string): Fields {
  const names = Object.keys({ ...base, ...other });
  const changed = names.filter((name) => !isSame(own(other, name), own(base, name)));
  const changes = changed.map((name): [string, unknown] => {
    const at = place === '' ? name : `${place}.${name}`;
    return [name, merge(own(base, name), own(one, name), own(other, name), at)];
  });
  // Defined, not assigned: a field may have any name, also `__proto__`.
  const merged = { ...one, ...Object.fromEntries(changes) };
  for (const [name, value] of changes) if (value === undefined) delete merged[name];
  return merged;
}

const own = (fields: Fields, name: string): unknown =>
  Object.hasOwn(fields, name) ? fields[name] : undefined;

function mergeLists(base: Fields[], one: Fields[], other: Fields[], place: string): unknown[] {
  const [before, ofOne, ofOther] = [byKey(base), byKey(one), byKey(other)];
  const keys = new Set([...before.keys(), ...ofOne.keys(), ...ofOther.keys()]);
  return [...keys]
    .map((key) => merge(before.get(key), ofOne.get(key), ofOther.get(key), `${place}[${key}]`))
    .filter((element) => element !== undefined);
}

const byKey = (list: readonly Fields[]) => new Map(list.map((element) => [keyOf(element), element]));

type Fields = Record<string, unknown>;

const isObject = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** A list of records or cross-references. The order of any other list may matter, so it counts as a whole. */
const isKeyedList = (value: unknown): value is Fields[] =>
  Array.isArray(value) && value.every((element) => isObject(element) && typeof element.id === 'string');

/** What makes an element the same one in all branches: a cross-reference has one id per system, instance and type. */
function keyOf({ id, system, instance, type }: Fields): string {
  return system === undefined || type === undefined ? String(id) : `${system} ${instance} ${type}`;
}
