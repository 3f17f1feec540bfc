import type { RunReport } from '../../lib/api/reports';
import { until } from '../support/engine';
import { exampleFlow } from '../support/examples';
import { type FlowNode, Host } from '../support/host';
import { Simulator } from '../support/vendors';
import { templateFlow, World } from '../support/world';
import { type Deal, enterDeal, winDeal } from './deals';

/** What other programs may look up, of what the shipped flows have read: over the root of HTTP nodes, with a token. */

jest.setTimeout(120_000);

let world: World;
let secret: string;

/** The template flow and the one about the ERP and the PSA, on one store. */
function flows(): FlowNode[] {
  const template = templateFlow((node) => {
    if (node.type === 'q2c-store') node.lookups = true;
  });
  const more = exampleFlow('Payments and hours').filter(
    ({ id }) => !template.some((known) => known.id === id),
  );
  for (const node of more) if (node.type.endsWith('-events')) node.interval = '0.2';
  return [...template, ...more];
}

beforeAll(async () => {
  const simulator = await Simulator.start();
  const env = { Q2C_SIMULATOR_URL: simulator.url };
  world = new World(simulator, await Host.start({ env, settings: { httpNodeRoot: '/api' }, flow: flows() }));
  const body = {
    name: 'portal',
    scopes: ['deal_status', 'invoice_status', 'credit_status', 'project_templates', 'rates'],
  };
  await until('the store to open', async () => (await world.runs().catch(() => null)) !== null);
  ({ secret } = (await world.host.request('POST', '/q2c/api/v1/tokens', body)) as { secret: string });
});
afterAll(() => world?.stop());

async function look<T = Record<string, unknown>>(path: string): Promise<{ status: number; found: T }> {
  const response = await fetch(`${world.host.url}/api/q2c/v1/${path}`, {
    headers: { authorization: `Bearer ${secret}` },
  });
  return { status: response.status, found: (await response.json()) as T };
}

/** Wins the deal and waits until it is through; what happens in the ERP meanwhile has runs of its own. */
async function provisioned(deal: Deal): Promise<RunReport> {
  await winDeal(world.simulator, deal);
  const own = async () => (await world.runsOf(deal)).find(({ state }) => state === 'completed');
  await until('the deal to come through', async () => (await own()) !== undefined, 60_000, 50);
  return world.run((await own())?.id ?? '');
}

const inNetSuite = (refs: { system: string; type: string; externalId: string }[], type: string): string =>
  refs.find((ref) => ref.system === 'netsuite' && ref.type === type)?.externalId ?? '';

test('a deal and the credit of its customer, by ids of any system', async () => {
  const deal = await enterDeal(world.simulator, 1);
  const { refs, correlationId } = await provisioned(deal);
  const { found } = await look(`deals/${deal.opportunityId}`);
  expect(found).toMatchObject({ id: correlationId, title: deal.name, state: 'completed', waitsFor: [] });
  expect(found.records).toContainEqual(
    expect.objectContaining({ system: 'netsuite', type: 'job', externalId: inNetSuite(refs, 'job') }),
  );

  const customer = inNetSuite(refs, 'customer');
  const credit = await look(`customers/${customer}/credit`);
  expect(credit.found).toMatchObject({ creditStatus: 'ok', creditLimit: null, heldDeals: 0 });
  expect(credit.found.asOf).toEqual(expect.any(String));
});

test.each([
  ['held by finance', { creditHoldOverride: { id: 'ON' }, creditLimit: 5000 }, 'hold', '5000'],
  ['over its limit', { creditHoldOverride: { id: 'AUTO' }, creditLimit: 1000 }, 'review', '1000'],
  ['within its limit', { creditLimit: 1000.75 }, 'ok', '1000.75'],
])('credit of a customer that finance had entered: %s', async (_, fields, creditStatus, amount) => {
  const account = 10 + creditStatus.length;
  const deal = await enterDeal(world.simulator, account);
  const { data } = await world.simulator.record('salesforce', 'Account', deal.accountId);
  const { id } = await world.simulator.create('netsuite', 'customer', {
    companyName: String(data.Name),
    vatRegNumber: String(data.Q2C_Tax_Registration__c),
    subsidiary: { id: deal.currency === 'USD' ? '3' : '2' },
    currency: { id: { USD: '1', GBP: '2', EUR: '4', CHF: '5' }[deal.currency] },
    ...fields,
  });
  const owed = { item: { id: '101' }, quantity: 1, rate: 1000.75, amount: 1000.75 };
  await world.simulator.create('netsuite', 'invoice', { entity: { id }, item: { items: [owed] } });
  expect(inNetSuite((await provisioned(deal)).refs, 'customer')).toBe(id);
  const { found } = await look(`customers/${id}/credit`);
  expect(found).toMatchObject({ creditStatus, creditLimit: { amount, currency: deal.currency } });
});

test('an invoice, and how much of it is paid', async () => {
  const { id: customer } = await world.simulator.create('netsuite', 'customer', {
    companyName: 'Nordwind GmbH',
    subsidiary: { id: '2' },
    currency: { id: '4' },
  });
  const { id: invoice } = await world.simulator.create('netsuite', 'invoice', {
    entity: { id: customer },
    item: { items: [{ item: { id: '101' }, quantity: 1, rate: 1000, amount: 1000 }] },
  });
  const status = async () => (await look(`invoices/${invoice}`)).found;
  await until('the invoice', async () => (await status()).settlementStatus === 'open', 30_000, 100);
  expect(await status()).toMatchObject({ documentStatus: 'posted', currency: 'EUR' });
  await world.simulator.create('netsuite', 'customerPayment', { createdFrom: invoice });
  await until('its payment', async () => (await status()).settlementStatus === 'paid', 30_000, 100);
  expect((await status()).totals).toMatchObject({ gross: expect.stringMatching(/^\d+(\.\d+)?$/) });
});

test('project templates of a service line', async () => {
  expect((await look('project-templates?serviceLine=training')).found).toEqual([
    {
      serviceLine: 'training',
      name: 'Training',
      isAvailable: true,
      templates: [{ system: 'kantata', id: '814' }],
    },
  ]);
});

interface Card {
  legalEntity: string;
  rateCard: string;
  asOf: string | null;
  rates: { role: string | null; amount: string; unit: string; validFrom: string; validTo: string | null }[];
}

test('rates of a role, with the days on which they are valid', async () => {
  const cards = async (query: string) => (await look<Card[]>(`rates?${query}`)).found;
  await until(
    'the rates to be read',
    async () => (await cards('currency=EUR'))[0]?.asOf !== null,
    30_000,
    100,
  );
  const [card] = await cards('legalEntity=meridian-de&currency=EUR&role=consultant');
  const now = { role: 'consultant', amount: '150', unit: 'hour', validFrom: '2024-01-01', validTo: null };
  expect(card).toMatchObject({ legalEntity: 'meridian-de', rateCard: '51', rates: [now] });

  // A new version of the set, from the summer on; the roles of a version are entered by hand.
  const { id: version } = await world.simulator.create('kantata', 'rate_card_set_versions', {
    rate_card_set_id: '41',
    effective_date: '2026-07-01',
  });
  const versions = await world.simulator.records('kantata', 'rate_card_versions');
  const own = versions.find(
    ({ data }) => data.rate_card_set_version_id === version && data.rate_card_id === '51',
  );
  await world.simulator.create('kantata', 'rate_card_roles', {
    rate_card_version_id: own?.id,
    role_id: '32',
    rate: 162.5,
  });
  await world.host.request('POST', '/inject/q2c0000000000642');
  const consultant = async (on = '') =>
    (await cards(`legalEntity=meridian-de&currency=EUR&role=consultant${on}`))[0]?.rates;
  await until('the new rate', async () => (await consultant())?.length === 2, 30_000, 100);
  expect(await consultant('&on=2026-06-30')).toEqual([{ ...now, validTo: '2026-06-30' }]);
  expect(await consultant('&on=2026-07-01')).toEqual([{ ...now, amount: '162.5', validFrom: '2026-07-01' }]);
});
