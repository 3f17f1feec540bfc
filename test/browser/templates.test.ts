import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { Editor, launchBrowser } from '../support/browser';
import { exampleFiles, folder } from '../support/examples';
import { type FlowNode, Host } from '../support/host';

/** The editor's global, for functions that run in the page. */
declare const RED: {
  nodes: {
    node(id: string): { valid?: boolean; validationErrors?: string[]; _def: { defaults: object } } & Box;
    group(id: string): Box;
  };
};

/** Where something is on the canvas; of a node the middle, of a group the upper left corner. */
interface Box {
  x: number;
  y: number;
  w: number;
  h: number;
}

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
    expect(await untidy(page, flow)).toEqual([]);
    expect(errors).toEqual([]);
    await page.context().close();
  },
  120_000,
);

/** Nodes that lie on others, and such as stick out of their group, as the editor draws them. */
function untidy(page: Page, flow: FlowNode[]): Promise<string[]> {
  const tab = flow.find(({ type }) => type === 'tab')?.id;
  const drawn = flow.filter(({ z, type }) => z === tab && type !== 'group');
  return page.evaluate((nodes) => {
    const boxes = nodes.map(({ id, g, name, type }) => {
      const { x, y, w, h } = RED.nodes.node(id);
      return {
        g,
        name: `${name || type}`,
        left: x - w / 2,
        right: x + w / 2,
        top: y - h / 2,
        bottom: y + h / 2,
      };
    });
    const complaints: string[] = [];
    for (const [index, a] of boxes.entries()) {
      for (const b of boxes.slice(index + 1)) {
        const apart = a.right <= b.left || b.right <= a.left || a.bottom <= b.top || b.bottom <= a.top;
        if (!apart) complaints.push(`${a.name} lies on ${b.name}`);
      }
      if (typeof a.g !== 'string') continue;
      const { x, y, w, h } = RED.nodes.group(a.g);
      const inside = a.left >= x && a.right <= x + w && a.top >= y && a.bottom <= y + h;
      if (!inside) complaints.push(`${a.name} sticks out of its group`);
    }
    return complaints;
  }, drawn);
}
