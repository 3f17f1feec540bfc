import type { JsonValue } from '../../../../lib/model';
import { type Change, scan, type TransactionQuery } from '../../../../lib/systems/netsuite/events/scan';
import type { Row } from '../../../../lib/systems/netsuite/suiteql';

const INVOICES: TransactionQuery = { type: 'CustInvc', news: ['status', 'foreigntotal'] };

/** The `transaction` table as NetSuite pages it: by (stamp, id), behind the place that the query names. */
function account(rows: () => Row[]) {
  const queries: string[] = [];
  return {
    system: 'netsuite',
    queries,
    async queryFirst(sql: string, limit: number) {
      queries.push(sql);
      const from = /HH24:MI:SS'\) >=? '([^']+)'/.exec(sql)?.[1] ?? '';
      const after = Number(/AND id > '(\d+)'/.exec(sql)?.[1] ?? 0);
      const sorted = rows()
        .filter(({ stamp = '', id }) => stamp > from || (stamp === from && Number(id) > after))
        .sort((a, b) =>
          `${a.stamp}` === `${b.stamp}` ? Number(a.id) - Number(b.id) : `${a.stamp}` < `${b.stamp}` ? -1 : 1,
        );
      return { rows: sorted.slice(0, limit), complete: sorted.length <= limit };
    },
  };
}

const row = (id: number, stamp: string, status = 'CustInvc:A', foreigntotal = '1000.00'): Row => ({
  id: String(id),
  stamp: `2026-01-02T${stamp}`,
  status,
  foreigntotal,
});

async function poll(client: ReturnType<typeof account>, stored: JsonValue | null = null, pageSize = 2) {
  const changes: Change[] = [];
  let cursor = stored;
  for (let more = true; more; ) {
    const page = await scan(client, cursor, INVOICES, {
      settings: { pollOverlapMinutes: '5' },
      pageSize,
      startAt: '2026-01-01T00:00:00.250Z',
      signal: new AbortController().signal,
    });
    changes.push(...page.changes);
    cursor = JSON.parse(JSON.stringify(page.cursor));
    more = page.more;
  }
  return { changes, cursor, ids: changes.map(({ id }) => id) };
}

const STAMP = `TO_CHAR(SYS_EXTRACT_UTC(lastmodifieddate), 'YYYY-MM-DD"T"HH24:MI:SS')`;

test('the first query begins at the start, the next one behind the last row', async () => {
  const client = account(() => [row(9, '10:00:00'), row(10, '10:00:00'), row(11, '10:00:00')]);
  expect((await poll(client)).ids).toEqual(['9', '10', '11']);
  const query = (day: string, place: string) =>
    `SELECT id, ${STAMP} AS stamp, status, foreigntotal FROM transaction WHERE type = 'CustInvc' AND lastmodifieddate >= TO_DATE('${day}', 'YYYY-MM-DD') AND ${place} ORDER BY ${STAMP}, id`;
  expect(client.queries).toEqual([
    query('2025-12-31', `${STAMP} >= '2026-01-01T00:00:00'`),
    query(
      '2026-01-01',
      `(${STAMP} > '2026-01-02T10:00:00' OR (${STAMP} = '2026-01-02T10:00:00' AND id > '10'))`,
    ),
  ]);
});

test('a change is what differs from what was told last', async () => {
  let now = row(1, '10:00:00');
  const client = account(() => [now]);
  const first = await poll(client);
  now = row(1, '10:01:00', 'CustInvc:A', '1000');
  const touched = await poll(client, first.cursor);
  now = row(1, '10:02:00', 'CustInvc:B');
  const paid = await poll(client, touched.cursor);
  now = row(1, '10:03:00');
  const reopened = await poll(client, paid.cursor);
  expect([first, touched, paid, reopened].map(({ ids }) => ids.length)).toEqual([1, 0, 1, 1]);
  expect(reopened.changes[0]?.digest).toBe(first.changes[0]?.digest);
});

test('a second change within the same stamp is one, for records that keep minutes only', async () => {
  let now = row(1, '10:00:00');
  const client = account(() => [now]);
  const first = await poll(client);
  now = row(1, '10:00:00', 'CustInvc:B');
  const second = await poll(client, first.cursor);
  expect(second.ids).toEqual(['1']);
  expect((await poll(client, second.cursor)).ids).toEqual([]);
});

test('a late commit inside the overlap is found', async () => {
  const rows = [row(2, '10:04:00')];
  const client = account(() => rows);
  const { cursor } = await poll(client);
  rows.push(row(1, '10:00:30'));
  expect((await poll(client, cursor)).ids).toEqual(['1']);
});

test('the memory is bounded; a transaction it has lost is not told again for its overlap', async () => {
  const rows = Array.from({ length: 2003 }, (_, index) => row(index + 1, '10:00:00'));
  const client = account(() => rows);
  const { cursor, ids } = await poll(client, null, 1000);
  expect(ids).toHaveLength(2003);
  const { told } = cursor as { told: [string, string][] };
  expect([told.length, told[0]?.[0]]).toEqual([2000, '4']);
  expect((await poll(client, cursor, 1000)).ids).toEqual([]);
});

test.each([
  { watermark: null, position: null, delivered: 'x' },
  { scan: { watermark: null, position: null, delivered: [] }, told: 'x' },
  'x',
])('the cursor %j is refused', async (cursor) => {
  await expect(
    poll(
      account(() => []),
      cursor,
    ),
  ).rejects.toMatchObject({ code: 'SCHEMA_CHANGED' });
});

test.each([{ id: '1', stamp: '1/2/2026' }, { id: '1' }, { id: 'x', stamp: '2026-01-02T10:00:00' }])(
  'the row %j is refused',
  async (wrong) => {
    const client = {
      system: 'netsuite',
      queries: [],
      queryFirst: async () => ({ rows: [wrong as Row], complete: true }),
    };
    await expect(poll(client)).rejects.toMatchObject({ code: 'SCHEMA_CHANGED' });
  },
);
