import { type DealDocument, type JsonObject, newId } from '../../../lib/model';
import { system } from '../../../lib/systems/kantata';
import type { KantataClient } from '../../../lib/systems/kantata/client';
import { stories, timeEntries, workspaces } from '../../../lib/systems/kantata/collections';
import type { OwnedRecord } from '../../../lib/systems/kantata/references';
import { type Limits, type OperationResult, SystemError } from '../../../lib/systems/kit';
import { system as kantata } from '../../../simulator/kantata';
import type { Fault } from '../../../simulator/kit/types';
import {
  callContext,
  clientOf,
  contextOf,
  firmTables,
  ids,
  sampleDeal,
  withProject,
} from '../../unit/systems/kantata/support';
import { send } from '../support';
import { Vendor } from './vendor';

const signal = new AbortController().signal;
const withoutTemplates = { ...firmTables, projectTemplate: {} };

let vendor: Vendor;
let client: KantataClient;

beforeAll(async () => {
  vendor = await Vendor.start(kantata);
});

beforeEach(async () => {
  await vendor.reset();
  client = await connect();
});

afterEach(async () => {
  await client.close();
  await vendor.expectFaultsFired();
});

afterAll(() => vendor.close());

/** Token and address of the simulated account; a reset makes another token. */
async function account() {
  const { credentials } = await vendor.account('access-token');
  const { accessToken = '', baseUrl = '' } = credentials;
  return { accessToken, baseUrl };
}

const connect = async (limits: Partial<Limits> = {}) => clientOf(await account(), limits);

const fault = (settings: Omit<Fault, 'id'>) => vendor.fault(settings);

const recordsOf = (collection: string, filter?: Record<string, string>) => vendor.records(collection, filter);

const operationOf = (entity: string, verb: string) => {
  const operation = system.operations.find((each) => each.entity === entity && each.verb === verb);
  if (!operation) throw new Error(`no operation ${entity}.${verb}`);
  return operation;
};

interface Options {
  tables?: Record<string, Record<string, string>>;
  parameters?: Record<string, string>;
}

interface Step {
  wire: unknown;
  reply: unknown;
  result: OperationResult;
}

/** One step as the engine runs it: look first, call, and look again before every further attempt. */
async function step(entity: string, verb: string, deal: DealDocument, options: Options = {}): Promise<Step> {
  const operation = operationOf(entity, verb);
  const context = contextOf(deal, options);
  const [item] = operation.select(deal, options.parameters ?? {});
  const wire = operation.toSystem(item, context);
  for (let attempt = 1; ; attempt += 1) {
    try {
      const found = (await operation.probe?.(client, wire, callContext())) ?? null;
      const reply = found ?? (await operation.call(client, wire, callContext()));
      return { wire, reply, result: operation.fromSystem(reply, item, context) };
    } catch (error) {
      const again =
        error instanceof SystemError && ['transient', 'rate_limited', 'unknown'].includes(error.kind);
      if (!again || attempt === 4) throw error;
    }
  }
}

const undo = (entity: string, { wire, reply }: Step) =>
  operationOf(entity, 'create').compensate?.(client, wire, reply, callContext());

/** The call alone, for what it reports. */
async function failureOf(entity: string, deal: DealDocument): Promise<unknown> {
  const operation = operationOf(entity, 'create');
  const [item] = operation.select(deal, {});
  return operation
    .call(client, operation.toSystem(item, contextOf(deal)), callContext())
    .catch((error: unknown) => error);
}

/** A deal of its own per test, whose project is in Kantata. */
async function provisioned(options: Options = {}) {
  const deal = sampleDeal();
  const { result } = await step('project', 'create', deal, options);
  return withProject(deal, result.refs[0]?.ref.id ?? '');
}

const ownProjects = async () =>
  (await recordsOf('workspaces', { title: 'ACME – CRM rollout' })).map(({ id }) => id);

describe('the main way', () => {
  it('passes the connection test', async () => {
    expect((await client.test()).filter(({ state }) => state === 'failed')).toEqual([]);
  });

  it('creates a project from the template of its service line', async () => {
    const { project } = await provisioned();
    const [ref] = project.externalRefs;
    const [record] = await recordsOf('workspaces', { title: 'ACME – CRM rollout' });
    expect(record?.id).toBe(ref?.id);
    expect(record?.data).toMatchObject({
      currency: 'EUR',
      budgeted: true,
      price: 30001,
      start_date: '2026-01-05',
    });
    const tasks = await recordsOf('stories', { workspace_id: ref?.id ?? '' });
    expect(tasks.length).toBeGreaterThan(0);
  });

  it('brings a project that is there up to what is sold, and leaves the rest to those who deliver it', async () => {
    const deal = sampleDeal();
    const made = await step('project', 'upsert', deal);
    const id = made.result.refs[0]?.ref.id ?? '';
    const tasks = (await recordsOf('stories', { workspace_id: id })).length;
    await client.updateIfPresent(workspaces, id, { due_date: '2027-03-31' }, signal);
    const renamed = { ...deal, project: { ...deal.project, name: 'ACME – CRM and service rollout' } };
    const operation = operationOf('project', 'upsert');
    const wire = operation.toSystem(renamed.project, contextOf(renamed));
    expect(await operation.call(client, wire, callContext())).toMatchObject([{ id }]);
    expect(await recordsOf('workspaces', { title: 'ACME – CRM and service rollout' })).toMatchObject([
      { id, data: { due_date: '2027-03-31', price: 30001 } },
    ]);
    expect(await ownProjects()).toEqual([]);
    expect(await recordsOf('stories', { workspace_id: id })).toHaveLength(tasks);

    await fault({ kind: 'garble', mode: 'empty', match: { method: 'PUT' }, times: 1 });
    await expect(operation.call(client, wire, callContext())).rejects.toMatchObject({
      kind: 'unknown',
      reason: expect.stringContaining(`PUT /workspaces/${id} is empty`),
    });
  });

  it('adds only milestones to the tasks of the template', async () => {
    const deal = await provisioned();
    const filter = { workspace_id: deal.project.externalRefs[0]?.id ?? '' };
    const before = await recordsOf('stories', filter);
    const { result } = await step('task', 'create', deal);
    expect(await recordsOf('stories', filter)).toHaveLength(before.length + 2);
    expect(result.refs.map(({ id, entity }) => [id, entity])).toEqual([
      [ids.goLive, 'milestone'],
      [ids.acceptance, 'milestone'],
    ]);
  });

  it('creates tasks below their parents where there is no template', async () => {
    const deal = await provisioned({ tables: withoutTemplates });
    const { result } = await step('task', 'create', deal, { tables: withoutTemplates });
    const idOf = (id: string) => result.refs.find((ref) => ref.id === id)?.ref.id;
    const created = await recordsOf('stories', { workspace_id: deal.project.externalRefs[0]?.id ?? '' });
    expect(created).toHaveLength(4);
    const interviews = created.find(({ id }) => id === idOf(ids.interviews));
    expect(interviews?.data).toMatchObject({
      title: 'Interviews',
      parent_id: idOf(ids.discovery),
      time_estimate_in_minutes: 2250,
    });
  });

  it('creates the billing schedule with exact amounts, linked to the milestones', async () => {
    const deal = await provisioned();
    const tasks = await step('task', 'create', deal);
    deal.milestones = deal.milestones?.map((milestone) => ({
      ...milestone,
      externalRefs: tasks.result.refs.filter(({ id }) => id === milestone.id).map(({ ref }) => ref),
    }));
    await step('billingSchedule', 'create', deal);
    const lines = await recordsOf('billing_milestones', {
      workspace_id: deal.project.externalRefs[0]?.id ?? '',
    });
    expect(
      lines.map(({ data }) => [data.title, data.date_to_invoice, data.amount_in_cents, data.story_id]),
    ).toEqual([
      ['Go-live', '2026-04-30', 2000025, deal.milestones?.[0]?.externalRefs[0]?.id],
      ['Acceptance', '2026-06-30', 1000025, deal.milestones?.[1]?.externalRefs[0]?.id],
    ]);
  });

  it('asks for staff', async () => {
    const deal = await provisioned();
    const filter = { workspace_id: deal.project.externalRefs[0]?.id ?? '' };
    const before = await recordsOf('workspace_resources', filter);
    const parameters = { roles: 'project_manager, consultant, consultant' };
    const { result } = await step('staffingRequest', 'create', deal, { parameters });
    expect(result.refs).toHaveLength(3);
    const after = await recordsOf('workspace_resources', filter);
    const open = after.filter(({ id }) => !before.some((each) => each.id === id));
    expect(open.map(({ data }) => [data.user_id ?? null, data.role_id]).sort()).toEqual([
      [null, firmTables.role?.consultant],
      [null, firmTables.role?.consultant],
      [null, firmTables.role?.project_manager],
    ]);
  });

  it('does nothing again when a step is repeated', async () => {
    const deal = await provisioned({ tables: withoutTemplates });
    const first = await step('task', 'create', deal, { tables: withoutTemplates });
    const second = await step('task', 'create', deal, { tables: withoutTemplates });
    expect(second.result).toEqual(first.result);
    const parameters = { roles: 'consultant' };
    const staffed = await step('staffingRequest', 'create', deal, { parameters });
    expect((await step('staffingRequest', 'create', deal, { parameters })).result).toEqual(staffed.result);
    await provisioned();
    expect(await ownProjects()).toHaveLength(1);
  });

  it('finds the project by our id, also in the archive, and nothing where there is none', async () => {
    expect((await step('project', 'find', sampleDeal())).result.refs).toEqual([]);
    const { project } = await provisioned();
    await vendor.change('workspaces', String(project.externalRefs[0]?.id), { archived: true });
    const { result } = await step('project', 'find', sampleDeal());
    expect(result.refs.map(({ ref }) => ref.id)).toEqual([project.externalRefs[0]?.id]);
  });
});

describe('lost replies', () => {
  it.each(['commit-then-drop', 'reset'] as const)('makes one project after a %s', async (kind) => {
    await fault({ kind, match: { method: 'POST', path: '/workspaces' } });
    expect(await failureOf('project', sampleDeal())).toMatchObject({
      kind: 'unknown',
      code: 'OUTCOME_UNKNOWN',
    });
    const { reply } = await step('project', 'create', sampleDeal());
    expect(await ownProjects()).toEqual((reply as OwnedRecord[]).map(({ id }) => id));
  });

  it('makes one project when the reply to the first of two upserts is lost', async () => {
    await fault({ kind: 'commit-then-drop', match: { method: 'POST', path: '/workspaces' } });
    await step('project', 'upsert', sampleDeal());
    await step('project', 'upsert', sampleDeal());
    expect(await ownProjects()).toHaveLength(1);
  });

  it('makes one project after a time-out', async () => {
    await client.close();
    client = await connect({ timeoutMs: 300 });
    await fault({ kind: 'commit-then-timeout', ms: 5000, match: { method: 'POST', path: '/workspaces' } });
    await step('project', 'create', sampleDeal());
    expect(await ownProjects()).toHaveLength(1);
  });

  it('sends only the missing part of the tasks', async () => {
    const deal = await provisioned({ tables: withoutTemplates });
    await fault({ kind: 'commit-then-drop', match: { method: 'POST', path: '/stories' } });
    const { result } = await step('task', 'create', deal, { tables: withoutTemplates });
    expect(result.refs).toHaveLength(4);
    expect(await recordsOf('stories', { workspace_id: deal.project.externalRefs[0]?.id ?? '' })).toHaveLength(
      4,
    );
  });

  it('makes one billing schedule', async () => {
    const deal = await provisioned();
    await fault({ kind: 'commit-then-drop', match: { method: 'POST', path: '/billing_milestones' } });
    await step('billingSchedule', 'create', deal);
    expect(
      await recordsOf('billing_milestones', { workspace_id: deal.project.externalRefs[0]?.id ?? '' }),
    ).toHaveLength(2);
  });

  it('cannot decide between two projects with our id', async () => {
    const deal = sampleDeal();
    const [planned] = operationOf('project', 'create').toSystem(deal.project, contextOf(deal)) as {
      body: JsonObject;
    }[];
    const body = planned?.body ?? {};
    await client.create(workspaces, [body], signal);
    await client.create(workspaces, [body], signal);
    await expect(step('project', 'create', deal)).rejects.toMatchObject({
      kind: 'unknown',
      code: 'OUTCOME_UNKNOWN',
    });
    expect(await ownProjects()).toHaveLength(2);
  });
});

describe('refusals', () => {
  it.each([
    ['rate-limit', undefined, 'rate_limited', 'RATE_LIMITED'],
    ['status', 503, 'transient', 'TARGET_UNAVAILABLE'],
    ['status', 504, 'unknown', 'OUTCOME_UNKNOWN'],
    ['status', 403, 'rejected', 'TARGET_REJECTED'],
  ] as const)('%s %s is %s and creates nothing', async (kind, status, errorKind, code) => {
    await fault({ kind, status, match: { method: 'POST', path: '/workspaces' } });
    expect(await failureOf('project', sampleDeal())).toMatchObject({ kind: errorKind, code });
    expect(await ownProjects()).toEqual([]);
  });

  it.each([
    ['rate-limit', undefined],
    ['status', 503],
    ['status', 504],
  ] as const)('gets over %s %s', async (kind, status) => {
    await fault({ kind, status, match: { path: '/workspaces' }, times: 2 });
    await step('project', 'create', sampleDeal());
    expect(await ownProjects()).toHaveLength(1);
  });

  it('reports a revoked token', async () => {
    await fault({ kind: 'expire-token' });
    expect(await failureOf('project', sampleDeal())).toMatchObject({ kind: 'auth', code: 'AUTH_EXPIRED' });
  });

  it('passes on what is wrong with the content', async () => {
    const [failure] = await Promise.allSettled([
      client.create(workspaces, [{ title: '', creator_role: 'maven' }], signal),
    ]);
    expect(failure).toMatchObject({
      reason: { kind: 'rejected', code: 'TARGET_REJECTED', reason: 'Please give your project a title' },
    });
  });
});

describe('adopting what a person has made', () => {
  async function planned() {
    const deal = sampleDeal();
    const operation = operationOf('project', 'create');
    const [item] = operation.select(deal, {});
    return { deal, operation, wire: operation.toSystem(item, contextOf(deal)) };
  }

  it('puts our reference on the project, so that it is found as if we had made it', async () => {
    const { deal, operation, wire } = await planned();
    const { id } = await vendor.create('workspaces', { title: 'By hand' });
    const look = await operation.adopt?.(client, id, wire, { ...callContext(), lookOnly: true });
    expect(look).toMatchObject([{ id, canonicalId: deal.project?.id }]);
    expect(await operation.probe?.(client, wire, callContext())).toBeNull();

    const adopted = await operation.adopt?.(client, id, wire, callContext());
    expect(await operation.adopt?.(client, id, wire, callContext())).toEqual(adopted);
    expect(await operation.probe?.(client, wire, callContext())).toEqual(adopted);
    expect(await operation.compensate?.(client, wire, adopted, callContext())).toBe('removed');
    expect(await operation.probe?.(client, wire, callContext())).toBeNull();
  });

  it('refuses a project that stands for another one, and finds none where there is none', async () => {
    const first = await step('project', 'create', sampleDeal());
    const { operation, wire } = await planned();
    const other = (wire as { canonicalId: string }[]).map((record) => ({
      ...record,
      canonicalId: newId('project'),
    }));
    const taken = first.result.refs[0]?.ref.id ?? '';
    await expect(operation.adopt?.(client, taken, other, callContext())).rejects.toMatchObject({
      kind: 'rejected',
    });
    expect(await operation.adopt?.(client, '99999999', wire, callContext())).toBeNull();
  });
});

describe('undo', () => {
  it('archives the project and lets a later attempt make a new one', async () => {
    const first = await step('project', 'create', sampleDeal());
    await undo('project', first);
    await undo('project', first);
    expect((await step('project', 'find', sampleDeal())).result.refs).toEqual([]);
    const second = await step('project', 'create', sampleDeal());
    expect(second.result.refs[0]?.ref.id).not.toBe(first.result.refs[0]?.ref.id);
    const projects = await recordsOf('workspaces', { title: 'ACME – CRM rollout' });
    expect(projects.map(({ data }) => data.archived).sort()).toEqual([false, true]);
  });

  it('takes back tasks, billing schedule and positions, once and again', async () => {
    const options = { tables: withoutTemplates, parameters: { roles: 'consultant' } };
    const deal = await provisioned(options);
    const filter = { workspace_id: deal.project.externalRefs[0]?.id ?? '' };
    const before = await recordsOf('workspace_resources', filter);
    for (const entity of ['task', 'billingSchedule', 'staffingRequest']) {
      const done = await step(entity, 'create', deal, options);
      await undo(entity, done);
      await undo(entity, done);
      expect(await operationOf(entity, 'create').probe?.(client, done.wire, callContext())).toBeNull();
    }
    expect(await recordsOf('billing_milestones', filter)).toEqual([]);
    expect(await recordsOf('workspace_resources', filter)).toEqual(before);
    expect(await client.list(stories, { workspace_id: filter.workspace_id }, signal)).toEqual([]);
  });
});

describe('approved time', () => {
  const ENTRIES = 230;

  /** Entries of one task and person, 20 minutes a piece; all but the last few are submitted and approved. */
  async function book(workspaceId: string, approved: number): Promise<void> {
    const api = async (method: string, path: string, body: unknown) => {
      const { accessToken, baseUrl } = await account();
      const headers = { authorization: `Bearer ${accessToken}`, 'content-type': 'application/json' };
      const reply = await send<{ results: { id: string }[] }>(`${baseUrl}${path}`, { method, headers, body });
      if (reply.status !== 200) throw new Error(`${path}: ${reply.status} ${JSON.stringify(reply.body)}`);
      return reply.body.results.map(({ id }) => Number(id));
    };
    const entries = Array.from({ length: ENTRIES }, (_, index) => ({
      workspace_id: Number(workspaceId),
      date_performed: '2026-01-07',
      time_in_minutes: 20,
      rate_in_cents: 15000,
      notes: `entry ${index}`,
    }));
    const created: number[] = [];
    for (const part of [entries.slice(0, 100), entries.slice(100, 200), entries.slice(200)]) {
      created.push(...(await api('POST', '/time_entries', { time_entries: part })));
    }
    const line_item_ids = created.slice(0, approved);
    const submission = { workspace_id: Number(workspaceId), title: 'Week 2', line_item_ids };
    const [id] = await api('POST', '/timesheet_submissions', { timesheet_submission: submission });
    await api('PUT', `/timesheet_submissions/${id}/approve`, { resolution: { description: 'ok' } });
  }

  it('reads all pages and keeps what is approved, even when a page comes short once', async () => {
    const deal = await provisioned();
    const workspaceId = deal.project.externalRefs[0]?.id ?? '';
    await book(workspaceId, 225);
    expect(
      await client.list(timeEntries, { workspace_ids: workspaceId, include: 'user' }, signal),
    ).toHaveLength(ENTRIES);
    await fault({ kind: 'partial-page', match: { method: 'GET', path: '/time_entries' } });
    const { result } = await step('timeEntry', 'read', deal);
    const entries = result.merge?.timeEntries ?? [];
    expect(entries).toHaveLength(225);
    expect(entries[0]).toMatchObject({
      hours: '0.3333333333',
      rateApplied: { amount: '150.00', currency: 'EUR' },
      approvalStatus: 'approved',
      billingStatus: 'unbilled',
      projectId: ids.project,
    });
  });
});
