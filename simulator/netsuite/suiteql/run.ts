import type { SimRequest, SimResponse } from '../../kit/types';
import { type Env, levelOf } from '../env';
import { methodNotAllowed, NetSuiteError } from '../errors';
import { pageLinks, pageOf } from '../records/collection';
import { type Data, isObject } from '../records/data';
import {
  compileTest,
  compileValue,
  type Evaluate,
  type JoinedRow,
  resolve,
  type Source,
  searchError,
} from './evaluate';
import {
  type Expression,
  type Join,
  parseSelect,
  type Select,
  SyntaxFault,
  type TableReference,
} from './parse';
import { type Row, tableOf } from './tables';
import { compareValues, type SqlValue } from './values';

/** A query delivers no more than this over all its pages; `totalResults` still counts all. */
const MAX_ROWS = 100_000;

/** `POST /query/v1/suiteql` with `{"q": "SELECT …"}`. */
export function suiteQl(request: SimRequest, env: Env): SimResponse {
  if (request.method !== 'POST') throw methodNotAllowed(request.method);
  if (!/(^|[,;\s])transient($|[,;\s])/i.test(request.headers.prefer ?? '')) {
    throw new NetSuiteError(
      400,
      'INVALID_HEADER',
      "The required header 'Prefer' is missing. Provide 'Prefer: transient'.",
      {
        header: 'Prefer',
      },
    );
  }
  const rows = runQuery(queryText(request.body), env);
  const page = pageOf(rows.slice(0, MAX_ROWS), request.query, env);
  const items = page.items.map((row): Data => ({ links: [], ...row }));
  return {
    status: 200,
    body: {
      links: pageLinks(`${env.baseUrl}/services/rest/query/v1/suiteql`, request.query, page),
      count: items.length,
      hasMore: page.hasMore,
      items,
      offset: page.offset,
      totalResults: rows.length,
    },
  };
}

function queryText(body: string): string {
  try {
    const parsed: unknown = JSON.parse(body);
    if (isObject(parsed) && typeof parsed.q === 'string' && parsed.q.trim() !== '') return parsed.q;
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
  }
  throw new NetSuiteError(
    400,
    'INVALID_CONTENT',
    'Invalid content in the request body. Provide a JSON object with a query in q.',
    {
      path: 'q',
    },
  );
}

/** Rows of a query: all values as text, columns that are null left out. */
export function runQuery(sql: string, env: Env): Record<string, string>[] {
  const select = parsed(sql);
  const sources = [select.from, ...select.joins].map((reference) => sourceOf(reference, env));
  const rows = filtered(select, sources, env);
  if (select.items.some(({ expression }) => expression?.is === 'count')) return counted(select, rows.length);
  const columns = outputColumns(select, sources);
  const sorted = ordered(select, sources, columns, rows, env);
  const output = sorted.map((row) => {
    const values: Record<string, string> = {};
    for (const { label, evaluate } of columns) {
      const value = evaluate(row, env);
      if (value !== null) values[label] = String(value);
    }
    return values;
  });
  const unique = select.distinct
    ? [...new Map(output.map((row) => [JSON.stringify(row), row])).values()]
    : output;
  return select.rows === null ? unique : unique.slice(0, select.rows);
}

function parsed(sql: string): Select {
  try {
    return parseSelect(sql);
  } catch (error) {
    if (error instanceof SyntaxFault) throw searchError(`Invalid or unsupported search. ${error.message}`);
    throw error;
  }
}

/** Tables of records that the role may not see are not there for it. */
function sourceOf({ name, alias }: TableReference, env: Env): Source {
  const table = tableOf(name);
  if (!table || levelOf(env, name.toLowerCase()) === 'none')
    throw searchError(`Search error occurred: Record '${name}' was not found.`);
  return { name, alias, table };
}

function filtered(select: Select, sources: readonly Source[], env: Env): JoinedRow[] {
  const [main] = sources;
  if (!main) throw searchError('A table is missing.');
  const candidates = select.where && select.joins.length === 0 ? indexedRows(select.where, main, env) : null;
  let rows: JoinedRow[] = (candidates ?? main.table.scan(env)).map((row) => [row]);
  select.joins.forEach((join, index) => {
    rows = joined(rows, join, sources.slice(0, index + 2), env);
  });
  if (!select.where) return rows;
  const test = compileTest(select.where, sources);
  return rows.filter((row) => test(row, env) === true);
}

/**
 * Rows that can fulfil the condition, found by index; null when only a scan can tell. AND needs one side to be
 * indexed, OR both.
 */
function indexedRows(where: Expression, source: Source, env: Env): Row[] | null {
  switch (where.is) {
    case 'and': {
      const [left, right] = [indexedRows(where.left, source, env), indexedRows(where.right, source, env)];
      return left && right && right.length < left.length ? right : (left ?? right);
    }
    case 'or': {
      const left = indexedRows(where.left, source, env);
      const right = left && indexedRows(where.right, source, env);
      return right && uniqueRows([...left, ...right]);
    }
    case 'compare':
      return where.operator === '=' ? indexedEquals(where.left, [where.right], source, env) : null;
    case 'in':
      return indexedEquals(where.operand, where.values, source, env);
    default:
      return null;
  }
}

function indexedEquals(
  left: Expression,
  values: readonly Expression[],
  source: Source,
  env: Env,
): Row[] | null {
  const column = left.is === 'call' && CASES.has(left.name) ? left.args[0] : left;
  if (column?.is !== 'column') return null;
  resolve(column, [source]);
  const rows: Row[] = [];
  for (const value of values) {
    if (value.is !== 'literal' || value.value === null) return null;
    const text = String(value.value);
    const found =
      column === left
        ? source.table.lookup(column.name, text, env)
        : source.table.lookupAnyCase?.(column.name, text, env);
    if (!found) return null;
    rows.push(...found);
  }
  return uniqueRows(rows);
}

/** Functions that change nothing but the case of letters: what equals their value is found in any case. */
const CASES: ReadonlySet<string> = new Set(['upper', 'lower']);

function uniqueRows(rows: readonly Row[]): Row[] {
  return [...new Map(rows.map((row) => [row.line, row])).values()];
}

/** Joins by an index of the new table where ON compares one of its columns with one of the others. */
function joined(rows: readonly JoinedRow[], join: Join, sources: readonly Source[], env: Env): JoinedRow[] {
  const right = sources.at(-1);
  if (!right) throw searchError('A table is missing.');
  const test = compileTest(join.on, sources);
  const keys = joinKeys(join.on, sources);
  let all: Row[] | null = null;
  const candidates = (row: JoinedRow): readonly Row[] => {
    const value = keys?.other(row, env);
    const found =
      keys && value !== undefined && value !== null
        ? right.table.lookup(keys.column, String(value), env)
        : null;
    if (found) return found;
    all ??= right.table.scan(env);
    return all;
  };
  return rows.flatMap((row) => {
    const matches = candidates(row)
      .map((candidate): JoinedRow => [...row, candidate])
      .filter((combined) => test(combined, env) === true);
    return matches.length === 0 && join.outer ? [[...row, null]] : matches;
  });
}

function joinKeys(on: Expression, sources: readonly Source[]): { column: string; other: Evaluate } | null {
  if (on.is !== 'compare' || on.operator !== '=' || on.left.is !== 'column' || on.right.is !== 'column')
    return null;
  const last = sources.length - 1;
  const [left, right] = [resolve(on.left, sources), resolve(on.right, sources)];
  if (left.at === last && right.at !== last)
    return { column: on.left.name, other: compileValue(on.right, sources) };
  if (right.at === last && left.at !== last)
    return { column: on.right.name, other: compileValue(on.left, sources) };
  return null;
}

interface OutputColumn {
  label: string;
  evaluate: Evaluate;
}

function outputColumns(select: Select, sources: readonly Source[]): OutputColumn[] {
  return select.items.flatMap(({ expression, label }) => {
    if (expression) return [{ label, evaluate: compileValue(expression, sources) }];
    return sources.flatMap((source) =>
      [...source.table.columns.keys()].map((name) => ({
        label: name,
        evaluate: compileValue({ is: 'column', table: source.alias, name }, sources),
      })),
    );
  });
}

/** ORDER BY names a result column, its position, or any column of the tables. Nulls come last. */
function ordered(
  select: Select,
  sources: readonly Source[],
  columns: readonly OutputColumn[],
  rows: JoinedRow[],
  env: Env,
): JoinedRow[] {
  if (select.orderBy.length === 0) return rows;
  const keys = select.orderBy.map(({ expression, descending }) => {
    const position = expression.is === 'literal' ? columns[Number(expression.value) - 1] : undefined;
    const aliased =
      expression.is === 'column' && expression.table === null
        ? columns.find(({ label }) => label === expression.name)
        : undefined;
    return {
      evaluate: (position ?? aliased)?.evaluate ?? compileValue(expression, sources),
      sign: descending ? -1 : 1,
    };
  });
  const decorated = rows.map((row) => ({ row, values: keys.map(({ evaluate }) => evaluate(row, env)) }));
  decorated.sort((a, b) => {
    for (const [index, { sign }] of keys.entries()) {
      const order = sortOrder(a.values[index] ?? null, b.values[index] ?? null);
      if (order !== 0) return order * sign;
    }
    return 0;
  });
  return decorated.map(({ row }) => row);
}

function sortOrder(a: SqlValue, b: SqlValue): number {
  if (a === null || b === null) return a === b ? 0 : a === null ? 1 : -1;
  return compareValues(a, b) ?? 0;
}

function counted(select: Select, count: number): Record<string, string>[] {
  const row: Record<string, string> = {};
  for (const { expression, label } of select.items) {
    if (expression?.is !== 'count')
      throw searchError('Columns beside COUNT(*) need GROUP BY, which is not supported here.');
    row[label] = String(count);
  }
  return [row];
}
