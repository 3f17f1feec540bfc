import {
  type Attributes,
  fields,
  ids,
  object,
  objects,
  reference,
  startAccount,
  type TestAccount,
} from './support';

let account: TestAccount;
beforeAll(async () => {
  account = await startAccount();
});
afterAll(() => account.close());

const project = (attributes: Attributes = {}, query = '') =>
  account.create('workspaces', 'workspace', { title: 'ACME – CRM rollout', ...attributes }, query);
const refused = async (attributes: Attributes) =>
  fields(await account.call('POST', 'workspaces', { workspace: { title: 'X', ...attributes } }));

describe('creating a project', () => {
  it('fills what the vendor fills', async () => {
    const created = await project(
      {
        budgeted: true,
        price: 120000,
        currency: 'EUR',
        start_date: '2026-01-05',
        due_date: '2026-06-30',
        rate_card_id: 51,
      },
      '?include=participations,primary_maven,creator',
    );
    expect(created).toMatchObject({
      price: '€120,000',
      price_in_cents: 12_000_000,
      currency: 'EUR',
      currency_symbol: '€',
      currency_base_unit: 100,
      change_orders_enabled: true,
      require_time_approvals: true,
      rate_card_id: 51,
      archived: false,
      account_id: 1,
      creator_id: '2',
      primary_maven_id: '2',
      budget_used_in_cents: 0,
      percentage_complete: 0,
    });
    expect(created.participation_ids).toHaveLength(1);
  });

  it('enables change orders only for a budget, unless told', async () => {
    expect((await project()).change_orders_enabled).toBe(false);
    expect(
      (await project({ budgeted: true, price: 1, change_orders_enabled: false })).change_orders_enabled,
    ).toBe(false);
  });

  it.each([
    [{ title: '' }, 'title'],
    [{ title: 'x'.repeat(256) }, 'title'],
    [{ budgeted: true }, 'price'],
    [{ price: '1200.50' }, 'price'],
    [{ creator_role: 'owner' }, 'creator_role'],
    [{ start_date: '2026-02-01', due_date: '2026-01-31' }, 'due_date'],
    [{ start_date: '05.01.2026' }, 'start_date'],
    [{ workspace_group_ids: [777] }, 'workspace_group_ids'],
    [{ participations: [{ user_id: 777 }] }, 'participations'],
    [{ participations: [{ user_id: 5, access: 'all' }] }, 'participations'],
    [{ project_tracker_template_id: 1 }, 'project_tracker_template_id'],
    [{ status_key: 'late' }, 'status_key'],
    [{ currency: 'USD', rate_card_id: 51 }, 'rate_card_id'],
  ])('refuses %j', async (attributes, field) => {
    expect(await refused(attributes)).toEqual([field]);
  });

  it('keeps what invoices of the project print', async () => {
    const invoice_preference = {
      project_code: 'P-100',
      purchase_order: 'PO 4711',
      client_invoice_name: 'ACME AG',
    };
    const created = await project({ invoice_preference });
    const preference = async () =>
      (await account.list(`workspace_invoice_preferences?workspace_id=${created.id}`))[0];
    expect(await preference()).toMatchObject({
      ...invoice_preference,
      id: created.workspace_invoice_preference_id,
    });
    const workspace = { invoice_preference: { purchase_order: 'PO 4712' } };
    expect((await account.call('PUT', `workspaces/${created.id}`, { workspace })).status).toBe(200);
    expect(await preference()).toMatchObject({ ...invoice_preference, purchase_order: 'PO 4712' });
  });

  it('puts the client company and its groups together', async () => {
    const company = await account.create('workspace_groups', 'workspace_group', {
      name: 'ACME AG',
      company: true,
    });
    const created = await project(
      { primary_workspace_group_id: Number(company.id) },
      '?include=workspace_groups',
    );
    expect(created.workspace_group_ids).toEqual([company.id]);
    const [group] = await account.list(`workspace_groups?only=${company.id}&include=workspaces`);
    expect(group).toMatchObject({ company: true, workspace_ids: [created.id] });
    expect((await account.call('DELETE', `workspace_groups/${company.id}`)).status).toBe(204);
    const [left] = await account.list(
      `workspaces?only=${created.id}&include=workspace_groups,primary_workspace_group`,
    );
    expect(left).toMatchObject({ workspace_group_ids: [], primary_workspace_group_id: null });
  });
});

describe('finding projects', () => {
  it('narrows by people, groups, words and days', async () => {
    const group = await account.create('workspace_groups', 'workspace_group', {
      name: 'Narrow AG',
      company: true,
    });
    const { id } = await project({
      title: 'Narrow Gauge Railway',
      start_date: '2027-02-01',
      due_date: '2027-02-28',
      participations: [{ user_id: 7 }],
      workspace_group_ids: [Number(group.id)],
    });
    const found = async (query: string) =>
      (await account.list(`workspaces?per_page=200&${query}`)).map((each) => each.id).includes(id);
    for (const query of [
      'has_participant=7',
      `workspace_groups=1,${group.id}`,
      'matching=rail%20narrow',
      'start_date_after=2027-01-31&due_date_before=2027-03-01',
      'creator=2&provider_lead=2&stage=project&budgeted=false',
      "search=title:'gauge'%20railway",
    ]) {
      expect([query, await found(query)]).toEqual([query, true]);
    }
    for (const query of [
      'has_participant=8',
      'workspace_groups=1',
      'matching=ailway',
      'start_date_after=2027-02-01',
      'due_date_before=2027-02-28',
      `except=${id}`,
      "search=title:'gauge'%20steam",
    ]) {
      expect([query, await found(query)]).toEqual([query, false]);
    }
  });
});

describe('archiving and deleting', () => {
  it('hides an archived project from lists and from its own route', async () => {
    const { id } = await project({ external_reference: reference('archived-1') });
    await account.call('PUT', `workspaces/${id}`, { workspace: { archived: true } });
    expect((await account.call('GET', `workspaces/${id}`)).status).toBe(404);
    expect(await account.list(`workspaces?only=${id}`)).toEqual([]);
    const byRef = 'external_reference_service_name=q2c&external_reference_service_model_refs=archived-1';
    expect(await account.list(`workspaces?${byRef}`)).toEqual([]);
    expect(await account.list(`workspaces?${byRef}&include_archived=true`)).toHaveLength(1);
    expect((await account.call('GET', `workspaces/${id}?include_archived=true`)).status).toBe(200);
    const archived = async (value: string) =>
      (await account.list(`workspaces?only=${id}&archived=${value}`)).length;
    expect([
      await archived('only'),
      await archived('include'),
      await archived('exclude'),
      await archived('true'),
    ]).toEqual([1, 1, 0, 0]);
    // A change is possible all the same, and brings the project back.
    await account.call('PUT', `workspaces/${id}`, { workspace: { archived: false } });
    expect((await account.call('GET', `workspaces/${id}`)).status).toBe(200);
  });

  it('deletes a project with all that is in it', async () => {
    const { id } = await project({
      project_tracker_template_id: 811,
      project_template_create_unnamed_resources: true,
      external_reference: reference('deleted-1'),
    });
    const stories = await account.list(`stories?workspace_id=${id}`);
    expect((await account.call('DELETE', `workspaces/${id}`)).status).toBe(204);
    expect((await account.call('GET', `workspaces/${id}?include_archived=true`)).status).toBe(404);
    expect(await account.list(`stories?only=${stories.map((story) => story.id).join()}`)).toEqual([]);
    expect(await account.list(`workspace_resources?workspace_id=${id}&include_unnamed=true`)).toEqual([]);
    expect(
      await account.list('external_references?subject_type=Workspace&service_model_ref=deleted-1'),
    ).toEqual([]);
  });
});

describe('a project from a template', () => {
  const fromTemplate = (attributes: Attributes = {}) =>
    project({ project_tracker_template_id: 812, project_template_start_date: '2026-01-05', ...attributes });
  const tasks = (id: string, query = '') =>
    account.list(
      `stories?workspace_id=${id}&order=position:asc&include=current_assignments,target_dependencies${query}`,
    );

  it('gets the tasks and milestones of the template, shifted to the start', async () => {
    const { id } = await fromTemplate();
    const made = await tasks(id);
    expect(
      made.map(({ title, story_type, start_date, due_date }) => [title, story_type, start_date, due_date]),
    ).toEqual([
      ['Project set-up', 'task', '2026-01-05', '2026-01-16'],
      ['Design', 'task', '2026-01-19', '2026-02-20'],
      ['Design accepted', 'milestone', null, '2026-02-23'],
      ['Build and unit test', 'task', '2026-02-23', '2026-04-24'],
      ['User acceptance test', 'task', '2026-04-27', '2026-05-22'],
      ['Go-live', 'milestone', null, '2026-05-25'],
    ]);
    expect(made.map((story) => ids(story.target_dependency_ids).length)).toEqual([1, 1, 0, 1, 0, 0]);
    expect(made.every((story) => ids(story.current_assignment_ids).length === 0)).toBe(true);
  });

  it('moves days from a weekend to Monday, unless weekends are workdays', async () => {
    const start = { project_template_start_date: '2026-01-10' };
    const first = async (id: string) => (await tasks(id))[0]?.start_date;
    expect(await first((await fromTemplate(start)).id)).toBe('2026-01-12');
    const weekends = { ...start, project_template_weekends_as_workdays: true };
    expect(await first((await fromTemplate(weekends)).id)).toBe('2026-01-10');
  });

  it('starts at the project when no template start is given', async () => {
    const { id } = await project({ project_tracker_template_id: 814, start_date: '2026-03-02' });
    expect((await tasks(id))[0]?.start_date).toBe('2026-03-02');
  });

  it('keeps all places unnamed on request, with the roles of the template', async () => {
    const { id } = await fromTemplate({
      project_template_create_unnamed_resources: true,
      project_template_assignment_mappings: [{ resource_id: 8121, role_id: 31 }],
    });
    expect(await account.list(`workspace_resources?workspace_id=${id}`)).toEqual([]);
    const resources = await account.list(
      `workspace_resources?workspace_id=${id}&only_unnamed=true&order=created_at:asc`,
    );
    expect(resources.map(({ label }) => label)).toEqual([
      'Unnamed Project Manager',
      'Unnamed Consultant',
      'Unnamed Principal',
    ]);
    const unnamed = await account.list(`stories?workspace_id=${id}&with_assignees=unnamed`);
    expect(unnamed).toHaveLength(4);
    expect(await account.list(`stories?workspace_id=${id}&with_assignees=unassigned`)).toHaveLength(2);
  });

  it('maps places to participants and roles', async () => {
    const places = await account.list('project_template_assignments?project_template_id=812');
    const place = (name: string) => Number(places.find((each) => each.name === name)?.id);
    const mappings = [
      { resource_id: place('Project Manager'), user_id: 8 },
      { resource_id: place('Consultant'), role_id: 31 },
    ];
    expect(
      await refused({ project_tracker_template_id: 812, project_template_assignment_mappings: mappings }),
    ).toEqual(['project_template_assignment_mappings']);
    const { id } = await fromTemplate({
      participations: [{ user_id: 8, access: 'admin' }],
      project_template_assignment_mappings: mappings,
    });
    const resources = await account.list(
      `workspace_resources?workspace_id=${id}&include=user,role&include_unnamed=true&order=created_at:asc`,
    );
    expect(resources.map(({ label, user_id, role_id }) => [label, user_id, role_id])).toEqual([
      ['Markus Steiner', '8', '33'],
      ['Unnamed Principal', null, '31'],
    ]);
    const [setUp] = await tasks(id, ',assignees');
    expect(setUp?.assignee_ids).toEqual(['8']);
  });

  it('copies budgets only into a budgeted project', async () => {
    const raw_json = JSON.stringify({
      stories: [{ title: 'Priced', budget_estimate_in_cents: 500_00, sub_stories: [{ title: 'Part' }] }],
    });
    const template = await account.create('project_templates', 'project_template', {
      title: 'T',
      currency: 'EUR',
      raw_json,
    });
    const project_tracker_template_id = Number(template.id);
    const budget = async (attributes: Attributes) => {
      const { id } = await project({ project_tracker_template_id, ...attributes });
      const [priced] = await account.list(`stories?workspace_id=${id}&parents_only=true`);
      expect(priced?.sub_story_count).toBe(1);
      return priced?.budget_estimate_in_cents;
    };
    expect(await budget({})).toBeNull();
    expect(await budget({ budgeted: true, price: 5000 })).toBe(500_00);
    const broken = await account.call('POST', 'project_templates', {
      project_template: { title: 'T', currency: 'EUR', raw_json: '{' },
    });
    expect(fields(broken)).toEqual(['raw_json']);
  });

  it('inserts the tasks again when the template is applied again, below a task if told', async () => {
    const { id } = await fromTemplate();
    const [, design] = await tasks(id);
    const apply = { project_tracker_template_id: 814, project_template_start_date: '2026-02-02' };
    for (const more of [{}, { project_template_before_story_id: Number(design?.id) }]) {
      const reply = await account.call('PUT', `workspaces/${id}`, { workspace: { ...apply, ...more } });
      expect(reply.status).toBe(200);
    }
    const titles = (await tasks(id)).map(({ title }) => title);
    expect(titles).toHaveLength(6 + 4 + 4);
    expect(titles.slice(4, 11)).toEqual([
      'Project set-up',
      'Design',
      'Needs analysis',
      'Course material',
      'Courses',
      'Programme completed',
      'Design accepted',
    ]);
  });
});

describe('external references', () => {
  const find = (query: string) =>
    account.list(`workspaces?${query}`).then((found) => found.map(({ id }) => id));
  const byRef = (ref: string) =>
    find(`external_reference_service_name=q2c&external_reference_service_model_refs=${ref}`);

  it('are written inline and find the object', async () => {
    const { id } = await project({ external_reference: reference('006A', { status: 'successful' }) });
    expect(await byRef('006A')).toEqual([id]);
    expect(await byRef('006B,006A')).toEqual([id]);
    expect(await byRef('006a')).toEqual([]);
    expect(await find('external_reference_service_name=q2c&external_reference_status=successful')).toEqual([
      id,
    ]);
    expect(await find('external_reference_service_name=other')).toEqual([]);
    const { body } = await account.call('GET', `workspaces/${id}?include=external_references`);
    const [shown] = objects(body);
    expect(object(body, 'external_references', String(ids(shown?.external_reference_ids)[0]))).toMatchObject({
      subject_type: 'Workspace',
      subject_id: Number(id),
      service_model_ref: '006A',
      status: 'successful',
      locked: false,
    });
  });

  it.each(['service_name', 'service_model', 'service_model_ref'])('need %s', async (key) => {
    const external_reference = { ...reference('x'), [key]: undefined };
    expect(await refused({ external_reference })).toEqual([`external_reference.${key}`]);
  });

  it('do not keep two objects from carrying the same one', async () => {
    const [first, second] = [
      await project({ external_reference: reference('twice') }),
      await project({ external_reference: reference('twice') }),
    ];
    expect((await byRef('twice')).sort()).toEqual([first.id, second.id].sort());
  });

  it('are one per service name: the same name changes, another name adds', async () => {
    const { id } = await project({ external_reference: reference('one') });
    const put = (external_reference: Attributes) =>
      account.call('PUT', `workspaces/${id}`, { workspace: { external_reference } });
    await put(reference('two'));
    await put(reference('erp-1', { service_name: 'erp' }));
    const all = await account.list(`external_references?subject_type=Workspace&subject_id=${id}`);
    expect(all.map(({ service_name, service_model_ref }) => [service_name, service_model_ref])).toEqual([
      ['q2c', 'two'],
      ['erp', 'erp-1'],
    ]);
    expect([await byRef('one'), await byRef('two')]).toEqual([[], [id]]);
  });

  it('are created or updated by their own call, without harm from a repetition', async () => {
    const { id } = await project();
    const body = {
      external_reference: { ...reference('cou'), subject_type: 'Workspace', subject_id: Number(id) },
    };
    const first = await account.call('POST', 'external_references/create_or_update', body);
    const second = await account.call('POST', 'external_references/create_or_update.json', body);
    expect([first.status, second.status]).toEqual([200, 200]);
    expect(second.body.results).toEqual(first.body.results);
    expect(await byRef('cou')).toEqual([id]);
    expect((await account.call('DELETE', `external_references/${first.body.results[0]?.id}`)).status).toBe(
      204,
    );
    expect(await byRef('cou')).toEqual([]);
    const wrong = await account.call('POST', 'external_references/create_or_update', {
      external_reference: { subject_type: 'Workspace', subject_id: 999999 },
    });
    expect(fields(wrong).sort()).toEqual([
      'service_model',
      'service_model_ref',
      'service_name',
      'subject_id',
    ]);
  });

  it('restrict by having one, or none of a service', async () => {
    const { id } = await project({ title: 'Refless' });
    expect(await find(`only=${id}&has_external_references=true`)).toEqual([]);
    expect(await find(`only=${id}&has_external_references=false`)).toEqual([id]);
    expect(await find(`only=${id}&without_external_reference_service_name=q2c`)).toEqual([id]);
  });

  it('are typed as the contract says', async () => {
    const call = (query: string) =>
      account.call('GET', `workspaces?external_reference_service_name=q2c&${query}`);
    expect((await call('external_reference_service_model_ref=006A')).status).toBe(400);
    const many = Array.from({ length: 201 }, (_, n) => n).join();
    expect((await call(`external_reference_service_model_refs=${many}`)).status).toBe(400);
    expect((await account.call('GET', 'external_references')).status).toBe(400);
    const { id } = await project({ external_reference: reference('4711') });
    expect(
      await find('external_reference_service_name=q2c&external_reference_service_model_ref=4711'),
    ).toEqual([id]);
  });

  it('are found only after the visibility delay of the account', async () => {
    await account.byHand('PATCH', 'account/1', { visibleAfterMs: 3000 });
    const { id } = await project({ external_reference: reference('late') });
    expect(await byRef('late')).toEqual([]);
    expect((await account.call('GET', `workspaces/${id}`)).status).toBe(200);
    // Stamps of one system only grow, so that a busy account's may run a little ahead of the clock.
    account.advance(4000);
    expect(await byRef('late')).toEqual([id]);
    await account.byHand('PATCH', 'account/1', { visibleAfterMs: 0 });
  });
});
