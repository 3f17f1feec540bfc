import { type Attributes, fields, object, objects, startAccount, type TestAccount } from './support';

let account: TestAccount;
beforeAll(async () => {
  account = await startAccount();
});
afterAll(() => account.close());

const project = (attributes: Attributes = {}, query = '') =>
  account.create('workspaces', 'workspace', { title: 'Project', ...attributes }, query);

describe('custom fields', () => {
  const CRM_ID = 92;
  const value = (attributes: Attributes) =>
    account.call('POST', 'custom_field_values', {
      custom_field_value: { subject_type: 'Workspace', custom_field_id: CRM_ID, ...attributes },
    });

  it('guard a unique value, also when it comes inline', async () => {
    const custom_fields = [{ custom_field_id: CRM_ID, value: '0065g00000XyZ' }];
    const first = await project({ custom_fields }, '?include=custom_field_values');
    expect(first.custom_field_value_ids).toHaveLength(1);
    const second = await account.call('POST', 'workspaces', { workspace: { title: 'Again', custom_fields } });
    expect(second.status).toBe(422);
    expect(second.body.errors[0]?.message).toContain('has already been entered');
    const other = await project();
    expect(fields(await value({ subject_id: other.id, value: '0065g00000XyZ' }))).toEqual(['value']);
    expect((await value({ subject_id: Number(other.id), value: '0065g00000Abc' })).status).toBe(200);
    expect(fields(await value({ subject_id: other.id, value: 'another' }))).toEqual(['custom_field_id']);
  });

  it('keep the guard when a value changes or goes', async () => {
    const [a, b] = [await project(), await project()];
    const [made] = objects((await value({ subject_id: a.id, value: 'one' })).body);
    const put = (id: unknown, to: string) =>
      account.call('PUT', `custom_field_values/${id}`, { custom_field_value: { value: to } });
    expect((await put(made?.id, 'one')).status).toBe(200);
    expect(objects((await put(made?.id, 'two')).body)[0]).toMatchObject({
      value: 'two',
      display_value: 'two',
    });
    expect((await value({ subject_id: b.id, value: 'two' })).status).toBe(422);
    expect((await account.call('DELETE', `custom_field_values/${made?.id}`)).status).toBe(204);
    expect((await value({ subject_id: b.id, value: 'two' })).status).toBe(200);
  });

  it('are set by an update of the object, too, and found by their text', async () => {
    const { id } = await project({ custom_fields: [{ custom_field_id: CRM_ID, value: 'before' }] });
    for (const text of ['after', 'after']) {
      const workspace = { custom_fields: [{ custom_field_id: CRM_ID, value: text }] };
      expect((await account.call('PUT', `workspaces/${id}`, { workspace })).status).toBe(200);
    }
    const found = async (query: string) => (await account.list(`workspaces?${query}`)).map((each) => each.id);
    expect(await found(`by_custom_text_value=${CRM_ID}:before`)).toEqual([]);
    expect(await found(`by_custom_text_value=${CRM_ID}:after`)).toEqual([id]);
    expect(await found(`by_custom_text_value=(${CRM_ID}:none):(${CRM_ID}:after)`)).toEqual([id]);
    expect(await found(`by_custom_text_value=${CRM_ID}`)).toContain(id);
    expect(await found(`has_value_for_custom_field_ids=${CRM_ID}`)).toContain(id);
    expect(await found("search=custom_field_value:'after'")).toEqual([id]);
  });

  it('free the value when the object is deleted', async () => {
    const custom_fields = [{ custom_field_id: CRM_ID, value: 'freed' }];
    const { id } = await project({ custom_fields });
    await account.call('DELETE', `workspaces/${id}`);
    expect(
      (await account.call('POST', 'workspaces', { workspace: { title: 'Again', custom_fields } })).status,
    ).toBe(200);
  });

  it.each([
    ['date', '2026-01-31', '31.01.2026', '2026-01-31'],
    ['number', 13, '1.5', '13'],
    ['currency', [99_850, 'EUR'], 998, '998.50 EUR'],
  ])('take a %s in its format', async (value_type, good, bad, display_value) => {
    const field = await account.create('custom_fields', 'custom_field', {
      name: `A ${value_type}`,
      value_type,
      custom_field_set_id: 91,
    });
    const { id } = await project();
    const at = { subject_id: Number(id), custom_field_id: Number(field.id) };
    expect(fields(await value({ ...at, value: bad }))).toEqual(['value']);
    expect(objects((await value({ ...at, value: good })).body)[0]).toMatchObject({
      value: good,
      type: value_type,
      display_value,
    });
  });

  it('take the choices of the field', async () => {
    const field = await account.create(
      'custom_fields',
      'custom_field',
      { name: 'Region', value_type: 'single', custom_field_set_id: 91, choices: ['EMEA', 'AMER'] },
      '?include=choices',
    );
    const [emea, amer] = (field.choice_ids as string[]).map(Number);
    const at = { subject_id: Number((await project()).id), custom_field_id: Number(field.id) };
    expect(fields(await value({ ...at, value: [1] }))).toEqual(['value']);
    expect(fields(await value({ ...at, value: [emea, amer] }))).toEqual(['value']);
    expect(objects((await value({ ...at, value: [emea] })).body)[0]).toMatchObject({
      value: [emea],
      display_value: 'EMEA',
    });
  });

  it('belong to one kind of object', async () => {
    const story = await account.create('stories', 'story', {
      workspace_id: (await project()).id,
      title: 'Task',
    });
    expect(fields(await value({ subject_type: 'Story', subject_id: story.id, value: 'x' }))).toEqual([
      'custom_field_id',
    ]);
    expect(fields(await value({ subject_id: 999999, value: 'x' }))).toEqual(['subject_id']);
  });
});

describe('subscribed events', () => {
  const since = (time: unknown) =>
    `created_after=${encodeURIComponent(new Date(Date.parse(String(time)) - 1000).toISOString())}`;

  it('tell what changed, with payloads on request', async () => {
    account.advance(10_000);
    const { id, created_at } = await project();
    await account.call('PUT', `workspaces/${id}`, { workspace: { title: 'Renamed' } });
    await account.call('DELETE', `workspaces/${id}`);
    const query = `subscribed_events?${since(created_at)}&per_page=200`;
    const types = new Set(
      (await account.list(query))
        .filter((event) => event.subject_type === 'Workspace')
        .map((event) => event.event_type),
    );
    expect(types).toEqual(new Set(['workspace:created', 'workspace:updated', 'workspace:deleted']));
    const [plain] = await account.list(`${query}&event_types=workspace:updated`);
    expect(plain).toMatchObject({ subject_id: Number(id), user_id: 2, account_id: 1 });
    expect(plain).not.toHaveProperty('current_payload');
    const [full] = await account.list(
      `${query}&event_types=workspace:updated&optional_fields=previous_payload,current_payload,payload_changes`,
    );
    expect(JSON.parse(String(full?.payload_changes))).toEqual({ title: ['Project', 'Renamed'] });
    expect(JSON.parse(String(full?.current_payload))).toMatchObject({ title: 'Renamed' });
  });

  it('come out of order and some of them twice, but page without loss', async () => {
    account.advance(10_000);
    const { id, created_at } = await project();
    const stories = Array.from({ length: 60 }, (_, n) => ({ workspace_id: id, title: `Task ${n}` }));
    await account.call('POST', 'stories', { stories });
    const query = `subscribed_events?${since(created_at)}&event_types=story:created`;
    const events = [
      ...(await account.list(`${query}&per_page=50`)),
      ...(await account.list(`${query}&per_page=50&page=2`)),
    ];
    const subjects = events.map((event) => Number(event.subject_id));
    expect(new Set(events.map((event) => event.id)).size).toBe(events.length);
    expect(new Set(subjects).size).toBe(60);
    expect(events.length).toBeGreaterThan(60);
    expect(subjects).not.toEqual([...subjects].sort((a, b) => a - b));
  });

  it('refer to their subject and side-load it while it exists', async () => {
    const { id } = await project();
    const { body } = await account.call(
      'GET',
      'subscribed_events?include=subject&event_types=workspace:created&most_recent=true&per_page=200',
    );
    const event = objects(body).find((each) => each.subject_id === Number(id));
    expect(event?.subject_ref).toEqual({ key: 'workspaces', id });
    expect(object(body, 'workspaces', id)).toMatchObject({ title: 'Project' });
  });

  it('can be reduced to the newest of each object', async () => {
    const { id } = await project();
    for (const title of ['A', 'B', 'C'])
      await account.call('PUT', `workspaces/${id}`, { workspace: { title } });
    const own = async (query: string) =>
      (await account.list(`subscribed_events?per_page=200&${query}`))
        .filter((e) => e.subject_id === Number(id))
        .map((e) => e.event_type);
    expect(await own('most_recent=true')).toEqual(['workspace:updated']);
    expect((await own('most_recent_by_event_type=true')).sort()).toEqual([
      'workspace:created',
      'workspace:updated',
    ]);
  });

  it('emit several for one action', async () => {
    const { id } = await project({ participations: [{ user_id: 5 }] });
    const entry = await account.create('time_entries', 'time_entry', {
      workspace_id: id,
      user_id: 5,
      date_performed: '2026-01-06',
      time_in_minutes: 60,
    });
    const sheet = await account.create('timesheet_submissions', 'timesheet_submission', {
      workspace_id: id,
      user_id: 5,
      title: 'W',
      line_item_ids: [Number(entry.id)],
    });
    account.advance(10_000);
    const approved = await account.call('PUT', `timesheet_submissions/${sheet.id}/approve`, {});
    const types = (
      await account.list(`subscribed_events?${since(objects(approved.body)[0]?.updated_at)}`)
    ).map((e) => e.event_type);
    expect([...new Set(types)].sort()).toEqual(['time_entry:updated', 'timesheet:updated']);
  });

  it('are forgotten after nine days', async () => {
    expect((await account.list('subscribed_events')).length).toBeGreaterThan(0);
    account.advance(9 * 86_400_000 + 60_000);
    expect(await account.list('subscribed_events')).toEqual([]);
  });

  it('describe their types and fields', async () => {
    const { body } = await account.call('GET', 'subscribed_events/event_types');
    expect(body.subscribed_event_types).toEqual(
      expect.arrayContaining(['time_entry:created', 'timesheet:time_entry_added', 'story:deleted']),
    );
    expect(body.subscribed_event_type_schemas).toMatchObject({ workspace: { title: expect.any(String) } });
  });
});
