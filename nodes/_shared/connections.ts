import type { Node } from 'node-red';
import type { ConnectionState } from '../../lib/observe';
import type { SystemClient } from '../../lib/systems/kit/types';

/** Connections of this host that are in use, by their nodes. */
export const connections = new Map<Node, { id: string; system: string; client: SystemClient }>();

export const connectionStates = (): Promise<ConnectionState[]> =>
  Promise.all(
    [...connections.values()].map(async ({ id, system, client }) => ({
      id,
      system,
      health: await client.health(),
    })),
  );
