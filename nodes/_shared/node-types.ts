import type { Node, NodeAPI } from 'node-red';

/** Makes nodes of one type, as Node-RED calls it. */
// biome-ignore lint/suspicious/noExplicitAny: every type of node has properties of its own
export type NodeConstructor = (this: any, config: any) => void;

/** What a node set's `runtime.ts` gives: how to make nodes, by type. */
export type NodeTypes = Readonly<Record<string, NodeConstructor>>;

/** What the host knows of a type before there is a node of it. */
export interface KnownType {
  /** Fields that are kept encrypted; a `text` is told to the editor, of a `password` only that there is one. */
  credentials?: Readonly<Record<string, { type: 'text' | 'password' }>>;
}

/**
 * Registers the types of a node set, whose code is loaded with the first node of one of them: a host starts as fast with
 * the pack as without, unless its flows use it (docs/decisions/0024).
 */
export function registerTypes(
  RED: NodeAPI,
  known: Readonly<Record<string, KnownType>>,
  load: () => NodeTypes,
): void {
  let loaded: NodeTypes | null = null;
  for (const [type, options] of Object.entries(known)) {
    const construct = function (this: Node, config: object) {
      loaded ??= load();
      const make = loaded[type];
      if (make === undefined) throw new Error(`There is no code for nodes of the type ${type}`);
      make.call(this, config);
    };
    RED.nodes.registerType(type, construct, options);
  }
}
