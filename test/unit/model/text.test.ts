import { shortened } from '../../../lib/model';

test('keeps what fits and cuts by characters, not in the middle of one', () => {
  expect(shortened('a'.repeat(200), 200)).toBe('a'.repeat(200));
  expect(shortened('a'.repeat(201), 200)).toBe(`${'a'.repeat(199)}…`);
  expect(shortened('🎉'.repeat(4), 3)).toBe('🎉🎉…');
});
