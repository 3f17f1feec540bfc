import fc from 'fast-check';
import {
  countryCodeOf,
  countryNameOf,
  decimalOf,
  defined,
  definedOrNone,
  jsonNumberOf,
  MappingError,
  plainReason,
  textOf,
  wordOf,
} from '../../../../lib/systems/kit';

test.each([
  [150000, '150000'],
  [0.1, '0.1'],
  [1e-7, '0.0000001'],
  ['12345678901234567.89', '12345678901234567.89'],
  ['1.50', '1.5'],
  ['1E3', '1000'],
  [-0, '0'],
  ['1e999999', '1e999999'],
  ['a lot', 'a lot'],
  [null, undefined],
  [undefined, undefined],
  ['', undefined],
])('decimal of %p is %p', (value, decimal) => {
  expect(decimalOf(value)).toBe(decimal);
});

test('a decimal goes out as a number only when nothing is lost', () => {
  expect(jsonNumberOf('240000.00', 'acme', 'amount')).toBe(240000);
  for (const bad of ['12345678901234567.89', '0.12345678901234567', 'abc', '']) {
    expect(() => jsonNumberOf(bad, 'acme', 'amount')).toThrow(MappingError);
  }
});

test('numbers of up to 15 digits come back as they were', () => {
  fc.assert(
    fc.property(fc.maxSafeInteger(), fc.integer({ min: 0, max: 10 }), (digits, places) => {
      const value = Number(`${Math.trunc(digits / 10)}e-${places}`);
      expect(jsonNumberOf(decimalOf(value) ?? '', 'acme', 'amount')).toBe(value);
    }),
  );
});

test.each([
  ['DE', 'DE'],
  ['de', 'DE'],
  ['Germany', 'DE'],
  ['Deutschland', 'DE'],
  [' united  states ', 'US'],
  ['United States of America', 'US'],
  ['USA', 'US'],
  ['UK', 'GB'],
  ['United Kingdom', 'GB'],
  ['Österreich', 'AT'],
  ['Austria', 'AT'],
  ['The Netherlands', 'NL'],
  ["Côte d'Ivoire", 'CI'],
  ['Türkiye', 'TR'],
  ['Schweiz', 'CH'],
  ['Switzerland', 'CH'],
  ['France', 'FR'],
  ['Atlantis', undefined],
  ['XX', undefined],
  ['', undefined],
  [null, undefined],
])('country %p is %p', (name, code) => {
  expect(countryCodeOf(name)).toBe(code);
});

test('the English name of a country is read back as its code', () => {
  for (const code of ['DE', 'AT', 'FR', 'GB', 'CH', 'US', 'KR', 'CD', 'BA', 'HK', 'MM', 'CZ']) {
    expect(countryCodeOf(countryNameOf(code))).toBe(code);
  }
  expect(countryNameOf('Atlantis')).toBe('Atlantis');
});

test('texts and words', () => {
  expect(textOf('  a ')).toBe('a');
  expect(textOf(12)).toBe('12');
  expect([textOf(''), textOf(' '), textOf(null), textOf({})]).toEqual([
    undefined,
    undefined,
    undefined,
    undefined,
  ]);
  const words = ['time_and_materials', 'milestone'] as const;
  expect(wordOf('Time and Materials', words)).toBe('time_and_materials');
  expect(wordOf('time-and-materials', words)).toBe('time_and_materials');
  expect(wordOf('other', words)).toBeUndefined();
});

test('undefined members are dropped, null and false stay', () => {
  expect(defined({ a: undefined, b: null, c: false, d: '' })).toEqual({ b: null, c: false, d: '' });
  expect(definedOrNone({ a: undefined })).toBeUndefined();
});

test.each([
  ['Session expired for Bearer 00Dxx0000001gPL!AQ4AQFhZ.abc', /00Dxx|AQ4/],
  ['token eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJtZSJ9.c2lnbmF0dXJl refused', /eyJ/],
  ['session 00D000000000062!AR4AQFmYxoVx.2kY refused', /AR4/],
  [`key ${'A1b2'.repeat(20)} refused`, /A1b2A1b2/],
])('%s is shown without its credential', (text, secret) => {
  const shown = plainReason(text);
  expect(shown).not.toMatch(secret);
  expect(shown).toContain('[hidden]');
});

test('reasons are one short line without markup', () => {
  expect(plainReason('<p>Bad\n <b>value</b></p>')).toBe('Bad value');
  expect(plainReason('word '.repeat(500)).length).toBe(300);
  expect(plainReason('the secret is hunter22', ['hunter22'])).toBe('the secret is [hidden]');
});
