import { addDays } from '../../seed/dates';
import { isDate, parseDatetime } from '../dates';
import type { Comparison, Condition, Literal, Ordering, Query, Selection } from './ast';
import { malformed, type Token, tokenise } from './lexer';

const COMPARISONS: readonly Comparison[] = ['=', '!=', '<', '<=', '>', '>='];
const MAX_OFFSET = 2000;

/**
 * Parses the part of SOQL that the simulator answers: SELECT of fields, parents and children, COUNT(), WHERE with
 * AND, OR, NOT, comparisons, LIKE, IN (also of a sub-query) and date literals, ORDER BY, LIMIT, OFFSET.
 * @param today `YYYY-MM-DD`, for relative dates.
 * @throws ApiError 400 `MALFORMED_QUERY`, also for what is not in that part (GROUP BY, FIELDS(), aggregates).
 */
export function parseSoql(text: string, today: string): Query {
  const parser = new Parser(text, today);
  return parser.parse();
}

class Parser {
  readonly #text: string;
  readonly #today: string;
  readonly #tokens: readonly Token[];
  #next = 0;

  constructor(text: string, today: string) {
    this.#text = text;
    this.#today = today;
    this.#tokens = tokenise(text);
  }

  parse(): Query {
    const query = this.#query(false);
    if (this.#peek().kind !== 'end') throw this.#unexpected();
    return query;
  }

  #query(isChild: boolean): Query {
    this.#expectWord('SELECT');
    const isCount = this.#takeCount();
    const select = isCount ? [] : this.#list(() => this.#selection(isChild));
    this.#expectWord('FROM');
    const from = this.#name();
    const where = this.#takeWord('WHERE') ? this.#or() : null;
    const orderBy = this.#takeWord('ORDER') ? this.#orderBy() : [];
    const limit = this.#takeWord('LIMIT') ? this.#wholeNumber() : null;
    const offset = this.#takeWord('OFFSET') ? this.#wholeNumber() : 0;
    if (offset > MAX_OFFSET)
      throw malformed(this.#text, this.#peek().at, `maximum SOQL offset allowed is ${MAX_OFFSET}`);
    return { select, isCount, from, where, orderBy, limit, offset };
  }

  #takeCount(): boolean {
    const [word, open, close] = [0, 1, 2].map((ahead) => this.#tokens[this.#next + ahead]);
    if (word?.text.toUpperCase() !== 'COUNT' || open?.text !== '(' || close?.text !== ')') return false;
    this.#next += 3;
    return true;
  }

  #selection(isChild: boolean): Selection {
    if (!this.#takeSymbol('(')) return { kind: 'field', path: this.#path() };
    if (isChild) throw this.#unexpected();
    const query = this.#query(true);
    this.#expectSymbol(')');
    return { kind: 'children', query };
  }

  #or(): Condition {
    const first = this.#negation();
    const joiner = this.#peekWord('AND') ? 'AND' : 'OR';
    const operands = [first];
    while (this.#takeWord(joiner)) operands.push(this.#negation());
    // The platform does not rank AND over OR: mixed without parentheses is an error.
    if (this.#peekWord('AND') || this.#peekWord('OR')) throw this.#unexpected();
    return operands.length === 1 ? first : { kind: joiner === 'AND' ? 'and' : 'or', operands };
  }

  #negation(): Condition {
    if (this.#takeWord('NOT')) return { kind: 'not', operand: this.#negation() };
    if (!this.#takeSymbol('(')) return this.#comparison();
    const inner = this.#or();
    this.#expectSymbol(')');
    return inner;
  }

  #comparison(): Condition {
    const path = this.#path();
    const negated = this.#takeWord('NOT');
    if (this.#takeWord('IN')) return this.#membership(path, negated);
    if (negated) throw this.#unexpected();
    if (this.#takeWord('LIKE')) return { kind: 'compare', path, operator: 'LIKE', value: this.#literal() };
    const symbol = this.#peek().text === '<>' ? '!=' : this.#peek().text;
    const operator = COMPARISONS.find((known) => known === symbol);
    if (!operator) throw this.#unexpected();
    this.#next++;
    return { kind: 'compare', path, operator, value: this.#literal() };
  }

  #membership(path: readonly string[], negated: boolean): Condition {
    this.#expectSymbol('(');
    if (this.#peekWord('SELECT')) {
      const query = this.#query(true);
      this.#expectSymbol(')');
      return { kind: 'in-query', path, negated, query };
    }
    const values = this.#list(() => this.#literal());
    this.#expectSymbol(')');
    return { kind: 'in', path, negated, values };
  }

  #orderBy(): Ordering[] {
    this.#expectWord('BY');
    return this.#list(() => {
      const path = this.#path();
      const descending = this.#takeWord('DESC');
      if (!descending) this.#takeWord('ASC');
      if (!this.#takeWord('NULLS')) return { path, descending, nullsLast: false };
      const nullsLast = this.#takeWord('LAST');
      if (!nullsLast) this.#expectWord('FIRST');
      return { path, descending, nullsLast };
    });
  }

  #literal(): Literal {
    const token = this.#take();
    switch (token.kind) {
      case 'string':
        return { type: 'string', value: token.text };
      case 'number':
        return { type: 'number', value: Number(token.text) };
      case 'date':
        if (!isDate(token.text)) throw malformed(this.#text, token.at, `invalid date: ${token.text}`);
        return { type: 'date', value: token.text };
      case 'datetime': {
        const instant = parseDatetime(token.text);
        if (instant === null) throw malformed(this.#text, token.at, `invalid datetime: ${token.text}`);
        return { type: 'datetime', value: instant };
      }
      case 'word':
        return this.#wordLiteral(token);
      default:
        throw this.#unexpected(token);
    }
  }

  #wordLiteral(token: Token): Literal {
    const [word = '', days] = token.text.toUpperCase().split(':');
    switch (word) {
      case 'TRUE':
      case 'FALSE':
        return { type: 'boolean', value: word === 'TRUE' };
      case 'NULL':
        return { type: 'null' };
      case 'TODAY':
        return this.#period(0, 0);
      case 'YESTERDAY':
        return this.#period(-1, -1);
      case 'TOMORROW':
        return this.#period(1, 1);
      case 'LAST_N_DAYS':
        if (days !== undefined) return this.#period(-Number(days), 0);
        break;
      case 'NEXT_N_DAYS':
        if (days !== undefined) return this.#period(1, Number(days));
        break;
    }
    throw this.#unexpected(token);
  }

  #period(from: number, to: number): Literal {
    return { type: 'period', from: addDays(this.#today, from), to: addDays(this.#today, to) };
  }

  #path(): string[] {
    return this.#name().split('.');
  }

  #name(): string {
    const token = this.#take();
    const isName = token.kind === 'word' && !token.text.includes(':');
    if (!isName || RESERVED.includes(token.text.toUpperCase())) throw this.#unexpected(token);
    return token.text;
  }

  #wholeNumber(): number {
    const token = this.#take();
    if (token.kind !== 'number' || !/^\d+$/.test(token.text)) throw this.#unexpected(token);
    return Number(token.text);
  }

  #list<T>(item: () => T): T[] {
    const items = [item()];
    while (this.#takeSymbol(',')) items.push(item());
    return items;
  }

  #peek(): Token {
    return this.#tokens[this.#next] ?? { kind: 'end', text: '', at: this.#text.length };
  }

  #take(): Token {
    const token = this.#peek();
    this.#next++;
    return token;
  }

  #peekWord(word: string): boolean {
    const token = this.#peek();
    return token.kind === 'word' && token.text.toUpperCase() === word;
  }

  #takeWord(word: string): boolean {
    if (!this.#peekWord(word)) return false;
    this.#next++;
    return true;
  }

  #takeSymbol(symbol: string): boolean {
    const token = this.#peek();
    if (token.kind !== 'symbol' || token.text !== symbol) return false;
    this.#next++;
    return true;
  }

  #expectWord(word: string): void {
    if (!this.#takeWord(word)) throw this.#unexpected();
  }

  #expectSymbol(symbol: string): void {
    if (!this.#takeSymbol(symbol)) throw this.#unexpected();
  }

  #unexpected(token: Token = this.#peek()) {
    const what = token.kind === 'end' ? '<EOF>' : token.text;
    return malformed(this.#text, token.at, `unexpected token: '${what}'`);
  }
}

const RESERVED = [
  'SELECT',
  'FROM',
  'WHERE',
  'AND',
  'OR',
  'NOT',
  'IN',
  'LIKE',
  'ORDER',
  'BY',
  'LIMIT',
  'OFFSET',
  'NULLS',
  'GROUP',
  'HAVING',
];
