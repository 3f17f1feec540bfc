import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
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

const screenshots = process.env.Q2C_SCREENSHOTS ?? mkdtempSync(join(tmpdir(), 'q2c-forms-'));

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
  console.log(`screenshots are in ${screenshots}`);
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
        if (round === 'first')
          await page.screenshot({ path: join(screenshots, `${theme}-${node.type}.png`) });
        await saveForm(page, node);
        expect(await page.evaluate(stateOf, node)).toEqual({ node, validationErrors: [] });
      }
    }
    await page.screenshot({ path: join(screenshots, `${theme}-workspace.png`) });
    expect(errors).toEqual([]);
    await page.context().close();
  }, 240_000);
});
