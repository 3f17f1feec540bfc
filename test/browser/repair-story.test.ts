import type { Browser } from 'playwright-core';
import type { AuditLine, CaseView, RunReport, RunSummary } from '../../console/src/api/types';
import { enterDeal, winDeal } from '../host/deals';
import { adminAuth, tokenOf } from '../support/admin-users';
import { launchBrowser } from '../support/browser';
import { startCollector } from '../support/collector';
import { ConsoleUser } from '../support/console';
import { Host } from '../support/host';
import { until } from '../support/until';
import { type ClosedDeal, Simulator } from '../support/vendors';
import { templateFlow } from '../support/world';

/** A deal stops, its owner sees it, repairs it and it goes on: in the console of a real host, by people with rights of their own. */

jest.setTimeout(90_000);

const MARKUP = '<img src=x onerror="window.stolen=1"><b>Müller</b>';

let simulator: Simulator;
let host: Host;
let browser: Browser;
let collector: Awaited<ReturnType<typeof startCollector>>;
/** Finance operations; may not approve. */
let fiona: ConsoleUser;
/** Of the account of the next deal of its own; the first ones are used by the simulator. */
let account = 20;

beforeAll(async () => {
  [simulator, collector] = await Promise.all([Simulator.start(), startCollector()]);
  // Nothing is written after the last records of the project.
  const flow = templateFlow((node) => {
    if (node.name === 'Report back to the opportunity') node.d = true;
  });
  const users = {
    admin: '*',
    fiona: ['q2c.read', 'q2c.write', 'q2c.role.finance_ops'],
    paul: ['q2c.read', 'q2c.write', 'q2c.role.project_ops'],
    cora: ['q2c.read', 'q2c.write', 'q2c.approve', 'q2c.role.finance_ops'],
    ron: ['read'],
  };
  const env = {
    Q2C_SIMULATOR_URL: simulator.url,
    OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
    OTEL_BSP_SCHEDULE_DELAY: '200',
  };
  [host, browser] = await Promise.all([
    Host.start({
      env,
      settings: { adminAuth: adminAuth(users) },
      flow,
    }),
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
  await collector?.close();
});

async function ask<T>(path: string, user = 'admin', method = 'GET', body?: unknown): Promise<T> {
  const token = await tokenOf(host.url, user);
  return (await host.request(method, `/q2c/api/v1/${path}`, body, { Authorization: `Bearer ${token}` })) as T;
}

const listOf = async <T>(path: string): Promise<T[]> => (await ask<{ items: T[] }>(path)).items;

/** The run of a deal once it has stopped. */
async function stopped(deal: Pick<ClosedDeal, 'name'>): Promise<RunReport> {
  const failed = async () =>
    (await listOf<RunSummary>('runs?state=failed')).find(({ title }) => title === deal.name);
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

test('a missing tax registration: seen with its amount, typed in, looked at, retried; done steps are not repeated', async () => {
  const { page } = fiona;
  // A deal whose last write was refused; meanwhile somebody has emptied the registration of its account.
  const deal = await simulator.control<ClosedDeal>('POST', 'deals', {});
  const opportunities = await simulator.records('salesforce', 'Opportunity');
  const accountId = String(opportunities.find(({ id }) => id === deal.opportunityId)?.data.AccountId);
  const registrationOf = async () =>
    (await simulator.record('salesforce', 'Account', accountId)).data.Q2C_Tax_Registration__c;
  const registration = String(await registrationOf());
  await simulator.patch('salesforce', 'Account', accountId, { Name: MARKUP });
  const callsBefore = await billingCalls();
  await refuse('POST', '/billing_milestones');
  await simulator.control('POST', 'deals/close', { key: deal.key });
  const run = await stopped(deal);
  await simulator.patch('salesforce', 'Account', accountId, { Q2C_Tax_Registration__c: null });
  await ask(`runs/${run.id}/retry`, 'admin', 'POST', { reason: 'The project is there now' });
  const refused = () => listOf<CaseView>(`cases?runId=${run.id}&code=TAX_REGISTRATION_MISSING`);
  await until('the check to stop it', async () => (await refused()).length === 1);
  await until('the run to end', async () => (await ask<RunReport>(`runs/${run.id}`)).state === 'failed');
  const [refusedCase] = await refused();
  const { message = '', amountAtRisk } = refusedCase ?? {};
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
  await fiona.dialog().getByText('Would stop').waitFor();
  await fiona.dialog().getByRole('button', { name: 'Close' }).click();

  // The form opens with the fields that would cure it. The CRM keeps lacking the registration.
  await fiona.button('Correct and retry').click();
  const form = page.getByRole('dialog', { name: 'Correct and retry' });
  const field = form.getByRole('textbox', { name: 'Tax profile · Registration number' });
  await field.fill(registration);
  expect(await form.getByRole('textbox').count()).toBe(2);
  const change = form.getByRole('table').getByRole('row').filter({ hasText: 'Registration number' });
  expect(await change.getByRole('cell').allInnerTexts()).toEqual(['(nothing)', registration]);
  const before = await requestCounts();
  await form.getByRole('button', { name: 'Dry run' }).click();
  const look = page.getByRole('dialog', { name: 'Dry run' });
  await look.getByText('One write', { exact: true }).waitFor();
  const write = look.getByRole('listitem').filter({ hasText: 'Would create' });
  expect(await write.textContent()).toContain('Kantata · billing schedule · create');
  await look.getByRole('button', { name: 'Close' }).click();
  expect(await writesSince(before)).toEqual({ salesforce: [], netsuite: [], kantata: [] });

  await form.getByRole('textbox', { name: 'Reason', exact: true }).fill('As the customer has told us');
  await form.getByRole('button', { name: 'Correct and retry' }).click();
  // The page follows by itself.
  await page.getByText('Resolved').first().waitFor();
  await until(
    'the deal to complete',
    async () => (await ask<RunReport>(`runs/${run.id}`)).state === 'completed',
  );
  expect(await registrationOf()).toBeNull();

  // The one write that was left, and nothing that was done before.
  expect(await writesSince(before)).toEqual({
    salesforce: [],
    netsuite: [],
    kantata: ['POST /api/v1/billing_milestones'],
  });
  const report = await ask<RunReport>(`runs/${run.id}`);
  for (const step of run.steps.filter(isDone))
    expect(report.steps.find(({ key }) => key === step.key)).toMatchObject({
      state: 'confirmed',
      calls: step.calls,
    });
  expect(report.cases.map(({ state }) => state)).toEqual(['resolved', 'resolved']);

  // Metrics and trace tell the same: refused once, made once, in three passages of one thread.
  const callsNow = await billingCalls();
  expect(callsNow.rejected - callsBefore.rejected).toBe(1);
  expect(callsNow.ok - callsBefore.ok).toBe(1);
  const passages = await passagesOf(run, 3);
  expect(passages.map(({ attributes }) => attributes['q2c.run.state'])).toEqual([
    ...['failed', 'failed', 'completed'],
  ]);
  expect(new Set(passages.map(({ traceId }) => traceId)).size).toBe(1);

  // Who, what, before and after: on the case, and in the audit, where the number itself is hidden for ever.
  const corrections = page.locator('section').filter({ hasText: 'Corrections' }).getByRole('listitem');
  expect(await corrections.getByRole('cell').allInnerTexts()).toEqual(['(nothing)', '•••']);
  await corrections.getByText('by fiona').waitFor();
  // Whoever may see the number asks for it, and that stands in the audit too.
  expect(await fiona.button('Show masked values').count()).toBe(0);
  const admin = await ConsoleUser.logIn(browser, host.url, 'admin');
  await admin.visit(`/cases/${refusedCase?.id}`);
  await admin.button('Show masked values').click();
  await admin.page.getByRole('cell', { name: registration }).waitFor();
  expect(await listOf<AuditLine>('audit?actor=admin&action=data.unmasked')).not.toEqual([]);
  expect(admin.errors).toEqual([]);
  await admin.close();
  const lines = await listOf<AuditLine>(`audit?runId=${run.id}&actor=fiona`);
  expect(lines.find(({ action }) => action === 'record.corrected')).toMatchObject({
    subject: expect.stringMatching(/^cus_/),
    detail: {
      field: 'taxProfile.registrationNumber',
      before: null,
      after: '•••',
      reason: 'As the customer has told us',
    },
  });
  await fiona.visit('/audit?action=record.');
  await page.getByRole('row').filter({ hasText: 'record.corrected' }).first().waitFor();
  await fiona.button('Verify the chain').click();
  await page.getByText('The chain is intact').waitFor();
});

test('a refused write: the dry run shows the one write; corrected in the form, done steps are not repeated', async () => {
  const paul = await ConsoleUser.logIn(browser, host.url, 'paul');
  const { page } = paul;
  const callsBefore = await billingCalls();
  await refuse('POST', '/billing_milestones');
  const [deal] = await simulator.closeDeals(1);
  if (deal === undefined) throw new Error('no deal');
  const run = await stopped(deal);
  const found = await onlyCase(run);

  await paul.visit(`/cases/${found.id}`);
  await paul.button('Dry run').click();
  await paul.dialog().getByText('One write', { exact: true }).waitFor();
  await paul.dialog().getByRole('button', { name: 'Close' }).click();

  const before = await requestCounts();
  await paul.button('Correct and retry').click();
  const dialog = paul.dialog();
  const title = dialog.getByRole('textbox', { name: '0.body.title' });
  const refused = await title.inputValue();
  await title.fill('Corrected by Paul');
  const change = dialog.getByRole('table').getByRole('row').filter({ hasText: '0.body.title' });
  expect(await change.getByRole('cell').allInnerTexts()).toEqual([refused, 'Corrected by Paul']);
  await dialog.getByLabel('Reason').fill('Agreed with the project manager');
  await dialog.getByRole('button', { name: 'Send corrected content' }).click();
  await page.getByText('Resolved').first().waitFor();

  // The one write, and nothing that was done before.
  const calls = await writesSince(before);
  expect(calls.netsuite).toEqual([]);
  expect(calls.kantata).toEqual(['POST /api/v1/billing_milestones']);
  const titles = (await simulator.records('kantata', 'billing_milestones')).map(({ data }) => data.title);
  expect(titles).toContain('Corrected by Paul');
  const steps = (await ask<RunReport>(`runs/${run.id}`)).steps;
  for (const step of run.steps.filter(isDone))
    expect(steps.find(({ key }) => key === step.key)).toMatchObject({
      state: 'confirmed',
      calls: step.calls,
    });

  // Metrics and trace tell the same: refused once, confirmed once, in two passages of one thread.
  const callsNow = await billingCalls();
  expect(callsNow.rejected - callsBefore.rejected).toBe(1);
  expect(callsNow.ok - callsBefore.ok).toBe(1);
  const passages = await passagesOf(run, 2);
  expect(passages.map(({ attributes }) => attributes['q2c.run.state'])).toEqual(['failed', 'completed']);
  expect(new Set(passages.map(({ traceId }) => traceId)).size).toBe(1);

  // Who, what, before and after.
  const lines = await listOf<AuditLine>(`audit?runId=${run.id}&actor=paul`);
  const correction = lines.find(({ action }) => action === 'step.corrected');
  expect(correction?.detail).toMatchObject({
    before: expect.stringMatching(/^[0-9a-f]{64}$/),
    after: expect.stringMatching(/^[0-9a-f]{64}$/),
  });
  await paul.visit(`/audit?subject=${run.id}&actor=paul`);
  await page.getByRole('row').filter({ hasText: 'step.corrected' }).first().waitFor();
  await paul.button('Verify the chain').click();
  await page.getByText('The chain is intact').waitFor();
  expect(paul.errors).toEqual([]);
  await paul.close();
});

test('a waiver above the threshold waits for a second person, who is not the one who asked', async () => {
  const cora = await ConsoleUser.logIn(browser, host.url, 'cora');
  const found = await dearCase();
  await cora.visit(`/cases/${found.id}`);
  await cora.button('More').click();
  await cora.page.getByText('Waive', { exact: true }).click();
  await cora.dialog().getByLabel('Reason').fill('The customer pays in advance');
  await cora.dialog().getByRole('button', { name: 'Waive' }).click();
  await cora.page.getByText('Waits for approval').waitFor();
  await cora.button('Withdraw').waitFor();
  expect(await cora.button('Approve').count()).toBe(0);
  const [approval] = await listOf<{ id: string }>(`approvals?caseId=${found.id}`);
  await expect(ask(`approvals/${approval?.id}/approve`, 'cora', 'POST', {})).rejects.toThrow('NOT_PERMITTED');
  await expect(ask(`approvals/${approval?.id}/approve`, 'fiona', 'POST', {})).rejects.toThrow('401');
  await cora.close();

  const admin = await ConsoleUser.logIn(browser, host.url, 'admin');
  await admin.visit(`/cases/${found.id}`);
  await admin.button('Approve').click();
  await admin.dialog().getByRole('button', { name: 'Approve' }).click();
  await admin.page.getByText('Waived').first().waitFor();
  expect([...cora.errors, ...admin.errors]).toEqual([]);
  await admin.close();
});

test('a user who may only read sees no button, and the route refuses', async () => {
  const ron = await ConsoleUser.logIn(browser, host.url, 'ron');
  const found = await dearCase();
  await ron.visit(`/cases/${found.id}`);
  await ron.page.getByText('Your user may look at this case, and not act on it.').waitFor();
  const main = ron.page.getByRole('main');
  expect(
    await main
      .getByRole('button')
      .filter({ hasNot: ron.page.locator('[aria-label^="Copy"]') })
      .allInnerTexts(),
  ).toEqual([]);
  await ron.visit(`/runs/${found.runId}`);
  await ron.page.getByRole('heading', { level: 1 }).waitFor();
  expect(await ron.button('Retry').count()).toBe(0);
  await ron.visit('/systems');
  await ron.page.getByRole('heading', { name: 'Salesforce' }).waitFor();
  expect(await ron.button('Test now').count()).toBe(0);
  await expect(ask(`runs/${found.runId}/retry`, 'ron', 'POST', {})).rejects.toThrow('401');
  await expect(ask(`cases/${found.id}/comment`, 'ron', 'POST', { text: 'no' })).rejects.toThrow('401');
  expect(ron.errors).toEqual([]);
  await ron.close();
});

/** The case of a deal of 90,000 whose customer has no tax registration. */
async function dearCase(): Promise<CaseView> {
  account++;
  const deal = await enterDeal(simulator, account, {
    lines: [
      {
        serviceCode: 'IMP-MS',
        description: 'Roll-out',
        commercialModel: 'milestone',
        quantity: '1',
        unitPrice: '90000',
        schedule: [{ description: 'Go-live', date: '2026-06-30', amount: '90000' }],
      },
    ],
  });
  await simulator.patch('salesforce', 'Account', deal.accountId, { Q2C_Tax_Registration__c: null });
  await winDeal(simulator, deal);
  return onlyCase(await stopped(deal));
}

const isDone = ({ state, operation }: RunReport['steps'][number]) =>
  state === 'confirmed' && operation !== 'deal.read';

/** Calls that made billing schedules in the PSA, by result, as the metrics count them. */
async function billingCalls(): Promise<{ rejected: number; ok: number }> {
  const metrics = await ask<string>('metrics');
  const count = (result: string) =>
    metrics.match(
      new RegExp(
        `q2c_step_calls_total{system="kantata",operation="billingSchedule.create",result="${result}"} (\\d+)`,
      ),
    )?.[1] ?? 0;
  return { rejected: Number(count('rejected')), ok: Number(count('ok')) };
}

/** Spans of the passages of a run, once there are as many. */
async function passagesOf(run: Pick<RunReport, 'id'>, count: number) {
  const passages = () => collector.spans.filter(({ attributes }) => attributes['q2c.run.id'] === run.id);
  await until('all passages in the trace', () => passages().length === count);
  return passages();
}

const requestCounts = async () => ({
  salesforce: await simulator.requestCount('salesforce'),
  netsuite: await simulator.requestCount('netsuite'),
  kantata: await simulator.requestCount('kantata'),
});

/** What is asked with POST and changes nothing: logins, queries, and several records read at once. */
const READS = ['token', 'suiteql', '/composite'];

/** What was written since then, by system. */
async function writesSince(before: Awaited<ReturnType<typeof requestCounts>>) {
  const writes = async (system: 'salesforce' | 'netsuite' | 'kantata') =>
    (await simulator.requestsSince(system, before[system]))
      .filter(({ method, path }) => method !== 'GET' && !READS.some((read) => path.includes(read)))
      .map(({ method, path }) => `${method} ${path}`);
  return {
    salesforce: await writes('salesforce'),
    netsuite: await writes('netsuite'),
    kantata: await writes('kantata'),
  };
}
