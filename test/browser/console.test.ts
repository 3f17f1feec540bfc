import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import type { AxeResults } from 'axe-core';
import type { Browser, Page } from 'playwright-core';
import { launchBrowser } from '../support/browser';
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
  systems: { path: '/systems', shows: 'Kantata production' },
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
