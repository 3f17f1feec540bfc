import type { RunReport } from '../../lib/api/reports';
import { until } from '../support/engine';
import type { FlowNode } from '../support/host';
import { judge, readRecords } from '../support/judge';
import { storeComplaints } from '../support/store-judge';
import type { VendorControl } from '../support/vendors';
import { templateFlow, World } from '../support/world';
import { type Deal, enterDeal, onlyCase, runOf } from './deals';

/** Cases through a real host: what sales and owners see of a deal that waits, and that nothing else waits with it. */

jest.setTimeout(90_000);

let world: World;
let simulator: VendorControl;

/** Of an account that has none yet. */
let account = 0;
function nextDeal(): Promise<Deal> {
  account++;
  return enterDeal(simulator, account);
}

/** Owners hear of cases, in the same store. */
function withNotifications(): FlowNode[] {
  const flow = templateFlow();
  const tab = flow.find(({ type }) => type === 'tab')?.id;
  const store = flow.find(({ type }) => type === 'q2c-store')?.id;
  return [
    ...flow,
    {
      ...{ id: 'told000000000001', type: 'q2c-case-events', z: tab, name: 'Case events', store },
      ...{ happening: '', ownerRole: '', severity: 'warning', x: 0, y: 0, wires: [['told000000000002']] },
    },
    { id: 'told000000000002', type: 'debug', z: tab, active: false, x: 0, y: 0, wires: [] },
  ];
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

async function completed({ id }: RunReport): Promise<RunReport> {
  await until('the run to complete', async () => (await world.run(id)).state === 'completed', 60_000, 50);
  return world.run(id);
}
const complaints = async (deals: Deal[]) =>
  judge(
    await readRecords(simulator),
    deals.map(({ opportunityId }) => opportunityId),
    { alone: false },
  );

test('while a deal waits, sales see for whom, and other deals go on', async () => {
  const waiting = await nextDeal();
  await refuse('netsuite', 'PUT', '/record/v1/job');
  const run = await runOf(world, waiting);
  expect(run.state).toBe('failed');
  expect(await onlyCase(world)).toMatchObject({ ownerRole: 'finance_ops', code: 'TARGET_REJECTED' });
  const [stored] = await world.store.rows(
    'select policy_version, sla_due_at, system, entity from exception_case',
  );
  expect(stored).toMatchObject({ system: 'netsuite', entity: 'project' });
  expect(stored).toMatchObject({
    policy_version: expect.stringMatching(/^2026-1@/),
    sla_due_at: expect.any(String),
  });
  expect(await statusOf(waiting)).toBe('In provisioning: waiting for finance');

  const other = await nextDeal();
  expect((await runOf(world, other)).state).toBe('completed');
  expect(await statusOf(other)).toMatch(/^Provisioned: project P-/);
  expect(await statusOf(waiting)).toBe('In provisioning: waiting for finance');

  await world.retry(run.id);
  const { steps } = await completed(run);
  expect(await world.openCases()).toEqual([]);
  expect(await statusOf(waiting)).toMatch(/^Provisioned: project P-/);
  expect(steps.filter(({ node }) => node === 'Tell sales who it waits for')).toMatchObject([
    { state: 'confirmed', calls: 1 },
  ]);
  expect(await complaints([waiting, other])).toEqual([]);
});

test('owners hear of a case once, also over a restart of the host', async () => {
  await world.deploy(withNotifications());
  const deal = await nextDeal();
  await refuse('netsuite', 'PUT', '/record/v1/job');
  const run = await runOf(world, deal);
  const told = async () => {
    const rows = await world.store.rows(
      "select event.type from event join run on run.event_seq = event.seq where run.source_node = 'told000000000001' and run.state = 'completed' order by event.seq",
    );
    return rows.map(({ type }) => type);
  };
  await until('the case to be told', async () => (await told()).length === 1, 30_000, 50);
  await world.host.kill();
  await world.startHost();
  await world.retry(run.id);
  await completed(run);
  await until('the end to be told', async () => (await told()).length === 2, 30_000, 50);
  expect(await told()).toEqual(['q2c.exception.opened.v1', 'q2c.exception.resolved.v1']);
});
