import type { Node, NodeAPI, NodeDef } from 'node-red';
import { onInput } from '../_shared/input';
import { dealOrNone, type Q2cMessage } from '../_shared/message';
import type { NodeTypes } from '../_shared/node-types';
import { evaluateText } from '../_shared/typed-input';
import type { OnceProperties } from './types';

/** Lets a message pass once, to guard what must not be repeated when its run is. */
export default function nodeTypes(RED: NodeAPI): NodeTypes {
  function Once(this: Node, config: NodeDef & OnceProperties) {
    RED.nodes.createNode(this, config);

    const keyOf = async (msg: Q2cMessage): Promise<string | null> =>
      config.scope === 'key' ? evaluateText(RED, this, config.key, config.keyType, msg, 'key') : null;

    onInput(this, {
      RED,
      store: config.store,
      label: 'Once',
      readInput: async ({ payload }) => dealOrNone(payload),
      handle: async ({ msg, engine, runId, node }) => {
        const { guarantee } = config;
        const passed = await engine.once(runId, { nodeId: node.id, key: await keyOf(msg), guarantee });
        return passed === null ? [msg, null] : [null, Object.assign(msg, { passed })];
      },
    });
  }

  return { 'q2c-once': Once };
}
