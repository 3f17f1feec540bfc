import type { Node, NodeAPI, NodeDef } from 'node-red';
import { Q2cError } from '../../lib/model';
import { onInput } from '../_shared/input';
import { dealOrNone, type Q2cMessage } from '../_shared/message';
import { evaluateTypedInput } from '../_shared/typed-input';
import type { OnceProperties } from './types';

/** Lets a message pass once, to guard what must not be repeated when its run is. */
export default function register(RED: NodeAPI): void {
  function Once(this: Node, config: NodeDef & OnceProperties) {
    RED.nodes.createNode(this, config);

    const keyOf = async (msg: Q2cMessage): Promise<string | null> => {
      if (config.scope !== 'key') return null;
      const key = await evaluateTypedInput(RED, this, config.key, config.keyType, msg);
      if ((typeof key === 'string' && key.trim() !== '') || typeof key === 'number') return String(key);
      throw new Q2cError(
        'VALUE_INVALID',
        'The key is empty, or is no text. Say in the form which field of the message holds it.',
      );
    };

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

  RED.nodes.registerType('q2c-once', Once);
}
