import type { Node, NodeAPI } from 'node-red';
import { Q2cError } from '../../lib/model';
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

/**
 * The value of a typed input that must be a name or a number.
 * @param what it is, for the error: `The ${what}`
 * @throws Q2cError `VALUE_INVALID` when it is empty, anything else, or cannot be had from this message.
 */
export async function evaluateText(
  RED: NodeAPI,
  node: Node,
  value: string,
  type: string,
  msg: Q2cMessage,
  what: string,
): Promise<string> {
  const found = await evaluateTypedInput(RED, node, value, type, msg).catch((cause: Error) => {
    throw noText(what, cause.message, cause);
  });
  if ((typeof found === 'string' && found.trim() !== '') || typeof found === 'number') return String(found);
  throw noText(what, found === undefined || found === null || found === '' ? 'it is empty' : 'it is no text');
}

function noText(what: string, reason: string, cause?: Error): Q2cError {
  return new Q2cError(
    'VALUE_INVALID',
    `The ${what} cannot be used: ${reason}. Say in the form which field of the message holds it.`,
    { cause },
  );
}
