// Placeholder so that the build and the editor can be tried; the real runtime replaces this file.
import type { Node, NodeAPI, NodeDef } from 'node-red';

export default function register(RED: NodeAPI): void {
  RED.nodes.registerType('q2c-store', function (this: Node, config: NodeDef) {
    RED.nodes.createNode(this, config);
  });
}
