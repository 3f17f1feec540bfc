import {
  inList,
  instantLiteral,
  instantOf,
  textLiteral,
  under,
} from '../../../../lib/systems/salesforce/soql';

test.each([
  ['plain', "'plain'"],
  ["O'Neill \\ Söhne", "'O\\'Neill \\\\ Söhne'"],
  ["x' OR Name != '", "'x\\' OR Name != \\''"],
  ['two\nlines\tand\r', "'two\\nlines\\tand\\r'"],
  ['🚀 مرحبا', "'🚀 مرحبا'"],
])('literal of %j', (text, literal) => {
  expect(textLiteral(text)).toBe(literal);
});

test('lists, parents and instants', () => {
  expect(inList('Id', ['a', "b'"])).toBe("Id IN ('a','b\\'')");
  expect(under('Account', ['Id', 'Name'])).toEqual(['Account.Id', 'Account.Name']);
  expect(instantLiteral('2026-01-02T10:00:00.000Z')).toBe('2026-01-02T10:00:00.000Z');
});

test.each([
  ['2026-01-02T10:00:00.000+0000', '2026-01-02T10:00:00.000Z'],
  ['2026-01-02T10:00:00.500+0130', '2026-01-02T08:30:00.500Z'],
  ['2026-01-02T10:00:00Z', '2026-01-02T10:00:00.000Z'],
  ['soon', undefined],
  [null, undefined],
])('instant of %p', (text, instant) => {
  expect(instantOf(text)).toBe(instant);
});
