import type { RunReport, RunSummary } from '../../lib/api/reports';
import type { CaseLine } from '../../lib/governance';
import type { SimRecord } from '../../simulator/kit/types';
import { until } from '../support/engine';
import type { VendorControl } from '../support/vendors';
import type { World } from '../support/world';

/** Single deals in the simulated CRM, as salespeople enter, spoil and repair them. */

export interface Deal {
  key: string;
  name: string;
  opportunityId: string;
  contractId: string;
  accountId: string;
  currency: string;
}

/** What every deal of these tests is worth. */
export const VALUE = 10_000;

const LINES = [
  {
    serviceCode: 'IMP-MS',
    description: 'Roll-out',
    commercialModel: 'milestone',
    quantity: '1',
    unitPrice: String(VALUE),
    schedule: [
      { description: 'Design accepted', date: '2026-05-29', amount: '4000' },
      { description: 'Go-live', date: '2026-06-30', amount: '6000' },
    ],
  },
];

let lastDeal = 0;

/**
 * Enters an open deal of a seeded account.
 * @param account its number in the seed, from 1
 * @param overrides fields of `POST /_control/deals` that are to be different
 */
export async function enterDeal(
  simulator: VendorControl,
  account: number,
  overrides: Record<string, unknown> = {},
): Promise<Deal> {
  const accountKey = `acc-${String(account).padStart(3, '0')}`;
  const { data: key } = await simulator.record('salesforce', '_AccountKey', accountKey);
  const { data } = await simulator.record('salesforce', 'Account', String(key.accountId));
  lastDeal++;
  const body = {
    key: `entered-${lastDeal}`,
    name: `Deal ${lastDeal}`,
    accountKey,
    serviceLine: 'implementation',
    region: data.CurrencyIsoCode === 'USD' ? 'AMER' : 'EMEA',
    currency: data.CurrencyIsoCode,
    startDate: '2026-05-01',
    endDate: '2026-10-31',
    lines: LINES,
    ...overrides,
  };
  const entered = await simulator.control<Omit<Deal, 'accountId' | 'currency'>>('POST', 'deals', body);
  return { ...entered, accountId: String(key.accountId), currency: String(body.currency) };
}

export function winDeal(simulator: VendorControl, { key }: Deal): Promise<unknown> {
  return simulator.control('POST', 'deals/close', { key });
}

/** The name of an account, as cases show it. */
export async function accountName(simulator: VendorControl, { accountId }: Deal): Promise<string> {
  return String((await simulator.record('salesforce', 'Account', accountId)).data.Name);
}

/** Wins the deal and waits until its run has come to an end that nothing changes by itself. */
export async function runOf(world: World, deal: Deal): Promise<RunReport> {
  const before = await world.runs();
  await winDeal(world.simulator, deal);
  const runs = await world.settled(before.length + 1);
  const run = runs.find(({ id }) => !before.some((known) => known.id === id));
  if (run === undefined) throw new Error(`${deal.name} started no run`);
  return world.run(run.id);
}

export async function runsAbout(world: World, correlationId: string): Promise<RunSummary[]> {
  return (await world.runs()).filter((run) => run.correlationId === correlationId);
}

/** The only open case, once there is one. */
export async function onlyCase(world: World): Promise<CaseLine> {
  await until('a case', async () => (await world.openCases()).length > 0, 60_000, 50);
  const cases = await world.openCases();
  const [found, ...others] = cases;
  if (found === undefined || others.length > 0) {
    throw new Error(
      `${cases.length} open cases:\n${cases.map(({ code, message }) => `${code} ${message}`).join('\n')}`,
    );
  }
  return found;
}

/** How many records ERP and PSA hold, by type. */
export async function provisioned(simulator: VendorControl): Promise<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const [system, types] of [
    ['netsuite', ['customer', 'contact', 'job', 'projectTask', 'billingSchedule', 'salesOrder']],
    ['kantata', ['workspaces', 'stories', 'billing_milestones']],
  ] as const) {
    const path = `${system}/records`;
    const all = (await simulator.control<{ types: Record<string, number> }>('GET', path)).types;
    for (const type of types) counts[type] = all[type] ?? 0;
  }
  return counts;
}

/** Two people of the deal's account. */
export async function contactsOf(
  simulator: VendorControl,
  { accountId }: Deal,
): Promise<[SimRecord, SimRecord]> {
  const contacts = await simulator.records('salesforce', 'Contact');
  const [first, second] = contacts.filter(({ data }) => data.AccountId === accountId);
  if (first === undefined || second === undefined)
    throw new Error(`account ${accountId} has too few contacts`);
  return [first, second];
}

/** Deletes as an integration user does: the control API only creates and changes. */
export async function removeInSalesforce(simulator: VendorControl, path: string): Promise<void> {
  const { systems } = await simulator.control<{
    systems: { salesforce: { url: string; credentials: Record<string, Record<string, string>> } };
  }>('GET', 'systems');
  const { url, credentials } = systems.salesforce;
  const { clientId = '', clientSecret = '' } = credentials['client-credentials'] ?? {};
  const form = { grant_type: 'client_credentials', client_id: clientId, client_secret: clientSecret };
  const login = await fetch(`${url}/services/oauth2/token`, {
    method: 'POST',
    body: new URLSearchParams(form),
  });
  const { access_token } = (await login.json()) as { access_token: string };
  const deleted = await fetch(`${url}/services/data/v66.0/sobjects/${path}`, {
    method: 'DELETE',
    headers: { authorization: `Bearer ${access_token}` },
  });
  if (!deleted.ok) throw new Error(`DELETE ${path}: ${deleted.status} ${await deleted.text()}`);
}
