import type { Browser } from 'playwright-core';
import type { AuditLine, CaseView, RunReport, RunSummary } from '../../console/src/api/types';
import { launchBrowser } from '../support/browser';
import { adminAuth, ConsoleUser, tokenOf } from '../support/console';
import { Host } from '../support/host';
import { until } from '../support/until';
import { type ClosedDeal, Simulator, templateFlow } from '../support/world';

/** A deal stops, its owner sees it, repairs it and it goes on: in the console of a real host, by people with rights of their own. */

jest.setTimeout(90_000);

const MARKUP = '<img src=x onerror="window.stolen=1"><b>Müller</b>';

let simulator: Simulator;
let host: Host;
let browser: Browser;
/** Finance operations; may not approve. */
let fiona: ConsoleUser;

beforeAll(async () => {
  simulator = await Simulator.start();
  // Nothing is written after the last records of the project.
  const flow = templateFlow((node) => {
    if (node.name === 'Report back to the opportunity') node.d = true;
  });
  const users = {
    admin: '*',
    fiona: ['q2c.read', 'q2c.write', 'q2c.role.finance_ops'],
    cora: ['q2c.read', 'q2c.write', 'q2c.approve', 'q2c.role.finance_ops'],
    ron: ['read'],
  };
  [host, browser] = await Promise.all([
    Host.start({ env: { Q2C_SIMULATOR_URL: simulator.url }, settings: { adminAuth: adminAuth(users) }, flow }),
    launchBrowser(),
  ]);
  await simulator.polledAgain();
  fiona = await ConsoleUser.logIn(browser, host.url, 'fiona');
}, 180_000);

afterEach(async () => {
  expect(fiona.errors).toEqual([]);
  await simulator.removeFaults();
});

afterAll(async () => {
  await browser?.close();
  await host?.dispose();
  await simulator?.stop();
});

async function ask<T>(path: string, user = 'admin', method = 'GET', body?: unknown): Promise<T> {
  const token = await tokenOf(host.url, user);
  return (await host.request(method, `/q2c/api/v1/${path}`, body, { Authorization: `Bearer ${token}` })) as T;
}

const listOf = async <T>(path: string): Promise<T[]> => (await ask<{ items: T[] }>(path)).items;

/** The run of a deal once it has stopped. */
async function stopped(deal: ClosedDeal): Promise<RunReport> {
  const failed = async () => (await listOf<RunSummary>('runs?state=failed')).find(({ title }) => title === deal.name);
  await until(`${deal.name} to stop`, async () => (await failed()) !== undefined, 60_000, 100);
  return ask<RunReport>(`runs/${(await failed())?.id}`);
}

async function onlyCase({ cases }: RunReport): Promise<CaseView> {
  expect(cases).toHaveLength(1);
  return ask<CaseView>(`cases/${cases[0]?.id}`);
}

/** Refuses one write of the vendor. */
const refuse = (method: string, path: string) =>
  simulator.fault('kantata', { kind: 'status', status: 400, match: { method, path }, times: 1 });

test('a missing tax registration: seen with its amount, repaired at its master, retried, completed', async () => {
  const { page } = fiona;
  const deal = await simulator.control<ClosedDeal>('POST', 'deals', {});
  const opportunities = await simulator.records('salesforce', 'Opportunity');
  const accountId = String(opportunities.find(({ id }) => id === deal.opportunityId)?.data.AccountId);
  const { Q2C_Tax_Registration__c: registration } = (await simulator.record('salesforce', 'Account', accountId)).data;
  await simulator.patch('salesforce', 'Account', accountId, { Q2C_Tax_Registration__c: null, Name: MARKUP });
  await simulator.control('POST', 'deals/close', { key: deal.key });
  const { message, amountAtRisk } = await onlyCase(await stopped(deal));
  expect(message).toContain(MARKUP);

  // In the queue of finance, with what is at risk; markup is text.
  await fiona.visit('/cases?role=finance_ops');
  const row = page.getByRole('row').filter({ hasText: message });
  const amount = new Intl.NumberFormat('en-GB', {
    style: 'currency',
    currency: amountAtRisk?.currency ?? '',
    currencyDisplay: 'code',
  }).format(Number(amountAtRisk?.amount));
  await row.getByText(amount.replace(/\s/g, '\u00a0')).waitFor();
  await row.getByRole('link').click();
  await page.getByRole('heading', { level: 1, name: message }).waitFor();
  expect(await page.evaluate('window.stolen')).toBeUndefined();

  await fiona.button('Dry run').click();
  await fiona.dialog().getByText('No write').waitFor();
  await fiona.dialog().getByText('Would stop').waitFor();
  await fiona.dialog().getByRole('button', { name: 'Close' }).click();

  await simulator.patch('salesforce', 'Account', accountId, { Q2C_Tax_Registration__c: registration });
  await fiona.act('Retry', 'The registration is in the CRM now');
  // The page follows by itself.
  await page.getByText('Resolved').first().waitFor();
  const runs = await listOf<RunSummary>('runs?state=completed');
  expect(runs.map(({ title }) => title)).toContain(deal.name);
});

test('a refused write: the dry run shows the one write; corrected in the form, and done steps are not repeated', async () => {
  const { page } = fiona;
  await refuse('POST', '/billing_milestones');
  const [deal] = await simulator.closeDeals(1);
  if (deal === undefined) throw new Error('no deal');
  const run = await stopped(deal);
  const done = run.steps.filter(({ state }) => state === 'confirmed').length;
  const found = await onlyCase(run);
  expect(found.stepKey).not.toBeNull();

  await fiona.visit(`/cases/${found.id}`);
  await fiona.button('Dry run').click();
  await fiona.dialog().getByText('One write', { exact: true }).waitFor();
  await fiona.dialog().getByRole('button', { name: 'Close' }).click();

  const before = {
    netsuite: await simulator.requestCount('netsuite'),
    kantata: await simulator.requestCount('kantata'),
  };
  await fiona.button('Correct and retry').click();
  const dialog = fiona.dialog();
  const input = dialog.getByRole('textbox').first();
  const corrected = `${await input.inputValue()}`;
  expect(corrected).not.toBe('');
  await page.screenshot({ path: '/tmp/cshots/story-correct.png' });
});
