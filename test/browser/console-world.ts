import { once } from 'node:events';
import type { Server } from 'node:http';
import { join } from 'node:path';
import express from 'express';
import type { Browser, BrowserContext, Page, Route } from 'playwright-core';
import { registerConsole } from '../../nodes/_shared/console-page';
import * as fixtures from './console-fixtures';

/** The console on an API of fixtures: pages are served as the host serves them, with their policy; only the data is made up. */

const root = join(__dirname, '../..');

export async function serveConsole(): Promise<{ url: string; close(): Promise<void> }> {
  const app = express();
  registerConsole(app, join(root, 'resources/console'));
  const server: Server = app.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return {
    url: `http://127.0.0.1:${address.port}/q2c/`,
    close: async () => {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}

/** Answers by path below the API's root; `:x` stands for any one part. What is not here is not found. */
export type Answers = Record<string, (query: URLSearchParams) => unknown>;

const paged =
  <T>(items: readonly T[]) =>
  (query: URLSearchParams) => {
    const from = Number(query.get('cursor') ?? 0);
    const to = from + Number(query.get('limit') ?? 50);
    return { items: items.slice(from, to), next: to < items.length ? String(to) : null };
  };

export const answers: Answers = {
  session: () => fixtures.session,
  runs: paged(fixtures.runs),
  'runs/counts': () => ({ completed: 98_123, failed: 412, running: 6, waiting: 40 }),
  'runs/run_stuck': fixtures.stuckRun,
  'runs/:id': fixtures.runReport,
  'steps/:key': fixtures.stepDetail,
  'steps/:key/input': () => fixtures.stepInput,
  cases: paged(fixtures.cases),
  'cases/counts': () => fixtures.counts,
  'cases/groups': () => fixtures.groups(),
  'cases/:id': fixtures.caseView,
  deals: paged(fixtures.deals),
  'deals/:id': fixtures.dealReport,
  systems: () => fixtures.systems,
  audit: paged(fixtures.audit),
  kpis: fixtures.kpis,
  'kpis/work-lists': () => [
    { list: 'awaiting_project', total: 250 },
    { list: 'without_billing', total: 0 },
    { list: 'margin_below_plan', total: 1 },
  ],
  'kpis/work-lists/:list': (query) => ({ ...paged(fixtures.workDeals)(query), total: 250 }),
  'kpis/open-exceptions': () => fixtures.openExceptions,
  tokens: () => fixtures.tokens,
  bulk: () => [],
};

export interface Look {
  theme?: 'light' | 'dark';
  viewport?: { width: number; height: number };
  locale?: string;
}

/** A page of the console, and what went wrong in it so far. */
export async function openConsole(
  browser: Browser,
  url: string,
  given: Answers,
  { theme = 'light', viewport = { width: 1280, height: 900 }, locale = 'en-GB' }: Look = {},
): Promise<{ page: Page; context: BrowserContext; errors: string[] }> {
  const context = await browser.newContext({
    colorScheme: theme,
    viewport,
    locale,
    timezoneId: 'Europe/Berlin',
  });
  const page = await context.newPage();
  const errors: string[] = [];
  page.on('pageerror', (error) => errors.push(error.stack ?? error.message));
  page.on('console', (message) => {
    if (message.type() === 'error') errors.push(message.text());
  });
  await page.route(`${url}api/v1/**`, (route) => answerRoute(route, url, given));
  await page.goto(url);
  // Only then the page follows its address.
  await page.getByRole('heading', { level: 1 }).waitFor();
  return { page, context, errors };
}

async function answerRoute(route: Route, url: string, given: Answers): Promise<void> {
  const { pathname, searchParams } = new URL(route.request().url());
  const path = pathname.slice(new URL(url).pathname.length + 'api/v1/'.length);
  if (path === 'events') {
    // Nothing happens; the page is told so and asks again later.
    await route.fulfill({ contentType: 'text/event-stream', body: ': nothing\n\n' });
    return;
  }
  const found = given[path] ?? given[patternOf(path, given)];
  if (found === undefined) {
    const body = { code: 'RECORD_UNKNOWN', title: 'Record unknown', detail: 'There is no such record.' };
    await route.fulfill({ status: 404, contentType: 'application/problem+json', json: body });
    return;
  }
  await route.fulfill({ json: found(searchParams), headers: { ETag: '"3"' } });
}

function patternOf(path: string, given: Answers): string {
  const parts = path.split('/');
  const fits = (pattern: string): boolean => {
    const others = pattern.split('/');
    return (
      others.length === parts.length &&
      others.every((other, at) => other.startsWith(':') || other === parts[at])
    );
  };
  return Object.keys(given).find(fits) ?? '';
}
