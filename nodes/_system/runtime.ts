import type { NodeAPI } from 'node-red';
import { manifests, type SystemId } from '../../lib/systems';
import { registerConnection } from './connection/runtime';
import { registerEvents } from './events/runtime';
import { registerOperation } from './operation/runtime';

/** Registers the node types of one system; the build writes one call of this per system folder. */
export function registerSystem(RED: NodeAPI, id: SystemId): void {
  const manifest = manifests[id];
  if (manifest === undefined) throw new Error(`There is no system "${id}"`);
  registerConnection(RED, id, manifest);
  registerOperation(RED, id, manifest);
  // Without events there is no form either: the host would know a type that the editor cannot show.
  if (Object.keys(manifest.events).length > 0) registerEvents(RED, id, manifest);
}
