import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { type Browser, chromium, type Locator, type Page } from 'playwright-core';
import type { FlowNode } from './host';

/** The editor's global, for functions that run in the page. */
declare const RED: {
  nodes: { node(id: string): unknown; getType(type: string): { oneditprepare?: (this: unknown) => void } };
  editor: {
    edit(node: unknown): void;
    editConfig(name: string, type: string, id: string): void;
  };
};

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

/** Folder for screenshots; none are taken without it. */
const screenshots = process.env.Q2C_SCREENSHOTS;

/** A headless Chromium of the machine (`Q2C_CHROMIUM` names another one). */
export async function launchBrowser(): Promise<Browser> {
  if (!existsSync(executablePath)) {
    throw new Error(`${executablePath} is not there: install Chromium or set Q2C_CHROMIUM`);
  }
  return chromium.launch({ executablePath, headless: true, args });
}

export interface EditorOptions {
  theme?: 'light' | 'dark';
  viewport?: { width: number; height: number };
  /** Of the browser; it chooses the texts. */
  locale?: string;
}

/** The editor of a host, in a window of its own. */
export class Editor {
  private constructor(
    readonly page: Page,
    /** Uncaught errors and console errors of the page so far. */
    readonly errors: string[],
  ) {}

  /** Opens the editor and waits until its flows are drawn. */
  static async open(
    browser: Browser,
    url: string,
    { theme = 'light', viewport = { width: 1400, height: 1000 }, locale = 'en-US' }: EditorOptions = {},
  ): Promise<Editor> {
    const context = await browser.newContext({ locale, viewport });
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
    return new Editor(page, errors);
  }

  close(): Promise<void> {
    return this.page.context().close();
  }

  /**
   * Opens the form of a node or configuration node and waits until it is filled and has stopped moving. The editor fills
   * it when it has asked the host for credentials, which is after its buttons are there.
   */
  async openForm({ id, type, z }: FlowNode): Promise<void> {
    const config = z === undefined || z === '';
    await this.page.evaluate((name) => {
      const page = window as { isFormFilled?: boolean };
      const definition = RED.nodes.getType(name);
      const fill = definition.oneditprepare;
      page.isFormFilled = fill === undefined;
      if (fill === undefined) return;
      definition.oneditprepare = function () {
        definition.oneditprepare = fill;
        fill.call(this);
        page.isFormFilled = true;
      };
    }, type);
    if (config) await this.page.evaluate(([t, i]) => RED.editor.editConfig('', t, i), [type, id] as const);
    else await this.page.evaluate((node) => RED.editor.edit(RED.nodes.node(node)), id);
    await this.doneButton().waitFor();
    await this.page.waitForFunction('isFormFilled');
    // An animation that is cancelled has stopped too.
    await this.tray().evaluate(async (tray) => {
      await Promise.allSettled(tray.getAnimations().map((a) => a.finished));
    });
  }

  /** Closes the open form with its own button, as a user does who is content with it. */
  async saveForm(): Promise<void> {
    const button = this.doneButton();
    await button.click();
    await button.waitFor({ state: 'detached' });
  }

  tray(): Locator {
    return this.page.locator('.red-ui-tray').last();
  }

  private doneButton(): Locator {
    return this.page.locator('#node-dialog-ok, #node-config-dialog-ok');
  }

  /** Properties of the open form that are marked as wrong. */
  invalidInputs(): Promise<string[]> {
    return this.page
      .locator('.red-ui-tray .input-error')
      .evaluateAll((inputs) => inputs.map(({ id }) => id.replace(/^node-(config-)?input-/, '')));
  }

  /** Presses Deploy and waits until the host has the flows. */
  async deploy(): Promise<void> {
    await this.page.locator('#red-ui-header-button-deploy').click();
    await this.page.waitForFunction('!RED.nodes.dirty()');
  }

  async screenshot(name: string): Promise<void> {
    if (screenshots) await this.page.screenshot({ path: join(screenshots, `${name}.png`) });
  }
}
