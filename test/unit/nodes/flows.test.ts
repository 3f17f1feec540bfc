import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import shippedFirm from '../../../nodes/q2c-firm/default-firm.json';
import { exampleFiles, folder } from '../../support/examples';
import type { FlowNode } from '../../support/host';

/** What holds for every template flow; the host tests judge what each one does. */

const flows = exampleFiles.map((file) => ({
  file,
  nodes: JSON.parse(readFileSync(join(folder, file), 'utf8')) as FlowNode[],
}));

const listIn = (value: unknown): string[] => (Array.isArray(value) ? value.flat() : []);
const ofType = (nodes: FlowNode[], type: string) => nodes.filter((node) => node.type === type);

test('there are flows of every topic, numbered in the order of the menu', () => {
  const topics = [...new Set(exampleFiles.map(dirname))];
  expect(topics.map((topic) => Number(topic.split(' ')[0]))).toEqual(topics.map((_, index) => index + 1));
  expect(flows.length).toBeGreaterThanOrEqual(20);
});

test('a node of two flows is a configuration that they share, the same in both', () => {
  const known = new Map<string, FlowNode>();
  for (const { nodes } of flows) {
    for (const node of nodes) expect(node).toEqual(known.get(node.id) ?? node);
    for (const node of nodes) known.set(node.id, node);
  }
  const owners = Map.groupBy(
    flows.flatMap(({ file, nodes }) => nodes.map(({ id, type }) => ({ id, type, file }))),
    ({ id }) => id,
  );
  const shared = [...owners.values()].filter(({ length }) => length > 1).flat();
  expect(shared.filter(({ type }) => !/^q2c-(store|firm|\w+-connection)$/.test(type))).toEqual([]);
});

const MAIN = '1 Closed won to project/Closed won to project.json';

describe.each(flows)('$file', ({ file, nodes }) => {
  const ids = new Set(nodes.map(({ id }) => id));

  test('says what it is: one tab with a description, and a comment to read first', () => {
    expect(ofType(nodes, 'tab')).toEqual([
      expect.objectContaining({
        label: expect.stringMatching(/.{5,}/),
        info: expect.stringMatching(/.{20,}\.$/),
      }),
    ]);
    const [comment, ...others] = ofType(nodes, 'comment');
    expect(others).toEqual([]);
    expect(comment?.name).toMatch(/: read this first$/);
    expect(comment?.info).toMatch(/.{200,}/s);
    // The main flow has a guide of its own, which goes through it step by step.
    if (file !== MAIN) for (const part of ['**Set**', '**Try it**']) expect(comment?.info).toContain(part);
    expect(ofType(nodes, 'group').length).toBeGreaterThan(0);
    for (const { name } of ofType(nodes, 'group')) expect(name).toMatch(/.{4,}/);
  });

  test('is whole: nothing in it points to what it does not have', () => {
    const pointsTo = (node: FlowNode) => [
      ...['wires', 'nodes', 'scope', 'links'].flatMap((key) => listIn(node[key])),
      ...['z', 'g', 'store', 'firm', 'connection', 'mapping', 'broker'].flatMap((key) =>
        typeof node[key] === 'string' && /^q2c0/.test(node[key]) ? [node[key]] : [],
      ),
    ];
    const lost = nodes.flatMap((node) => pointsTo(node).filter((id) => !ids.has(id)));
    expect(lost).toEqual([]);
  });

  test('has the demonstration firm that is shipped with the node', () => {
    for (const { data } of ofType(nodes, 'q2c-firm')) expect(JSON.parse(String(data))).toEqual(shippedFirm);
  });

  test('asks no system more often than a person would set, and carries no secret', () => {
    for (const { type, interval } of nodes) {
      if (type.endsWith('-events') && interval !== undefined)
        expect(Number(interval)).toBeGreaterThanOrEqual(5);
    }
    expect(nodes.filter(({ credentials }) => credentials !== undefined)).toEqual([]);
  });
});
