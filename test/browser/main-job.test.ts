import { join } from 'node:path';
import type { Browser, Locator } from 'playwright-core';
import { Editor, launchBrowser } from '../support/browser';
import { type FlowNode, Host } from '../support/host';
import { type ClosedDeal, Simulator } from '../support/vendors';

/** The editor's global, for functions that run in the page. */
declare const RED: {
  nodes: {
    dirty(): boolean;
    eachNode(visit: (node: FlowNode) => void): void;
    eachConfig(visit: (node: FlowNode) => boolean): void;
  };
  sidebar: { show(id: string): void };
  view: { selection(): { nodes?: FlowNode[] } };
};

/** A host that keeps its editor below a path: no address of ours may assume the root. */
const adminRoot = '/red';
/** Where the pictures of the documentation are made again; none are made without `Q2C_PICTURES`. */
const pictures = process.env.Q2C_PICTURES ? join(__dirname, '../../docs/images') : undefined;

let simulator: Simulator;
let host: Host;
let browser: Browser;
let editor: Editor;
let nodes: FlowNode[];

beforeAll(async () => {
  simulator = await Simulator.start();
  const env = { Q2C_SIMULATOR_URL: simulator.url };
  [host, browser] = await Promise.all([
    Host.start({ env, settings: { httpAdminRoot: adminRoot } }),
    launchBrowser(),
  ]);
  // As wide as the flow is, beside the palette and the sidebar.
  const viewport = { width: 1920, height: 1000 };
  editor = await Editor.open(browser, host.url + adminRoot, { viewport });
}, 180_000);

afterEach(async () => {
  expect(editor.errors).toEqual([]);
  expect(await editor.page.locator('.red-ui-notification-error').allTextContents()).toEqual([]);
});

afterAll(async () => {
  await browser?.close();
  await host?.dispose();
  await simulator?.stop();
});

/** The pack's nodes in the editor, in the order in which they were made. */
function ourNodes(): FlowNode[] {
  const found: FlowNode[] = [];
  const take = ({ id, type, z, name }: FlowNode) => {
    if (type.startsWith('q2c-')) found.push({ id, type, z, name });
    return true;
  };
  RED.nodes.eachConfig(take);
  RED.nodes.eachNode(take);
  return found;
}

function nodeCalled(name: string): FlowNode {
  const node = nodes.find((candidate) => candidate.name === name);
  if (!node) throw new Error(`The flow has no node ${name}`);
  return node;
}

/** The line below a node of the flow, once it says this. */
function status(node: FlowNode, text: string): Locator {
  return editor.page.locator(`[id="${node.id}"] .red-ui-flow-node-status-label`, { hasText: text });
}

/** Class of the dot below a node, which names its colour. */
function dotClass(node: FlowNode): Promise<string> {
  return editor.page
    .locator(`[id="${node.id}"] .red-ui-flow-node-status`)
    .evaluate((dot) => dot.getAttribute('class') ?? '');
}

/** What a debug node of this name has put into the debug sidebar. */
function debugMessages(name: string): Locator {
  return editor.page.locator('.red-ui-debug-msg', { hasText: `node: ${name}` });
}

test('the template flow is imported from the menu and deployed', async () => {
  const { page } = editor;
  await page.locator('#red-ui-header-button-sidemenu').click();
  await page.locator('#menu-item-import').click();
  await page.locator('.red-ui-clipboard-dialog-tabs').getByText('Examples').click();
  const library = page.locator('.red-ui-clipboard-dialog-tab-library:visible');
  await library.getByText('@quote-to-cash/node-red').click();
  await library.getByText('1 Closed won to project').click();
  await library.getByText('Closed won to project', { exact: true }).click();
  await page.locator('#red-ui-clipboard-dialog-ok').click();
  await page.locator('.red-ui-tab', { hasText: 'Closed won to project' }).click();
  await editor.deploy();
  await page.locator('.red-ui-notification-success').first().waitFor();
  nodes = await page.evaluate(ourNodes);
  expect(nodes.map(({ type }) => type)).toEqual(expect.arrayContaining(['q2c-firm', 'q2c-plan']));
  await status(nodeCalled('Opportunity won'), '0 accepted').waitFor();
  expect(await dotClass(nodeCalled('Opportunity won'))).toContain('green');
}, 60_000);

test('every form opens and saves without changing anything', async () => {
  for (const node of nodes) {
    await editor.openForm(node);
    expect({ node: node.name, invalid: await editor.invalidInputs() }).toEqual({
      node: node.name,
      invalid: [],
    });
    await editor.saveForm();
  }
  expect(await editor.page.evaluate(() => RED.nodes.dirty())).toBe(false);
}, 120_000);

test.each(['Salesforce', 'NetSuite', 'Kantata'])(
  'the connection to %s tests well',
  async (system) => {
    const { page } = editor;
    await editor.openForm(nodeCalled(system));
    await page.locator('#q2c-test').click();
    await page.locator('#q2c-checks li[data-state="ok"]').first().waitFor();
    await page.locator('#q2c-test:enabled').waitFor();
    // What a vendor does not tell without writing stays unchecked, and says so.
    const wrong = page.locator('#q2c-checks li:is([data-state="failed"], [data-state="waiting"])');
    expect(await wrong.allTextContents()).toEqual([]);
    if (system === 'Salesforce') await picture('form', 6, '.red-ui-tray-header', '#q2c-checks');
    await editor.saveForm();
  },
  60_000,
);

test('a won deal passes every node and arrives in the debug sidebar', async () => {
  const [deal] = await simulator.closeDeals(1);
  await status(nodeCalled('Opportunity won'), '1 accepted').waitFor();
  // What sales are told of a deal that waits is not on its way.
  const onItsWay = ({ name }: FlowNode) => name !== 'Tell sales who it waits for';
  const working = nodes.filter(({ z, type }) => z && !type.endsWith('-events')).filter(onItsWay);
  for (const node of working) await status(node, '1 done').waitFor();
  const message = debugMessages('Provisioned deals');
  await message.locator('.red-ui-debug-msg-object-handle').first().click();
  await message.locator('.red-ui-debug-msg-object-entry', { hasText: 'opportunity:' }).first().click();
  await message
    .getByText(deal?.name ?? 'no deal')
    .first()
    .waitFor();
}, 60_000);

test('a deal without tax registration waits at the check and is told to Catch', async () => {
  const deal = await simulator.control<ClosedDeal>('POST', 'deals', {});
  const opportunities = await simulator.records('salesforce', 'Opportunity');
  const opportunity = opportunities.find(({ id }) => id === deal.opportunityId);
  await simulator.patch('salesforce', 'Account', String(opportunity?.data.AccountId), {
    Q2C_Tax_Registration__c: null,
  });
  await simulator.control('POST', 'deals/close', { key: deal.key });
  await status(nodeCalled('Ready to provision?'), '1 waiting: tax registration missing').waitFor();
  await debugMessages('Cases').getByText('TAX_REGISTRATION_MISSING').waitFor();
  await editor.screenshot('main-job');
  await picture('flow', 16, '.red-ui-flow-group', '.red-ui-flow-node');
}, 60_000);

test('the sidebar shows what is stuck in this flow: a click selects the node, a link opens the case', async () => {
  const { page } = editor;
  await page.evaluate(() => RED.sidebar.show('q2c'));
  const sidebar = page.locator('.q2c-sidebar');
  await sidebar.getByText('Open cases (1)').waitFor();
  // As an English reader writes it.
  await sidebar.getByText(/(EUR|USD|GBP)\s\d{1,3}(,\d{3})*\.\d{2}/).waitFor();
  await sidebar.locator('.q2c-sidebar-select').click();
  const selected = await page.evaluate(() => RED.view.selection().nodes?.map(({ id }) => id));
  expect(selected).toEqual([nodeCalled('Ready to provision?').id]);
  const isTooWide = await sidebar.evaluate((element) => {
    element.style.width = '180px';
    return element.scrollWidth > element.clientWidth;
  });
  expect(isTooWide).toBe(false);
  await editor.screenshot('sidebar');

  const [opened] = await Promise.all([
    page.context().waitForEvent('page'),
    sidebar.getByText('Open the case').click(),
  ]);
  await opened.getByRole('heading', { level: 1 }).getByText('tax registration').waitFor();
  expect(new URL(opened.url()).pathname).toBe(`${adminRoot}/q2c/`);
  if (pictures !== undefined) {
    await opened.setViewportSize({ width: 1280, height: 800 });
    await opened.getByText('Live', { exact: true }).waitFor();
    await opened.screenshot({ path: join(pictures, 'console.png') });
  }
  await opened.close();
}, 60_000);

/** Makes a picture of the documentation: what these elements take up in the window, and a margin. */
async function picture(name: string, margin: number, ...selectors: string[]): Promise<void> {
  if (pictures === undefined) return;
  const { page } = editor;
  // The editor marks what the mouse is over.
  await page.mouse.move(0, 0);
  const boxes = await page
    .locator(selectors.join(', '))
    .evaluateAll((elements) => elements.map((element) => element.getBoundingClientRect()));
  const x = Math.min(...boxes.map(({ left }) => left)) - margin;
  const y = Math.min(...boxes.map(({ top }) => top)) - margin;
  const width = Math.max(...boxes.map(({ right }) => right)) + margin - x;
  const height = Math.max(...boxes.map(({ bottom }) => bottom)) + margin - y;
  await page.screenshot({ path: join(pictures, `${name}.png`), clip: { x, y, width, height } });
}
