import type { SimRecord } from '../../kit/types';
import { badRequest } from '../errors';
import { normaliseId } from '../ids';
import type { Org } from '../org';
import type { Field, SObject } from '../schema';
import type { Comparison, Condition, Literal } from './ast';
import {
  type Comparable,
  comparableText,
  comparableValue,
  isExact,
  queriedObject,
  type ResolvedPath,
  resolvePath,
} from './fields';
import { selectRecords } from './select';

export type Predicate = (record: SimRecord) => boolean;

/** @throws ApiError 400 when a field cannot be filtered so, or a literal is of the wrong type. */
export function compileCondition(org: Org, object: SObject, condition: Condition): Predicate {
  switch (condition.kind) {
    case 'and':
    case 'or': {
      const operands = condition.operands.map((operand) => compileCondition(org, object, operand));
      if (condition.kind === 'and') return (record) => operands.every((holds) => holds(record));
      return (record) => operands.some((holds) => holds(record));
    }
    case 'not': {
      const operand = compileCondition(org, object, condition.operand);
      return (record) => !operand(record);
    }
    case 'compare':
      return comparison(
        org,
        filterablePath(org, object, condition.path),
        condition.operator,
        condition.value,
      );
    case 'in': {
      const path = filterablePath(org, object, condition.path);
      const values = new Set(condition.values.map((value) => literalValue(path.field, value)));
      return (record) => values.has(comparableValue(org, record, path)) !== condition.negated;
    }
    case 'in-query': {
      const path = filterablePath(org, object, condition.path);
      const values = semiJoinValues(org, condition.query);
      return (record) => values.has(comparableValue(org, record, path)) !== condition.negated;
    }
  }
}

/**
 * Records that can satisfy the condition, found by index; null when all must be looked at.
 * Only equality on ids, look-ups and external ids helps, of the object or of one it points to, alone or as part of an
 * AND.
 */
export function candidates(org: Org, object: SObject, condition: Condition | null): SimRecord[] | null {
  if (condition?.kind === 'and') {
    for (const operand of condition.operands) {
      const found = candidates(org, object, operand);
      if (found) return found;
    }
    return null;
  }
  const isEquality = condition?.kind === 'compare' && condition.operator === '=';
  if (!isEquality && !(condition?.kind === 'in' && !condition.negated)) return null;
  const path = resolvePath(org, object, condition.path);
  if (!isExact(path.field) || path.field.calculated) return null;
  const literals = condition.kind === 'in' ? condition.values : [condition.value];
  const keys = new Set(literals.map((literal) => literalValue(path.field, literal)));
  if (keys.has(null)) return null;
  const found = [...keys].flatMap((key) => recordsAlong(org, object, path, String(key)));
  return path.lookups.length === 0 ? found : found.sort((a, b) => a.created - b.created);
}

/** Records whose path leads to the key: those that hold it, and from look-up to look-up back those that point to them. */
function recordsAlong(
  org: Org,
  object: SObject,
  { lookups, ...end }: ResolvedPath,
  key: string,
): SimRecord[] {
  const origins = [object, ...lookups.map(({ parent }) => parent)];
  return lookups.reduceRight(
    (found, { field }, i) =>
      found.flatMap((record) => org.children(origins[i]?.name ?? '', field.name, record.id)),
    recordsBy(org, end.object, end.field, key),
  );
}

function recordsBy(org: Org, object: SObject, field: Field, key: string): SimRecord[] {
  if (field.type !== 'id') return org.context.db.findBy(object.name, field.name, key);
  const record = org.context.db.get(object.name, key);
  return record ? [record] : [];
}

function filterablePath(org: Org, object: SObject, names: readonly string[]): ResolvedPath {
  const path = resolvePath(org, object, names);
  if (!path.field.filterable || path.field.type === 'address') {
    throw badRequest('INVALID_FIELD', `field '${path.field.name}' can not be filtered in a query call`);
  }
  return path;
}

function comparison(org: Org, path: ResolvedPath, operator: Comparison, literal: Literal): Predicate {
  if (operator === 'LIKE') return like(org, path, literal);
  if (literal.type === 'period') return periodComparison(org, path, operator, literal);
  const wanted = literalValue(path.field, literal);
  const read = (record: SimRecord) => comparableValue(org, record, path);
  switch (operator) {
    case '=':
      return (record) => read(record) === wanted;
    case '!=':
      return (record) => read(record) !== wanted;
    default:
      return (record) => isOrdered(read(record), operator, wanted);
  }
}

/** Nothing is smaller or greater than null. */
function isOrdered(actual: Comparable, operator: '<' | '<=' | '>' | '>=', wanted: Comparable): boolean {
  if (actual === null || wanted === null) return false;
  switch (operator) {
    case '<':
      return actual < wanted;
    case '<=':
      return actual <= wanted;
    case '>':
      return actual > wanted;
    case '>=':
      return actual >= wanted;
  }
}

/** `=` means within the period, `<` before its first day, `>` after its last. */
function periodComparison(
  org: Org,
  path: ResolvedPath,
  operator: Comparison,
  period: { from: string; to: string },
): Predicate {
  if (path.field.type !== 'date' && path.field.type !== 'datetime') throw wrongType(path.field);
  const dayOf = (record: SimRecord): string | null => {
    const value = comparableValue(org, record, path);
    if (typeof value === 'number') return new Date(value).toISOString().slice(0, 10);
    return typeof value === 'string' ? value.toUpperCase() : null;
  };
  const test: Record<Exclude<Comparison, 'LIKE'>, (day: string) => boolean> = {
    '=': (day) => day >= period.from && day <= period.to,
    '!=': (day) => day < period.from || day > period.to,
    '<': (day) => day < period.from,
    '<=': (day) => day <= period.to,
    '>': (day) => day > period.to,
    '>=': (day) => day >= period.from,
  };
  const holds = test[operator === 'LIKE' ? '=' : operator];
  return (record) => {
    const day = dayOf(record);
    return day === null ? operator === '!=' : holds(day);
  };
}

function like(org: Org, path: ResolvedPath, literal: Literal): Predicate {
  if (isExact(path.field) && !path.field.externalId) {
    throw badRequest('INVALID_QUERY_FILTER_OPERATOR', 'invalid operator on id field');
  }
  if (literal.type !== 'string') throw wrongType(path.field);
  const pattern = likePattern(literal.value);
  return (record) => {
    const value = comparableValue(org, record, path);
    return typeof value === 'string' && pattern.test(value);
  };
}

/** `%` stands for any text, `_` for one character; a backslash takes their meaning away. */
function likePattern(text: string): RegExp {
  const source = text.replace(/\\[%_]|[%_]|[\\^$.*+?()[\]{}|]/g, (part) => {
    if (part === '%') return '[\\s\\S]*';
    if (part === '_') return '[\\s\\S]';
    return part.length === 2 ? part.slice(1) : `\\${part}`;
  });
  return new RegExp(`^${source}$`, 'i');
}

function semiJoinValues(org: Org, query: Parameters<typeof selectRecords>[1]): Set<Comparable> {
  const [selection, ...others] = query.select;
  if (selection?.kind !== 'field' || others.length > 0) {
    throw badRequest('MALFORMED_QUERY', 'semi join sub-selects must select one field');
  }
  const object = queriedObject(org, query.from);
  const path = resolvePath(org, object, selection.path);
  if (!isExact(path.field)) {
    throw badRequest(
      'MALFORMED_QUERY',
      `The selected field '${path.field.name}' of a semi join must be an id or reference`,
    );
  }
  return new Set(
    selectRecords(org, query, object, false).map((record) => comparableValue(org, record, path)),
  );
}

/** @throws ApiError 400 `INVALID_FIELD` when the literal is not of the field's type. */
function literalValue(field: Field, literal: Literal): Comparable {
  if (literal.type === 'null') return null;
  switch (field.type) {
    case 'boolean':
      if (literal.type === 'boolean') return literal.value;
      break;
    case 'int':
    case 'double':
    case 'currency':
    case 'percent':
      if (literal.type === 'number') return literal.value;
      break;
    case 'date':
      if (literal.type === 'date') return literal.value;
      break;
    case 'datetime':
      if (literal.type === 'datetime') return literal.value;
      break;
    case 'id':
    case 'reference':
      if (literal.type === 'string') return idLiteral(literal.value);
      break;
    default:
      if (literal.type === 'string')
        return literal.value === '' ? null : comparableText(field, literal.value);
  }
  throw wrongType(field);
}

function idLiteral(text: string): string | null {
  if (text === '') return null;
  const id = normaliseId(text);
  if (id === null) throw badRequest('INVALID_QUERY_FILTER_OPERATOR', `invalid ID field: ${text}`);
  return id;
}

function wrongType(field: Field) {
  const expected: Record<string, string> = {
    boolean: 'boolean and should not be enclosed in quotes',
    int: 'int and should not be enclosed in quotes',
    double: 'double and should not be enclosed in quotes',
    currency: 'double and should not be enclosed in quotes',
    percent: 'double and should not be enclosed in quotes',
    date: 'date and should not be enclosed in quotes',
    datetime: 'dateTime and should not be enclosed in quotes',
  };
  const type = expected[field.type] ?? 'string and should be enclosed in quotes';
  return badRequest(
    'INVALID_FIELD',
    `value of filter criterion for field '${field.name}' must be of type ${type}`,
  );
}
