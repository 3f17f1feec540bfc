import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import type { AxeResults } from 'axe-core';
import type { Browser, Locator, Page } from 'playwright-core';
import { launchBrowser } from '../support/browser';
import * as fixtures from './console-fixtures';
import { type Answers, answers, type Look, openConsole, serveConsole } from './console-world';

/** The console's pages on fixtures at their worst: how they look, whether all can use them, and what markup in names does. */

jest.setTimeout(60_000);

const root = join(__dirname, '../..');
const axe = readFileSync(createRequire(join(root, 'package.json')).resolve('axe-core/axe.min.js'), 'utf8');
/** Folder for screenshots; none are taken without it. */
const screenshots = process.env.Q2C_SCREENSHOTS;

const PAGES = {
  overview: { path: '/', shows: 'Finance operations' },
  deals: { path: '/deals', shows: 'Contoso rollout 0' },
  deal: { path: '/deals/opp_1', shows: 'Present state' },
  runs: { path: '/runs', shows: 'Contoso rollout 0' },
  run: { path: '/runs/run_1?step=run:6', shows: 'Request' },
  cases: { path: '/cases', shows: 'Kantata did not confirm project create; checking before repeating.' },
  causes: { path: '/cases?view=causes', shows: '75 cases · 60 deals' },
  case: { path: '/cases/exc_1', shows: 'What waits behind it' },
  stuckUndo: { path: '/runs/run_stuck', shows: 'The undo has stopped at Create customer' },
  work: { path: '/work', shows: 'Won, and no project yet' },
  kinds: { path: '/work?list=open_cases', shows: 'Possible duplicate' },
  systems: { path: '/systems', shows: 'Kantata production' },
  tokens: { path: '/tokens', shows: 'customer portal' },
  audit: { path: '/audit', shows: 'case.assigned' },
} as const;

const WIDE = { width: 1280, height: 860 };
const NARROW = { width: 390, height: 844 };

let server: Awaited<ReturnType<typeof serveConsole>>;
let browser: Browser;

beforeAll(async () => {
  [server, browser] = await Promise.all([serveConsole(), launchBrowser()]);
}, 60_000);

afterAll(async () => {
  await browser?.close();
  await server?.close();
});

const open = (given: Answers = answers, look: Look = {}) => openConsole(browser, server.url, given, look);

async function visit(page: Page, { path, shows }: { path: string; shows: string }): Promise<void> {
  await page.goto(`${server.url}#${path}`);
  await page.getByText(shows, { exact: true }).first().waitFor();
}

/** What axe finds to be serious or worse, a line each. */
async function seriousFindings(page: Page): Promise<string[]> {
  // Handed over by the browser's debugger: the policy of the page lets nobody add a script.
  await page.evaluate(axe);
  const { violations } = (await page.evaluate('axe.run()')) as AxeResults;
  return violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .flatMap(({ id, nodes }) =>
      nodes.map(({ html, failureSummary }) => `${id}: ${html.slice(0, 160)} ${failureSummary}`),
    );
}

const looks = (['light', 'dark'] as const).flatMap((theme) =>
  [WIDE, NARROW].map((viewport) => ({ theme, viewport, name: `${theme}, ${viewport.width} px` })),
);

test.each(looks)('every page is usable by all: $name', async ({ theme, viewport }) => {
  const { page, context, errors } = await open(answers, { theme, viewport });
  for (const [name, place] of Object.entries(PAGES)) {
    await visit(page, place);
    expect({ name, findings: await seriousFindings(page) }).toEqual({ name, findings: [] });
    // Nothing is wider than the window, and no markup of a name became an element.
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(viewport.width);
    const main = page.locator('main');
    expect(await main.evaluate((element) => element.scrollWidth - element.clientWidth)).toBeLessThanOrEqual(
      0,
    );
    expect(await main.locator('img').count()).toBe(0);
    if (screenshots) {
      await page.screenshot({ path: join(screenshots, `console-${name}-${theme}-${viewport.width}.png`) });
    }
  }
  expect(await page.evaluate('window.stolen')).toBeUndefined();
  // Scripts and styles of others would be told of here.
  expect(errors).toEqual([]);
  await context.close();
});

test('addresses of other systems that are no web pages are no links', async () => {
  const { page, context } = await open();
  await visit(page, PAGES.run);
  const links = await page
    .locator('a[target=_blank]')
    .evaluateAll((all) => all.map((link) => link.getAttribute('href')));
  expect(links).toEqual(['https://example.com/record/1']);
  await context.close();
});

test('a long list holds few rows, asks for more as one comes near its end, and is walked by the keyboard', async () => {
  const { page, context } = await open();
  await visit(page, PAGES.runs);
  const rows = page.locator('[data-row]');
  expect(await rows.count()).toBeLessThan(50);
  await page.locator('[data-row="0"] a').focus();
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('ArrowDown');
  expect(await page.evaluate('document.activeElement.closest("[data-row]").dataset.row')).toBe('2');
  await page.keyboard.press('End');
  await page.locator('[data-row="99"] a:focus').waitFor();
  // The second page has come by then.
  await page.locator('[data-row="105"]').waitFor({ state: 'attached' });
  expect(await rows.count()).toBeLessThan(50);
  await page.keyboard.press('Enter');
  await page.getByText('Records in the systems').first().waitFor();
  await context.close();
});

test('filters are in the address: a link has them, and the back button undoes them', async () => {
  const { page, context } = await open();
  await visit(page, PAGES.cases);
  const filtered = page.waitForRequest(/api\/v1\/cases\?.*ownerRole=finance_ops/);
  await page.getByRole('button', { name: /^Finance operations/ }).click();
  await filtered;
  await page.waitForURL(/role=finance_ops/);
  const unfiltered = page.waitForRequest(/api\/v1\/cases\?(?!.*ownerRole)/);
  await page.goBack();
  await unfiltered;
  await page.getByRole('button', { name: /^All roles/, pressed: true }).waitFor();
  await page.goto(`${server.url}#/cases?role=finance_ops`);
  await page.getByRole('button', { name: /^Finance operations/, pressed: true }).waitFor();
  await context.close();
});

test('nothing to show, nothing found, and a host that does not answer are said', async () => {
  const empty = () => ({ items: [], next: null });
  const { page, context } = await open({ session: answers.session ?? empty, runs: empty, deals: empty });
  await visit(page, {
    path: '/runs',
    shows: 'No run matches. A run begins when a deal is won, or another event arrives.',
  });
  await visit(page, { path: '/deals?q=4711', shows: 'No deal is known by “4711”.' });
  await visit(page, { path: '/runs/run_none', shows: 'There is no such page, or no such record any more.' });
  await page.unrouteAll();
  await page.route(`${server.url}api/**`, (route) => route.abort());
  await visit(page, {
    path: '/systems',
    shows: 'Node-RED does not answer. It may be restarting; this page tries again.',
  });
  await context.close();
});

test('the page speaks the language of the browser, and the one that was chosen', async () => {
  const { page, context } = await open(answers, { locale: 'de-DE' });
  await visit(page, { path: '/cases', shows: 'Alle Rollen' });
  expect(await page.locator('html').getAttribute('lang')).toBe('de');
  await page.getByText('126.447,50 USD').waitFor();
  await page.getByRole('button', { name: 'Benutzer und Sprache' }).click();
  await page.getByText('English').click();
  await page.getByText('All roles').waitFor();
  await context.close();
});

test('the first field of a dialog has the keyboard at once, and keeps what is typed into the next one', async () => {
  const { page, context } = await open();
  const typed = async (dialog: Locator) =>
    dialog
      .locator('input, textarea:not([aria-hidden])')
      .evaluateAll((fields) => fields.map((field) => (field as HTMLInputElement).value));
  await visit(page, PAGES.case);
  await page.getByRole('button', { name: 'More' }).click();
  await page.getByText('Complete by hand', { exact: true }).click();
  const byHand = page.getByRole('dialog', { name: 'Complete by hand' });
  await byHand.waitFor();
  expect(await byHand.locator('input:focus').count()).toBe(1);
  await page.keyboard.type('4711');
  await page.keyboard.press('Tab');
  // Slowly enough for a focus that comes late to take the rest.
  await page.keyboard.type('made at the screen of the vendor', { delay: 25 });
  expect(await typed(byHand)).toEqual(['4711', 'made at the screen of the vendor']);

  await page.keyboard.press('Escape');
  await byHand.waitFor({ state: 'hidden' });
  await visit(page, { path: '/runs/run_1', shows: 'Records in the systems' });
  await page.getByRole('button', { name: 'Retry', exact: true }).click();
  const retry = page.getByRole('dialog', { name: 'Retry this run' });
  await retry.waitFor();
  expect(await retry.locator('textarea:focus').count()).toBe(1);
  await context.close();
});

test('a token is made, its secret shown once, and revoked', async () => {
  const { page, context } = await open();
  await visit(page, PAGES.tokens);
  await page.route(`${server.url}api/v1/tokens`, (route) =>
    route.request().method() === 'POST'
      ? route.fulfill({ status: 201, json: { secret: 'q2c_secret' } })
      : route.fallback(),
  );
  await page.getByRole('button', { name: 'Make a token' }).click();
  const dialog = page.getByRole('dialog');
  expect(await dialog.getByRole('button', { name: 'Make a token' }).isDisabled()).toBe(true);
  await page.keyboard.type('status bot');
  await dialog.getByLabel('Status of deals').check();
  await dialog.getByLabel('Valid until').fill('2027-01-31');
  if (screenshots) await page.screenshot({ path: join(screenshots, 'console-new-token.png') });
  expect(await seriousFindings(page)).toEqual([]);
  const sent = page.waitForRequest((request) => request.method() === 'POST');
  await dialog.getByRole('button', { name: 'Make a token' }).click();
  expect((await sent).postDataJSON()).toEqual({
    name: 'status bot',
    scopes: ['deal_status'],
    // The end of that day in Berlin.
    expiresAt: '2027-01-31T22:59:59.000Z',
  });
  await page.getByText('q2c_secret').waitFor();
  await page.getByRole('button', { name: 'I have kept it' }).click();
  await page.getByText('q2c_secret').waitFor({ state: 'detached' });

  await page.getByRole('button', { name: 'Revoke: customer portal' }).click();
  const revoked = page.waitForRequest((request) => request.method() === 'DELETE');
  await dialog.getByRole('button', { name: 'Revoke' }).click();
  expect((await revoked).url()).toMatch(/tokens\/01J90$/);
  await context.close();
});

test('who may not make tokens is told so, and asks for none', async () => {
  const reader = () => ({
    ...fixtures.session,
    permissions: { ...fixtures.session.permissions, write: false },
  });
  const { page, context, errors } = await open({
    ...answers,
    session: reader,
    tokens: () => ({ wrong: true }),
  });
  await visit(page, { path: '/tokens', shows: 'Your user may not see or make tokens.' });
  expect(await page.getByRole('button', { name: 'Make a token' }).count()).toBe(0);
  await visit(page, PAGES.systems);
  expect(await page.getByRole('link', { name: 'Access for programs' }).count()).toBe(0);
  expect(errors).toEqual([]);
  await context.close();
});

test('an undo that has stopped is settled from the run and from the case', async () => {
  const asked = { ...fixtures.caseView(), code: 'COMPENSATION_FAILED', stepKey: 'run:0:undo' };
  const view = () => ({ ...asked, actions: ['comment', 'settle_undo', 'cancel'] });
  const { page, context } = await open({ ...answers, 'cases/:id': view });
  for (const place of [PAGES.stuckUndo, { path: '/cases/exc_1', shows: 'What waits behind it' }]) {
    await visit(page, place);
    await page.getByRole('button', { name: 'Settle the undo' }).click();
    const dialog = page.getByRole('dialog', { name: 'Settle the undo' });
    await dialog.getByLabel(/^is removed/).check();
    await dialog.getByLabel('Reason').fill('Deleted in NetSuite');
    expect(await seriousFindings(page)).toEqual([]);
    const sent = page.waitForRequest(/settle-undo$/);
    await dialog.getByRole('button', { name: 'Settle the undo' }).click();
    const request = await sent;
    expect(request.url()).toMatch(/steps\/run%3A0%3Aundo\/settle-undo$/);
    expect(request.postDataJSON()).toEqual({ outcome: 'removed', reason: 'Deleted in NetSuite' });
    await page.getByRole('alert').getByText('There is no such record. (RECORD_UNKNOWN)').waitFor();
  }
  await context.close();
});

test('work on many cases is shown again to whoever comes back, until it has ended', async () => {
  const job = {
    id: 'bulk_1',
    action: 'assign',
    actor: 'fiona',
    reason: 'r',
    state: 'running',
    endedAt: null,
  };
  const figures = {
    total: 40,
    done: 30,
    failed: 1,
    underWay: 0,
    pendingApproval: 2,
    passedOver: 3,
    lastError: null,
  };
  let endedAt: string | null = null;
  const { page, context } = await open({
    ...answers,
    bulk: () => [{ ...job, ...figures }],
    'bulk/:id': () => ({ ...job, ...figures, endedAt }),
  });
  await visit(page, PAGES.cases);
  await page.getByText(/36 of 40 done.*2 wait for approval.*3 passed over.*1 failed/).waitFor();
  await page.getByRole('button', { name: 'Stop' }).waitFor();
  endedAt = new Date().toISOString();
  await page.getByRole('button', { name: 'Close' }).click();
  await page.getByText(/36 of 40 done/).waitFor({ state: 'detached' });
  await context.close();
});

test('a correction shows what it changes and sends only that', async () => {
  const { page, context } = await open();
  await visit(page, PAGES.case);
  await page.getByRole('button', { name: 'Correct and retry' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByRole('textbox', { name: 'creditLimit' }).fill('many');
  await dialog.getByText('A number is needed').waitFor();
  await dialog.getByRole('textbox', { name: 'creditLimit' }).fill('60000');
  await dialog.getByRole('textbox', { name: 'defaultAddress.city' }).fill('Munich');
  await dialog.getByLabel('Reason').fill('As in the contract');
  if (screenshots) await page.screenshot({ path: join(screenshots, 'console-correct.png') });
  expect(await seriousFindings(page)).toEqual([]);
  const sent = page.waitForRequest(/act$/);
  await dialog.getByRole('button', { name: 'Send corrected content' }).click();
  const request = await sent;
  expect(request.postDataJSON()).toEqual({
    request: {
      action: 'correct',
      correction: { patch: { creditLimit: 60000, defaultAddress: { city: 'Munich' } } },
    },
    reason: 'As in the contract',
  });
  expect(request.headers()['if-match']).toBe('"3"');
  // Refused here, so it is said, and what was written is still there.
  await page.getByRole('alert').getByText('There is no such record. (RECORD_UNKNOWN)').waitFor();
  await dialog.getByLabel('Reason').waitFor();
  await context.close();
});
