import { type Attributes, fields, ids, objects, reference, startAccount, type TestAccount } from './support';

let account: TestAccount;
let workspaceId: string;
beforeAll(async () => {
  account = await startAccount();
});
afterAll(() => account.close());
beforeEach(async () => {
  workspaceId = (
    await account.create('workspaces', 'workspace', { title: 'Staffed', currency: 'EUR', rate_card_id: 51 })
  ).id;
});

const resource = (attributes: Attributes, query = '') =>
  account.create(
    'workspace_resources',
    'workspace_resource',
    { workspace_id: workspaceId, ...attributes },
    query,
  );
const post = async (collection: string, root: string, attributes: Attributes) =>
  fields(await account.call('POST', collection, { [root]: attributes }));

describe('participations', () => {
  it('are listed by project only', async () => {
    expect((await account.call('GET', 'participations')).status).toBe(400);
    await account.create('participations', 'participation', {
      workspace_id: workspaceId,
      user_id: 5,
      access_level: 'financial',
    });
    const [own, other] = await account.list(
      `participations?workspace_id=${workspaceId}&include=user&optional_fields=access_level`,
    );
    expect(own).toMatchObject({ user_id: '2', access_level: 'admin', is_team_lead: true });
    expect(other).toMatchObject({ user_id: '5', access_level: 'financial', can_edit: false });
    expect(await post('participations', 'participation', { workspace_id: workspaceId, user_id: 5 })).toEqual([
      'user_id',
    ]);
  });
});

describe('resources', () => {
  it('of a person make the person a participant and take the role and its rate', async () => {
    const made = await resource(
      { user_id: 5 },
      '?include=user,role,participation&optional_fields=resource_bill_rate',
    );
    expect(made).toMatchObject({
      label: 'Jonas Lindqvist',
      full_name: 'Jonas Lindqvist',
      user_id: '5',
      role_id: '32',
      role_name: 'Consultant',
      role_available_on_rate_card: true,
    });
    expect(made.resource_bill_rate).toBe(150);
    const members = await account.list(`users?participant_in=${workspaceId}`);
    expect(members.map(({ id }) => id)).toEqual(['2', '5']);
    expect(
      await post('workspace_resources', 'workspace_resource', { workspace_id: workspaceId, user_id: 5 }),
    ).toEqual(['user_id']);
  });

  it('without a person need a role, and are named later', async () => {
    expect(await post('workspace_resources', 'workspace_resource', { workspace_id: workspaceId })).toEqual([
      'role_id',
    ]);
    const unnamed = await resource({ user_id: null, role_id: 34, external_reference: reference('r1') });
    expect(unnamed.label).toBe('Unnamed Trainer');
    const put = (attributes: Attributes) =>
      account.call('PUT', `workspace_resources/${unnamed.id}?optional_fields=resource_bill_rate`, {
        workspace_resource: attributes,
      });
    expect(objects((await put({ bill_rate: '155.5', label: 'Lead trainer' })).body)[0]).toMatchObject({
      label: 'Lead trainer',
      resource_bill_rate: 155.5,
    });
    expect(objects((await put({ user_id: 10 })).body)[0]).toMatchObject({
      label: 'Tomasz Zieliński',
      full_name: 'Tomasz Zieliński',
    });
  });
});

describe('resources without a person', () => {
  it('are left out of lists unless asked for, also when they are looked up by reference', async () => {
    const { id } = await resource({ role_id: 32, external_reference: reference('open-1') });
    const lookup = 'external_reference_service_name=q2c&external_reference_service_model_refs=open-1';
    const found = async (query: string) =>
      (await account.list(`workspace_resources?${query}`)).map((each) => each.id);
    expect(await found(lookup)).toEqual([]);
    expect(await found(`${lookup}&include_unnamed=true`)).toEqual([id]);
    expect(await found(`workspace_id=${workspaceId}&only_unnamed=true`)).toEqual([id]);
    expect((await account.call('GET', `workspace_resources/${id}`)).status).toBe(404);
    expect((await account.call('DELETE', `workspace_resources/${id}`)).status).toBe(204);
  });

  it('are created in bulk', async () => {
    const workspace_resources = [31, 32, 32].map((role_id) => ({ workspace_id: workspaceId, role_id }));
    const reply = await account.call('POST', 'workspace_resources', { workspace_resources });
    expect(objects(reply.body).map(({ label }) => label)).toEqual([
      'Unnamed Principal',
      'Unnamed Consultant',
      'Unnamed Consultant',
    ]);
  });
});

describe('allocations', () => {
  it('plan minutes of a resource in a period', async () => {
    const { id } = await resource({ role_id: 32 });
    const allocation = { resource_id: id, start_date: '2026-01-05', end_date: '2026-01-16', minutes: 2400 };
    const made = await account.create(
      'workspace_allocations',
      'workspace_allocation',
      allocation,
      '?include=workspace,workspace_resource',
    );
    expect(made).toMatchObject({
      hard: false,
      minutes: 2400,
      percentage: 50,
      workspace_id: workspaceId,
      workspace_resource_id: id,
    });
    const bad = (attributes: Attributes) =>
      post('workspace_allocations', 'workspace_allocation', { ...allocation, ...attributes });
    expect(await bad({ end_date: '2026-01-01' })).toEqual(['end_date']);
    expect(await bad({ resource_id: undefined, minutes: null })).toEqual(['minutes']);
    expect(await bad({ resource_id: undefined })).toEqual(['resource_id']);
    expect((await account.list(`workspace_resources?only=${id}&include_unnamed=true`))[0]).toMatchObject({
      allocations_count: 1,
      total_allocated_minutes: 2400,
      earliest_allocation_date: '2026-01-05',
    });
  });
});

describe('resource requests', () => {
  const request = (attributes: Attributes) =>
    account.create(
      'resource_requests',
      'resource_request',
      { approver_ids: [8], ...attributes },
      '?include=resource,approvers',
    );

  it('make the resource they are for, and staff it on approval', async () => {
    const made = await request({
      resource_workspace_id: Number(workspaceId),
      resource_role_id: 32,
      workspace_allocation_start_date: '2026-01-05',
      workspace_allocation_end_date: '2026-01-09',
      workspace_allocation_percentage: 50,
    });
    expect(made).toMatchObject({ status: 'new', approver_ids: ['8'] });
    const resourceId = String(made.resource_id);
    const allocations = () => account.list(`workspace_allocations?workspace_id=${workspaceId}`);
    expect(await allocations()).toMatchObject([{ minutes: 1200, hard: false }]);
    const approve = { resource_request: { request_resolution_status: 'approve', user_id: 7 } };
    const approved = await account.call('PUT', `resource_requests/${made.id}`, approve);
    expect(objects(approved.body)[0]).toMatchObject({ status: 'approved' });
    const [staffed] = await account.list(
      `workspace_resources?only=${resourceId}&include=user,pending_resource_request`,
    );
    expect(staffed).toMatchObject({
      user_id: '7',
      full_name: 'Priya Raman',
      pending_resource_request_id: null,
    });
    expect(await allocations()).toMatchObject([{ hard: true }]);
    expect(fields(await account.call('PUT', `resource_requests/${made.id}`, approve))).toEqual([
      'request_resolution_status',
    ]);
  });

  it('need an approver and something to staff', async () => {
    expect(await post('resource_requests', 'resource_request', {})).toEqual(['approver_ids']);
    expect(await post('resource_requests', 'resource_request', { approver_ids: [8] })).toEqual([
      'resource_id',
    ]);
  });

  it('are found while they are pending', async () => {
    const made = await request({ resource_id: Number((await resource({ role_id: 31 })).id) });
    const pending = async () =>
      ids((await account.list('resource_requests?pending_requests_only=true')).map(({ id }) => id));
    expect(await pending()).toContain(made.id);
    await account.call('PUT', `resource_requests/${made.id}`, {
      resource_request: { request_resolution_status: 'reject' },
    });
    expect(await pending()).not.toContain(made.id);
  });
});

it('staffing demands belong to a project', async () => {
  const demand = {
    workspace_id: workspaceId,
    title: 'Two consultants',
    role_id: 32,
    quantity: 2,
    start_date: '2026-01-05',
    end_date: '2026-03-31',
  };
  const made = await account.create('staffing_demands', 'staffing_demand', demand, '?include=workspace,role');
  expect(made).toMatchObject({ quantity: 2, status: 'open', workspace_id: workspaceId, role_id: '32' });
  expect(await post('staffing_demands', 'staffing_demand', { title: 'x' })).toEqual(['workspace_id']);
});

describe('people and rates of the seed', () => {
  it('are eight people with roles besides the integration user', async () => {
    const people = await account.list('users?include=role&on_my_account=true');
    expect(people).toHaveLength(9);
    expect(people.filter(({ role_id }) => role_id)).toHaveLength(8);
    expect(
      (await account.list('users?by_email_address=AMELIE.ROUSSEL@meridian.example')).map(({ id }) => id),
    ).toEqual(['6']);
    expect((await account.list('users?search=stein')).map(({ id }) => id)).toEqual(['8']);
  });

  it('lead from the set of a legal entity to the rate of a role', async () => {
    const cards = await account.list(
      'rate_cards?order=created_at:asc&include=rate_card_set,effective_rate_card_version',
    );
    expect(cards.map(({ id, currency, rate_card_set_id }) => [id, currency, rate_card_set_id])).toEqual([
      ['51', 'EUR', '41'],
      ['52', 'GBP', '41'],
      ['53', 'USD', '42'],
    ]);
    const version = cards[2]?.effective_rate_card_version_id;
    const rates = await account.list(`rate_card_roles?rate_card_version_id=${version}&include=role`);
    expect(rates.find(({ role_id }) => role_id === '31')?.rate).toBe(260);
  });

  it('grow versions with the set', async () => {
    const version = { rate_card_set_id: 41, effective_date: '2030-01-01' };
    const made = await account.create(
      'rate_card_set_versions',
      'rate_card_set_version',
      version,
      '?include=rate_card_versions',
    );
    expect(made.active).toBe(false);
    expect(ids(made.rate_card_version_ids)).toHaveLength(2);
    const [card] = await account.list('rate_cards?only=51&include=effective_rate_card_version');
    expect(card?.effective_rate_card_version_id).toBe('61');
  });

  it('refuse to change a rate card in use', async () => {
    const reply = await account.call('PUT', 'rate_cards/51', { rate_card: { currency: 'CHF' } });
    expect(reply.status).toBe(422);
  });
});
