import fc from 'fast-check';
import { readTable, writeTable } from '../../../lib/mapping';

const cell = fc
  .string({ minLength: 1, maxLength: 12, unit: fc.constantFrom(...'aé€"\';,\t=+-@1 \r\n') })
  .map((text) => text.trim())
  .filter((text) => text !== '');

test('what is written is read again, whatever the cells hold', () => {
  fc.assert(
    fc.property(
      fc.dictionary(cell, cell, { maxKeys: 20 }),
      fc.constantFrom(',' as const, ';' as const),
      (entries, separator) => {
        const { entries: read, problems } = readTable(writeTable(entries, separator));
        expect(problems).toEqual([]);
        expect(read).toEqual({ ...entries });
      },
    ),
  );
});

test.each([
  ['semicolons', 'net_30;2\nnet_60;3\n'],
  ['commas', 'net_30,2\r\nnet_60,3'],
  ['tabs', 'net_30\t2\nnet_60\t3\n'],
  ['a byte order mark and a header', '\uFEFFvalue;target\r\nnet_30;2\r\nnet_60;3\r\n'],
  ['quotes', '"net_30","2"\n"net_60","3"\n'],
  ['the separator in the first line', 'sep=;\r\nnet_30;2\r\nnet_60;3\r\n'],
  ['empty lines and empty cells behind', '\nnet_30;2;;\n;;\nnet_60;3;\n\n'],
  ['lines that end in CR', 'net_30;2\rnet_60;3\r'],
])('a table with %s is understood', (_, text) => {
  expect(readTable(text)).toEqual({ entries: { net_30: '2', net_60: '3' }, problems: [] });
});

test('separators, quotes and line breaks within quotes belong to the cell', () => {
  const { entries, problems } = readTable('"a;b";"1, ""one"""\n"two\r\nlines";2\n');
  expect(problems).toEqual([]);
  expect(entries).toEqual({ 'a;b': '1, "one"', 'two\r\nlines': '2' });
});

test('what cannot be right is told with its line', () => {
  const { problems } = readTable('a;1\nb\nc;\na;1\na;2\n"x\ny";3;4\n"open;5');
  expect(problems).toEqual([
    { line: 8, code: 'quote', key: '' },
    { line: 2, code: 'columns', key: 'b' },
    { line: 3, code: 'empty', key: 'c' },
    { line: 4, code: 'duplicate', key: 'a' },
    { line: 5, code: 'conflict', key: 'a' },
    { line: 6, code: 'columns', key: 'x\ny' },
    expect.objectContaining({ code: 'columns' }),
  ]);
});

test('no cell is calculated by a spreadsheet program, but a negative id stays one', () => {
  const text = writeTable({ '=1+1': '@x', regular: '-2' });
  expect(text).toBe("\uFEFFvalue;target\r\n'=1+1;'@x\r\nregular;-2\r\n");
  expect(readTable(text).entries).toEqual({ '=1+1': '@x', regular: '-2' });
});
