import {
  brokenSums,
  type CanonicalId,
  canonicalJson,
  type DealDocument,
  dealDocumentParts,
  type EntityName,
  entityOfId,
  entitySchemas,
  type JsonObject,
  type JsonValue,
  Q2cError,
} from '../model';

/** What of a record may be corrected, and what a correction makes of it (docs/decisions/0028). Pure. */

/** A record as part of a deal document. */
export type DealRecord = JsonObject & { id: CanonicalId };

/** One field that differs; null = it is not there. A list is one field. */
export interface FieldChange {
  /** With dots. */
  path: string;
  before: JsonValue;
  after: JsonValue;
}

export const isObject = (value: JsonValue | undefined): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Equal content; a field that is not there is one that is null. */
export const isSame = (a: JsonValue | undefined, b: JsonValue | undefined): boolean =>
  canonicalJson(a ?? null) === canonicalJson(b ?? null);

export function changesBetween(before: JsonValue, after: JsonValue, path = ''): FieldChange[] {
  if (isSame(before, after)) return [];
  if (!isObject(before) && !isObject(after)) return [{ path, before, after }];
  // An object that comes or goes does so field by field: its other fields may be corrected by themselves.
  const [was, is] = [isObject(before) ? before : {}, isObject(after) ? after : {}];
  return [...new Set([...Object.keys(was), ...Object.keys(is)])].flatMap((name) =>
    changesBetween(was[name] ?? null, is[name] ?? null, path === '' ? name : `${path}.${name}`),
  );
}

/** What stands at a path; null where nothing does. */
export function fieldAt(record: JsonValue, path: string): JsonValue {
  return path
    .split('.')
    .reduce<JsonValue>(
      (at, name) => (isObject(at) && Object.hasOwn(at, name) ? (at[name] ?? null) : null),
      record,
    );
}

/** The record with one field set, or taken away with null. */
export function withField<R extends JsonObject>(record: R, path: string, value: JsonValue): R {
  const [name = '', ...rest] = path.split('.');
  if (rest.length > 0) {
    const inner = record[name];
    const changed = withField(isObject(inner) ? inner : {}, rest.join('.'), value);
    return withField(record, name, Object.keys(changed).length === 0 ? null : changed);
  }
  if (value !== null) return { ...record, [name]: value };
  const copy = { ...record };
  delete copy[name];
  return copy;
}

/** The record of a deal document with this id, if it is there. */
export function recordIn(deal: DealDocument, id: CanonicalId): DealRecord | undefined {
  return partsFor(deal, id)
    .flatMap(({ content }) => content)
    .find((record) => record.id === id);
}

/** The deal document with this record in the place of the one with its id. */
export function withRecord(deal: DealDocument, record: DealRecord): DealDocument {
  const parts = partsFor(deal, record.id).map(({ part, content }) => [
    part,
    Array.isArray(content) ? content.map((each) => (each.id === record.id ? record : each)) : record,
  ]);
  return { ...deal, ...Object.fromEntries(parts) };
}

/** Parts of the document that hold records of the same entity. */
function partsFor(deal: DealDocument, id: CanonicalId) {
  const entity = entityOfId(id);
  // Drafts are JSON; only their interfaces have no index signature.
  const contents: Partial<Record<string, DealRecord | DealRecord[]>> = { ...deal } as object;
  return Object.entries(dealDocumentParts).flatMap(([part, { entity: held }]) => {
    const content = contents[part];
    return held !== entity || content === undefined ? [] : [{ part, content }];
  });
}

/** What the engine and the systems keep about a record: identity, origin, and what is laid over the canonical fields. */
const KEPT = new Set([
  ...['id', 'externalRefs', 'version', 'revision', 'createdAt', 'updatedAt', 'sourceSystem', 'extensions'],
]);
/** Granted by somebody or reached by a transition (guides §6): nobody types them in. */
const GRANTED = new Set(['status', 'stage', 'approval', 'signedAt', 'creditStatus', 'creditLimit']);

/** Whether people may correct a field, wherever in the record it stands. */
export function isCorrectable(path: string): boolean {
  const names = path.split('.');
  const [first = ''] = names;
  return !GRANTED.has(first) && names.every((name) => !KEPT.has(name) && !/Ids?$/.test(name));
}

/**
 * Refuses what a correction must not make of a record.
 * @param deal the document that the record belongs to, as it is before
 * @throws Q2cError `CORRECTION_REFUSED` naming the field, what is wrong with it and what to do
 */
export function requireAllowed(deal: DealDocument, before: DealRecord, after: DealRecord): void {
  const entity = entityOfId(before.id);
  if (entity === undefined) throw refused(before.id, 'is not a record of the model');
  for (const path of changedPlaces(before, after, '')) {
    if (!isCorrectable(path)) {
      throw refused(path, 'is kept by the systems and the flow. Change it where it comes from, then retry');
    }
  }
  requireValid(entity, before, after);
  requireConserved(deal, withRecord(deal, after));
}

const refused = (what: string, why: string): Q2cError =>
  new Q2cError('CORRECTION_REFUSED', `${what} cannot be corrected like this: it ${why}.`);

/** As `changesBetween`, but into lists, element by element. */
function changedPlaces(before: JsonValue, after: JsonValue, path: string): string[] {
  if (isSame(before, after)) return [];
  const at = (name: string | number) => (path === '' ? String(name) : `${path}.${name}`);
  if (Array.isArray(before) && Array.isArray(after)) {
    if (before.length !== after.length && [...before, ...after].some(isObject)) {
      throw refused(
        path,
        'gains or loses entries. Add and remove them in the system that owns them, then retry',
      );
    }
    return after.flatMap((each, index) => changedPlaces(before[index] ?? null, each, at(index)));
  }
  if (!isObject(before) && !isObject(after)) return [path];
  const [was, is] = [isObject(before) ? before : {}, isObject(after) ? after : {}];
  return [...new Set([...Object.keys(was), ...Object.keys(is)])].flatMap((name) =>
    changedPlaces(was[name] ?? null, is[name] ?? null, at(name)),
  );
}

/** A draft may lack much; a correction must neither bring in a mistake nor leave one in a field that it touches. */
function requireValid(entity: EntityName, before: DealRecord, after: DealRecord): void {
  const known = new Set(mistakesIn(entity, before).map(({ path, message }) => `${path}|${message}`));
  const touched = changesBetween(before, after).map(({ path }) => path);
  const found = mistakesIn(entity, after).find(
    ({ path, message }) => !known.has(`${path}|${message}`) || touched.some((each) => isWithin(path, each)),
  );
  if (found !== undefined) {
    throw refused(found.path, `is not valid (${found.message}). Give a value that fits`);
  }
}

function mistakesIn(entity: EntityName, record: DealRecord): { path: string; message: string }[] {
  const parsed = entitySchemas[entity].safeParse(record);
  if (parsed.success) return [];
  return parsed.error.issues.flatMap((issue) => {
    const path = issue.path.map(String);
    if (issue.code !== 'unrecognized_keys') return [{ path: path.join('.'), message: issue.message }];
    return issue.keys.map((key) => ({ path: [...path, key].join('.'), message: 'there is no such field' }));
  });
}

const isWithin = (path: string, other: string): boolean => path === other || path.startsWith(`${other}.`);

/** Amounts may be corrected as long as all sums of the deal hold afterwards. */
function requireConserved(before: DealDocument, after: DealDocument): void {
  const broken = brokenSums(after);
  const [first] = broken;
  if (first === undefined || JSON.stringify(broken) === JSON.stringify(brokenSums(before))) return;
  const { parts, document, sum, total } = first;
  throw refused(
    `${parts} of ${document}`,
    `would add up to ${sum}, not to ${total}. Correct all amounts of the record together, or in the system that owns them`,
  );
}
