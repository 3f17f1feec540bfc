import type { Browser, Page } from 'playwright-core';
import { Editor, launchBrowser } from '../support/browser';
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
    getNodeHelp(type: string): string;
  };
};

/** What has no default because the user has to choose it. */
const choices: Record<string, Record<string, string>> = {
  'q2c-announce': { eventType: 'q2c.project.provisioned.v1' },
  'q2c-case': { code: 'TAX_REGISTRATION_MISSING' },
};

let host: Host;
let browser: Browser;
let flows: FlowNode[];
/** In the light theme, for all tests: opening an editor takes seconds. */
let editor: Editor;
let page: Page;

beforeAll(async () => {
  [host, browser] = await Promise.all([Host.start(), launchBrowser()]);
  const first = await Editor.open(browser, host.url);
  flows = oneOfEach(await first.page.evaluate(ourTypes));
  await first.close();
  await host.deploy(flows);
  editor = await Editor.open(browser, host.url);
  page = editor.page;
}, 180_000);

afterEach(() => expect(editor.errors).toEqual([]));

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
    const values = Object.entries(defaults).map(([name, { value, type: target }]) => [
      name,
      // Of Node-RED's own configuration nodes there is none.
      target?.startsWith('q2c-') ? configId(target) : value,
    ]);
    const place = config ? {} : { z: 'tab', x: 200 + 300 * (index % 3), y: 80 + 40 * index, wires: [[]] };
    return {
      id: config ? configId(type) : type,
      type,
      ...place,
      ...Object.fromEntries(values),
      ...choices[type],
    };
  });
  return [{ id: 'tab', type: 'tab', label: 'All types' }, ...nodes];
}

/** Not the type itself: Node-RED would take a configuration node whose id is its type for one that needs itself. */
const configId = (type: string): string => `the-${type}`;

function findNode(type: string): FlowNode {
  const node = flows.find((candidate) => candidate.type === type);
  if (!node) throw new Error(`${type} is not in the flow`);
  return node;
}

/** A node's values as they would be deployed, and what the editor finds wrong with them. */
function stateOf({ id, ...saved }: FlowNode): { node: FlowNode; validationErrors?: string[] } {
  const node = RED.nodes.node(id);
  const values = Object.keys(saved).map((name) => [name, name === 'wires' ? saved.wires : node[name]]);
  return { node: { id, ...Object.fromEntries(values) }, validationErrors: node.validationErrors };
}

test('every form opens, is valid, saves, and reopens unchanged', async () => {
  for (const node of flows.slice(1)) {
    for (const round of ['first', 'again']) {
      await editor.openForm(node);
      expect(await editor.invalidInputs()).toEqual([]);
      if (round === 'first') await editor.screenshot(`light-${node.type}`);
      await editor.saveForm();
      expect(await page.evaluate(stateOf, node)).toEqual({ node, validationErrors: [] });
    }
  }
  expect(await page.evaluate('RED.nodes.dirty()')).toBe(false);
  await editor.screenshot('light-workspace');
}, 120_000);

test('a node without a name says what it does, and where', async () => {
  const types = ['q2c-netsuite', 'q2c-salesforce-events', 'q2c-announce', 'q2c-map'];
  const labels = await editor.page.evaluate(
    `${JSON.stringify(types)}.map((id) => RED.utils.getNodeLabel(RED.nodes.node(id)))`,
  );
  expect(labels).toEqual([
    'Create or adopt customer in NetSuite',
    'Opportunity won in Salesforce',
    'announce project.provisioned',
    'map before writing to NetSuite',
  ]);
});

test('every form fits a small window in the dark theme, whatever the names are', async () => {
  const small = { width: 900, height: 700 };
  const dark = await Editor.open(browser, host.url, { theme: 'dark', viewport: small });
  for (const { id } of flows.slice(1)) await dark.page.evaluate(giveLongNames, id);
  for (const node of flows.slice(1)) {
    await dark.openForm(node);
    await dark.screenshot(`dark-${node.type}`);
    expect({ type: node.type, hidden: await dark.tray().evaluate(hiddenWidth) }).toEqual({
      type: node.type,
      hidden: 0,
    });
    await dark.saveForm();
  }
  expect(dark.errors).toEqual([]);
  await dark.close();
}, 120_000);

test.each(['de', 'fr', 'ja'])(
  'every form is legible in the language %s',
  async (locale) => {
    const translated = await Editor.open(browser, host.url, {
      locale,
      viewport: { width: 900, height: 900 },
    });
    for (const node of flows.slice(1)) {
      await translated.openForm(node);
      await translated.screenshot(`${locale}-${node.type}`);
      expect({
        type: node.type,
        hidden: await translated.tray().evaluate(hiddenWidth),
        cut: await translated.tray().evaluate(cutLabels),
      }).toEqual({ type: node.type, hidden: 0, cut: [] });
      await translated.saveForm();
    }
    await translated.screenshot(`${locale}-workspace`);
    expect(translated.errors).toEqual([]);
    await translated.close();
  },
  120_000,
);

test.each([
  ['de', 'Beispiel', 'Quote-to-Cash'],
  ['fr', 'Exemple', 'quote to cash'],
  ['ja', '例', '見積から入金まで'],
])(
  'help and palette speak the language %s',
  async (locale, example, category) => {
    const translated = await Editor.open(browser, host.url, { locale });
    const help = await translated.page.evaluate(
      (types) => types.map((type) => ({ type, html: RED.nodes.getNodeHelp(type) })),
      flows.slice(1).map(({ type }) => type),
    );
    const described = /<dl class="message-properties">/;
    for (const { type, html } of help) {
      expect({ type, html }).toEqual({ type, html: expect.stringMatching(`<h3[^>]*>${example}</h3>`) });
      const isConfig = !('z' in findNode(type));
      expect({ type, described: described.test(html) }).toEqual({ type, described: !isConfig });
    }
    const header = translated.page.locator('#red-ui-palette-header-q2c_process');
    expect((await header.textContent())?.trim()).toBe(category);
    await translated.close();
  },
  60_000,
);

/** Labels whose longest word is wider than their column: it would lie under the field beside it. */
function cutLabels(tray: Element): string[] {
  const labels = Array.from(tray.querySelectorAll('.form-row > label'));
  return labels
    .filter((label) => label.scrollWidth > label.clientWidth + 1)
    .map((label) => label.textContent ?? '');
}

/** Pixels of the form beyond the right edge of its tray: the editor makes a form as wide as its longest line. */
function hiddenWidth(tray: Element): number {
  const { right } = tray.getBoundingClientRect();
  const parts = Array.from(tray.querySelectorAll('.red-ui-tray-body, .form-row > *'));
  return Math.max(0, ...parts.map((part) => part.getBoundingClientRect().right - right));
}

/** A name of 200 characters, and a firm and lookup table with as long ones that cannot be broken at a space. */
function giveLongNames(id: string): void {
  const node = RED.nodes.node(id);
  node.name = 'Reallylongname '.repeat(14).slice(0, 200);
  if (node.type !== 'q2c-firm') return;
  const firm = JSON.parse(String(node.data));
  firm.legalEntities[0].name = 'Aktiengesellschaft'.repeat(11);
  firm.lookups.netsuite['table'.repeat(40)] = {};
  node.data = JSON.stringify(firm, null, 2);
}

describe('a connection to a real system', () => {
  const connection = 'q2c-netsuite-connection';
  const form = (id: string) => page.locator(`#node-config-input-${id}`);
  const privateKey =
    '-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkqhkiG9w0BAQEFAASC\n-----END PRIVATE KEY-----\n';

  test('asks for what the chosen sign-in needs and keeps secrets as credentials', async () => {
    const node = findNode(connection);
    await editor.openForm(node);
    expect(await form('accountId').isVisible()).toBe(false);

    await form('environment').selectOption('production');
    await form('auth').selectOption('tba');
    expect(await form('tokenSecret').isVisible()).toBe(true);
    expect(await form('privateKey').isVisible()).toBe(false);

    await form('auth').selectOption('oauth2-certificate');
    expect(await form('tokenSecret').isVisible()).toBe(false);
    expect(await editor.invalidInputs()).toEqual(
      expect.arrayContaining(['accountId', 'clientId', 'privateKey']),
    );
    await editor.screenshot('netsuite-required');

    await form('accountId').fill('1234567_SB1');
    await form('clientId').fill('client-1');
    await form('certificateId').fill('cert-1');
    await form('privateKey').fill(privateKey);
    await form('privateKey').blur();
    expect(await editor.invalidInputs()).toEqual([]);
    await editor.screenshot('netsuite-filled');
    await editor.saveForm();
    await editor.deploy();

    const deployed = (await host.flows()).find(({ id }) => id === node.id);
    expect(deployed).toMatchObject({
      environment: 'production',
      auth: 'oauth2-certificate',
      accountId: '1234567_SB1',
    });
    expect(JSON.stringify(deployed)).not.toContain('PRIVATE KEY');
    expect(await host.credentials()).toMatchObject({ [node.id]: { privateKey } });

    await editor.openForm(node);
    expect(await form('privateKey').inputValue()).toBe('__PWRD__');
    expect(await editor.invalidInputs()).toEqual([]);
    await editor.saveForm();
    expect(await page.evaluate((id) => RED.nodes.node(id).changed, node.id)).toBeFalsy();
  }, 120_000);

  test('is tested as deployed, and says so while it is not', async () => {
    const node = findNode('q2c-salesforce-connection');
    await editor.openForm(node);
    await page.locator('#q2c-test').click();
    const failedOrNot = page.locator('#q2c-checks li:not([data-state="ok"])');
    await page.locator('.q2c-sum', { hasText: '0 failed' }).waitFor();
    expect(await failedOrNot.allTextContents()).toEqual([]);
    await editor.screenshot('salesforce-tested');

    await form('name').fill('Renamed');
    await editor.saveForm();
    await editor.openForm(node);
    expect(await page.locator('#q2c-test').isDisabled()).toBe(true);
    expect(await page.locator('#q2c-test-help').textContent()).toContain('Deploy first');
    await editor.saveForm();
  }, 60_000);
});

test('a store on PostgreSQL asks for the server and keeps its secrets as credentials', async () => {
  const node = findNode('q2c-store');
  const form = (id: string) => page.locator(`#node-config-input-${id}`);
  const variable = `\${PGPORT}`;
  await editor.openForm(node);
  expect([await form('path').isVisible(), await form('host').isVisible()]).toEqual([true, false]);
  await form('kind').selectOption('postgres');
  expect([await form('path').isVisible(), await form('host').isVisible()]).toEqual([false, true]);
  await form('port').fill('fifty');
  await form('port').blur();
  expect(await editor.invalidInputs()).toEqual(['port']);
  await form('port').fill(variable);
  await form('port').blur();
  expect(await editor.invalidInputs()).toEqual([]);
  await editor.screenshot('store-fields');

  await form('address').selectOption('url');
  expect([await form('url').isVisible(), await form('host').isVisible()]).toEqual([true, false]);
  await form('url').fill('postgresql://ann:secret@db/deals');
  await editor.screenshot('store-url');
  await form('kind').selectOption('sqlite');
  await editor.saveForm();
  await editor.deploy();
  const deployed = (await host.flows()).find(({ id }) => id === node.id);
  expect(deployed).toMatchObject({ address: 'url', port: variable });
  expect(JSON.stringify(deployed)).not.toContain('secret');
  expect(await host.credentials()).toMatchObject({
    [node.id]: { url: 'postgresql://ann:secret@db/deals' },
  });

  // The test runs with what is deployed: the file.
  await editor.openForm(node);
  await page.locator('#q2c-test').click();
  await page.locator('#q2c-checks li').first().waitFor();
  expect(await page.locator('#q2c-checks li').allTextContents()).toEqual([
    expect.stringMatching(/^ Store: .*q2c\.db$/),
  ]);
  await editor.saveForm();
}, 120_000);

describe('variables', () => {
  const field = (id: string) => page.locator(`#node-config-input-${id}`);
  const [environment, open, kind] = ['CRM_ENVIRONMENT', 'LOOKUPS', 'STORE_KIND'].map((name) => `\${${name}}`);

  test('stand for the choice of a list', async () => {
    const node = findNode('q2c-kantata-connection');
    await editor.openForm(node);
    const name = page.locator('#node-config-input-environment + input');
    expect(await name.isVisible()).toBe(false);
    await field('environment').selectOption({ label: 'Environment variable…' });
    await name.fill('no variable');
    expect(await editor.invalidInputs()).toContain('environment');
    await name.fill(environment ?? '');
    expect(await editor.invalidInputs()).not.toContain('environment');
    // Whatever it holds: what a real system needs can be filled in.
    await field('accessToken').fill('token');
    await editor.screenshot('variable-environment');
    await editor.saveForm();
    expect(await page.evaluate((id) => RED.nodes.node(id).environment, node.id)).toBe(environment);
    await editor.openForm(node);
    expect(await name.inputValue()).toBe(environment);
    await editor.saveForm();
    expect(await page.evaluate((id) => RED.nodes.node(id).environment, node.id)).toBe(environment);
  }, 60_000);

  test('stand for a check box', async () => {
    const node = findNode('q2c-store');
    await editor.openForm(node);
    await field('kind').selectOption({ label: 'Environment variable…' });
    await page.locator('#node-config-input-kind + input').fill(kind ?? '');
    await page.locator('#node-config-input-lookups + button').click();
    await field('lookups').fill(open ?? '');
    await editor.saveForm();
    for (const round of ['first', 'again']) {
      const { lookups, kind: saved } = await page.evaluate((id) => RED.nodes.node(id), node.id);
      expect({ round, lookups, kind: saved }).toEqual({ round, lookups: open, kind });
      await editor.openForm(node);
      expect(await field('lookups').inputValue()).toBe(open);
      await editor.saveForm();
    }
    await page.evaluate(
      ({ id }) => Object.assign(RED.nodes.node(id), { kind: 'sqlite', lookups: false }),
      node,
    );
  }, 60_000);
});

describe('pickers and validation', () => {
  test('an operation shows an example of what it reads and what it adds', async () => {
    const node = findNode('q2c-kantata');
    await editor.openForm(node);
    await page.locator('#q2c-example summary').click();
    const [input, output] = ['#q2c-example-input', '#q2c-example-output'].map((id) => page.locator(id));
    await page.locator('#q2c-example-output', { hasText: 'externalRefs' }).waitFor();
    expect(JSON.parse((await input?.textContent()) ?? '')).toHaveProperty('project.name');
    expect(JSON.parse((await output?.textContent()) ?? '')).toHaveProperty('project.externalRefs.0.id');
    await editor.screenshot('kantata-example');
    await page.locator('#node-input-entity').selectOption('timeEntry');
    await page.locator('#q2c-example-output', { hasText: 'timeEntries' }).waitFor();
    await page.locator('#node-input-entity').selectOption('project');
    await editor.saveForm();
  }, 60_000);

  test('a parameter may come from the message', async () => {
    const node = findNode('q2c-salesforce');
    await editor.openForm(node);
    await page.locator('#node-input-entity').selectOption('opportunity');
    await page.evaluate("$('#node-input-status').typedInput('type', 'msg').typedInput('value', 'status')");
    await editor.screenshot('salesforce-status');
    await editor.saveForm();
    const saved = await page.evaluate((id) => RED.nodes.node(id), node.id);
    expect([saved.status, saved.statusType]).toEqual(['status', 'msg']);
    await editor.openForm(node);
    expect(await page.evaluate("$('#node-input-status').typedInput('type')")).toBe('msg');
    await page.locator('#node-input-entity').selectOption('records');
    await page.locator('#node-input-soqlType').selectOption('jsonata');
    await page.locator('#node-input-soql').fill('"SELECT Id\nFROM " & topic');
    await editor.screenshot('salesforce-soql');
    await editor.saveForm();
    const query = await page.evaluate((id) => RED.nodes.node(id), node.id);
    expect([query.soql, query.soqlType]).toEqual(['"SELECT Id\nFROM " & topic', 'jsonata']);
  }, 60_000);

  test('an operation shows its description and its parameters', async () => {
    const node = findNode('q2c-netsuite');
    await editor.openForm(node);
    expect(await page.locator('#node-input-query').isVisible()).toBe(false);
    await page.locator('#node-input-entity').selectOption('records');
    expect(await page.locator('#node-input-verb').inputValue()).toBe('query');
    expect(await page.locator('#q2c-operation-description').textContent()).toContain('SuiteQL');
    expect(await page.locator('#node-input-query').isVisible()).toBe(true);
    expect(await editor.invalidInputs()).toEqual(['query']);
    await page.locator('#node-input-query').fill('SELECT id FROM customer');
    await page.locator('#node-input-query').blur();
    expect(await editor.invalidInputs()).toEqual([]);
    await editor.screenshot('netsuite-query');
    await editor.saveForm();
    expect(
      await page
        .evaluate((id) => RED.nodes.node(id), 'q2c-netsuite')
        .then(({ entity, verb }) => [entity, verb]),
    ).toEqual(['records', 'query']);
  }, 60_000);

  test('a set-up of the firm that is not valid is refused with the reason', async () => {
    const node = { ...findNode('q2c-firm'), data: '{ "legalEntities": [] }' };
    await page.evaluate(({ id, data }) => Object.assign(RED.nodes.node(id), { data }), node);
    await editor.openForm(node);
    expect(await page.locator('#q2c-firm-problem').textContent()).toBe(
      'The set-up has no section sellingRules',
    );
    await editor.screenshot('firm-invalid');
    await editor.saveForm();
    expect((await page.evaluate(stateOf, node)).validationErrors).toEqual([
      'The set-up has no section sellingRules',
    ]);
  }, 60_000);
});
