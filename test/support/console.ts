import { createRequire } from 'node:module';
import { join } from 'node:path';
import type { Browser, Locator, Page } from 'playwright-core';

/** The console of a real host, as its users see it. */

interface Bcrypt {
  hashSync(text: string, rounds: number): string;
}
/** A part of Node-RED. It brings no types. */
const bcrypt: Bcrypt = createRequire(join(__dirname, '../../package.json'))('bcryptjs');

const PASSWORD = 'correct horse';

/** The setting of Node-RED for these users, by name. */
export const adminAuth = (permissions: Readonly<Record<string, string | string[]>>) => ({
  type: 'credentials',
  users: Object.entries(permissions).map(([username, granted]) => ({
    username,
    password: bcrypt.hashSync(PASSWORD, 4),
    permissions: granted,
  })),
});

/** A token of the user for requests beside the browser. */
export async function tokenOf(root: string, username: string): Promise<string> {
  const body = {
    client_id: 'node-red-editor',
    grant_type: 'password',
    scope: '',
    username,
    password: PASSWORD,
  };
  const response = await fetch(`${root}/auth/token`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify(body),
  });
  if (!response.ok) throw new Error(`${username} may not log in: ${response.status}`);
  return ((await response.json()) as { access_token: string }).access_token;
}

/** A window of its own of one user, logged in through the form of the console. */
export class ConsoleUser {
  private constructor(
    readonly page: Page,
    private readonly url: string,
    /** Uncaught errors of the page so far. */
    readonly errors: string[],
  ) {}

  static async logIn(browser: Browser, root: string, username: string): Promise<ConsoleUser> {
    const context = await browser.newContext({ locale: 'en-GB', viewport: { width: 1280, height: 900 } });
    const page = await context.newPage();
    const errors: string[] = [];
    page.on('pageerror', (error) => errors.push(error.stack ?? error.message));
    const url = `${root}/q2c/`;
    await page.goto(url);
    await page.getByLabel('User name').fill(username);
    await page.getByLabel('Password').fill(PASSWORD);
    await page.getByRole('button', { name: 'Log in' }).click();
    await page.getByRole('navigation', { name: 'Pages' }).waitFor();
    return new ConsoleUser(page, url, errors);
  }

  /** Opens a page by its address, as from a link in a mail. */
  async visit(path: string): Promise<void> {
    await this.page.goto(`${this.url}#${path}`);
  }

  button(name: string): Locator {
    return this.page.getByRole('button', { name, exact: true });
  }

  dialog(): Locator {
    return this.page.getByRole('dialog');
  }

  /** Does an action of the case or run on screen that asks for nothing but a reason. */
  async act(action: string, reason: string): Promise<void> {
    await this.button(action).click();
    await this.dialog().getByLabel('Reason').fill(reason);
    await this.dialog().getByRole('button', { name: action, exact: true }).click();
    await this.dialog().waitFor({ state: 'hidden' });
  }

  close(): Promise<void> {
    return this.page.context().close();
  }
}
