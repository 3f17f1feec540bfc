/**
 * The part of SuiteQL that integrations use: SELECT of columns, aliases and a few functions FROM one table or a
 * join of tables, WHERE, ORDER BY. Anything else is a syntax error, as a mistyped query is.
 */

export type Expression =
  | { is: 'literal'; value: string | number | null }
  | { is: 'column'; table: string | null; name: string }
  | { is: 'call'; name: string; args: Expression[] }
  | { is: 'count' }
  | { is: 'and' | 'or'; left: Expression; right: Expression }
  | { is: 'not'; operand: Expression }
  | { is: 'compare'; operator: Comparison; left: Expression; right: Expression }
  | { is: 'in'; operand: Expression; values: Expression[] }
  | { is: 'like'; operand: Expression; pattern: Expression }
  | { is: 'null'; operand: Expression };

export type Comparison = '=' | '<>' | '<' | '<=' | '>' | '>=';

export interface TableReference {
  name: string;
  alias: string;
}

export interface Join extends TableReference {
  outer: boolean;
  on: Expression;
}

export interface SelectItem {
  /** null = `*` */
  expression: Expression | null;
  label: string;
}

export interface Select {
  distinct: boolean;
  /** `TOP n` or `FETCH FIRST n ROWS ONLY`. */
  rows: number | null;
  items: SelectItem[];
  from: TableReference;
  joins: Join[];
  where: Expression | null;
  orderBy: { expression: Expression; descending: boolean }[];
}

export class SyntaxFault extends Error {}

const TOKEN =
  /\s*(?:--[^\n]*\n\s*)*('(?:[^']|'')*'|\d+(?:\.\d+)?|[A-Za-z_][\w$]*|"[^"]*"|<>|!=|<=|>=|\|\||[=<>(),.*-])/y;
const RESERVED = new Set(
  'select distinct top from where and or not in like is null between order by asc desc join inner left outer on fetch first rows only group having union as'.split(
    ' ',
  ),
);

interface Token {
  text: string;
  /** Lower-case for words, the text itself otherwise. */
  key: string;
  kind: 'string' | 'number' | 'word' | 'symbol';
}

/** @throws SyntaxFault */
export function parseSelect(sql: string): Select {
  return new Parser(tokenize(sql.trim().replace(/;$/, ''))).select();
}

function tokenize(sql: string): Token[] {
  const tokens: Token[] = [];
  TOKEN.lastIndex = 0;
  while (TOKEN.lastIndex < sql.length && sql.slice(TOKEN.lastIndex).trim() !== '') {
    const at = TOKEN.lastIndex;
    const text = TOKEN.exec(sql)?.[1];
    if (text === undefined) throw new SyntaxFault(`Unexpected text near "${sql.slice(at, at + 20).trim()}".`);
    tokens.push(tokenOf(text));
  }
  return tokens;
}

function tokenOf(text: string): Token {
  if (text.startsWith("'"))
    return { text: text.slice(1, -1).replaceAll("''", "'"), key: "'", kind: 'string' };
  if (text.startsWith('"')) return { text: text.slice(1, -1), key: '"', kind: 'word' };
  if (/^\d/.test(text)) return { text, key: text, kind: 'number' };
  return { text, key: text.toLowerCase(), kind: /^\w/.test(text) ? 'word' : 'symbol' };
}

class Parser {
  readonly #tokens: readonly Token[];
  #at = 0;

  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens;
  }

  select(): Select {
    this.#expect('select');
    const distinct = this.#skip('distinct');
    let rows = this.#skip('top') ? this.#integer() : null;
    const items = this.#list(() => this.#selectItem()).map(named);
    this.#expect('from');
    const from = this.#table();
    const joins = this.#joins();
    const where = this.#skip('where') ? this.#or() : null;
    const orderBy = this.#skip('order') ? this.#orderBy() : [];
    if (this.#skip('fetch')) {
      this.#expect('first');
      rows = this.#integer();
      this.#expect('rows');
      this.#expect('only');
    }
    const rest = this.#tokens[this.#at];
    if (rest) throw new SyntaxFault(`Unexpected "${rest.text}".`);
    return { distinct, rows, items, from, joins, where, orderBy };
  }

  #selectItem(): SelectItem {
    if (this.#skip('*')) return { expression: null, label: '*' };
    const expression = this.#operand();
    const hasAlias = this.#skip('as') || this.#startsName();
    return { expression, label: hasAlias ? this.#name().toLowerCase() : '' };
  }

  #joins(): Join[] {
    const joins: Join[] = [];
    for (;;) {
      const outer = this.#skip('left');
      if (outer) this.#skip('outer');
      const inner = !outer && this.#skip('inner');
      if (!this.#skip('join')) {
        if (outer || inner) throw new SyntaxFault('JOIN is missing.');
        return joins;
      }
      const table = this.#table();
      this.#expect('on');
      joins.push({ ...table, outer, on: this.#or() });
    }
  }

  #table(): TableReference {
    const name = this.#name().toLowerCase();
    const alias = this.#skip('as') || this.#startsName() ? this.#name().toLowerCase() : name;
    return { name, alias };
  }

  #orderBy(): Select['orderBy'] {
    this.#expect('by');
    return this.#list(() => {
      const expression = this.#operand();
      const descending = this.#skip('desc');
      if (!descending) this.#skip('asc');
      return { expression, descending };
    });
  }

  #or(): Expression {
    let left = this.#and();
    while (this.#skip('or')) left = { is: 'or', left, right: this.#and() };
    return left;
  }

  #and(): Expression {
    let left = this.#not();
    while (this.#skip('and')) left = { is: 'and', left, right: this.#not() };
    return left;
  }

  #not(): Expression {
    return this.#skip('not') ? { is: 'not', operand: this.#not() } : this.#predicate();
  }

  #predicate(): Expression {
    if (this.#peek('(') && !this.#peek('select', 1)) {
      this.#at++;
      const inner = this.#or();
      this.#expect(')');
      return inner;
    }
    const left = this.#operand();
    if (this.#skip('is')) {
      const negated = this.#skip('not');
      this.#expect('null');
      return negate(negated, { is: 'null', operand: left });
    }
    const negated = this.#skip('not');
    if (this.#skip('in')) {
      this.#expect('(');
      const values = this.#list(() => this.#operand());
      this.#expect(')');
      return negate(negated, { is: 'in', operand: left, values });
    }
    if (this.#skip('like')) return negate(negated, { is: 'like', operand: left, pattern: this.#operand() });
    if (this.#skip('between')) {
      const low = this.#operand();
      this.#expect('and');
      const high = this.#operand();
      return negate(negated, {
        is: 'and',
        left: { is: 'compare', operator: '>=', left, right: low },
        right: { is: 'compare', operator: '<=', left, right: high },
      });
    }
    return { is: 'compare', operator: this.#comparison(), left, right: this.#operand() };
  }

  #comparison(): Comparison {
    const key = this.#tokens[this.#at]?.key;
    switch (key) {
      case '=':
      case '<>':
      case '<':
      case '<=':
      case '>':
      case '>=':
        this.#at++;
        return key;
      case '!=':
        this.#at++;
        return '<>';
      default:
        throw new SyntaxFault(
          `A comparison was expected before "${this.#tokens[this.#at]?.text ?? 'the end'}".`,
        );
    }
  }

  #operand(): Expression {
    const token = this.#tokens[this.#at++];
    if (!token) throw new SyntaxFault('The query ends too early.');
    if (token.kind === 'string') return { is: 'literal', value: token.text };
    if (token.kind === 'number') return { is: 'literal', value: Number(token.text) };
    if (token.key === '-') return { is: 'literal', value: -this.#number() };
    if (token.key === 'null') return { is: 'literal', value: null };
    if (token.kind !== 'word' || RESERVED.has(token.key))
      throw new SyntaxFault(`Unexpected "${token.text}".`);
    let name = token.text.toLowerCase();
    let table: string | null = null;
    if (this.#skip('.')) {
      table = name;
      name = this.#name().toLowerCase();
    }
    if (!this.#skip('(')) return { is: 'column', table, name };
    return this.#call(table === null ? name : `${table}.${name}`);
  }

  #call(name: string): Expression {
    if (name === 'count') {
      if (!this.#skip('*')) this.#operand();
      this.#expect(')');
      return { is: 'count' };
    }
    const args = this.#list(() => this.#operand());
    this.#expect(')');
    return { is: 'call', name, args };
  }

  #list<T>(item: () => T): T[] {
    const items = [item()];
    while (this.#skip(',')) items.push(item());
    return items;
  }

  #startsName(): boolean {
    const token = this.#tokens[this.#at];
    return token?.kind === 'word' && !RESERVED.has(token.key);
  }

  #name(): string {
    const token = this.#tokens[this.#at++];
    if (token?.kind !== 'word' || RESERVED.has(token.key))
      throw new SyntaxFault(`A name was expected, not "${token?.text ?? ''}".`);
    return token.text;
  }

  #number(): number {
    const token = this.#tokens[this.#at++];
    if (token?.kind !== 'number') throw new SyntaxFault('A number was expected.');
    return Number(token.text);
  }

  #integer(): number {
    const value = this.#number();
    if (!Number.isInteger(value)) throw new SyntaxFault('A whole number was expected.');
    return value;
  }

  #peek(key: string, ahead = 0): boolean {
    const token = this.#tokens[this.#at + ahead];
    return token?.key === key && token.kind !== 'string';
  }

  #skip(key: string): boolean {
    if (!this.#peek(key)) return false;
    this.#at++;
    return true;
  }

  #expect(key: string): void {
    if (!this.#skip(key)) {
      throw new SyntaxFault(
        `"${key.toUpperCase()}" was expected before "${this.#tokens[this.#at]?.text ?? 'the end'}".`,
      );
    }
  }
}

function negate(negated: boolean, operand: Expression): Expression {
  return negated ? { is: 'not', operand } : operand;
}

/** A result column without alias has the name of its column; an expression is named by its position. */
function named(item: SelectItem, index: number): SelectItem {
  if (item.label !== '') return item;
  const { expression } = item;
  return { expression, label: expression?.is === 'column' ? expression.name : `expr${index + 1}` };
}
