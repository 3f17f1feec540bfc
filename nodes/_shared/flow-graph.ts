import type { Node, NodeAPI } from 'node-red';
import type { ExpectedBranch } from '../../lib/engine';
import type { FlowGraph } from '../../lib/governance';
import { stableId } from './stable-id';

/** A node of the flows as it is configured. */
interface ConfiguredNode {
  id: string;
  type: string;
  /** Tab or subflow. */
  z?: string;
  /** Of a node that is switched off. */
  d?: unknown;
  /** Of a tab that is switched off. */
  disabled?: unknown;
  /** Of a subflow: where its messages go in. */
  in?: unknown;
  name?: unknown;
  /** Place on the canvas. */
  y?: number;
  wires?: unknown;
  links?: unknown;
  mode?: unknown;
}

type Reached = ReturnType<FlowGraph['downstream']>[number];

/** What lies behind a node in the deployed flows, along wires and links. A subflow counts as one node. */
export function flowGraph(RED: NodeAPI): FlowGraph {
  return {
    downstream(nodeId) {
      const nodes = configuredNodes(RED);
      const reached = new Map<string, Reached>();
      // The set grows while it is gone through: breadth first, so that the nearest come first.
      const ids = new Set(behind(nodes.get(nodeId)));
      for (const id of ids) {
        const node = nodes.get(id);
        if (node === undefined || id === nodeId) continue;
        if (!isIdle(node)) reached.set(id, { id, name: nameOf(node), type: node.type });
        for (const next of behind(node)) ids.add(next);
      }
      return [...reached.values()];
    },
  };
}

/**
 * The branches that are wired into a node: the nodes that its messages come from, also by way of links and junctions, as
 * they stand in the flow from top to bottom. Two outputs of one node are one branch.
 */
export function branchesInto(RED: NodeAPI, node: Node): ExpectedBranch[] {
  const nodes = [...configuredNodes(RED).values()];
  const off = new Set(nodes.filter(({ disabled }) => disabled === true).map(({ id }) => id));
  const running = nodes.filter(({ d, z }) => d !== true && !off.has(z ?? ''));
  const found = new Set<ConfiguredNode>();
  const ids = new Set([stableId(node).split('/').at(-1) ?? node.id]);
  for (const id of ids) {
    for (const before of running) {
      if (!behind(before).includes(id)) continue;
      if (onlyLeadsOn(before.type)) ids.add(before.id);
      else found.add(before);
    }
  }
  const fromTop = [...found].toSorted((a, b) => (a.y ?? 0) - (b.y ?? 0));
  return fromTop.map((before) => ({ id: before.id, name: nameOf(before) }));
}

/**
 * The branch that a message came by, as `branchesInto` names it: a subflow on the way is one node.
 * @param via stable id of the last node that did more than lead on
 * @param join stable id of the node where branches come together
 */
export function branchIn(via: string, join: string): string {
  const path = via.split('/');
  const depth = Math.max(1, join.split('/').length - 1);
  return path[depth] ?? via;
}

function configuredNodes(RED: NodeAPI): Map<string, ConfiguredNode> {
  const nodes = new Map<string, ConfiguredNode>();
  RED.nodes.eachNode((node) => {
    nodes.set(node.id, node);
  });
  return nodes;
}

function behind(node: ConfiguredNode | undefined): string[] {
  if (node === undefined) return [];
  const wires = Array.isArray(node.wires) ? node.wires.flat() : [];
  const links = node.type === 'link out' && Array.isArray(node.links) ? node.links : [];
  return [...wires, ...links, ...insideOf(node)].filter((id) => typeof id === 'string');
}

/** What messages come to that go into a subflow. */
function insideOf({ type, in: entries }: ConfiguredNode): unknown[] {
  if (type !== 'subflow' || !Array.isArray(entries)) return [];
  return entries.flatMap(({ wires }: { wires?: { id: string }[] }) => (wires ?? []).map(({ id }) => id));
}

/** Nodes that do nothing but lead on. */
export const onlyLeadsOn = (type: string): boolean => PASSIVE.has(type);

const PASSIVE = new Set(['junction', 'link in', 'link out']);

/** Nodes that change nothing in what they are handed: ours make another document of it. */
export const leavesAsItIs = (type: string): boolean =>
  type.startsWith('q2c-') || type === 'debug' || onlyLeadsOn(type);

/** Nodes that nobody waits for. */
const isIdle = ({ type }: ConfiguredNode): boolean =>
  onlyLeadsOn(type) || type === 'debug' || type === 'q2c-join';

const nameOf = ({ name, type }: ConfiguredNode): string =>
  typeof name === 'string' && name !== '' ? name : type;
