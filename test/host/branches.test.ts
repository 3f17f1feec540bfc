import type { RunReport } from '../../lib/api/reports';
import type { DryRunReport } from '../../lib/engine';
import { until } from '../support/engine';
import type { FlowNode } from '../support/host';
import { judge, readRecords } from '../support/judge';
import { storeComplaints } from '../support/store-judge';
import type { VendorControl } from '../support/vendors';
import { templateFlow, World } from '../support/world';
import { type Deal, enterDeal, runOf, winDeal } from './deals';

/** The template flow, in which NetSuite and Kantata get their records beside each other: what stops one does not stop the other. */

jest.setTimeout(90_000);

let world: World;
let simulator: VendorControl;
const deals: Deal[] = [];

/** Of an account that has none yet. */
async function nextDeal(): Promise<Deal> {
  const deal = await enterDeal(simulator, deals.length + 1);
  deals.push(deal);
  return deal;
}

beforeAll(async () => {
  world = await World.start();
  ({ simulator } = world);
}, 120_000);
afterEach(() => simulator.removeFaults());
afterAll(async () => {
  await world.host.stop();
  expect(await storeComplaints(world.store)).toEqual([]);
  await world.stop();
});

const refuse = (system: 'netsuite' | 'kantata', method: string, path: string) =>
  simulator.fault(system, { kind: 'status', status: 400, match: { method, path }, times: 1 });

const statusOf = async ({ opportunityId }: Deal): Promise<unknown> =>
  (await simulator.record('salesforce', 'Opportunity', opportunityId)).data.Q2C_Status__c;

const doneIn = ({ steps }: RunReport, system: string): string[] =>
  steps
    .filter((step) => step.system === system && step.state === 'confirmed')
    .map(({ operation }) => operation);

/** What has been sent to a system since, without questions and logins. */
const written = async (system: 'netsuite' | 'kantata', since: number): Promise<string[]> =>
  (await simulator.requestsSince(system, since))
    .filter(({ method, path }) => method !== 'GET' && !/suiteql|oauth/.test(path))
    .map(({ method, path }) => `${method} ${path}`);

async function inState(run: RunReport, state: string): Promise<RunReport> {
  await until(`the run to be ${state}`, async () => (await world.run(run.id)).state === state, 60_000, 50);
  return world.run(run.id);
}

const complaints = async () =>
  judge(
    await readRecords(simulator),
    deals.map(({ opportunityId }) => opportunityId),
    { alone: false },
  );

test('while finance repairs its branch, delivery has its project; sales see for whom the deal waits', async () => {
  const deal = await nextDeal();
  await refuse('netsuite', 'PUT', '/record/v1/job');
  const run = await runOf(world, deal);
  expect(run.state).toBe('failed');
  expect(await world.openCases()).toMatchObject([{ ownerRole: 'finance_ops', system: 'netsuite' }]);
  expect(doneIn(run, 'netsuite')).not.toContain('project.upsert');
  expect(doneIn(run, 'kantata').sort()).toEqual(['billingSchedule.create', 'project.upsert', 'task.create']);
  expect(await statusOf(deal)).toBe('In provisioning: waiting for finance');
  const told = await world.store.rows('select type from outbox');
  expect(told.map(({ type }) => type)).not.toContain('q2c.project.provisioned.v1');

  const look = (await world.host.request('POST', `/q2c/api/v1/runs/${run.id}/dry-run`, {})) as DryRunReport;
  expect(look).toMatchObject({ isComplete: true, halts: [] });

  const before = await simulator.requestCount('kantata');
  await world.retry(run.id);
  const { steps, refs } = await inState(run, 'completed');
  expect(await written('kantata', before)).toEqual([]);
  expect(await world.openCases()).toEqual([]);
  const project = refs.filter(({ entity }) => entity === 'project').map(({ system }) => system);
  expect(project.sort()).toEqual(['kantata', 'netsuite']);
  expect(steps.filter(({ state }) => state !== 'confirmed')).toEqual([]);
  // Its numbers come from the branches: the customer number from one, both projects' references from each.
  expect(await statusOf(deal)).toMatch(/^Provisioned: project P-/);
  expect(await complaints()).toEqual([]);
});

test('when both branches stop, sales see both owners, and later the one that is left', async () => {
  const deal = await nextDeal();
  await refuse('netsuite', 'PUT', '/record/v1/job');
  await refuse('kantata', 'POST', '/workspaces');
  const run = await runOf(world, deal);
  const owners = (await world.openCases()).map(({ ownerRole }) => ownerRole).sort();
  expect(owners).toEqual(['finance_ops', 'project_ops']);
  expect(await statusOf(deal)).toBe('In provisioning: waiting for finance and project operations');

  await refuse('netsuite', 'PUT', '/record/v1/job');
  await world.retry(run.id);
  await until('another attempt', async () => {
    const { attempt, state } = await world.run(run.id);
    return attempt === 2 && state === 'failed';
  });
  expect(await world.openCases()).toMatchObject([{ ownerRole: 'finance_ops' }]);
  expect(await statusOf(deal)).toBe('In provisioning: waiting for finance');

  await world.retry(run.id);
  await inState(run, 'completed');
  expect(await statusOf(deal)).toMatch(/^Provisioned: project P-/);
  expect(await world.openCases()).toEqual([]);
  expect(await complaints()).toEqual([]);
});

/** The template flow with an approval before Kantata's project, which `POST /approve` gives. */
function withApproval(): FlowNode[] {
  const flow = templateFlow();
  const named = (name: string) => {
    const node = flow.find((each) => each.name === name);
    if (node === undefined) throw new Error(`the template flow has no ${name}`);
    return node;
  };
  const project = flow.find(({ type, name }) => type === 'q2c-kantata' && name === 'Project');
  const plan = named('Plan project and billing');
  plan.wires = [[...((plan.wires as string[][])[0] ?? []).filter((id) => id !== project?.id), 'wait']];
  const place = { z: plan.z, x: 0, y: 0 };
  const wait = {
    ...{
      type: 'q2c-wait',
      name: 'Approval',
      store: plan.store,
      event: '',
      topic: 'approval',
      topicType: 'str',
    },
    ...{
      keyType: 'msg',
      timeout: '',
      timeoutType: 'str',
      onTimeout: 'send',
      earlier: 'once',
      field: 'event',
    },
    order: 'hold',
  };
  return [
    ...flow,
    {
      ...wait,
      ...place,
      id: 'wait',
      mode: 'wait',
      key: 'q2c.correlationId',
      outputs: 2,
      wires: [[project?.id], []],
    },
    { ...place, id: 'approve', type: 'http in', url: '/approve', method: 'post', wires: [['notify']] },
    {
      ...wait,
      ...place,
      id: 'notify',
      mode: 'notify',
      key: 'payload.deal',
      outputs: 1,
      wires: [['approved']],
    },
    { ...place, id: 'approved', type: 'http response', statusCode: '200', wires: [] },
  ];
}

test('a branch waits for an approval over a kill of the host; then both come together', async () => {
  await world.deploy(withApproval());
  const deal = await nextDeal();
  const known = new Set((await world.runs()).map(({ id }) => id));
  await winDeal(simulator, deal);
  const waiting = async () =>
    (await world.runs()).find(({ id, state }) => !known.has(id) && state === 'waiting');
  await until('the run to wait', async () => (await waiting()) !== undefined, 60_000, 50);
  const { id = '', correlationId } = (await waiting()) ?? {};
  const run = await world.run(id);
  expect(doneIn(run, 'netsuite')).toContain('salesOrder.create');
  expect(doneIn(run, 'kantata')).toEqual([]);

  await world.host.kill();
  await world.startHost();
  const before = await simulator.requestCount('netsuite');
  const answer = await fetch(`${world.host.url}/approve`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ deal: correlationId }),
  });
  expect(answer.status).toBe(200);
  const { attempt } = await inState(run, 'completed');
  expect(attempt).toBe(1);
  expect(await written('netsuite', before)).toEqual([]);
  expect(await statusOf(deal)).toMatch(/^Provisioned: project P-/);
  expect(await world.openCases()).toEqual([]);
  expect(await complaints()).toEqual([]);
});
