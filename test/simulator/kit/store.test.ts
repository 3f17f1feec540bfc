import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { TransactionalStore } from '../../../simulator/kit/store';

const folder = mkdtempSync(join(tmpdir(), 'store-'));
afterAll(() => rmSync(folder, { recursive: true }));

let files = 0;
let file: string;
let store: TransactionalStore;
const clock = () => 1000;
const open = () => new TransactionalStore(file, ['Thing.color'], clock);

beforeEach(() => {
  file = join(folder, `${++files}.sqlite`);
  store = open();
});
afterEach(() => store.close());

/** What another process would find now. */
function onDisk(): TransactionalStore {
  store.close();
  store = open();
  return store;
}

it('stamps every write with a later moment than the one before', () => {
  const a = store.insert('Thing', 'a', {});
  const b = store.insert('Other', 'b', {});
  const c = store.update('Thing', 'a', { x: 1 });
  expect([a.modified, b.modified, c.modified]).toEqual([1000, 1001, 1002]);
  expect([c.created, c.data]).toEqual([1000, { x: 1 }]);
  store.commit();
  expect(onDisk().insert('Thing', 'c', {}).modified).toBe(1003);
});

it('keeps what was committed and only that', () => {
  store.insert('Thing', 'a', { color: 'red', nested: { list: [1, null, 'x'] } });
  store.setValue('key', 'value');
  store.next('n');
  store.commit();
  store.update('Thing', 'a', { color: 'blue' });
  store.setValue('key', null);
  expect(onDisk().get('Thing', 'a')).toEqual({
    id: 'a',
    type: 'Thing',
    data: { color: 'red', nested: { list: [1, null, 'x'] } },
    created: 1000,
    modified: 1000,
    deleted: false,
  });
  expect([store.getValue('key'), store.next('n')]).toEqual(['value', 2]);
});

it('forgets a request that is rolled back, look-ups included', () => {
  store.insert('Thing', 'a', { color: 'red' });
  store.setValue('key', 'before');
  store.commit();
  store.update('Thing', 'a', { color: 'blue' });
  store.insert('Thing', 'b', { color: 'blue' });
  store.remove('Thing', 'a');
  store.setValue('key', 'after');
  store.setValue('new', '1');
  store.next('n');
  store.rollback();
  expect(store.list('Thing').map(({ id, data }) => [id, data.color])).toEqual([['a', 'red']]);
  expect([
    store.findBy('Thing', 'color', 'red').length,
    store.findBy('Thing', 'color', 'blue').length,
  ]).toEqual([1, 0]);
  expect([store.getValue('key'), store.getValue('new'), store.next('n')]).toEqual(['before', null, 1]);
});

it('undoes a savepoint without what went before it', () => {
  store.insert('Thing', 'a', { color: 'red' });
  expect(() =>
    store.savepoint(() => {
      store.update('Thing', 'a', { color: 'blue' });
      store.insert('Thing', 'b', {});
      throw new Error('halt');
    }),
  ).toThrow('halt');
  expect(store.savepoint(() => store.insert('Thing', 'c', {}).id)).toBe('c');
  store.commit();
  expect(
    onDisk()
      .list('Thing')
      .map(({ id, data }) => [id, data.color]),
  ).toEqual([
    ['a', 'red'],
    ['c', undefined],
  ]);
});

it('hides removed records unless asked', () => {
  store.insert('Thing', 'a', { color: 'red' });
  store.remove('Thing', 'a');
  store.commit();
  for (const s of [store, onDisk()]) {
    expect([
      s.get('Thing', 'a'),
      s.list('Thing'),
      s.findBy('Thing', 'color', 'red'),
      s.count('Thing'),
    ]).toEqual([undefined, [], [], 0]);
    expect(s.list('Thing', { deleted: true })).toMatchObject([{ id: 'a', deleted: true }]);
  }
  expect(() => store.update('Thing', 'a', {})).toThrow('does not exist');
  expect(() => store.insert('Thing', 'a', {})).toThrow('exists already');
});

it('finds by indexed and by other fields, in order of creation', () => {
  store.insert('Thing', 'a', { color: 'red', size: 5 });
  store.insert('Thing', 'b', { color: 'blue', size: 5 });
  store.insert('Thing', 'c', { color: null, size: null });
  store.update('Thing', 'a', { color: 'blue', size: 5 });
  const found = (field: string, value: string) => store.findBy('Thing', field, value).map(({ id }) => id);
  expect([found('color', 'blue'), found('size', '5'), found('color', 'red'), found('color', 'null')]).toEqual(
    [['a', 'b'], ['a', 'b'], [], []],
  );
});

it('finds values in any case of their letters when asked', () => {
  store.insert('Thing', 'a', { color: 'Weiß', size: 'L' });
  store.insert('Thing', 'b', { color: 'WEISS', size: 'l' });
  store.insert('Thing', 'c', { color: 'weis', size: 'xl' });
  const found = (field: string, value: string, anyCase: boolean) =>
    store.findBy('Thing', field, value, { anyCase }).map(({ id }) => id);
  expect([found('color', 'weiss', true), found('size', 'l', true)]).toEqual([
    ['a', 'b'],
    ['a', 'b'],
  ]);
  expect([found('color', 'Weiß', false), found('color', 'weiß', false), found('size', 'L', false)]).toEqual([
    ['a'],
    [],
    ['a'],
  ]);
});

it('gives out data that cannot be changed in place, and takes only JSON', () => {
  const given = { list: [{ x: 1 }], gone: undefined };
  const { data } = store.insert('Thing', 'a', given);
  given.list.push({ x: 2 });
  expect(data).toEqual({ list: [{ x: 1 }] });
  expect(() => Object.assign(data, { color: 'red' })).toThrow(TypeError);
  for (const value of [new Date(), Number.NaN, () => 1, 1n]) {
    expect(() => store.insert('Thing', 'b', { deep: [value] })).toThrow('deep[0]');
  }
});

it('is emptied but for the identity of the account', () => {
  store.insert('Thing', 'a', {});
  store.setValue('key', '1');
  store.setValue('identity.secret', 's');
  store.commit();
  store.clear();
  for (const s of [store, onDisk()]) {
    expect([s.count('Thing'), s.getValue('key'), s.getValue('identity.secret')]).toEqual([0, null, 's']);
  }
});
