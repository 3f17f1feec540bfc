import type { Browser, Locator, Page } from 'playwright-core';
import { PASSWORD } from './admin-users';

/** The console of a real host, as its users see it. */

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
