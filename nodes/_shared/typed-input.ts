import type { Node, NodeAPI } from 'node-red';
import type { Q2cMessage } from './message';

/** The value of a typed input. Always asynchronous: file-backed context is, and some types throw at once. */
export function evaluateTypedInput(
  RED: NodeAPI,
  node: Node,
  value: string,
  type: string,
  msg: Q2cMessage,
): Promise<unknown> {
  return new Promise((resolve, reject) => {
    try {
      RED.util.evaluateNodeProperty(value, type, node, msg, (error, result) =>
        error ? reject(error) : resolve(result),
      );
    } catch (error) {
      reject(error);
    }
  });
}
