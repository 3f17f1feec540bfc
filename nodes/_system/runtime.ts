// Placeholder so that the build and the editor can be tried; the real runtime replaces this file.
import type { Node, NodeAPI, NodeDef } from 'node-red';
import type { SystemModule } from '../../lib/systems/kit/types';

/** Registers the three node types of one system. The build writes one call of this per system folder. */
export function registerSystem(RED: NodeAPI, system: SystemModule): void {
  const { id, auth, settings } = system.manifest;
  const secrets = [...settings, ...auth.flatMap((scheme) => scheme.fields)].filter((field) => field.secret);
  const plain = function (this: Node, config: NodeDef) {
    RED.nodes.createNode(this, config);
  };
  RED.nodes.registerType(`q2c-${id}-connection`, plain, {
    credentials: Object.fromEntries(secrets.map((field) => [field.id, { type: 'password' as const }])),
  });
  RED.nodes.registerType(`q2c-${id}`, plain);
  RED.nodes.registerType(`q2c-${id}-events`, plain);
}
