import { connectionFields, fieldProblems, parameterFields } from '../../../scripts/build/fields';
import { acme } from './fixture';

const text = (id: string, more = {}) => ({ id, label: 'L', type: 'text' as const, ...more });

test('a field of several schemes is one field', () => {
  const clientId = connectionFields(acme).filter(({ spec }) => spec.id === 'clientId');
  expect(clientId).toHaveLength(1);
  expect(clientId[0]?.schemes).toEqual(['secret', 'key']);
  expect(parameterFields(acme).map(({ id }) => id)).toEqual(['query']);
});

test('the example manifest has no problems', () => {
  expect(fieldProblems(acme)).toEqual([]);
});

test.each(['name', 'environment', 'credentials', 'x', 'with-hyphen', 'Capital'])(
  'the id %s is refused',
  (id) => {
    expect(fieldProblems({ ...acme, settings: [text(id)] })).toEqual([expect.stringContaining(`'${id}'`)]);
  },
);

test('a field declared twice must be the same property', () => {
  const settings = [text('clientId', { label: 'Client ID', secret: true })];
  expect(fieldProblems({ ...acme, settings })).toEqual([
    expect.stringContaining("'clientId' is declared twice"),
  ]);
});
