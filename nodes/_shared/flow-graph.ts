import type { NodeAPI } from 'node-red';
import type { FlowGraph } from '../../lib/governance';

/** A node of the flows as it is configured. */
interface ConfiguredNode {
  id: string;
  type: string;
  name?: unknown;
  wires?: unknown;
  links?: unknown;
  mode?: unknown;
}

type Reached = ReturnType<FlowGraph['downstream']>[number];

/** What lies behind a node in the deployed flows, along wires and links. A subflow counts as one node. */
export function flowGraph(RED: NodeAPI): FlowGraph {
  return {
    downstream(nodeId) {
      const nodes = new Map<string, ConfiguredNode>();
      RED.nodes.eachNode((node) => {
        nodes.set(node.id, node);
      });
      const reached = new Map<string, Reached>();
      // The set grows while it is gone through: breadth first, so that the nearest come first.
      const ids = new Set(behind(nodes.get(nodeId)));
      for (const id of ids) {
        const node = nodes.get(id);
        if (node === undefined || id === nodeId) continue;
        if (!isPassive(node)) reached.set(id, { id, name: nameOf(node), type: node.type });
        for (const next of behind(node)) ids.add(next);
      }
      return [...reached.values()];
    },
  };
}

function behind(node: ConfiguredNode | undefined): string[] {
  if (node === undefined) return [];
  const wires = Array.isArray(node.wires) ? node.wires.flat() : [];
  const links = node.type === 'link out' && Array.isArray(node.links) ? node.links : [];
  return [...wires, ...links].filter((id) => typeof id === 'string');
}

/** Nodes that only lead on: nobody waits for them. */
const isPassive = ({ type }: ConfiguredNode): boolean =>
  ['junction', 'link in', 'link out', 'debug'].includes(type);

const nameOf = ({ name, type }: ConfiguredNode): string =>
  typeof name === 'string' && name !== '' ? name : type;
