import { Decimal } from 'decimal.js';
import fc from 'fast-check';
import { parseJson } from '../../../../lib/systems/kit/json';

test.each([
  ['{"n":12345678901234567890}', { n: '12345678901234567890' }],
  ['[0.12345678901234567, -1234567890123456.78]', ['0.12345678901234567', '-1234567890123456.78']],
  ['[9007199254740993]', ['9007199254740993']],
  ['[9007199254740992]', [9007199254740992]],
  ['[0.1, 150000.0, 1e3, 1.5E+2, -0]', [0.1, 150000, 1000, 150, -0]],
  ['[1e400, 1e-400]', ['1e400', '1e-400']],
  ['{"id":"00Dxx0000001gPLEAY12345678901234567890"}', { id: '00Dxx0000001gPLEAY12345678901234567890' }],
  ['"x"', 'x'],
  ['null', null],
])('%s', (text, value) => {
  expect(parseJson(text)).toEqual(value);
});

test('what is not JSON throws', () => {
  expect(() => parseJson('{"a":')).toThrow(SyntaxError);
  expect(() => parseJson('1234567890123456789x')).toThrow(SyntaxError);
});

test('every JSON value of JS numbers is read back unchanged', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      expect(parseJson(JSON.stringify(value))).toEqual(JSON.parse(JSON.stringify(value)));
    }),
  );
});

test('every decimal text is kept, as number or as text', () => {
  fc.assert(
    fc.property(fc.bigInt({ min: 0n, max: 10n ** 24n }), fc.nat({ max: 12 }), (digits, places) => {
      const text = `${digits}`.padStart(places + 1, '0');
      const decimal = places === 0 ? text : `${text.slice(0, -places)}.${text.slice(-places)}`;
      const parsed = parseJson(`[${decimal}]`) as [number | string];
      if (typeof parsed[0] === 'string') expect(parsed[0]).toBe(decimal);
      else expect(new Decimal(String(parsed[0])).equals(decimal)).toBe(true);
    }),
    { examples: [[9007199254740993n, 0]] },
  );
});
