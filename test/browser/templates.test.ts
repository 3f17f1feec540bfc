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
  workspaces: { show(id: string): void };
};

/** Where something is on the canvas; of a node the middle, of a group the upper left corner. */
interface Box {
  x: number;
  y: number;
  w: number;
  h: number;
}

const flows = new Map(
  exampleFiles.map((file) => [file, JSON.parse(readFileSync(join(folder, file), 'utf8')) as FlowNode[]]),
);

/** Two wires that cross, to see that the judge sees it. */
const crossed: FlowNode[] = [
  { id: 'crossed', type: 'tab', label: 'Crossed' },
  { id: 'a', type: 'inject', z: 'crossed', name: 'a', props: [], x: 100, y: 100, wires: [['d']] },
  { id: 'b', type: 'inject', z: 'crossed', name: 'b', props: [], x: 100, y: 200, wires: [['c']] },
  { id: 'c', type: 'debug', z: 'crossed', name: 'c', x: 400, y: 100, wires: [] },
  { id: 'd', type: 'debug', z: 'crossed', name: 'd', x: 400, y: 200, wires: [] },
];

let host: Host;
let browser: Browser;
let editor: Editor;

/** All flows side by side, each in its tab, as somebody has them who imports one after the other. */
beforeAll(async () => {
  [host, browser] = await Promise.all([Host.start(), launchBrowser()]);
  const all = [...flows.values(), crossed].flat();
  await host.deploy([...new Map(all.map((node) => [node.id, node])).values()]);
  editor = await Editor.open(browser, host.url);
}, 180_000);

afterAll(async () => {
  await browser?.close();
  await host?.dispose();
});

/** Shows the tab of a flow and waits until its wires are drawn. */
async function show(flow: FlowNode[]): Promise<Page> {
  const tab = flow.find(({ type }) => type === 'tab')?.id ?? '';
  const wires = flow
    .filter(({ z }) => z === tab)
    .flatMap((node) => (node.wires as string[][] | undefined) ?? []);
  await editor.page.evaluate((id) => RED.workspaces.show(id), tab);
  await editor.page.waitForFunction(
    (count) => document.querySelectorAll('.red-ui-flow-link-line').length === count,
    wires.flat().length,
  );
  return editor.page;
}

test.each([...flows])('%s is complete as imported, and tidy', async (_, flow) => {
  const page = await show(flow);
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
  expect(await crossings(page)).toEqual([]);
  expect(editor.errors).toEqual([]);
});

test('wires that cross would be seen', async () => {
  expect(await crossings(await show(crossed))).toEqual(['a → d crosses b → c']);
});

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

/** Pairs of wires that cross each other, as they are drawn. Wires of one port or to one node begin or end together. */
function crossings(page: Page): Promise<string[]> {
  return page.evaluate(() => {
    type Point = { x: number; y: number };
    interface Link {
      source: { id: string; name: string; type: string };
      target: { id: string; name: string; type: string };
    }
    const paths = Array.from(
      document.querySelectorAll<SVGPathElement & { __data__: Link }>('.red-ui-flow-link-line'),
    );
    const wires = paths.map((path) => {
      const length = path.getTotalLength();
      const points = Array.from({ length: 61 }, (_, step) => path.getPointAtLength((length * step) / 60));
      return { ...path.__data__, points };
    });
    /** On which side of the line from a to b the point lies. */
    const side = (a: Point, b: Point, { x, y }: Point) =>
      Math.sign((b.x - a.x) * (y - a.y) - (b.y - a.y) * (x - a.x));
    const crosses = (one: Point[], other: Point[]) =>
      one.slice(1).some((b, i) =>
        other.slice(1).some((d, k) => {
          const [a, c] = [one[i], other[k]];
          if (a === undefined || c === undefined) return false;
          return side(a, b, c) * side(a, b, d) < 0 && side(c, d, a) * side(c, d, b) < 0;
        }),
      );
    const named = ({ source, target }: Link) =>
      `${source.name || source.type} → ${target.name || target.type}`;
    return wires.flatMap((one, index) =>
      wires
        .slice(index + 1)
        .filter((other) => one.source.id !== other.source.id && one.target.id !== other.target.id)
        .filter((other) => crosses(one.points, other.points))
        .map((other) => `${named(one)} crosses ${named(other)}`),
    );
  });
}
