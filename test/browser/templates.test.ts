import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { Editor, launchBrowser } from '../support/browser';
import { exampleFiles, folder } from '../support/examples';
import { type FlowNode, Host } from '../support/host';

/** The editor's global, for functions that run in the page. */
declare const RED: {
  nodes: { node(id: string): { valid?: boolean; validationErrors?: string[]; _def: { defaults: object } } };
};

let host: Host;
let browser: Browser;

beforeAll(async () => {
  [host, browser] = await Promise.all([Host.start(), launchBrowser()]);
}, 180_000);

afterAll(async () => {
  await browser?.close();
  await host?.dispose();
});

test.each(exampleFiles)(
  '%s is complete as imported: no node is marked as wrong',
  async (file) => {
    const flow: FlowNode[] = JSON.parse(readFileSync(join(folder, file), 'utf8'));
    await host.deploy(flow);
    const { page, errors } = await Editor.open(browser, host.url);
    const ours = flow.filter(({ type }) => type.startsWith('q2c-'));
    const states = await page.evaluate((nodes) => {
      return nodes.map(({ id, type, name, ...values }) => {
        const node = RED.nodes.node(id);
        const unknown = Object.keys(values).filter((key) => !(key in node._def.defaults));
        return { type, name, errors: node.validationErrors, unknown };
      });
    }, ours);
    const placement = ['z', 'g', 'x', 'y', 'wires', 'info', 'credentials'];
    expect(
      states.map(({ unknown, ...state }) => ({
        ...state,
        unknown: unknown.filter((key) => !placement.includes(key)),
      })),
    ).toEqual(ours.map(({ type, name }) => ({ type, name, errors: [], unknown: [] })));
    expect(errors).toEqual([]);
    await page.context().close();
  },
  120_000,
);
