import type { SimRecord } from '../../kit/types';
import { invalidParameter } from '../errors';
import { propertyOf } from '../schema';
import type { FieldKind, RecordType } from '../schema/fields';

/** A compiled `q` expression. */
export interface Filter {
  matches(record: SimRecord): boolean;
  /** Set when the whole expression is `externalId IS "…"`, which an index answers. */
  externalId: string | null;
}

type Test = (record: SimRecord) => boolean;
type Compare = (actual: string, wanted: readonly string[]) => boolean;

const insensitive = (test: (actual: string, wanted: string) => boolean): Compare => {
  return (actual, [wanted = '']) => test(actual.toLowerCase(), wanted.toLowerCase());
};
const numeric = (test: (actual: number, wanted: readonly number[]) => boolean): Compare => {
  return (actual, wanted) => test(Number(actual), wanted.map(Number));
};
const daily = (test: (actual: string, wanted: string) => boolean): Compare => {
  return (actual, [wanted = '']) => test(actual.slice(0, 10), isoDay(wanted));
};

const OPERATORS: Readonly<Record<string, Compare>> = {
  IS: insensitive((a, b) => a === b),
  IS_NOT: insensitive((a, b) => a !== b),
  CONTAIN: insensitive((a, b) => a.includes(b)),
  CONTAIN_NOT: insensitive((a, b) => !a.includes(b)),
  START_WITH: insensitive((a, b) => a.startsWith(b)),
  START_WITH_NOT: insensitive((a, b) => !a.startsWith(b)),
  ENDWITH: insensitive((a, b) => a.endsWith(b)),
  ENDWITH_NOT: insensitive((a, b) => !a.endsWith(b)),
  EQUAL: numeric((a, [b]) => a === b),
  EQUAL_NOT: numeric((a, [b]) => a !== b),
  GREATER: numeric((a, [b = Number.NaN]) => a > b),
  GREATER_OR_EQUAL: numeric((a, [b = Number.NaN]) => a >= b),
  LESS: numeric((a, [b = Number.NaN]) => a < b),
  LESS_OR_EQUAL: numeric((a, [b = Number.NaN]) => a <= b),
  BETWEEN: numeric((a, [low = Number.NaN, high = Number.NaN]) => a >= low && a <= high),
  ANY_OF: (actual, wanted) => wanted.includes(actual),
  ANY_OF_NOT: (actual, wanted) => !wanted.includes(actual),
  ON: daily((a, b) => a === b),
  ON_NOT: daily((a, b) => a !== b),
  AFTER: daily((a, b) => a > b),
  BEFORE: daily((a, b) => a < b),
  ON_OR_AFTER: daily((a, b) => a >= b),
  ON_OR_BEFORE: daily((a, b) => a <= b),
};

/** Operators a kind of field understands, by the group of the fact sheet. */
const TEXT = /^(IS|IS_NOT|CONTAIN|CONTAIN_NOT|START_WITH|START_WITH_NOT|ENDWITH|ENDWITH_NOT)$/;
const NUMBER = /^(EQUAL|EQUAL_NOT|GREATER|GREATER_OR_EQUAL|LESS|LESS_OR_EQUAL|BETWEEN|ANY_OF|ANY_OF_NOT)$/;
const DATE = /^(ON|ON_NOT|AFTER|BEFORE|ON_OR_AFTER|ON_OR_BEFORE)$/;
const CHOICE = /^(ANY_OF|ANY_OF_NOT|EQUAL|EQUAL_NOT|IS|IS_NOT)$/;
const OPERATORS_OF: Readonly<Record<FieldKind, RegExp>> = {
  text: TEXT,
  email: TEXT,
  phone: TEXT,
  url: TEXT,
  integer: NUMBER,
  number: NUMBER,
  amount: NUMBER,
  duration: NUMBER,
  boolean: /^(IS|IS_NOT)$/,
  date: DATE,
  dateTime: DATE,
  reference: CHOICE,
  choice: CHOICE,
  country: CHOICE,
};

/**
 * Compiles `email IS "a@b.c" AND lastModifiedDate ON_OR_AFTER "1/1/2026"`.
 * @throws NetSuiteError INVALID_PARAMETER for fields, operators and syntax the service does not know.
 */
export function compileFilter(type: RecordType, q: string): Filter {
  const tokens = tokenize(q);
  let at = 0;
  const test = disjunction();
  if (at < tokens.length) throw badQuery(`Unexpected ${tokens[at]}.`);
  const simple = tokens.length === 3 && tokens[0]?.toLowerCase() === 'externalid' && tokens[1] === 'IS';
  return { matches: test, externalId: simple ? unquoted(tokens[2] ?? '') : null };

  function disjunction(): Test {
    let left = conjunction();
    while (tokens[at] === 'OR') {
      at++;
      const [a, b] = [left, conjunction()];
      left = (record) => a(record) || b(record);
    }
    return left;
  }

  function conjunction(): Test {
    let left = term();
    while (tokens[at] === 'AND') {
      at++;
      const [a, b] = [left, term()];
      left = (record) => a(record) && b(record);
    }
    return left;
  }

  function term(): Test {
    if (tokens[at] !== '(') return condition();
    at++;
    const inner = disjunction();
    if (tokens[at++] !== ')') throw badQuery('A closing parenthesis is missing.');
    return inner;
  }

  function condition(): Test {
    const name = tokens[at++] ?? '';
    const operator = tokens[at++] ?? '';
    const { read, kind } = fieldReader(type, name);
    if (operator === 'EMPTY') return (record) => read(record) === undefined;
    if (operator === 'EMPTY_NOT') return (record) => read(record) !== undefined;
    const compare = OPERATORS[operator];
    if (!compare || !OPERATORS_OF[kind].test(operator))
      throw badQuery(`Operator ${operator} is not valid for field ${name}.`);
    const wanted = values(operator);
    return (record) => {
      const actual = read(record);
      return actual === undefined ? operator.endsWith('_NOT') : compare(actual, wanted);
    };
  }

  function values(operator: string): string[] {
    if (tokens[at] === '[') {
      const list: string[] = [];
      while (tokens[++at] !== ']') {
        const token = tokens[at];
        if (token === undefined) throw badQuery('A closing bracket is missing.');
        if (token !== ',') list.push(unquoted(token));
      }
      at++;
      return list;
    }
    const first = tokens[at++];
    if (first === undefined) throw badQuery(`Operator ${operator} needs a value.`);
    if (operator !== 'BETWEEN') return [unquoted(first)];
    if (tokens[at] === 'AND') at++;
    return [unquoted(first), unquoted(tokens[at++] ?? '')];
  }
}

function tokenize(q: string): string[] {
  return q.match(/"(?:[^"\\]|\\.)*"|[()[\],]|[^\s()[\],"]+/g) ?? [];
}

function unquoted(token: string): string {
  return token.startsWith('"') ? token.slice(1, -1).replace(/\\(.)/g, '$1') : token;
}

function fieldReader(
  type: RecordType,
  name: string,
): { read(record: SimRecord): string | undefined; kind: FieldKind } {
  const lower = name.toLowerCase();
  if (lower === 'id') return { kind: 'integer', read: (record) => record.id };
  if (lower === 'lastmodifieddate' && type.modified) {
    return { kind: 'dateTime', read: (record) => new Date(record.modified).toISOString() };
  }
  if (lower === type.created?.toLowerCase()) {
    return { kind: 'dateTime', read: (record) => new Date(record.created).toISOString() };
  }
  const property = propertyOf(type, name);
  if (property?.is !== 'field') throw badQuery(`Field ${name} is not filterable.`);
  return {
    kind: property.field.kind,
    read: ({ data }) => {
      const value = data[property.name];
      return value === undefined || value === null ? undefined : String(value);
    },
  };
}

/** "1/31/2026", the date format of the integration user, or the ISO form. */
function isoDay(text: string): string {
  const match = /^(\d{1,2})\/(\d{1,2})\/(\d{4})/.exec(text);
  if (!match) return text.slice(0, 10);
  return `${match[3]}-${String(match[1]).padStart(2, '0')}-${String(match[2]).padStart(2, '0')}`;
}

function badQuery(detail: string): Error {
  return invalidParameter('q', `Invalid query parameter value. ${detail}`);
}
