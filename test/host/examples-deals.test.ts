import { ExampleWorld } from '../support/example-world';
import type { FlowNode } from '../support/host';
import { enterDeal, onlyCase, runOf, winDeal } from './deals';

/** Template flows about deals and mappings, imported and run. Their comments promise what is judged here. */

jest.setTimeout(120_000);

let world: ExampleWorld;
afterEach(() => world?.stop());

const play = async (name: string) => {
  world = await ExampleWorld.play(name);
  return world.simulator;
};

/** One line of a deal with this value. */
const fixedFee = (unitPrice: string) => ({
  ...{ serviceCode: 'IMP-FF', description: 'Roll-out', commercialModel: 'fixed_fee' },
  ...{ quantity: '1', unitPrice, schedule: [] },
});

/** A message of a Catch or Complete node. */
interface Told {
  payload: { customer: { number: string } };
  q2c: { waitingFor?: string; case?: Record<string, string> };
  error?: Record<string, unknown>;
  complete?: { source: { name: string } };
}

const jobs = async () => (await world.simulator.records('netsuite', 'job')).map(({ data }) => data);
const customers = () => world.simulator.records('netsuite', 'customer');
const states = async () => (await world.runs()).map(({ state }) => state).sort();

test('Changed after won: the change is written to the same project, and a person looks at its billing', async () => {
  const simulator = await play('Changed after won');
  const deal = await enterDeal(simulator, 1);
  expect((await runOf(world, deal)).state).toBe('completed');
  expect(await world.shows('New projects', 1)).toHaveLength(1);

  const changed = { Name: 'Another name' };
  await simulator.patch('salesforce', 'Opportunity', deal.opportunityId, changed);
  await world.settled(2);
  expect(await states()).toEqual(['completed', 'failed']);
  expect((await jobs()).map(({ companyName }) => companyName)).toEqual(['Another name']);
  expect(await onlyCase(world)).toMatchObject({
    code: 'CHANGE_ORDER_REVIEW',
    ownerRole: 'project_ops',
    message: expect.stringMatching(/^The deal Another name was changed .* now worth 10000(\.00)? /),
  });
  expect(await world.shown('New projects')).toHaveLength(1);
});

test('Duplicate customers: a likeness is looked at, a new customer created, a known one taken', async () => {
  const simulator = await play('Duplicate customers');
  // NetSuite begins with the first accounts of Salesforce as customers.
  const known = await enterDeal(simulator, 4);
  const like = await enterDeal(simulator, 5);
  expect((await runOf(world, known)).state).toBe('completed');

  const { data } = await simulator.record('salesforce', 'Account', like.accountId);
  const spelling = String(data.Name).toUpperCase().replace(/ \S+$/, '');
  const subsidiary = { id: '2' };
  const before = (await customers()).length;
  await simulator.create('netsuite', 'customer', { companyName: `${spelling} AG`, subsidiary });
  expect((await runOf(world, like)).state).toBe('failed');
  const { code, ownerRole, message } = await onlyCase(world);
  expect([code, ownerRole]).toEqual(['DUPLICATE_SUSPECTED', 'data_steward']);
  expect(message).toContain(`looks like existing ${spelling} AG`);

  const queries = async () =>
    (await world.store.rows("select key from step where operation = 'records.query'")).length;
  const asked = await queries();
  await runOf(world, await enterDeal(simulator, 4));
  expect(await queries()).toBe(asked);
  expect(await world.shows('Customers to sell to', 2)).toHaveLength(2);
  expect(await customers()).toHaveLength(before + 1);
});

test('Cases by your own rules: who owns what the rules single out, and what passes', async () => {
  const simulator = await play('Cases by your own rules');
  const passes = await enterDeal(simulator, 1, { poNumber: 'PO-1' });
  const large = await enterDeal(simulator, 2, { amount: '250000', poNumber: 'PO-2' });
  const withoutOrder = await enterDeal(simulator, 3, { poNumber: '' });
  for (const deal of [passes, large, withoutOrder]) await winDeal(simulator, deal);
  await world.settled(3);
  const cases = await world.openCases();
  expect(cases.map(({ code, ownerRole, message }) => [code, ownerRole, message]).sort()).toEqual([
    ['CAP_EXCEEDED', 'finance_controller', expect.stringContaining(`${large.name} is worth 250000`)],
    ['MANDATORY_FIELD_MISSING', 'sales_ops', expect.stringContaining(`${withoutOrder.name} has no purchase`)],
  ]);
  const shown = (await world.shows('Deals that may go on', 1)) as { opportunity: { name: string } }[];
  expect(shown.map(({ opportunity }) => opportunity.name)).toEqual([passes.name]);
});

test('Lookup tables: a known value is written, an unknown one waits for finance and goes on after that', async () => {
  const simulator = await play('Lookup tables');
  await runOf(world, await enterDeal(simulator, 1));
  const unknown = await runOf(world, await enterDeal(simulator, 2, { serviceLine: 'training' }));
  expect((await jobs()).map(({ comments }) => comments)).toEqual(['Cost centre 4100']);
  const { code, message } = await onlyCase(world);
  expect(code).toBe('LOOKUP_VALUE_UNKNOWN');
  expect(message).toContain('"training" is not in the lookup table netsuite.costCentre');

  await world.deployExample('Lookup tables', (node: FlowNode) => {
    if (node.type !== 'q2c-mapping') return;
    const set = JSON.parse(String(node.data));
    set.layers[0].tables.netsuite.costCentre.training = 'Cost centre 4400';
    node.data = JSON.stringify(set);
  });
  await world.retry(unknown.id);
  await world.settled(2);
  expect(await states()).toEqual(['completed', 'completed']);
  const comments = (await jobs()).map((job) => job.comments);
  expect(comments.sort()).toEqual(['Cost centre 4100', 'Cost centre 4400']);
});

test('Currencies and legal entities: the layer of the deal decides, its amounts stay as they are', async () => {
  const simulator = await play('Currencies and legal entities');
  const accounts = await simulator.records('salesforce', 'Account');
  // The first accounts are customers already: what finance has entered stays as it is.
  const accountIn = (currency: string) =>
    accounts.findIndex(({ data }, index) => index > 2 && data.CurrencyIsoCode === currency) + 1;
  const deals = [];
  for (const currency of ['EUR', 'GBP', 'USD']) deals.push(await enterDeal(simulator, accountIn(currency)));
  for (const deal of deals) await runOf(world, deal);
  expect(await world.openCases()).toEqual([]);

  const written = (await jobs()).map(({ companyName, comments }) => [companyName, comments]);
  expect(new Map(written as [string, string][])).toEqual(
    new Map([
      [deals[0]?.name, 'Bill in EUR from the Berlin account'],
      [deals[1]?.name, 'Bill in GBP from the London account'],
      [deals[2]?.name, 'Bill in USD'],
    ]),
  );
  const made = (await customers()).filter(({ data }) => String(data.externalId).startsWith('q2c:'));
  const terms = (subsidiary: string) =>
    made.filter(({ data }) => data.subsidiary === subsidiary).map(({ data }) => data.terms);
  expect(terms('3')).toEqual(['10']);
  expect(terms('2')).toHaveLength(2);
  expect(terms('2')).not.toContain('10');
  const prices = (await jobs()).map(({ jobPrice }) => Number(jobPrice));
  expect(prices).toEqual([10_000, 10_000, 10_000]);
});

test('Catch, status and complete: each tells what its comment says', async () => {
  const simulator = await play('Catch, status and complete');
  await runOf(world, await enterDeal(simulator, 1));
  expect(await world.shows('Customers so far', 1)).toEqual([1]);

  const stuck = await enterDeal(simulator, 2);
  await simulator.patch('salesforce', 'Account', stuck.accountId, { Q2C_Tax_Registration__c: null });
  await runOf(world, stuck);
  const [toFinance] = await world.shows('To finance', 1);
  expect(toFinance).toMatch(new RegExp(`^${stuck.name} waits for finance: .*tax registration`));
  expect(await world.shown('To integration')).toEqual([]);
  const looks = await world.shows('Needs a look', 1);
  expect(looks).toContain('Ready to provision?: 1 done, 1 waiting: tax registration missing');
  expect(await world.shown('Customers so far')).toEqual([1]);
});

test('a Catch node gets code, system, owner and what to do; a Complete node gets what the node has made', async () => {
  world = await ExampleWorld.play('Catch, status and complete', {
    change: (node) => {
      if (node.type === 'debug') node.complete = 'true';
      // What it counts from is what is looked at here.
      if (node.type === 'function') node.func = 'return msg;';
    },
  });
  const { simulator } = world;
  await runOf(world, await enterDeal(simulator, 4));
  const [through] = (await world.shows('Customers so far', 1)) as Told[];
  expect(through?.payload.customer.number).toMatch(/\d/);
  expect(through?.complete?.source.name).toBe('Customer');

  const match = { method: 'PUT', path: 'customer' };
  await simulator.fault('netsuite', { kind: 'status', status: 400, match });
  await runOf(world, await enterDeal(simulator, 5));
  const [stuck] = (await world.shows('To integration', 1)) as Told[];
  const opened = await onlyCase(world);
  expect(stuck?.error).toMatchObject({
    code: opened.code,
    message: opened.message,
    source: { name: 'Customer' },
  });
  expect(stuck?.q2c).toMatchObject({
    waitingFor: expect.any(String),
    case: {
      ...{ id: opened.id, code: opened.code, system: 'NetSuite' },
      whatToDo: expect.stringContaining('retry the case in the console'),
    },
  });
});

test('Core nodes within a run: subflow, link and switch nodes keep the run', async () => {
  const simulator = await play('Core nodes within a run');
  const small = await enterDeal(simulator, 4);
  const large = await enterDeal(simulator, 5, { lines: [fixedFee('80000')] });
  for (const deal of [small, large]) expect((await runOf(world, deal)).state).toBe('completed');
  const shown = (await world.shows('Customers with risk and region', 2)) as {
    risk: string;
    region: string;
    payload: { opportunity: { name: string }; customer: { number: string } };
    q2c: { run: string };
  }[];
  const told = shown.map(({ risk, region, payload }) => [payload.opportunity.name, risk, region]).sort();
  const europe = 'Europe, Middle East, Africa';
  expect(told).toEqual([
    [small.name, 'low', europe],
    [large.name, 'high', europe],
  ]);
  expect(shown.map(({ q2c }) => q2c.run).sort()).toEqual((await world.runs()).map(({ id }) => id).sort());
  const number = shown.find(({ risk }) => risk === 'high')?.payload.customer.number;
  const careful = (await customers()).find(({ data }) => data.entityId === number);
  // What the change node has set: payment within 15 days. What was agreed are 30.
  expect(careful?.data.terms).toBe('1');
});
