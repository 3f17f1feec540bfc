/** A parsed SOQL query. Field paths are lower-level: `['Account', 'Owner', 'Name']`. */

export interface Query {
  select: readonly Selection[];
  /** `SELECT COUNT()`: no rows, only `totalSize`. */
  isCount: boolean;
  from: string;
  where: Condition | null;
  orderBy: readonly Ordering[];
  limit: number | null;
  offset: number;
}

export type Selection = { kind: 'field'; path: readonly string[] } | { kind: 'children'; query: Query };

export interface Ordering {
  path: readonly string[];
  descending: boolean;
  nullsLast: boolean;
}

export type Condition =
  | { kind: 'and' | 'or'; operands: readonly Condition[] }
  | { kind: 'not'; operand: Condition }
  | { kind: 'compare'; path: readonly string[]; operator: Comparison; value: Literal }
  | { kind: 'in'; path: readonly string[]; negated: boolean; values: readonly Literal[] }
  | { kind: 'in-query'; path: readonly string[]; negated: boolean; query: Query };

export type Comparison = '=' | '!=' | '<' | '<=' | '>' | '>=' | 'LIKE';

export type Literal =
  | { type: 'string'; value: string }
  | { type: 'number'; value: number }
  | { type: 'boolean'; value: boolean }
  | { type: 'date'; value: string }
  /** Epoch milliseconds. */
  | { type: 'datetime'; value: number }
  /** A span of days that begins and ends at a date, both included: `TODAY`, `LAST_N_DAYS:7`. */
  | { type: 'period'; from: string; to: string }
  | { type: 'null' };
