import {
  type Classification,
  type ClassifiedFields,
  classifiedFields,
  entityOfId,
  isWholeName,
  MASK,
  Q2cError,
} from '../model';

/**
 * Masks what is classified (guides §13, privacy) in replies: fields of canonical entities by their schemas, fields of
 * vendors by name, and the same values where they stand in sentences, such as a vendor's complaint about a tax number or
 * whom a case is about.
 */

/** Shorter values stand in sentences by accident. */
const SHORTEST = 4;

const EMAIL = /[\p{L}\p{N}._%+-]+@[\p{L}\p{N}.-]+\.\p{L}{2,}/gu;
/** Norway's has 15 characters, all others have 16 to 34. */
const IBAN = /\b(?:[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){3,7}(?: ?[A-Z0-9]{1,3})?|NO\d{2}(?: ?\d{4}){2} ?\d{3})\b/g;
const SHORTEST_IBAN = 15;

/** Names of our own users, which may be mail addresses: who did something is told. */
const USERS = new Set(['actor', 'assignee', 'by', 'createdBy', 'decidedBy', 'requestedBy', 'user']);

/** Names of vendors' fields in the payload of an operation, or outside of any. */
interface VendorNames {
  /** Before the names that are classified for its entity only: the entity and a dot, or nothing. */
  prefix: string;
  /** What was looked up; null for a name that nothing is classified by. A page comes by few names, tens of thousands of times. */
  known: Map<string, Classification | null>;
}

/** Where a value stands. */
interface Place {
  /** What is classified below by the schema of the entity that it belongs to, by path with dots. */
  fields: ClassifiedFields;
  names: VendorNames;
}

const NONE: ClassifiedFields = {};

export class Masker {
  private readonly values = new Set<string>();
  private readonly outside: Place = { fields: NONE, names: { prefix: '', known: new Map() } };
  private readonly namesOf = new Map<string, VendorNames>();

  /** @param vendorFields names of vendors' fields, wherever they stand */
  constructor(private readonly vendorFields: Readonly<Record<string, Classification>>) {}

  /**
   * Notes the classified values of a payload, to mask them wherever they stand.
   * @param operation `<entity>.<verb>` that it was sent or read by
   */
  conceal(payload: unknown, operation?: string): void {
    this.visit({ operation, payload }, this.outside, (value) => this.note(value));
  }

  /** Notes words that a case has classified itself. */
  concealWords(words: readonly string[]): void {
    for (const word of words) this.values.add(word);
  }

  /** The sentence without anything classified. */
  redact(text: string): string {
    return withoutClassified(text, this.inSentences());
  }

  /** A copy without anything classified, and the paths of what is masked in it. */
  mask(reply: unknown): { reply: unknown; paths: string[] } {
    this.conceal(reply);
    const values = this.inSentences();
    const paths: string[] = [];
    return { reply: this.masked(reply, this.outside, '', values, paths), paths };
  }

  /** Calls back for every value that a field's name classifies and that is to be masked in sentences too. */
  private visit(value: unknown, place: Place, found: (value: unknown) => void): void {
    if (Array.isArray(value)) {
      for (const each of value) this.visit(each, place, found);
    } else if (isRecord(value)) {
      const own = this.placeOf(value, place);
      for (const name of Object.keys(value)) {
        const member = value[name];
        const classification = this.classificationOf(name, own);
        if (classification === 'person_name' && !isWholeName(name)) continue;
        if (classification !== null) found(member);
        // Most of what there is are leaves: a call for each would take longer than all else here.
        else if (isRecord(member)) this.visit(member, below(own, name), found);
      }
    }
  }

  private note(value: unknown): void {
    if (typeof value === 'string' && value.trim().length >= SHORTEST) this.values.add(value.trim());
    else if (Array.isArray(value)) for (const each of value) this.note(each);
    else if (isRecord(value)) for (const each of Object.values(value)) this.note(each);
  }

  private inSentences(): RegExp | null {
    if (this.values.size === 0) return null;
    const longestFirst = [...this.values].sort((a, b) => b.length - a.length).map(escaped);
    return new RegExp(`(?<![\\p{L}\\p{N}])(?:${longestFirst.join('|')})(?![\\p{L}\\p{N}])`, 'gu');
  }

  private masked(
    value: unknown,
    place: Place,
    path: string,
    values: RegExp | null,
    paths: string[],
  ): unknown {
    if (typeof value === 'string') {
      const text = withoutClassified(value, values);
      if (text !== value) paths.push(path);
      return text;
    }
    if (Array.isArray(value)) {
      return value.map((each, index) => this.masked(each, place, inPath(path, String(index)), values, paths));
    }
    if (!isRecord(value)) return value;
    const own = this.placeOf(value, place);
    const copy: Record<string, unknown> = {};
    for (const name of Object.keys(value)) {
      const member = value[name];
      const where = inPath(path, name);
      if (USERS.has(name) && typeof member === 'string') copy[name] = member;
      else if (this.classificationOf(name, own) !== null) copy[name] = blank(member, where, paths);
      else copy[name] = this.masked(member, below(own, name), where, values, paths);
    }
    return copy;
  }

  private classificationOf(name: string, { fields, names }: Place): Classification | null {
    const own = fields === NONE ? undefined : named(fields, name);
    if (own !== undefined) return own;
    let found = names.known.get(name);
    if (found === undefined) {
      found = named(this.vendorFields, name) ?? named(this.vendorFields, names.prefix + name) ?? null;
      names.known.set(name, found);
    }
    return found;
  }

  /** A record with a canonical id is that entity, wherever it stands. */
  private placeOf({ id, operation }: Readonly<Record<string, unknown>>, place: Place): Place {
    const own = typeof id === 'string' ? entityOfId(id) : undefined;
    const sent = typeof operation === 'string' ? /^(\w+)\./.exec(operation)?.[1] : undefined;
    if (own === undefined && sent === undefined) return place;
    return {
      fields: (own && classifiedFields[own]) ?? place.fields,
      names: sent === undefined ? place.names : this.namesIn(sent),
    };
  }

  private namesIn(entity: string): VendorNames {
    const names = this.namesOf.get(entity) ?? { prefix: `${entity}.`, known: new Map() };
    this.namesOf.set(entity, names);
    return names;
  }
}

/** Of the table's own names alone: payloads may have fields such as `constructor`. */
const named = (table: ClassifiedFields, name: string): Classification | undefined =>
  Object.hasOwn(table, name) ? table[name] : undefined;

function below(place: Place, name: string): Place {
  const { fields, names } = place;
  // Nearly all there is: what stands in no entity.
  if (fields === NONE) return place;
  const inner = Object.entries(fields)
    .filter(([path]) => path.startsWith(`${name}.`))
    .map(([path, classification]) => [path.slice(name.length + 1), classification]);
  return { fields: inner.length === 0 ? NONE : Object.fromEntries(inner), names };
}

function blank(value: unknown, path: string, paths: string[]): unknown {
  if (value === null || value === undefined || value === '') return value;
  if (Array.isArray(value))
    return value.map((each, index) => blank(each, inPath(path, String(index)), paths));
  if (isRecord(value)) {
    return Object.fromEntries(
      Object.entries(value).map(([name, each]) => [name, blank(each, inPath(path, name), paths)]),
    );
  }
  paths.push(path);
  return MASK;
}

function withoutClassified(text: string, values: RegExp | null): string {
  let shown = values === null ? text : text.replace(values, MASK);
  // Most texts are ids, codes and instants: what cannot hold an address or an account is not searched for one.
  if (shown.includes('@')) shown = shown.replace(EMAIL, MASK);
  if (shown.length >= SHORTEST_IBAN) shown = shown.replace(IBAN, MASK);
  return shown;
}

const inPath = (path: string, name: string): string => (path === '' ? name : `${path}.${name}`);

const escaped = (text: string): string => text.replace(/[.*+?^${}()|[\]\\/]/g, '\\$&');

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null;

/**
 * Refuses content that was filled in from a masked reply: the mask would be sent in place of the value.
 * @throws Q2cError `VALUE_INVALID`
 */
export function refuseMasked(content: unknown): void {
  if (!JSON.stringify(content ?? null).includes(MASK)) return;
  throw new Q2cError(
    'VALUE_INVALID',
    `The content holds ${MASK}, which stands for a masked value. Send only the fields that change, or the real value.`,
  );
}
