import { send } from '../support';
import { type Envelope, fields, object, objects, startAccount, type TestAccount } from './support';

let account: TestAccount;
beforeAll(async () => {
  account = await startAccount();
});
afterAll(() => account.close());

describe('authentication', () => {
  const invalid = { errors: [{ type: 'oauth', message: 'Invalid OAuth 2 Request' }] };

  it.each([
    ['no header', {}],
    ['an unknown token', { authorization: 'Bearer 0123' }],
    ['another scheme', { authorization: 'Basic abc' }],
  ])('answers 401 with %s, and with a request id', async (_name, headers: Record<string, string>) => {
    const reply = await send<Envelope>(`${account.url}/api/v1/users/me`, { headers });
    expect(reply.status).toBe(401);
    expect(reply.body).toEqual(invalid);
    expect(reply.headers.get('x-request-id')).toMatch(/^[0-9a-f-]{36}$/);
  });

  it('serves the integration user, with a request id of its own per answer', async () => {
    const [first, second] = [await account.call('GET', 'users/me'), await account.call('GET', 'users/me')];
    expect(objects(first.body)[0]).toMatchObject({ id: '2', full_name: 'Integration' });
    expect(first.headers.get('x-request-id')).not.toBe(second.headers.get('x-request-id'));
  });
});

describe('paths and bodies', () => {
  it.each(['roles', 'roles.json', 'roles/32', 'roles/32.json'])('serves %s', async (path) => {
    expect((await account.call('GET', path)).status).toBe(200);
  });

  it.each([
    ['GET', 'nothing'],
    ['GET', 'roles/9999'],
    ['GET', 'roles/32/approve'],
    ['POST', 'users'],
    ['PATCH', 'roles/32'],
  ])('answers 404 to %s %s', async (method, path) => {
    const reply = await account.call(method, path, method === 'GET' ? undefined : {});
    expect(reply.status).toBe(404);
    expect(reply.body.errors[0]?.type).toBe('system');
  });

  it('answers 404 outside of /api/v1', async () => {
    const headers = { authorization: `Bearer ${account.token}` };
    expect((await send(`${account.url}/roles`, { headers })).status).toBe(404);
  });

  it.each([
    ['broken JSON', '{"role":'],
    ['a body that is no object', '[1]'],
    ['a body without the root', '{"name":"x"}'],
  ])('answers 400 to %s', async (_name, body) => {
    expect((await account.call('POST', 'roles', body)).status).toBe(400);
  });

  it('reads the nested form encoding of Rails', async () => {
    const form = new URLSearchParams({ 'workspace[title]': 'From a form', 'workspace[budgeted]': 'false' });
    form.append('workspace[participations][][user_id]', '5');
    form.append('workspace[participations][][access]', 'admin');
    form.append('workspace[participations][][user_id]', '6');
    const reply = await account.call('POST', 'workspaces?include=participants', form.toString(), {
      'content-type': 'application/x-www-form-urlencoded',
    });
    expect(objects(reply.body)[0]).toMatchObject({ title: 'From a form', participant_ids: ['2', '5', '6'] });
  });
});

describe('envelope', () => {
  it('has count, meta, results and maps by string id', async () => {
    const { body } = await account.call('GET', 'roles?order=created_at:asc');
    expect(body).toMatchObject({
      count: 4,
      meta: { count: 4, page_count: 1, page_number: 1, page_size: 20 },
      results: ['31', '32', '33', '34'].map((id) => ({ key: 'roles', id })),
    });
    expect(object(body, 'roles', '32')).toMatchObject({ id: '32', name: 'Consultant' });
  });

  it('shows association ids only when they are included, and side-loads the objects once', async () => {
    const plain = objects((await account.call('GET', 'users/5')).body)[0];
    expect(plain).not.toHaveProperty('role_id');
    const { body } = await account.call('GET', 'users?include=role,nothing&only=5,6');
    expect(objects(body).map(({ role_id }) => role_id)).toEqual(['32', '32']);
    expect(Object.keys(body.roles as object)).toEqual(['32']);
  });

  it('has an empty map for what it found nothing of', async () => {
    const { body } = await account.call('GET', 'workspaces?only=424242&include=participants');
    expect(body).toMatchObject({ count: 0, results: [], workspaces: {}, users: {} });
  });

  it('keeps side-loaded objects of the same kind apart by results', async () => {
    const { id } = await account.create('workspaces', 'workspace', { title: 'Nested' });
    const parent = await account.create('stories', 'story', { workspace_id: id, title: 'Parent' });
    const child = await account.create('stories', 'story', {
      workspace_id: id,
      title: 'Child',
      parent_id: parent.id,
    });
    const { body } = await account.call(
      'GET',
      `stories?workspace_id=${id}&parents_only=true&include=sub_stories`,
    );
    expect(body.results).toEqual([{ key: 'stories', id: parent.id }]);
    expect(Object.keys(body.stories as object).sort()).toEqual([parent.id, child.id].sort());
  });
});

describe('pages, order, filters', () => {
  let workspaceId: string;
  beforeAll(async () => {
    workspaceId = (await account.create('workspaces', 'workspace', { title: 'Paged' })).id;
    const stories = Array.from({ length: 250 }, (_, n) => ({
      workspace_id: workspaceId,
      title: `Task ${n}`,
    }));
    expect((await account.call('POST', 'stories', { stories })).status).toBe(200);
  });
  const page = async (query: string) =>
    (await account.call('GET', `stories?workspace_id=${workspaceId}&order=position:asc&${query}`)).body;

  it.each([
    ['', 20, 13, 1],
    ['per_page=100&page=3', 50, 3, 3],
    ['per_page=5000', 200, 2, 1],
    ['limit=30&offset=230&per_page=1', 20, 9, 8],
    ['per_page=10&offset=5', 10, 25, 1],
    ['page=99', 0, 13, 99],
  ])('cuts %j', async (query, rows, pages, number) => {
    const body = await page(query);
    expect(body.results).toHaveLength(rows);
    expect(body.meta).toMatchObject({ count: 250, page_count: pages, page_number: number });
  });

  it('puts pages together to the whole list', async () => {
    const seen: string[] = [];
    for (const number of [1, 2, 3])
      seen.push(...objects(await page(`per_page=100&page=${number}`)).map((s) => s.id));
    expect(new Set(seen).size).toBe(250);
  });

  it('orders by the fields of the endpoint and ignores others', async () => {
    const titles = async (order: string) =>
      objects((await account.call('GET', `project_templates?order=${order}`)).body).map(({ title }) => title);
    const sorted = [...(await titles('title:asc'))].sort();
    expect(await titles('title:asc')).toEqual(sorted);
    expect(await titles('title:desc')).toEqual(sorted.reverse());
    expect(await titles('raw_json:asc')).toEqual(await titles('updated_at:desc'));
  });

  it('filters by time of creation and change in whole seconds', async () => {
    account.advance(60_000);
    const created = await account.create('workspaces', 'workspace', { title: 'Later' });
    expect(created.created_at).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d-08:00$/);
    const at = encodeURIComponent(String(created.created_at));
    const before = encodeURIComponent(new Date(Date.parse(String(created.created_at)) - 1000).toISOString());
    const found = async (query: string) => (await account.list(`workspaces?${query}`)).map(({ id }) => id);
    expect(await found(`created_after=${before}`)).toEqual([created.id]);
    expect(await found(`updated_after=${before}`)).toEqual([created.id]);
    expect(await found(`updated_after=${at}`)).toEqual([]);
    expect(await found(`updated_before=${at}&only=${created.id}`)).toEqual([]);
    expect((await account.call('GET', 'workspaces?updated_after=yesterday')).status).toBe(400);
  });

  it('searches, but not among ids', async () => {
    await account.create('workspaces', 'workspace', { title: 'ACME – roll-out', description: 'Ticket 77' });
    const titles = async (search: string) =>
      (await account.list(`workspaces?search=${encodeURIComponent(search)}`)).map(({ title }) => title);
    expect(await titles("title:'acme'")).toEqual(['ACME – roll-out']);
    expect(await titles('ticket 77')).toEqual(['ACME – roll-out']);
    expect(await titles("title:'ticket 77'")).toEqual([]);
    expect((await account.call('GET', 'workspaces?search=acme&only=1')).status).toBe(400);
  });

  it('shows optional fields on request only', async () => {
    const { id, ...shown } = (await account.list('project_templates?only=812'))[0] ?? { id: '' };
    expect(id).toBe('812');
    expect(shown).not.toHaveProperty('raw_json');
    const [full] = await account.list('project_templates?only=812&optional_fields=raw_json,title2');
    expect(JSON.parse(String(full?.raw_json)).stories.length).toBeGreaterThanOrEqual(4);
    expect(full).not.toHaveProperty('title2');
  });
});

describe('writing', () => {
  it('answers 200 to a create and an update, 204 to a delete', async () => {
    const created = await account.call('POST', 'roles', { role: { name: 'Architect', wage: 5 } });
    expect(created.status).toBe(200);
    const [role] = objects(created.body);
    expect(role).not.toHaveProperty('wage');
    const updated = await account.call('PUT', `roles/${role?.id}`, { role: { name: 'Lead architect' } });
    expect(objects(updated.body)[0]?.name).toBe('Lead architect');
    const deleted = await account.call('DELETE', `roles/${role?.id}.json`);
    expect([deleted.status, deleted.body]).toEqual([204, null]);
    expect((await account.call('GET', `roles/${role?.id}`)).status).toBe(404);
  });

  it('lists every invalid attribute in the 422', async () => {
    const reply = await account.call('POST', 'workspaces', {
      workspace: {
        budgeted: 'maybe',
        price: 12.5,
        start_date: '2026-02-30',
        currency: 'XXX',
        rate_card_id: 9,
      },
    });
    expect(reply.status).toBe(422);
    expect(fields(reply).sort()).toEqual([
      'budgeted',
      'currency',
      'price',
      'rate_card_id',
      'start_date',
      'title',
    ]);
    expect(reply.body.errors).toContainEqual({
      type: 'validation',
      message: 'Please give your project a title',
      field: 'title',
    });
  });

  it('takes ids as integers and as numeric strings, answers strings', async () => {
    for (const rate_card_set_id of [41, '41']) {
      const card = await account.create(
        'rate_cards',
        'rate_card',
        { rate_card_set_id, currency: 'CHF' },
        '?include=rate_card_set',
      );
      expect(card.rate_card_set_id).toBe('41');
    }
  });

  it('creates in bulk all or nothing, within the limit', async () => {
    const before = (await account.call('GET', 'workspaces')).body.count;
    const mixed = await account.call('POST', 'workspaces', { workspaces: [{ title: 'One' }, { title: '' }] });
    expect(mixed.status).toBe(422);
    const many = Array.from({ length: 101 }, (_, n) => ({ title: `P${n}` }));
    expect((await account.call('POST', 'workspaces', { workspaces: many })).status).toBe(400);
    expect((await account.call('GET', 'workspaces')).body.count).toBe(before);
    const both = await account.call('POST', 'workspaces', {
      workspaces: [{ title: 'One' }, { title: 'Two' }],
    });
    expect(objects(both.body).map(({ title }) => title)).toEqual(['One', 'Two']);
    expect((await account.call('POST', 'roles', { roles: [{ name: 'x' }] })).status).toBe(400);
  });

  it('leaves updated_at alone when nothing changes', async () => {
    const role = await account.create('roles', 'role', { name: 'Analyst' });
    account.advance(5000);
    const same = await account.call('PUT', `roles/${role.id}`, { role: { name: 'Analyst' } });
    expect(objects(same.body)[0]?.updated_at).toBe(role.updated_at);
    const other = await account.call('PUT', `roles/${role.id}`, { role: { name: 'Senior analyst' } });
    expect(objects(other.body)[0]?.updated_at).not.toBe(role.updated_at);
  });
});
