import type { GarbleMode } from '../../simulator/kit/types';
import { until } from '../support/engine';
import { judge, readRecords } from '../support/judge';
import type { SystemName, VendorControl } from '../support/vendors';
import { World } from '../support/world';
import { type Deal, enterDeal, onlyCase, provisioned, runOf, VALUE, winDeal } from './deals';

/** Replies that are not JSON, are empty, or lack the id: a proxy's login page, a cut answer, a changed interface. */

jest.setTimeout(90_000);

const MODES: GarbleMode[] = ['html', 'empty', 'no-id'];

let world: World;
let simulator: VendorControl;
const won: string[] = [];

beforeAll(async () => {
  world = await World.start();
  ({ simulator } = world);
}, 120_000);

afterEach(() => simulator.removeFaults());
afterAll(() => world?.stop());

/** A deal of the next account that has none yet. */
let account = 0;
async function nextDeal(): Promise<Deal> {
  account++;
  const deal = await enterDeal(simulator, account);
  won.push(deal.opportunityId);
  return deal;
}

const garble = (
  system: SystemName,
  mode: GarbleMode,
  match: { method?: string; path: string },
  times?: number,
) => simulator.fault(system, { kind: 'garble', mode, match, ...(times === undefined ? {} : { times }) });

async function expectDone(deal: Deal): Promise<void> {
  expect(await world.openCases()).toEqual([]);
  expect(judge(await readRecords(simulator), [deal.opportunityId], { alone: false })).toEqual([]);
}

// ---------------------------------------------------------------- reads

interface Read {
  system: SystemName;
  match: { method?: string; path: string };
  message: string;
  modes: GarbleMode[];
  /** The read looks for a record: without any, there is no id that could be missing. */
  before?(deal: Deal): Promise<unknown>;
}

const reads: Read[] = [
  {
    system: 'salesforce',
    match: { path: '/composite' },
    message: 'Salesforce sent or expects a new shape for Opportunity.',
    modes: MODES,
  },
  {
    system: 'netsuite',
    match: { path: '/suiteql' },
    message: 'NetSuite sent or expects a new shape for customer.',
    modes: MODES,
    before: enterCustomerByHand,
  },
  {
    system: 'kantata',
    match: { method: 'GET', path: '/workspaces' },
    message: 'Kantata OX sent or expects a new shape for Workspace.',
    modes: ['html', 'empty'],
  },
];

/** Finance knows the customer already. */
async function enterCustomerByHand({ accountId, currency }: Deal): Promise<void> {
  const { data } = await simulator.record('salesforce', 'Account', accountId);
  const known = (await simulator.records('netsuite', 'customer')).some(
    (customer) => customer.data.vatRegNumber === data.Q2C_Tax_Registration__c,
  );
  if (known) return;
  await simulator.create('netsuite', 'customer', {
    companyName: data.Name,
    subsidiary: { id: currency === 'USD' ? '3' : '2' },
    currency: { id: { USD: '1', GBP: '2', EUR: '4' }[currency] },
    vatRegNumber: data.Q2C_Tax_Registration__c,
  });
}

test.each(reads.flatMap((read) => read.modes.map((mode) => ({ read, mode, system: read.system }))))(
  'a read of $system that is garbled ($mode): a case, nothing written, and through afterwards',
  async ({ read, mode, system }) => {
    const deal = await nextDeal();
    await read.before?.(deal);
    await garble(system, mode, read.match);

    const run = await runOf(world, deal);
    expect(run).toMatchObject({ state: 'failed', retryAt: null });
    expect(await onlyCase(world)).toMatchObject({
      code: 'SCHEMA_CHANGED',
      ownerRole: 'integration_ops',
      message: read.message,
      amountAtRisk: { amount: String(VALUE) },
    });
    await simulator.removeFaults();
    await world.retry(run.id);
    await world.settled(1);
    expect(await world.run(run.id)).toMatchObject({ state: 'completed', attempt: 2 });
    await expectDone(deal);
  },
);

// ---------------------------------------------------------------- writes

interface Write {
  system: SystemName;
  operation: string;
  match: { method?: string; path: string };
  modes: GarbleMode[];
  /** The mode of the test in which no reply makes sense; one each, as they take several seconds. */
  lasting: GarbleMode;
  /** Sets the stage when the write has the same address as an earlier read: resolves when that read is over. */
  begun?(deal: Deal): Promise<unknown>;
  /** A read after the write that is garbled too, so that nobody can say what became of it. */
  probe: { method?: string; path: string };
  /** How the answer to that read is garbled, where it must be harmless as long as there is no record. */
  probeMode?: GarbleMode;
  message(deal: Deal): string;
}

const writes: Write[] = [
  {
    system: 'netsuite',
    operation: 'project.upsert',
    match: { method: 'PUT', path: '/record/v1/job' },
    modes: MODES,
    lasting: 'no-id',
    probe: { method: 'GET', path: '/record/v1/job' },
    message: ({ name }) => `NetSuite did not confirm project ${name}; checking before repeating.`,
  },
  {
    system: 'kantata',
    operation: 'project.upsert',
    match: { method: 'POST', path: '/workspaces' },
    modes: MODES,
    lasting: 'html',
    probe: { method: 'GET', path: '/workspaces' },
    probeMode: 'no-id',
    message: ({ name }) => `Kantata OX did not confirm project ${name}; checking before repeating.`,
  },
  {
    system: 'salesforce',
    operation: 'opportunity.update',
    match: { path: '/composite' },
    // The answer to an update names no record.
    modes: ['html', 'empty'],
    lasting: 'empty',
    begun: untilInErp,
    probe: { path: '/composite' },
    message: ({ name }) => `Salesforce did not confirm opportunity ${name}; checking before repeating.`,
  },
];

/** The deal has been read when its project is in the ERP; the PSA is slow, so that the report to sales is not made yet. */
async function untilInErp(deal: Deal): Promise<void> {
  await until(
    'the project in the ERP',
    async () =>
      (await simulator.records('netsuite', 'job')).some(({ data }) => data.companyName === deal.name),
    30_000,
    10,
  );
}

/** Wins the deal with the reply to its write garbled, `times` times or until the faults are removed. */
async function winGarbled(
  deal: Deal,
  { system, match, begun, probe, probeMode }: Write,
  mode: GarbleMode,
  times?: number,
) {
  const arm = async () => {
    await garble(system, mode, match, times);
    if (times === undefined) await garble(system, probeMode ?? mode, probe);
  };
  if (begun === undefined) {
    await arm();
    await winDeal(simulator, deal);
    return;
  }
  await simulator.fault('kantata', { kind: 'latency', ms: 300, match: { path: '/workspaces' } });
  await winDeal(simulator, deal);
  await begun(deal);
  await arm();
}

test.each(
  writes.flatMap((write) =>
    write.modes.map((mode) => ({ write, mode, system: write.system, operation: write.operation })),
  ),
)(
  'one reply of $system to $operation garbled ($mode): the record is found, and all goes on',
  async ({ write, mode, operation }) => {
    const deal = await nextDeal();
    const count = (await world.runs()).length;
    await winGarbled(deal, write, mode, 1);
    const runs = await world.settled(count + 1);
    expect(await simulator.faultsFired()).toMatchObject({ garble: 1 });
    await simulator.removeFaults();

    const run = await world.run(runs.at(-1)?.id ?? '');
    expect(run).toMatchObject({ state: 'completed', attempt: 1, cases: [] });
    const step = run.steps.find((each) => each.system === write.system && each.operation === operation);
    expect(step?.probes).toBeGreaterThan(0);
    await expectDone(deal);
  },
);

test.each(
  writes.map((write) => ({ write, mode: write.lasting, system: write.system, operation: write.operation })),
)(
  'no reply of $system about $operation makes sense ($mode): a case, checked again by itself',
  async ({ write, mode }) => {
    const deal = await nextDeal();
    const count = (await world.runs()).length;
    await winGarbled(deal, write, mode);
    expect(await onlyCase(world)).toMatchObject({
      code: 'OUTCOME_UNKNOWN',
      ownerRole: 'integration_ops',
      message: write.message(deal),
      amountAtRisk: { amount: String(VALUE) },
    });
    const before = await provisioned(simulator);
    await simulator.removeFaults();
    const run = (await world.settled(count + 1)).at(-1);
    expect(run).toMatchObject({ title: deal.name, state: 'completed' });
    if (write.system === 'netsuite') expect((await provisioned(simulator)).job).toBe(before.job);
    await expectDone(deal);
  },
);

test('in the end every deal is provisioned, and nothing else', async () => {
  expect(judge(await readRecords(simulator), won)).toEqual([]);
});
