import type { RunReport, StepSummary } from '../../lib/api/reports';
import type { CancelReport, DryRunReport } from '../../lib/engine';
import type { SimRecord } from '../../simulator/kit/types';
import { until } from '../support/engine';
import { judge, readRecords } from '../support/judge';
import { storeComplaints } from '../support/store-judge';
import type { SystemName, VendorControl } from '../support/vendors';
import { templateFlow, World } from '../support/world';
import { type Deal, enterDeal, provisioned, runOf } from './deals';

/** Repairs through a real host and its admin API: what a person does about a run that is stuck, or unwanted. */

jest.setTimeout(90_000);

const REASON = { reason: 'agreed with finance' };

let world: World;
let simulator: VendorControl;

/** A deal of the next account that has none yet. */
let account = 0;
function nextDeal(): Promise<Deal> {
  account++;
  return enterDeal(simulator, account);
}

beforeAll(async () => {
  world = await World.start();
  ({ simulator } = world);
  // Every kind of record is there.
  await runOf(world, await nextDeal());
}, 120_000);

afterEach(() => simulator.removeFaults());
afterAll(async () => {
  await world.host.stop();
  expect(await storeComplaints(world.store)).toEqual([]);
  await world.stop();
});

const api = <T = unknown>(path: string, body: unknown = REASON, method = 'POST'): Promise<T> =>
  world.host.request(method, `/q2c/api/v1/${path}`, method === 'GET' ? undefined : body) as Promise<T>;

/** Takes a run back, which nobody else need agree to here. */
const cancelled = async ({ id }: { id: string }): Promise<CancelReport | undefined> =>
  (await api<{ cancel?: CancelReport }>(`runs/${id}/cancel`)).cancel;

const aboutStep = ({ key }: StepSummary, what: string) => `steps/${encodeURIComponent(key)}/${what}`;

/** Refuses a write as invalid, `times` times. */
const refuse = (system: SystemName, method: string, path: string, times = 1) =>
  simulator.fault(system, { kind: 'status', status: 400, match: { method, path }, times });

/** Wins the deal; the write is refused, and the run waits for a person. */
async function refused(deal: Deal, system: SystemName, method: string, path: string) {
  await refuse(system, method, path);
  const run = await runOf(world, deal);
  expect(run.state).toBe('failed');
  const step = run.steps.find(({ state }) => state === 'rejected');
  if (step === undefined) throw new Error(`no step of ${deal.name} was refused`);
  return { run, step };
}

async function ended(run: RunReport, state: RunReport['state'] = 'completed'): Promise<RunReport> {
  await until(`run to be ${state}`, async () => (await world.run(run.id)).state === state, 60_000, 50);
  return world.run(run.id);
}

/** Compares the vendors with what won deals need; what was archived or deleted counts no more. */
async function complaints(deals: Deal[]): Promise<string[]> {
  const records = await readRecords(simulator);
  const isLive = ({ data }: SimRecord) => data.archived !== true && !data.deleted_at;
  for (const type of ['kantata.workspaces', 'kantata.stories']) {
    records[type] = (records[type] ?? []).filter(isLive);
  }
  const stories = new Set(records['kantata.stories']?.map(({ id }) => id));
  records['kantata.external_references'] = (records['kantata.external_references'] ?? []).filter(
    ({ data }) => data.subject_type !== 'Story' || stories.has(String(data.subject_id)),
  );
  return judge(
    records,
    deals.map(({ opportunityId }) => opportunityId),
    { alone: false },
  );
}

/** Records of the deal's project in ERP and PSA, by name. */
async function projectsOf(deal: Deal) {
  const named = async (system: SystemName, type: string, field: string) =>
    (await simulator.records(system, type)).filter(({ data }) => data[field] === deal.name);
  return {
    jobs: await named('netsuite', 'job', 'companyName'),
    workspaces: await named('kantata', 'workspaces', 'title'),
  };
}

test('corrected: the refused project is created with the corrected name', async () => {
  const { run, step } = await refused(await nextDeal(), 'netsuite', 'PUT', '/record/v1/job');
  const input = await api<{ wire: { body: { companyName: string } } }>(aboutStep(step, 'input'), null, 'GET');
  expect(input.wire.body.companyName).toBe(run.title);

  const correction = { patch: { body: { companyName: 'Corrected by Kim' } }, ...REASON };
  await api(aboutStep(step, 'correct'), correction);
  const { steps } = await ended(run);
  expect(await world.openCases()).toEqual([]);
  const jobs = (await simulator.records('netsuite', 'job')).map(({ data }) => data.companyName);
  expect(jobs).toContain('Corrected by Kim');
  expect(jobs).not.toContain(run.title);
  const inErp = steps.filter(({ system }) => system === 'netsuite');
  expect(inErp.filter(({ operation }) => operation === 'project.upsert')).toMatchObject([
    { state: 'rejected', decision: { kind: 'correct', actor: 'anonymous', ...REASON } },
    { state: 'confirmed', origin: 'call', decision: { kind: 'correct' } },
  ]);
});

test('completed by hand: the project that a person has made is taken over, and carries our reference', async () => {
  const deal = await nextDeal();
  const { run, step } = await refused(deal, 'kantata', 'POST', '/workspaces');
  await expect(api(aboutStep(step, 'complete'), { externalId: '99999999', ...REASON })).rejects.toThrow(
    'RECORD_NOT_FOUND',
  );
  const [other] = await simulator.records('kantata', 'workspaces');
  await expect(api(aboutStep(step, 'complete'), { externalId: other?.id, ...REASON })).rejects.toThrow(
    'RECORD_TAKEN',
  );

  const { id } = await simulator.create('kantata', 'workspaces', {
    title: deal.name,
    currency: deal.currency,
  });
  await api(aboutStep(step, 'complete'), { externalId: id, ...REASON });
  const { steps, refs } = await ended(run);
  expect((await projectsOf(deal)).workspaces.map((each) => each.id)).toEqual([id]);
  expect(steps.find(({ key }) => key === step.key)).toMatchObject({ state: 'confirmed', origin: 'manual' });
  expect(refs).toContainEqual(
    expect.objectContaining({ system: 'kantata', type: 'Workspace', externalId: id }),
  );
  const references = await simulator.records('kantata', 'external_references');
  expect(references.map(({ data }) => [String(data.subject_id), data.service_model_ref])).toContainEqual([
    id,
    step.canonicalId,
  ]);
  expect(await world.openCases()).toEqual([]);
});

test('skipped: the run goes on without the step', async () => {
  const { run, step } = await refused(await nextDeal(), 'kantata', 'POST', '/billing_milestones');
  const before = await provisioned(simulator);
  await api(aboutStep(step, 'skip'));
  const { steps } = await ended(run);
  expect(await provisioned(simulator)).toEqual(before);
  expect(steps.find(({ key }) => key === step.key)).toMatchObject({
    state: 'skipped',
    decision: { kind: 'skip' },
  });
  expect(steps.at(-1)).toMatchObject({ operation: 'opportunity.update', state: 'confirmed' });
  expect(await world.openCases()).toEqual([]);
});

describe('cancelled', () => {
  /** Nothing of the deal is left but what outlives it. */
  async function expectGone(deal: Deal): Promise<void> {
    const { jobs, workspaces } = await projectsOf(deal);
    expect(jobs).toEqual([]);
    expect(workspaces.filter(({ data }) => data.archived !== true)).toEqual([]);
    expect(await world.openCases()).toEqual([]);
  }

  test('everything is undone last first, the customer stays, and the deal can be won again', async () => {
    const before = await provisioned(simulator);
    const deal = await nextDeal();
    const { run } = await refused(deal, 'kantata', 'POST', '/billing_milestones');
    const report = await cancelled(run);

    expect(report).toMatchObject({ state: 'cancelled', stuck: null });
    expect(report?.undone.map(({ system, operation }) => `${system} ${operation}`)).toEqual(
      run.steps
        .filter(({ operation, state }) => /create|upsert/.test(operation) && state === 'confirmed')
        .map(({ system, operation }) => `${system} ${operation}`)
        .reverse(),
    );
    await expectGone(deal);
    const after = await provisioned(simulator);
    expect(after).toEqual({
      ...before,
      customer: after.customer,
      contact: after.contact,
      // Archived, with what its template has brought along.
      workspaces: (before.workspaces ?? 0) + 1,
      stories: after.stories,
    });
    expect(after.customer).toBe((before.customer ?? 0) + 1);
    expect(await cancelled(run)).toEqual(report);

    await simulator.patch('salesforce', 'Opportunity', deal.opportunityId, {
      StageName: 'Negotiation/Review',
    });
    await simulator.polledAgain();
    const again = await runOf(world, deal);
    expect(again.state).toBe('completed');
    expect(await complaints([deal])).toEqual([]);
  });

  /** State of the undo of the task in the ERP, from the store of the host; undefined before it begins. */
  async function undoOfTask(runId: string): Promise<unknown> {
    const sql = `select state from step where undoes is not null and operation = 'task.upsert' and run_id = '${runId}'`;
    const [row] = await world.store.rows(sql);
    return row?.state;
  }

  test('lost answers, and the host killed in the middle: it goes on by itself, and nothing is left', async () => {
    const deal = await nextDeal();
    const run = await runOf(world, deal);
    expect(run.state).toBe('completed');
    await simulator.fault('kantata', {
      kind: 'commit-then-drop',
      match: { method: 'DELETE', path: '/' },
      times: 2,
    });
    await simulator.fault('netsuite', {
      kind: 'commit-then-timeout',
      ms: 30_000,
      match: { method: 'DELETE', path: '/record/v1/projectTask' },
      times: 1,
    });
    // The host dies before it can answer.
    const asked = api(`runs/${run.id}/cancel`).then(
      () => 'answered',
      () => 'broken off',
    );
    await until(
      'a deletion whose answer does not come',
      async () => (await undoOfTask(run.id)) === 'intent',
      30_000,
      20,
    );
    await world.host.kill();
    expect(await asked).toBe('broken off');
    expect(await undoOfTask(run.id)).toBe('intent');
    await simulator.removeFaults();
    await world.startHost();

    await ended(run, 'cancelled');
    await expectGone(deal);
    expect(await cancelled(run)).toMatchObject({
      state: 'cancelled',
      stuck: null,
    });
  });

  test('what the target refuses to undo is a case; cancelled again, it goes on from there', async () => {
    const deal = await nextDeal();
    const run = await runOf(world, deal);
    await refuse('netsuite', 'DELETE', '/record/v1/salesOrder');
    const stopped = await cancelled(run);
    expect(stopped).toMatchObject({ state: 'cancelling', stuck: { node: 'Sales order' } });
    expect(await world.openCases()).toMatchObject([
      { code: 'COMPENSATION_FAILED', ownerRole: 'integration_ops', runId: run.id },
    ]);
    expect((await projectsOf(deal)).jobs).toHaveLength(1);

    expect(await cancelled(run)).toMatchObject({ state: 'cancelled' });
    await expectGone(deal);
  });
});

test('dry run: tells what a retry would write, and writes nothing', async () => {
  const deal = await nextDeal();
  const { run } = await refused(deal, 'netsuite', 'PUT', '/record/v1/job');
  const before = await readRecords(simulator);
  const marks = Object.fromEntries(
    await Promise.all(
      (['salesforce', 'netsuite', 'kantata'] as const).map(async (system) => [
        system,
        await simulator.requestCount(system),
      ]),
    ),
  );
  const cases = await world.openCases();

  const report = await api<DryRunReport>(`runs/${run.id}/dry-run`);
  expect(report).toMatchObject({ isComplete: true, halts: [], errors: [] });
  const verdicts = report.steps.map(({ system, operation, verdict }) => `${system} ${operation} ${verdict}`);
  expect(new Set(verdicts)).toEqual(
    new Set([
      'netsuite customer.upsert already_done',
      'netsuite contact.upsert already_done',
      'netsuite project.upsert would_create',
      'netsuite task.upsert would_create',
      'netsuite billingSchedule.create would_create',
      'netsuite salesOrder.create would_create',
      // The other branch has gone on meanwhile.
      'kantata project.upsert already_done',
      'kantata task.create already_done',
      'kantata billingSchedule.create already_done',
      'salesforce opportunity.update would_update',
    ]),
  );
  expect(report.events).toEqual(['q2c.project.provisioned.v1']);
  expect(report.steps.find(({ operation }) => operation === 'salesOrder.create')?.wire).toMatchObject({
    body: { memo: expect.any(String) },
  });

  expect(await readRecords(simulator)).toEqual(before);
  expect((await simulator.requestsSince('netsuite', marks.netsuite)).length).toBeGreaterThan(0);
  for (const system of ['netsuite', 'kantata'] as const) {
    const requests = await simulator.requestsSince(system, marks[system]);
    const writes = requests.filter(({ method, path }) => method !== 'GET' && !/suiteql|oauth/.test(path));
    expect(writes).toEqual([]);
  }
  expect(await world.openCases()).toEqual(cases);
  expect(await world.run(run.id)).toEqual(run);

  await world.retry(run.id);
  await ended(run);
});

test('dry run: ends before what may write, and where a node forgets the run', async () => {
  const { run } = await refused(await nextDeal(), 'netsuite', 'PUT', '/record/v1/job');
  const flow = templateFlow((node) => {
    if (node.name === 'Ready to provision?') {
      node.wires = [['q2c0000000000023', 'alarm', 'forgetful']];
    }
  });
  const tab = { z: 'q2c0000000000010', x: 0, y: 0 };
  await world.deploy([
    ...flow,
    { id: 'alarm', type: 'http request', name: 'Tell the chat', url: simulator.url, wires: [[]], ...tab },
    {
      id: 'forgetful',
      type: 'function',
      name: 'Only the payload',
      func: 'return { payload: msg.payload };',
      wires: [['q2c0000000000024']],
      ...tab,
    },
  ]);
  // Its source node is at work again.
  await simulator.polledAgain();
  const runs = await world.runs();
  const report = await api<DryRunReport>(`runs/${run.id}/dry-run`);
  expect(report.halts).toEqual(
    expect.arrayContaining([
      { node: { id: 'alarm', name: 'Tell the chat' }, type: 'http request', why: 'may_write' },
      { node: { id: 'q2c0000000000024', name: 'Customer' }, type: 'q2c-netsuite', why: 'run_lost' },
    ]),
  );
  expect(report.halts).toHaveLength(2);
  expect((await world.runs()).map(({ id }) => id)).toEqual(runs.map(({ id }) => id));
  await world.deploy(templateFlow());
  await world.retry(run.id);
  await ended(run);
});

test('many at once: all that match are retried, with their progress', async () => {
  const deals = [await nextDeal(), await nextDeal(), await nextDeal()];
  for (const deal of deals) await refused(deal, 'kantata', 'POST', '/workspaces');
  const body = { filter: { system: 'kantata', waitingFor: 'person' }, atOnce: 2, ...REASON };
  const answer = await fetch(`${world.host.url}/q2c/api/v1/runs/retry`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  const lines = (await answer.text()).trim().split('\n');
  expect(JSON.parse(lines[0] ?? '')).toEqual({
    total: 3,
    underWay: 0,
    completed: 0,
    failed: 0,
    passedOver: 0,
  });
  expect(JSON.parse(lines.at(-1) ?? '')).toMatchObject({ total: 3, underWay: 0, completed: 3, failed: 0 });
  expect(await complaints(deals)).toEqual([]);
  expect(await world.openCases()).toEqual([]);
});
