import type { ConnectedTarget, Target, TargetOperation } from '../../lib/engine';
import type { JsonValue } from '../../lib/model';
import type { Connected } from '../../lib/remote/connect';
import type { Operation, SystemManifest } from '../../lib/systems/kit/types';
import { failureOf } from './operation';

/**
 * A node's connection, for repairs that the engine makes outside of a flow: any operation of the system, not only the
 * node's own, so that a step can be undone whose node is gone.
 *
 * @param connect connects on first use, as the node itself does
 */
export function targetOf(manifest: SystemManifest, node: string, connect: () => Promise<Connected>): Target {
  return {
    system: manifest.id,
    async connect(): Promise<ConnectedTarget> {
      const connected = await connect();
      return {
        instance: connected.client.instance,
        operation(name) {
          const found = connected.module.operations.find(({ entity, verb }) => `${entity}.${verb}` === name);
          return found && targetOperation(connected, found, manifest, node);
        },
      };
    },
  };
}

function targetOperation(
  { client }: Connected,
  operation: Operation,
  manifest: SystemManifest,
  node: string,
): TargetOperation {
  const { probe, adopt, compensate, recordType, visibleAfterMs } = operation;
  return {
    recordType,
    visibleAfterMs,
    ...(probe && {
      probe: async (wire, info) => (await probe.call(operation, client, wire, info)) as JsonValue | null,
    }),
    ...(adopt && {
      look: async (externalId, wire, info) =>
        (await adopt.call(operation, client, externalId, wire, { ...info, lookOnly: true })) !== null,
    }),
    ...(compensate && {
      undo: (wire, reply, info) => compensate.call(operation, client, wire, reply, info),
    }),
    classify: (error) => failureOf(error, { manifest, operation, node }),
  };
}
