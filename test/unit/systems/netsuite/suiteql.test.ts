import { SystemError } from '../../../../lib/systems/kit';
import { firstRows, runSuiteQl, sqlText } from '../../../../lib/systems/netsuite/suiteql';
import { json, scriptedHttp } from './support';

const page = (ids: number[], options: { next?: string; total?: number } = {}) =>
  json({
    links: options.next
      ? [{ rel: 'next', href: `https://1234567.suitetalk.api.netsuite.com/x?${options.next}` }]
      : [],
    count: ids.length,
    hasMore: options.next !== undefined,
    items: ids.map((id) => ({ links: [], id: String(id) })),
    offset: 0,
    ...(options.total === undefined ? {} : { totalResults: options.total }),
  });

const failureOf = async (work: Promise<unknown>): Promise<SystemError> => {
  const error = await work.then(
    () => new Error('it succeeded'),
    (reason: Error) => reason,
  );
  if (!(error instanceof SystemError)) throw error;
  return error;
};

describe('SuiteQL', () => {
  test('rows are text by column; what is null is absent', async () => {
    const http = scriptedHttp([
      json({ hasMore: false, items: [{ links: [], id: '7', total: 12.5, memo: null }], totalResults: 1 }),
    ]);
    expect(await runSuiteQl('SELECT 1', { http, system: 'netsuite' })).toEqual([{ id: '7', total: '12.5' }]);
    expect(http.requests[0]).toMatchObject({
      method: 'POST',
      path: '/services/rest/query/v1/suiteql',
      query: { limit: 1000, offset: 0 },
      headers: { prefer: 'transient' },
      json: { q: 'SELECT 1' },
      safe: true,
    });
  });

  test('pages are followed by the link of the vendor, also when a page is short', async () => {
    const http = scriptedHttp([
      page([1, 2], { next: 'limit=1000&offset=2', total: 4 }),
      page([3], { next: 'limit=1000&offset=3', total: 4 }),
      page([4], { total: 4 }),
    ]);
    const rows = await runSuiteQl('SELECT id FROM customer ORDER BY id', { http, system: 'netsuite' });
    expect(rows.map(({ id }) => id)).toEqual(['1', '2', '3', '4']);
    expect(http.requests.map(({ query }) => query)).toEqual([
      { limit: 1000, offset: 0 },
      { limit: '1000', offset: '2' },
      { limit: '1000', offset: '3' },
    ]);
  });

  test('the first rows are one call, and say whether there are more', async () => {
    const http = scriptedHttp([page([1, 2], { next: 'limit=2&offset=2', total: 4 }), page([3])]);
    const context = { http, system: 'netsuite' };
    expect(await firstRows('SELECT 1', 2, context)).toEqual({
      rows: [{ id: '1' }, { id: '2' }],
      complete: false,
    });
    expect(await firstRows('SELECT 1', 5000, context)).toMatchObject({ complete: true });
    expect(http.requests.map(({ query }) => query)).toEqual([
      { limit: '2', offset: '0' },
      { limit: '1000', offset: '0' },
    ]);
  });

  test('rows that are missing are never passed over', async () => {
    const http = scriptedHttp([page([1, 2], { total: 3 })]);
    expect(
      await failureOf(runSuiteQl('SELECT id FROM customer', { http, system: 'netsuite' })),
    ).toMatchObject({
      kind: 'transient',
    });
  });

  test('more rows announced without a link is a changed interface', async () => {
    const http = scriptedHttp([json({ hasMore: true, items: [{ id: '1' }] })]);
    expect(
      await failureOf(runSuiteQl('SELECT id FROM customer', { http, system: 'netsuite' })),
    ).toMatchObject({
      code: 'SCHEMA_CHANGED',
    });
  });

  test('a query beyond the 100,000 rows that NetSuite delivers is refused with advice', async () => {
    const http = scriptedHttp([page([1], { next: 'limit=1000&offset=1000', total: 100_001 })]);
    const error = await failureOf(runSuiteQl('SELECT id FROM customer', { http, system: 'netsuite' }));
    expect(error.kind).toBe('rejected');
    expect(error.reason).toContain('WHERE id > :last ORDER BY id');
  });

  test(':last reads any number of rows in order of their ids', async () => {
    const http = scriptedHttp([
      page([5, 9], { next: 'limit=1000&offset=1000', total: 250_000 }),
      page([12], { total: 1 }),
      page([]),
    ]);
    const sql = 'SELECT id FROM transaction WHERE id > :last ORDER BY id';
    const rows = await runSuiteQl(sql, { http, system: 'netsuite' });
    expect(rows.map(({ id }) => id)).toEqual(['5', '9', '12']);
    expect(http.requests.map(({ json: body }) => body)).toEqual(
      [0, 9, 12].map((last) => ({ q: `SELECT id FROM transaction WHERE id > ${last} ORDER BY id` })),
    );
  });

  test.each([
    ['ids do not grow', [9, 5]],
    ['there is no id', []],
  ])(':last fails when %s', async (_name, ids) => {
    const first = ids.length > 0 ? page(ids) : json({ hasMore: false, items: [{ name: 'x' }] });
    const http = scriptedHttp([first, page([5])]);
    expect(
      await failureOf(runSuiteQl('SELECT id FROM t WHERE id > :last', { http, system: 'netsuite' })),
    ).toMatchObject({ code: 'SCHEMA_CHANGED' });
  });

  test.each([
    ["O'Neil", "'O''Neil'"],
    ["'; DROP TABLE x --", "'''; DROP TABLE x --'"],
    ['Müller 🚀', "'Müller 🚀'"],
  ])('%p is written as %p', (value, sql) => expect(sqlText(value)).toBe(sql));
});
