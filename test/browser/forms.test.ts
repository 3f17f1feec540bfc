import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { launchBrowser, openEditor } from '../support/browser';
import { type FlowNode, Host } from '../support/host';

/** The editor's global, for functions that run in the page. */
declare const RED: {
  nodes: {
    registry: { getNodeTypes(): string[] };
    getType(type: string): {
      category: string;
      defaults: Record<string, { value: unknown; type?: string }>;
    };
    node(id: string): Record<string, unknown> & { validationErrors?: string[] };
  };
  editor: {
    edit(node: unknown): void;
    editConfig(name: string, type: string, id: string): void;
  };
};

/** Folder for screenshots of the forms; none are taken without it. */
const screenshots = process.env.Q2C_SCREENSHOTS;

/** What has no default because the user has to choose it. */
const choices: Record<string, Record<string, string>> = {
  'q2c-announce': { eventType: 'q2c.project.provisioned.v1' },
  'q2c-case': { code: 'TAX_REGISTRATION_MISSING' },
};

let host: Host;
let browser: Browser;
let flows: FlowNode[];

beforeAll(async () => {
  [host, browser] = await Promise.all([Host.start(), launchBrowser()]);
  const { page } = await openEditor(browser, host.url, 'light');
  flows = oneOfEach(await page.evaluate(ourTypes));
  await page.context().close();
  await host.deploy(flows);
}, 180_000);

afterAll(async () => {
  await browser?.close();
  await host?.dispose();
});

interface TypeInfo {
  type: string;
  config: boolean;
  defaults: Record<string, { value: unknown; type?: string }>;
}

function ourTypes(): TypeInfo[] {
  const types = RED.nodes.registry.getNodeTypes().filter((type) => type.startsWith('q2c-'));
  return types.map((type) => {
    const { category, defaults } = RED.nodes.getType(type);
    const plain = Object.entries(defaults).map(([name, { value, type: target }]) => [
      name,
      { value, type: target },
    ]);
    return { type, config: category === 'config', defaults: Object.fromEntries(plain) };
  });
}

/** A flow with one node of each type, as it is right after dragging and choosing its configuration nodes. */
function oneOfEach(types: TypeInfo[]): FlowNode[] {
  const nodes = types.map(({ type, config, defaults }, index) => {
    const values = Object.entries(defaults).map(([name, { value, type: target }]) => [name, target ?? value]);
    const place = config ? {} : { z: 'tab', x: 200 + 300 * (index % 3), y: 80 + 40 * index, wires: [[]] };
    return { id: type, type, ...place, ...Object.fromEntries(values), ...choices[type] };
  });
  return [{ id: 'tab', type: 'tab', label: 'All types' }, ...nodes];
}

const isConfig = (node: FlowNode): boolean => node.z === undefined;

async function screenshot(page: Page, name: string): Promise<void> {
  if (screenshots) await page.screenshot({ path: join(screenshots, `${name}.png`) });
}

async function openForm(page: Page, node: FlowNode): Promise<void> {
  if (isConfig(node)) {
    await page.evaluate(({ id, type }) => RED.editor.editConfig('', type, id), node);
    await page.locator('#node-config-dialog-ok').waitFor();
  } else {
    await page.evaluate(({ id }) => RED.editor.edit(RED.nodes.node(id)), node);
    await page.locator('#node-dialog-ok').waitFor();
  }
  await page
    .locator('.red-ui-tray')
    .last()
    .evaluate((tray) => Promise.all(tray.getAnimations().map((a) => a.finished)));
}

function findNode(id: string): FlowNode {
  const node = flows.find((candidate) => candidate.id === id);
  if (!node) throw new Error(`${id} is not in the flow`);
  return node;
}

/** Properties of the open form that are marked as wrong. */
function invalidInputs(page: Page): Promise<string[]> {
  return page
    .locator('.red-ui-tray .input-error[id^=node-]')
    .evaluateAll((inputs) => inputs.map(({ id }) => id.replace(/^node-(config-)?input-/, '')));
}

async function deploy(page: Page): Promise<void> {
  await page.locator('#red-ui-header-button-deploy').click();
  await page.waitForFunction('!RED.nodes.dirty()');
}

async function saveForm(page: Page, node: FlowNode): Promise<void> {
  const button = page.locator(isConfig(node) ? '#node-config-dialog-ok' : '#node-dialog-ok');
  await button.click();
  await button.waitFor({ state: 'detached' });
}

/** A node's values as they would be deployed, and what the editor finds wrong with them. */
function stateOf({ id, ...saved }: FlowNode): { node: FlowNode; validationErrors?: string[] } {
  const node = RED.nodes.node(id);
  const values = Object.keys(saved).map((name) => [name, name === 'wires' ? saved.wires : node[name]]);
  return { node: { id, ...Object.fromEntries(values) }, validationErrors: node.validationErrors };
}

describe.each(['light', 'dark'] as const)('every form in the %s theme', (theme) => {
  test('opens, is valid, saves, and reopens unchanged', async () => {
    const { page, errors } = await openEditor(browser, host.url, theme);
    for (const node of flows.slice(1)) {
      for (const round of ['first', 'again']) {
        await openForm(page, node);
        expect(
          await page.locator('.red-ui-tray .input-error').evaluateAll((inputs) => inputs.map(({ id }) => id)),
        ).toEqual([]);
        if (round === 'first') await screenshot(page, `${theme}-${node.type}`);
        await saveForm(page, node);
        expect(await page.evaluate(stateOf, node)).toEqual({ node, validationErrors: [] });
      }
    }
    await screenshot(page, `${theme}-workspace`);
    expect(errors).toEqual([]);
    await page.context().close();
  }, 240_000);
});

describe('a connection to a real system', () => {
  const connection = 'q2c-netsuite-connection';
  const form = (page: Page, id: string) => page.locator(`#node-config-input-${id}`);
  const privateKey =
    '-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkqhkiG9w0BAQEFAASC\n-----END PRIVATE KEY-----\n';

  test('asks for what the chosen sign-in needs and keeps secrets as credentials', async () => {
    const { page, errors } = await openEditor(browser, host.url, 'light');
    const node = findNode(connection);
    await openForm(page, node);
    expect(await form(page, 'accountId').isVisible()).toBe(false);

    await form(page, 'environment').selectOption('production');
    await form(page, 'auth').selectOption('tba');
    expect(await form(page, 'tokenSecret').isVisible()).toBe(true);
    expect(await form(page, 'privateKey').isVisible()).toBe(false);

    await form(page, 'auth').selectOption('oauth2-certificate');
    expect(await form(page, 'tokenSecret').isVisible()).toBe(false);
    expect(await invalidInputs(page)).toEqual(
      expect.arrayContaining(['accountId', 'clientId', 'privateKey']),
    );
    await screenshot(page, 'netsuite-required');

    await form(page, 'accountId').fill('1234567_SB1');
    await form(page, 'clientId').fill('client-1');
    await form(page, 'certificateId').fill('cert-1');
    await form(page, 'privateKey').fill(privateKey);
    await form(page, 'privateKey').blur();
    expect(await invalidInputs(page)).toEqual([]);
    await screenshot(page, 'netsuite-filled');
    await saveForm(page, node);
    await deploy(page);

    const deployed = (await host.flows()).find(({ id }) => id === connection);
    expect(deployed).toMatchObject({
      environment: 'production',
      auth: 'oauth2-certificate',
      accountId: '1234567_SB1',
    });
    expect(JSON.stringify(deployed)).not.toContain('PRIVATE KEY');
    expect(await host.credentials()).toMatchObject({ [connection]: { privateKey } });

    await openForm(page, node);
    expect(await form(page, 'privateKey').inputValue()).toBe('__PWRD__');
    expect(await invalidInputs(page)).toEqual([]);
    await saveForm(page, node);
    expect(await page.evaluate((id) => RED.nodes.node(id).changed, connection)).toBeFalsy();
    expect(errors).toEqual([]);
    await page.context().close();
  }, 120_000);

  test('is tested as deployed, and says so while it is not', async () => {
    const { page, errors } = await openEditor(browser, host.url, 'light');
    const node = findNode('q2c-salesforce-connection');
    const checks = [
      { id: 'login', label: 'Sign in', ok: true, message: '' },
      { id: 'fields', label: 'Fields', ok: false, message: 'Account.Q2C_External_Id__c is missing.' },
    ];
    await page.route('**/q2c/connections/*/test', (route) => route.fulfill({ json: { checks } }));
    await openForm(page, node);
    await page.locator('#q2c-test').click();
    await page.locator('#q2c-checks li').nth(1).waitFor();
    expect(await page.locator('#q2c-checks li').allTextContents()).toEqual([
      ' Sign in',
      ' Fields: Account.Q2C_External_Id__c is missing.',
    ]);
    await screenshot(page, 'salesforce-tested');

    await form(page, 'name').fill('Renamed');
    await saveForm(page, node);
    await openForm(page, node);
    expect(await page.locator('#q2c-test').isDisabled()).toBe(true);
    expect(await page.locator('#q2c-test-help').textContent()).toContain('Deploy first');
    expect(errors).toEqual([]);
    await page.context().close();
  }, 60_000);
});

describe('pickers and validation', () => {
  test('an operation shows its description and its parameters', async () => {
    const { page, errors } = await openEditor(browser, host.url, 'light');
    const node = findNode('q2c-netsuite');
    await openForm(page, node);
    expect(await page.locator('#node-input-query').isVisible()).toBe(false);
    await page.locator('#node-input-entity').selectOption('records');
    expect(await page.locator('#node-input-verb').inputValue()).toBe('query');
    expect(await page.locator('#q2c-operation-description').textContent()).toContain('SuiteQL');
    expect(await page.locator('#node-input-query').isVisible()).toBe(true);
    expect(await invalidInputs(page)).toEqual(['query']);
    await page.locator('#node-input-query').fill('SELECT id FROM customer');
    await page.locator('#node-input-query').blur();
    expect(await invalidInputs(page)).toEqual([]);
    await screenshot(page, 'netsuite-query');
    await saveForm(page, node);
    expect(
      await page
        .evaluate((id) => RED.nodes.node(id), 'q2c-netsuite')
        .then(({ entity, verb }) => [entity, verb]),
    ).toEqual(['records', 'query']);
    expect(errors).toEqual([]);
    await page.context().close();
  }, 60_000);

  test('a set-up of the firm that is not valid is refused with the reason', async () => {
    const { page, errors } = await openEditor(browser, host.url, 'dark');
    const node = { ...findNode('q2c-firm'), data: '{ "legalEntities": [] }' };
    await page.evaluate(({ id, data }) => Object.assign(RED.nodes.node(id), { data }), node);
    await openForm(page, node);
    expect(await page.locator('#q2c-firm-problem').textContent()).toBe(
      'The set-up has no section sellingRules',
    );
    await screenshot(page, 'firm-invalid');
    await saveForm(page, node);
    expect((await page.evaluate(stateOf, node)).validationErrors).toEqual([
      'The set-up has no section sellingRules',
    ]);
    expect(errors).toEqual([]);
    await page.context().close();
  }, 60_000);
});
