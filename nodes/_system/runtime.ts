import type { NodeAPI } from 'node-red';
import { manifests, type SystemId } from '../../lib/systems';
import type { NodeTypes } from '../_shared/node-types';
import { connectionNode } from './connection/runtime';
import { eventsNode } from './events/runtime';
import { operationNode } from './operation/runtime';

/** The nodes of one system, for the set that the build makes of its folder. */
export function systemNodeTypes(RED: NodeAPI, id: SystemId): NodeTypes {
  const manifest = manifests[id];
  if (manifest === undefined) throw new Error(`There is no system "${id}"`);
  return {
    [`q2c-${id}`]: operationNode(RED, id, manifest),
    [`q2c-${id}-connection`]: connectionNode(RED, id, manifest),
    [`q2c-${id}-events`]: eventsNode(RED, id, manifest),
  };
}
