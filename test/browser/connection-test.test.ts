import type { Browser, Page } from 'playwright-core';
import { type RunningSimulator, startSimulator } from '../../simulator';
import { Editor, launchBrowser } from '../support/browser';
import { type FlowNode, Host } from '../support/host';
import { VendorControl } from '../support/vendors';

/**
 * "Test connection" as an administrator meets it: a wrong secret, a missing permission and a missing custom field, each seen
 * in the form with what to do. The connection points to a sandbox, which the simulated vendor plays in a process of its own.
 */

let simulator: RunningSimulator;
let vendor: VendorControl;
let host: Host;
let browser: Browser;

beforeAll(async () => {
  [simulator, host, browser] = await Promise.all([
    startSimulator({ port: 0 }),
    Host.start(),
    launchBrowser(),
  ]);
  vendor = new VendorControl(simulator.url);
}, 180_000);

afterAll(async () => {
  await browser?.close();
  await host?.dispose();
  await simulator?.close();
});

afterEach(() => vendor.control('DELETE', 'salesforce/access'));

/** Deploys a connection of its own for each test, with other credentials if wanted. */
async function deployed(id: string, secrets: Record<string, string> = {}): Promise<FlowNode> {
  const credentials = simulator.systems.salesforce?.credentials['client-credentials'] ?? {};
  const { host: address = '', clientId = '', clientSecret = '' } = credentials;
  const node = {
    id,
    type: 'q2c-salesforce-connection',
    name: '',
    environment: 'sandbox',
    auth: 'client-credentials',
    host: address,
    apiVersion: '66.0',
    externalIdField: 'Q2C_External_Id__c',
    countryFormat: 'code',
    pollOverlapMinutes: '5',
    credentials: { clientId, clientSecret, ...secrets },
  };
  await host.deploy([{ id: 'tab', type: 'tab', label: 'Connections' }, node]);
  return node;
}

class Form {
  private constructor(
    readonly editor: Editor,
    readonly page: Page,
  ) {}

  static async open(node: FlowNode, options?: Parameters<typeof Editor.open>[2]): Promise<Form> {
    const editor = await Editor.open(browser, host.url, options);
    await editor.openForm(node);
    return new Form(editor, editor.page);
  }

  /** Presses the button and waits for the sum. */
  async test(): Promise<void> {
    await this.page.locator('#q2c-test').click();
    await this.page.locator('.q2c-sum', { hasText: /^\D*\d+.*\d+.*\d+/ }).waitFor();
  }

  async lines(state: string): Promise<string[]> {
    const texts = await this.page.locator(`#q2c-checks li[data-state="${state}"]`).allTextContents();
    return texts.map((text) => text.trim());
  }

  async close(name: string): Promise<void> {
    await this.page.locator('#q2c-checks').scrollIntoViewIfNeeded();
    await this.editor.screenshot(name);
    expect(this.editor.errors).toEqual([]);
    await this.editor.close();
  }
}

test('a connection that is set up passes line by line', async () => {
  const form = await Form.open(await deployed('good'));
  await form.test();
  expect(await form.lines('failed')).toEqual([]);
  expect(await form.lines('unchecked')).toEqual([]);
  expect((await form.lines('ok')).slice(0, 5)).toEqual([
    expect.stringMatching(/^Host 127\.0\.0\.1:\d+$/),
    'Clock of this machine',
    'API version 66.0',
    'Sign-in',
    'Access to the API',
  ]);
  expect(await form.page.locator('.q2c-sum').textContent()).toMatch(/^\d+ ok, 0 failed, 0 not checked$/);
  await form.close('test-passed');
}, 60_000);

test('a wrong secret is seen in the form with what to do, and never shown', async () => {
  const form = await Form.open(await deployed('secret', { clientSecret: 'not-the-secret' }));
  await form.test();
  expect(await form.lines('failed')).toEqual([
    'Sign-in: The secret is wrong: invalid client credentials.Copy “Consumer secret” from the vendor again, enter it here and deploy.',
  ]);
  const [next] = await form.lines('unchecked');
  expect(next).toBe('Access to the API: Not tried, because a line above has failed.');
  expect(await form.page.content()).not.toContain('not-the-secret');
  await form.close('test-wrong-secret');
}, 60_000);

test('a missing permission on an object', async () => {
  await vendor.control('POST', 'salesforce/access', { object: 'Account', rights: ['read', 'update'] });
  const form = await Form.open(await deployed('permission'));
  await form.test();
  expect(await form.lines('failed')).toEqual([
    'Rights on Account: The user may not create Account.Give the right to create: Permission set > Object Settings > Accounts.',
  ]);
  await form.close('test-missing-permission');
}, 60_000);

test('a missing custom field, in the language of the editor', async () => {
  const hiddenFields = ['Q2C_External_Id__c'];
  await vendor.control('POST', 'salesforce/access', { object: 'Contact', hiddenFields });
  const node = await deployed('field');
  const form = await Form.open(node, { theme: 'dark', viewport: { width: 900, height: 900 } });
  await form.test();
  expect(await form.lines('failed')).toEqual([
    'Custom fields of Contact: Contact has no field Q2C_External_Id__c, or the user may not see it.Create it as Text(80), External ID, Unique and give the user access to it.',
  ]);
  await form.close('test-missing-field');

  const german = await Form.open(node, { locale: 'de' });
  await german.test();
  expect(await german.lines('failed')).toEqual([
    'Eigene Felder von Contact: Contact hat kein Feld Q2C_External_Id__c, oder der Benutzer sieht es nicht.Legen Sie es als Text(80), External ID, Unique an und geben Sie dem Benutzer Zugriff darauf.',
  ]);
  await german.close('test-missing-field-de');
}, 90_000);

test('a host that nobody answers on', async () => {
  const node = { ...(await deployed('host')), host: 'http://127.0.0.1:9' };
  await host.deploy([{ id: 'tab', type: 'tab', label: 'Connections' }, node]);
  const form = await Form.open(node);
  await form.test();
  expect(await form.lines('failed')).toEqual([
    'Host 127.0.0.1:9: The host is there, but refuses the connection.Check address and port, and whether a firewall lets this machine out.',
  ]);
  await form.close('test-no-host');
}, 60_000);

test('a test shows its progress, and ends when it is cancelled', async () => {
  const node = await deployed('slow');
  await vendor.fault('salesforce', {
    kind: 'latency',
    ms: 60_000,
    match: { path: 'Opportunity/describe' },
    times: 1,
  });
  const form = await Form.open(node);
  await form.page.locator('#q2c-test').click();
  // Lines before the slow one are answered while it is waited for.
  await form.page.locator('#q2c-checks li[data-state="ok"]').nth(4).waitFor();
  expect((await form.lines('waiting'))[0]).toBe('Rights on Opportunity');
  await form.editor.screenshot('test-running');
  await form.page.locator('#q2c-test-cancel').click();
  await form.page.locator('.q2c-sum', { hasText: '5 ok, 0 failed' }).waitFor();
  expect(await form.lines('waiting')).toEqual([]);
  expect(await form.page.locator('#q2c-test').isEnabled()).toBe(true);
  await vendor.removeFaults();
  await form.test();
  expect(await form.lines('failed')).toEqual([]);
  await form.close('test-again');
}, 60_000);

test('what an administrator prepares is in the form, with its names to copy and its metadata', async () => {
  const form = await Form.open(await deployed('prepare'));
  const { page } = form;
  const section = page.locator('.q2c-tenant');
  await section.locator('summary').click();
  expect(await section.locator('summary').textContent()).toBe('Prepare Salesforce');
  await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
  await section.locator('[data-q2c-copy="Q2C_Tax_Registration__c"]').click();
  expect(await page.evaluate('navigator.clipboard.readText()')).toBe('Q2C_Tax_Registration__c');
  const link = await section.locator('a[download]').getAttribute('href');
  const archive = await page.request.get(new URL(link ?? '', `${host.url}/`).href);
  expect([archive.status(), (await archive.body()).subarray(0, 2).toString()]).toEqual([200, 'PK']);
  await form.close('test-prepare');
}, 60_000);
