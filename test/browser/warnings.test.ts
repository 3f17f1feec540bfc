import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { Editor, launchBrowser } from '../support/browser';
import { type FlowNode, Host } from '../support/host';

/** Forms warn of risky set-ups, and leave the flow deployable. */

let host: Host;
let browser: Browser;
let editor: Editor;
let page: Page;

const connection = (id: string, environment: string, name: string): FlowNode => ({
  id,
  type: 'q2c-salesforce-connection',
  name,
  environment,
  auth: 'client-credentials',
  host: 'acme.my.salesforce.com',
  apiVersion: '66.0',
  externalIdField: 'Q2C_External_Id__c',
  countryFormat: 'name',
  pollOverlapMinutes: '5',
  credentials: { clientId: 'id', clientSecret: 'secret' },
});

const store = (path = '', lookups = true): FlowNode => ({
  id: 'store',
  type: 'q2c-store',
  name: '',
  kind: 'sqlite',
  path,
  tenant: 'main',
  lookups,
});

const plan: FlowNode = {
  id: 'plan',
  type: 'q2c-plan',
  z: 'tab',
  name: '',
  store: 'store',
  firm: '',
  x: 200,
  y: 80,
  wires: [[]],
};

const read: FlowNode = {
  id: 'read',
  type: 'q2c-salesforce',
  z: 'tab',
  name: '',
  connection: 'real',
  store: 'store',
  firm: '',
  entity: 'deal',
  verb: 'read',
  input: 'payload',
  inputType: 'msg',
  x: 200,
  y: 160,
  wires: [[]],
};

const catcher: FlowNode = {
  id: 'catch',
  type: 'catch',
  z: 'tab',
  name: '',
  scope: null,
  x: 200,
  y: 240,
  wires: [[]],
};

const tab: FlowNode = { id: 'tab', type: 'tab', label: 'Deals' };

beforeAll(async () => {
  [host, browser] = await Promise.all([Host.start({ env: { NODE_ENV: 'production' } }), launchBrowser()]);
}, 180_000);

afterEach(async () => {
  expect(editor.errors).toEqual([]);
  await editor.close();
});

afterAll(async () => {
  await browser?.close();
  await host?.dispose();
});

async function open(flows: FlowNode[], id: string): Promise<void> {
  await host.deploy(flows);
  editor = await Editor.open(browser, host.url);
  page = editor.page;
  const node = flows.find((candidate) => candidate.id === id);
  if (node === undefined) throw new Error(`${id} is not in the flow`);
  // What the host knows comes a moment after the form.
  const told = page.waitForResponse((response) => response.url().endsWith('/q2c/setup'));
  await editor.openForm(node);
  await told;
}

const keys = () =>
  page
    .locator('.red-ui-tray [data-q2c-warning]')
    .evaluateAll((tips) => tips.map((tip) => tip.getAttribute('data-q2c-warning')));

const expectWarnings = async (...wanted: string[]) => {
  await expect(until(async () => (await keys()).join() === wanted.join())).resolves.toBe(true);
};

/** The page shows it a moment after its answer. */
async function until(holds: () => Promise<boolean>): Promise<boolean> {
  for (let attempt = 0; attempt < 100; attempt++) {
    if (await holds()) return true;
    await page.evaluate(() => new Promise((resolve) => requestAnimationFrame(resolve)));
  }
  throw new Error(`the form shows ${await keys()}`);
}

test('no store, and no Catch node that takes the errors of the node', async () => {
  await open([tab, store(), { ...plan, store: '' }], 'plan');
  await expectWarnings('noStore', 'noCatch');
  await editor.screenshot('warnings-plan');
  await page.locator('#node-input-store').selectOption('store');
  await expectWarnings('noCatch');
}, 60_000);

test('a Catch node for other nodes, or one that is off, is none', async () => {
  const others = { ...catcher, scope: ['read'] };
  await open([tab, store(), plan, others, { ...catcher, id: 'off', d: true }], 'plan');
  await expectWarnings('noCatch');
  await editor.close();
  await open([tab, store(), plan, catcher], 'plan');
  await expectWarnings();
}, 60_000);

test('simulator beside production, on a production host', async () => {
  const connections = [
    connection('real', 'production', 'Live CRM'),
    connection('toy', 'simulator', 'Toy CRM'),
  ];
  await open([tab, store(), ...connections, read, catcher], 'toy');
  await expectWarnings('simulatorBesideProduction', 'simulatorOnProductionHost');
  const first = page.locator('[data-q2c-warning="simulatorBesideProduction"]');
  expect(await first.textContent()).toContain('but Live CRM to production');
  await editor.screenshot('warnings-connection');
  await page.locator('#node-config-input-environment').selectOption('sandbox');
  await expectWarnings();
  await editor.close();
  await open([tab, store(), ...connections, read, catcher], 'read');
  await expectWarnings('productionBesideSimulator');
}, 60_000);

test('production and a store that forgets', async () => {
  await open([tab, store(':memory:', false), connection('real', 'production', 'Live CRM')], 'store');
  await expectWarnings('memoryStore');
  await page.locator('#node-config-input-path').fill('kept.db');
  await expectWarnings();
  await editor.close();
  await open([tab, store(':memory:', false), connection('real', 'production', 'Live CRM')], 'real');
  await expectWarnings('productionInMemory');
}, 60_000);

test('lookups without a token, and a folder that cannot be written to', async () => {
  await open([tab, store()], 'store');
  await expectWarnings('noToken');
  await editor.close();
  await open([tab, store(join(host.userDir, 'package.json/below/q2c.db'), false)], 'store');
  await expectWarnings('readOnlyFolder');
  await editor.screenshot('warnings-store');
}, 60_000);

test('what is risky can be deployed without a question', async () => {
  const risky = [
    tab,
    store(':memory:'),
    connection('toy', 'simulator', ''),
    connection('real', 'production', ''),
  ];
  await open([...risky, { ...read, connection: 'toy' }], 'read');
  await expectWarnings('noCatch', 'simulatorBesideProduction', 'simulatorOnProductionHost');
  await page.locator('#node-input-name').fill('Renamed');
  await editor.saveForm();
  await editor.deploy();
  expect((await host.flows()).find(({ id }) => id === 'read')).toMatchObject({ name: 'Renamed' });
}, 60_000);
