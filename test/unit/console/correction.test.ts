import fc from 'fast-check';
import { changesBetween, correctionFrom, fieldsOf, typed, withField } from '../../../console/src/correction';
import { corrected } from '../../../lib/engine/decisions';
import type { JsonValue } from '../../../lib/model';

/** JSON without null, which a merge patch cannot write. */
const json: fc.Arbitrary<JsonValue> = fc.letrec<{ value: JsonValue }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 3 },
    fc.string(),
    fc.integer(),
    fc.boolean(),
    fc.array(tie('value'), { maxLength: 3 }),
    fc.dictionary(fc.stringMatching(/^[a-e]$/), tie('value'), { maxKeys: 4, noNullPrototype: true }),
  ),
})).value;

test('what the form sends makes of the content what was written', () => {
  fc.assert(
    fc.property(json, json, (before, after) => {
      const correction = correctionFrom(before, after);
      expect(correction === null ? before : corrected(before, correction)).toEqual(after);
    }),
  );
});

test('a correction names only what has changed; a list goes as a whole', () => {
  const before = { name: 'A', email: '•••', address: { city: 'X', zip: '1' }, lines: [{ a: 1 }, { a: 2 }] };
  const after = withField(withField(before, ['address', 'city'], 'Y'), ['lines', '1', 'a'], 3);
  expect(correctionFrom(before, after)).toEqual({
    patch: { address: { city: 'Y' }, lines: [{ a: 1 }, { a: 3 }] },
  });
  expect(changesBetween(before, after)).toEqual([
    { path: 'address.city', before: 'X', after: 'Y' },
    { path: 'lines.1.a', before: 2, after: 3 },
  ]);
  expect(correctionFrom([1], [2])).toEqual({ wire: [2] });
  expect(correctionFrom(before, { ...before })).toBeNull();
});

test('fields are taken away and added where they belong', () => {
  expect(withField({ a: { b: 1, c: 2 } }, ['a', 'b'], undefined)).toEqual({ a: { c: 2 } });
  expect(withField({}, ['a', 'b'], 'x')).toEqual({ a: { b: 'x' } });
  expect(withField([{ a: 1 }, { a: 2 }], ['0'], undefined)).toEqual([{ a: 2 }]);
  expect(
    fieldsOf({ tags: ['x', 'y'], rows: [{ a: 1 }], none: {} }).map(({ path }) => path.join('.')),
  ).toEqual(['tags', 'rows.0.a', 'none']);
});

test('what is typed is of the kind that stood there', () => {
  expect(typed('12', 3)).toBe(12);
  expect(typed('12', '3')).toBe('12');
  expect(typed('', null)).toBeNull();
  expect(typed('["a"]', ['b'])).toEqual(['a']);
  expect(() => typed('many', 3)).toThrow(RangeError);
});
