import type { Env } from '../env';
import { NetSuiteError } from '../errors';
import type { Comparison, Expression } from './parse';
import type { Column, Row, Table } from './tables';
import { compareValues, formatDate, parseDate, SqlDate, type SqlValue } from './values';

/** Tables of a query in the order of FROM and JOIN; rows come in the same order, null where a left join found none. */
export interface Source {
  alias: string;
  name: string;
  table: Table;
}

export type JoinedRow = readonly (Row | null)[];
export type Evaluate = (row: JoinedRow, env: Env) => SqlValue;
/** null = unknown, as a comparison with null. */
export type Test = (row: JoinedRow, env: Env) => boolean | null;

export function searchError(detail: string): NetSuiteError {
  return new NetSuiteError(
    400,
    'INVALID_PARAMETER',
    `Invalid search query. Detailed unprocessed description follows. ${detail}`,
    { path: 'q' },
  );
}

/** Finds a column. @throws NetSuiteError when no table of the query has it, or several have. */
export function resolve(
  expression: { table: string | null; name: string },
  sources: readonly Source[],
): { at: number; column: Column } {
  const { table, name } = expression;
  const found = sources
    .map((source, at) => ({ at, source, column: source.table.columns.get(name) }))
    .filter(
      ({ source, column }) => column && (table === null || source.alias === table || source.name === table),
    );
  const [first, second] = found;
  if (!first?.column) {
    const known = sources.map((source) => `${source.alias}=${source.name}`).join(', ');
    throw searchError(`Unknown identifier '${name}'. Available identifiers are: {${known}}`);
  }
  if (second) throw searchError(`Ambiguous identifier '${name}'.`);
  return { at: first.at, column: first.column };
}

export function compileValue(expression: Expression, sources: readonly Source[]): Evaluate {
  switch (expression.is) {
    case 'literal': {
      const { value } = expression;
      return () => value;
    }
    case 'column': {
      const { at, column } = resolve(expression, sources);
      return (row, env) => {
        const source = row[at];
        return source ? column.read(source, env) : null;
      };
    }
    case 'call':
      return compileCall(expression.name, expression.args, sources);
    default:
      throw searchError('A value was expected.');
  }
}

export function compileTest(expression: Expression, sources: readonly Source[]): Test {
  switch (expression.is) {
    case 'and': {
      const [left, right] = [compileTest(expression.left, sources), compileTest(expression.right, sources)];
      return (row, env) => {
        const a = left(row, env);
        if (a === false) return false;
        const b = right(row, env);
        return b === false ? false : a === null || b === null ? null : true;
      };
    }
    case 'or': {
      const [left, right] = [compileTest(expression.left, sources), compileTest(expression.right, sources)];
      return (row, env) => {
        const a = left(row, env);
        if (a === true) return true;
        const b = right(row, env);
        return b === true ? true : a === null || b === null ? null : false;
      };
    }
    case 'not': {
      const operand = compileTest(expression.operand, sources);
      return (row, env) => {
        const value = operand(row, env);
        return value === null ? null : !value;
      };
    }
    case 'null': {
      const operand = compileValue(expression.operand, sources);
      return (row, env) => operand(row, env) === null;
    }
    case 'compare': {
      const [left, right] = [compileValue(expression.left, sources), compileValue(expression.right, sources)];
      const holds = COMPARISONS[expression.operator];
      return (row, env) => {
        const order = compareValues(left(row, env), right(row, env));
        return order === null ? null : holds(order);
      };
    }
    case 'in': {
      const operand = compileValue(expression.operand, sources);
      const values = expression.values.map((value) => compileValue(value, sources));
      return (row, env) => {
        const value = operand(row, env);
        if (value === null) return null;
        return values.some((candidate) => compareValues(value, candidate(row, env)) === 0);
      };
    }
    case 'like': {
      const operand = compileValue(expression.operand, sources);
      const pattern = compileValue(expression.pattern, sources);
      return (row, env) => {
        const [value, wanted] = [operand(row, env), pattern(row, env)];
        return value === null || wanted === null ? null : likePattern(String(wanted)).test(String(value));
      };
    }
    default:
      throw searchError('A condition was expected.');
  }
}

const COMPARISONS: Readonly<Record<Comparison, (order: number) => boolean>> = {
  '=': (order) => order === 0,
  '<>': (order) => order !== 0,
  '<': (order) => order < 0,
  '<=': (order) => order <= 0,
  '>': (order) => order > 0,
  '>=': (order) => order >= 0,
};

function likePattern(pattern: string): RegExp {
  const source = pattern
    .replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
    .replaceAll('%', '[\\s\\S]*')
    .replaceAll('_', '[\\s\\S]');
  return new RegExp(`^${source}$`);
}

type SqlFunction = (args: SqlValue[], env: Env) => SqlValue;

const onText =
  (work: (text: string) => string | number): SqlFunction =>
  ([value = null]) =>
    value === null ? null : work(String(value));

const toDate: SqlFunction = ([value = null, format = 'MM/DD/YYYY']) => {
  if (value === null) return null;
  const date = parseDate(String(value), String(format));
  if (!date) throw searchError(`'${String(value)}' does not match the format '${String(format)}'.`);
  return date;
};

const FUNCTIONS: Readonly<Record<string, SqlFunction>> = {
  upper: onText((text) => text.toUpperCase()),
  lower: onText((text) => text.toLowerCase()),
  trim: onText((text) => text.trim()),
  length: onText((text) => text.length),
  to_number: onText(Number),
  nvl: ([value = null, fallback = null]) => value ?? fallback,
  coalesce: (args) => args.find((value) => value !== null) ?? null,
  to_char: ([value = null, format = null]) => {
    if (value === null) return null;
    return value instanceof SqlDate && format !== null ? formatDate(value, String(format)) : String(value);
  },
  // The account's and its users' time zone is UTC.
  sys_extract_utc: ([value = null]) => value,
  to_date: toDate,
  to_timestamp: toDate,
};

function compileCall(name: string, args: readonly Expression[], sources: readonly Source[]): Evaluate {
  const [first] = args;
  if (name === 'builtin.df' || name === 'builtin.cf') {
    if (first?.is !== 'column') throw searchError(`${name.toUpperCase()} needs a column.`);
    const { at, column } = resolve(first, sources);
    const display = name === 'builtin.df' ? column.display : undefined;
    return (row, env) => {
      const source = row[at];
      if (!source) return null;
      return display ? display(source, env) : column.read(source, env);
    };
  }
  const work = FUNCTIONS[name];
  if (!work) throw searchError(`Invalid or unsupported function '${name}'.`);
  const values = args.map((argument) => compileValue(argument, sources));
  return (row, env) =>
    work(
      values.map((value) => value(row, env)),
      env,
    );
}
