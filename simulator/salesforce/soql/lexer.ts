import { badRequest } from '../errors';

export interface Token {
  kind: 'word' | 'string' | 'number' | 'date' | 'datetime' | 'symbol' | 'end';
  /** Words as written, strings unescaped. */
  text: string;
  /** Offset in the query. */
  at: number;
}

const PATTERNS: readonly [Token['kind'], RegExp][] = [
  ['datetime', /\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d{1,3})?(?:Z|[+-]\d{2}:?\d{2})/y],
  ['date', /\d{4}-\d{2}-\d{2}/y],
  ['number', /[+-]?(?:\d+(?:\.\d*)?|\.\d+)/y],
  ['word', /[A-Za-z][\w]*(?:\.[A-Za-z]\w*)*(?::\d+)?/y],
  ['symbol', /<=|>=|!=|<>|[=<>(),]/y],
];

const ESCAPES: Record<string, string> = {
  n: '\n',
  r: '\r',
  t: '\t',
  b: '\b',
  f: '\f',
  '"': '"',
  "'": "'",
  '\\': '\\',
  _: '\\_',
  '%': '\\%',
};

/** @throws ApiError 400 `MALFORMED_QUERY` pointing at the character. */
export function tokenise(query: string): Token[] {
  const tokens: Token[] = [];
  let at = 0;
  while (at < query.length) {
    if (/\s/.test(query[at] ?? '')) {
      at++;
      continue;
    }
    const token = query[at] === "'" ? readString(query, at) : readToken(query, at);
    tokens.push(token.token);
    at = token.end;
  }
  tokens.push({ kind: 'end', text: '', at });
  return tokens;
}

export function malformed(query: string, at: number, reason: string) {
  const line = query.slice(Math.max(0, at - 30), at + 30);
  return badRequest('MALFORMED_QUERY', `\n${line}\n^\nERROR at Row:1:Column:${at + 1}\n${reason}`);
}

function readToken(query: string, at: number): { token: Token; end: number } {
  for (const [kind, pattern] of PATTERNS) {
    pattern.lastIndex = at;
    const text = pattern.exec(query)?.[0];
    if (text !== undefined) return { token: { kind, text, at }, end: at + text.length };
  }
  throw malformed(query, at, `unexpected token: '${query[at]}'`);
}

/** `\%` and `\_` keep their backslash: they only mean something to LIKE. */
function readString(query: string, start: number): { token: Token; end: number } {
  let text = '';
  for (let i = start + 1; i < query.length; i++) {
    const character = query[i] ?? '';
    if (character === "'") return { token: { kind: 'string', text, at: start }, end: i + 1 };
    if (character !== '\\') {
      text += character;
      continue;
    }
    i++;
    const code = query[i] ?? '';
    if (code === 'u' && /^[0-9a-fA-F]{4}$/.test(query.slice(i + 1, i + 5))) {
      text += String.fromCharCode(Number.parseInt(query.slice(i + 1, i + 5), 16));
      i += 4;
      continue;
    }
    const meant = ESCAPES[code.toLowerCase()];
    if (meant === undefined) throw malformed(query, i, `Illegal escape sequence '\\${code}'`);
    text += meant;
  }
  throw malformed(query, start, 'line ends before the string does');
}
