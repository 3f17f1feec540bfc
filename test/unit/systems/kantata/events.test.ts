import type { JsonValue } from '../../../../lib/model';
import type { KantataClient } from '../../../../lib/systems/kantata/client';
import { timeApproved } from '../../../../lib/systems/kantata/events/time-approved';
import { sendJson, startTestServer, type TestServer } from '../kit/test-server';
import { clientOf } from './support';

let server: TestServer;
let client: KantataClient;
/** What Kantata holds, by collection. */
let lists: Record<string, { id: string }[]>;

beforeEach(async () => {
  lists = { timesheet_submissions: [], time_entries: [] };
  server = await startTestServer((request, response) => {
    const url = new URL(request.url, 'http://x');
    const name = url.pathname.split('/').at(-1) ?? '';
    const only = url.searchParams.get('only')?.split(',');
    const rows = (lists[name] ?? []).filter(({ id }) => only?.includes(id) ?? true);
    sendJson(response, 200, {
      count: rows.length,
      meta: { page_count: 1 },
      results: rows.map(({ id }) => ({ key: name, id })),
      [name]: Object.fromEntries(rows.map((row) => [row.id, row])),
    });
  });
  client = clientOf({ accessToken: 'token', baseUrl: `${server.url}/api/v1` });
});

afterEach(async () => {
  await client.close();
  await server.close();
});

const timesheet = (id: string, second: number, entries: string[]) => ({
  id,
  updated_at: `2026-01-02T10:00:${String(second).padStart(2, '0')}-08:00`,
  time_entry_ids: entries,
});

const entry = (id: string, more: Record<string, unknown> = {}) => ({
  id,
  user_id: '5',
  workspace_id: '10',
  story_id: null,
  date_performed: '2026-01-07',
  time_in_minutes: 50,
  billable: true,
  approved: true,
  is_invoiced: false,
  rate_in_cents: 100000,
  currency: 'EUR',
  notes: null,
  created_at: '2026-01-02T10:00:00-08:00',
  updated_at: '2026-01-02T10:00:00-08:00',
  ...more,
});

const poll = (cursor: JsonValue | null = null, pageSize = 200) =>
  timeApproved.poll(client, cursor, {
    settings: { pollOverlapMinutes: '5' },
    pageSize,
    startAt: '2026-01-02T18:00:00.750Z',
    signal: new AbortController().signal,
  });

const queries = (name: string) =>
  server.requests
    .map(({ url }) => new URL(url, server.url))
    .filter(({ pathname }) => pathname.endsWith(name))
    .map(({ searchParams }) => Object.fromEntries(searchParams));

test('asks for approved timesheets from the start of its second, and for their entries with all they name', async () => {
  lists = { timesheet_submissions: [timesheet('9', 3, ['1'])], time_entries: [entry('1')] };
  const { events } = await poll();
  expect(events).toMatchObject([{ subject: { id: '1' }, time: '2026-01-02T18:00:03.000Z' }]);
  expect(queries('timesheet_submissions')).toEqual([
    {
      statuses: 'approved',
      updated_after: '2026-01-02T17:59:59.000Z',
      include: 'time_entries',
      page: '1',
      per_page: '200',
    },
  ]);
  expect(queries('time_entries')).toMatchObject([
    { only: '1', include: 'user,story,workspace', from_archived_workspaces: 'true' },
  ]);
});

test('timesheets come in the order of their change, whatever the order of the list, ids by value', async () => {
  lists.timesheet_submissions = [
    timesheet('10', 3, ['4']),
    timesheet('9', 3, ['3']),
    timesheet('11', 1, ['2']),
  ];
  lists.time_entries = ['2', '3', '4'].map((id) => entry(id));
  const ids: string[] = [];
  let cursor: JsonValue | null = null;
  for (let more = true; more; ) {
    const page = await poll(cursor, 1);
    ids.push(...page.events.map(({ subject }) => subject.id));
    ({ cursor, more } = page);
  }
  expect(ids).toEqual(['2', '3', '4']);
});

test('the id is made of what was approved', async () => {
  const idOf = async (more: Record<string, unknown>) => {
    lists = { timesheet_submissions: [timesheet('9', 3, ['1'])], time_entries: [entry('1', more)] };
    return (await poll()).events[0]?.id;
  };
  const id = await idOf({});
  expect(await idOf({ is_invoiced: true, updated_at: '2026-02-01T00:00:00Z' })).toBe(id);
  const others = [
    { time_in_minutes: 51 },
    { rate_in_cents: 1 },
    { story_id: '7' },
    { user_id: '6' },
    { workspace_id: '11' },
    { date_performed: '2026-01-08' },
    { billable: false },
    { currency: 'USD' },
    { notes: 'x' },
  ];
  const ids = [id];
  for (const other of others) ids.push(await idOf(other));
  expect(new Set(ids).size).toBe(others.length + 1);
});

test('an entry that is not approved any more is left out', async () => {
  lists.timesheet_submissions = [timesheet('9', 3, ['1', '2'])];
  lists.time_entries = [entry('1', { approved: false }), entry('2')];
  expect((await poll()).events.map(({ subject }) => subject.id)).toEqual(['2']);
});

test('an entry that is not shown stops the poll instead of being lost', async () => {
  lists.timesheet_submissions = [timesheet('9', 3, ['1', '2'])];
  lists.time_entries = [entry('1')];
  await expect(poll()).rejects.toMatchObject({
    kind: 'transient',
    reason: expect.stringContaining('time entry 2 of the approved timesheet 9'),
  });
});

test('a cursor of another source is refused', async () => {
  await expect(poll({ scan: null })).rejects.toMatchObject({ code: 'SCHEMA_CHANGED' });
});
