import { existsSync } from 'node:fs';
import { type Browser, chromium, type Page } from 'playwright-core';

const executablePath = process.env.Q2C_CHROMIUM ?? '/usr/bin/chromium';

const args = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** A headless Chromium of the machine (`Q2C_CHROMIUM` names another one). */
export async function launchBrowser(): Promise<Browser> {
  if (!existsSync(executablePath)) {
    throw new Error(`${executablePath} is not there: install Chromium or set Q2C_CHROMIUM`);
  }
  return chromium.launch({ executablePath, headless: true, args });
}

export interface EditorPage {
  page: Page;
  /** Uncaught errors and console errors of the page so far. */
  errors: string[];
}

/** Opens the editor of a host in English and waits until its flows are drawn. */
export async function openEditor(
  browser: Browser,
  url: string,
  theme: 'light' | 'dark',
): Promise<EditorPage> {
  const context = await browser.newContext({ locale: 'en-US', viewport: { width: 1400, height: 1000 } });
  await context.addInitScript((value) => localStorage.setItem('view-dark-theme', value), theme);
  const page = await context.newPage();
  const errors: string[] = [];
  page.on('pageerror', (error) => errors.push(error.stack ?? error.message));
  page.on('console', (message) => {
    if (message.type() === 'error') errors.push(message.text());
  });
  await page.goto(url);
  await page.locator('#red-ui-loading-progress').waitFor({ state: 'hidden' });
  await page.waitForFunction('RED.workspaces.count() > 0');
  return { page, errors };
}
