import { type Page, readAllPages, SystemError } from '../../../../lib/systems/kit';

type TestPage = Page<{ id: string }, number>;

function read(pages: TestPage[], idOf?: (row: { id: string }) => string) {
  const fetched: (number | null)[] = [];
  const rows = readAllPages<{ id: string }, number>({
    system: 'acme',
    what: 'things',
    fetch: async (next) => {
      fetched.push(next);
      const page = pages[next ?? 0];
      if (!page) throw new Error(`no page ${next}`);
      return page;
    },
    idOf,
  });
  return rows.then((found) => ({ ids: found.map(({ id }) => id).join(''), fetched }));
}

const rows = (ids: string) => [...ids].map((id) => ({ id }));

test('all pages in order', async () => {
  const pages: TestPage[] = [
    { rows: rows('ab'), next: 1, total: 5 },
    { rows: [], next: 2, total: 5 },
    { rows: rows('cde'), next: null, total: 5 },
  ];
  expect(await read(pages)).toEqual({ ids: 'abcde', fetched: [null, 1, 2] });
});

test('an empty list is no error', async () => {
  expect(await read([{ rows: [], next: null, total: 0 }])).toMatchObject({ ids: '' });
});

test('a list that points back is refused', async () => {
  const pages: TestPage[] = [
    { rows: rows('a'), next: 1 },
    { rows: rows('b'), next: 2 },
    { rows: rows('c'), next: 1 },
  ];
  await expect(read(pages)).rejects.toMatchObject({ code: 'SCHEMA_CHANGED', kind: 'rejected' });
});

test.each([
  ['fewer', 4],
  ['more', 2],
])('%s rows than announced are never passed on', async (_name, total) => {
  const pages: TestPage[] = [{ rows: rows('abc'), next: null, total }];
  await expect(read(pages)).rejects.toMatchObject({ kind: 'transient', code: 'TARGET_UNAVAILABLE' });
});

test('a row that moved to the next page is noticed by its id', async () => {
  const pages: TestPage[] = [
    { rows: rows('ab'), next: 1, total: 4 },
    { rows: rows('bc'), next: null, total: 4 },
  ];
  await expect(read(pages, ({ id }) => id)).rejects.toBeInstanceOf(SystemError);
  await expect(read(pages)).resolves.toMatchObject({ ids: 'abbc' });
});
