/**
 * Lookup tables as CSV, in the spellings that spreadsheet programs write: comma, semicolon or tab, quotes, line breaks
 * within quotes, a byte order mark, a first line `sep=;`.
 */

/** A line of the file and what is wrong with it. */
export interface CsvProblem {
  line: number;
  code: 'columns' | 'empty' | 'duplicate' | 'quote' | 'conflict';
  /** The value of the first column, where there is one. */
  key: string;
}

export interface CsvTable {
  entries: Record<string, string>;
  problems: CsvProblem[];
}

interface Line {
  number: number;
  cells: string[];
}

const HEADER = ['value', 'target'];

/** A cell that a spreadsheet program would take for a formula. */
const FORMULA = /^[=+@\t\r]|^-(?!\d)/;

/** A lookup table as CSV that a double click opens: byte order mark, lines that end in CR LF. */
export function writeTable(entries: Readonly<Record<string, string>>, separator: ',' | ';' = ';'): string {
  const lines = [HEADER, ...Object.entries(entries)].map((cells) =>
    cells.map((cell) => quoted(safe(cell), separator)).join(separator),
  );
  return `\uFEFF${lines.join('\r\n')}\r\n`;
}

/** Reads a lookup table of two columns; a header line and empty lines are left out. */
export function readTable(text: string): CsvTable {
  const { lines, open } = linesOf(text);
  const problems: CsvProblem[] = open === null ? [] : [{ line: open, code: 'quote', key: '' }];
  const entries: Record<string, string> = {};
  for (const { number, cells } of withoutHeader(lines)) {
    const [key = '', value = '', ...more] = cells.map((cell) => unsafe(cell.trim()));
    const problem = (code: CsvProblem['code']) => problems.push({ line: number, code, key });
    if (cells.length < 2 || more.some((cell) => cell !== '')) problem('columns');
    else if (key === '' || value === '') problem('empty');
    else if (Object.hasOwn(entries, key)) problem(entries[key] === value ? 'duplicate' : 'conflict');
    else Object.defineProperty(entries, key, { value, enumerable: true, configurable: true, writable: true });
  }
  return { entries, problems };
}

function withoutHeader(lines: Line[]): Line[] {
  const [first] = lines;
  const isHeader =
    first?.cells.length === 2 && HEADER.every((name, at) => first.cells[at]?.trim().toLowerCase() === name);
  return isHeader ? lines.slice(1) : lines;
}

/** The separator that the file names, else the one that stands outside of quotes most often in its first line. */
function separatorOf(text: string): { separator: string; body: string; skipped: number } {
  const named = /^sep=(.)\r?\n/i.exec(text);
  if (named) return { separator: named[1] ?? ';', body: text.slice(named[0].length), skipped: 1 };
  const first = (/^(?:"(?:[^"]|"")*"|[^"\r\n])*/.exec(text)?.[0] ?? '').replace(/"(?:[^"]|"")*"/g, '');
  const counts = [';', ',', '\t'].map((separator) => ({ separator, count: first.split(separator).length }));
  const best = counts.reduce((most, each) => (each.count > most.count ? each : most));
  return { separator: best.separator, body: text, skipped: 0 };
}

/** @returns `open`: the line where a quote begins that never ends. */
function linesOf(text: string): { lines: Line[]; open: number | null } {
  const { separator, body, skipped } = separatorOf(text.replace(/^\uFEFF/, ''));
  const lines: Line[] = [];
  let cells: string[] = [];
  let cell = '';
  let number = skipped + 1;
  let begun = number;
  let quoteAt: number | null = null;
  const endLine = () => {
    cells.push(cell);
    if (cells.some((each) => each.trim() !== '')) lines.push({ number: begun, cells });
    cells = [];
    cell = '';
  };
  for (let at = 0; at < body.length; at++) {
    const sign = body[at] ?? '';
    if (sign === '\n') number++;
    if (quoteAt !== null) {
      if (sign !== '"') cell += sign;
      else if (body[at + 1] === '"') cell += body[at++];
      else quoteAt = null;
    } else if (sign === '"' && cell.trim() === '') {
      quoteAt = number;
      cell = '';
    } else if (sign === separator) {
      cells.push(cell);
      cell = '';
    } else if (sign === '\n' || (sign === '\r' && body[at + 1] !== '\n')) {
      endLine();
      begun = number;
    } else if (sign !== '\r') cell += sign;
  }
  if (cell !== '' || cells.length > 0) endLine();
  return { lines, open: quoteAt };
}

const quoted = (cell: string, separator: string): string =>
  /["\r\n]/.test(cell) || cell.includes(separator) || cell !== cell.trim()
    ? `"${cell.replaceAll('"', '""')}"`
    : cell;

/** An apostrophe keeps a spreadsheet program from calculating what is only text; one that is there gets another. */
const safe = (cell: string): string => (FORMULA.test(cell) || cell.startsWith("'") ? `'${cell}` : cell);
const unsafe = (cell: string): string =>
  cell.startsWith("'") && (FORMULA.test(cell.slice(1)) || cell[1] === "'") ? cell.slice(1) : cell;
