/**
 * `npm run bench:pages`: how long each page of the console takes on a real host whose store has years of work in it,
 * from the click on its address until its content is on screen. The first visit is that of a browser that has never
 * been there, to a host that has just started.
 */
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { Browser, Page } from 'playwright-core';
import { openSqliteStore, type Store } from '../lib/store';
import { launchBrowser } from '../test/support/browser';
import { fillStore } from '../test/support/full-store';
import { Host } from '../test/support/host';
import { makeUserDir } from '../test/support/pack';
import { templateFlow } from '../test/support/world';

const { values } = parseArgs({
  options: {
    runs: { type: 'string', default: '100000' },
    cases: { type: 'string', default: '5000' },
    times: { type: 'string', default: '5' },
  },
});
const times = Number(values.times);

/** What is there when a page is: `:run` and others stand for ids of the store. */
const PAGES: Record<string, { path: string; shows: string }> = {
  overview: { path: '/', shows: '.queue' },
  deals: { path: '/deals', shows: '[data-row]' },
  'deals, searched': { path: '/deals?q=alpine', shows: '[data-row]' },
  deal: { path: '/deals/:deal', shows: '.facts, .stack .panel' },
  runs: { path: '/runs', shows: '[data-row]' },
  'runs, stopped': { path: '/runs?state=failed', shows: '[data-row]' },
  run: { path: '/runs/:run', shows: '.facts' },
  cases: { path: '/cases', shows: '[data-row]' },
  'cases, by cause': { path: '/cases?view=causes', shows: '.cause' },
  case: { path: '/cases/:case', shows: '.facts' },
  work: { path: '/work', shows: '[data-row]' },
  'work, open cases': { path: '/work?list=open_cases', shows: '[data-row]' },
  systems: { path: '/systems', shows: '.systems' },
  tokens: { path: '/tokens', shows: '.head ~ .empty, .tokens' },
  audit: { path: '/audit', shows: '[data-row]' },
};

type Ids = Record<'deal' | 'run' | 'case', string>;

async function main(): Promise<void> {
  const userDir = await makeUserDir();
  const folder = join(userDir, 'quote-to-cash');
  await mkdir(folder, { recursive: true });
  const store = await openSqliteStore(join(folder, 'q2c.db'));
  await fillStore(store, { runs: Number(values.runs), cases: Number(values.cases) });
  const ids = await someIds(store);
  await store.close();

  const browser = await launchBrowser();
  try {
    const rows: string[] = [];
    for (const [name, { path, shows }] of Object.entries(PAGES)) {
      const address = path.replace(/:(\w+)/, (_, id: keyof Ids) => ids[id]);
      rows.push(await measured(browser, userDir, name, address, shows));
      console.log(rows.at(-1));
    }
    console.log(`\n| page | first visit | best | median of ${times} |\n| --- | --- | --- | --- |`);
    console.log(rows.join('\n'));
  } finally {
    await browser.close();
    await rm(userDir, { recursive: true, force: true });
  }
}

async function someIds({ db }: Store): Promise<Ids> {
  const found = await db
    .selectFrom('exception_case')
    .select(['id', 'run_id', 'correlation_id'])
    .orderBy('id', 'desc')
    .limit(1)
    .executeTakeFirstOrThrow();
  return { case: found.id, run: found.run_id, deal: found.correlation_id };
}

/** A host of its own for each page: what one has read is not there for the next. */
async function measured(
  browser: Browser,
  userDir: string,
  name: string,
  path: string,
  shows: string,
): Promise<string> {
  // Nothing of the template flow may begin to work.
  const flow = templateFlow().filter(({ type }) => type !== 'q2c-salesforce-events');
  const host = await Host.start({ userDir, flow });
  try {
    const context = await browser.newContext({ viewport: { width: 1280, height: 860 } });
    const page = await context.newPage();
    await page.goto(`${host.url}/q2c/#/nowhere`);
    await page.getByRole('heading', { level: 1 }).or(page.locator('.empty')).first().waitFor();
    const first = await visit(page, path, shows);
    const later: number[] = [];
    for (let time = 0; time < times; time++) {
      await visit(page, '/nowhere', '.empty');
      later.push(await visit(page, path, shows));
    }
    await context.close();
    const [best = 0] = later.sort((a, b) => a - b);
    const median = later[Math.floor(later.length / 2)] ?? 0;
    return `| ${name} | ${first.toFixed(0)} ms | ${best.toFixed(0)} ms | ${median.toFixed(0)} ms |`;
  } finally {
    await host.stop();
  }
}

/** Within the page, so that nothing of the way to the browser counts. */
function visit(page: Page, path: string, shows: string): Promise<number> {
  return page.evaluate(
    ([address, selector]) =>
      new Promise<number>((resolve) => {
        const began = performance.now();
        const look = () => {
          const main = document.getElementById('content');
          if (location.hash === `#${address}` && main?.querySelector(selector) != null)
            requestAnimationFrame(() => resolve(performance.now() - began));
          else requestAnimationFrame(look);
        };
        location.hash = address;
        // The page before may show the same kind of thing.
        requestAnimationFrame(() => requestAnimationFrame(look));
      }),
    [path, shows] as const,
  );
}

void main();
