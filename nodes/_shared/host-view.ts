import type { Node, NodeAPI, NodeDef } from 'node-red';
import type { Connection, HostView } from '../../lib/api';
import { type Classification, Q2cError } from '../../lib/model';
import { observability, zoneIn } from '../../lib/observe';
import type { Firm } from '../../lib/rules';
import { manifests } from '../../lib/systems';
import type { CheckOptions, ConnectionCheck, Environment, SystemManifest } from '../../lib/systems/kit/types';
import { version } from '../../package.json';
import { checkLine, type Testable } from './connection-test';
import { connectionStates, connections } from './connections';
import type { FirmNode } from './firm-node';
import { firmZones } from './firm-zones';

/** Fields of all vendors that hold what only some people may see. */
export const vendorFields: Readonly<Record<string, Classification>> = Object.assign(
  {},
  ...Object.values(manifests).map((each) => each.classifiedFields),
);

/** What the programs' interface sees of this host beside its store. */
export const hostView = (RED: NodeAPI): HostView => ({
  version,
  classifiedFields: vendorFields,
  connections() {
    const found: Promise<Connection>[] = [];
    RED.nodes.eachNode((config) => {
      const manifest = manifestOf(config);
      if (manifest !== null) found.push(connectionOf(RED, config, manifest));
    });
    return Promise.all(found);
  },
  firms: () => firmsOf(RED),
  test: (nodeId) => testNode(RED, nodeId),
  metrics: async (store) => observability.metrics(store, await connectionStates()),
  zoneOf: (legalEntity) => zoneIn(firmZones(RED))(legalEntity),
});

function firmsOf(RED: NodeAPI): Firm[] {
  const found: Firm[] = [];
  RED.nodes.eachNode(({ id, type }) => {
    if (type !== 'q2c-firm') return;
    const firm = (RED.nodes.getNode(id) as FirmNode | null)?.firm;
    if (firm !== undefined && !(firm instanceof Q2cError)) found.push(firm);
  });
  return found;
}

/** @throws Q2cError `CONFIG_MISSING` when no such node runs */
export async function testNode(
  RED: NodeAPI,
  nodeId: string,
  options?: CheckOptions,
): Promise<ConnectionCheck[]> {
  const node = RED.nodes.getNode(nodeId) as Partial<Testable> | null;
  if (node?.test === undefined) {
    throw new Q2cError('CONFIG_MISSING', 'Deploy the connection first, then test it.');
  }
  return (await node.test(options)).map(checkLine);
}

function manifestOf({ type }: NodeDef): SystemManifest | null {
  return Object.values(manifests).find(({ id }) => type === `q2c-${id}-connection`) ?? null;
}

const isEnvironment = (manifest: SystemManifest, name: unknown): name is Environment =>
  typeof name === 'string' && name in manifest.limits;

type Configured = NodeDef & {
  environment?: Connection['environment'];
  instance?: string;
  concurrency?: string;
};

async function connectionOf(RED: NodeAPI, config: Configured, manifest: SystemManifest): Promise<Connection> {
  const node: Node | null = RED.nodes.getNode(config.id);
  const client = node === null ? undefined : connections.get(node)?.client;
  // Of the running node: in the flow it may be a variable.
  const named = node !== null && 'environment' in node ? (node.environment as string) : config.environment;
  const environment = isEnvironment(manifest, named) ? named : 'simulator';
  const concurrency = Number(config.concurrency);
  const limits = manifest.limits[environment];
  return {
    id: config.id,
    name: config.name || manifest.label,
    system: manifest.id,
    label: manifest.label,
    environment,
    instance: client?.instance ?? null,
    health: (await client?.health()) ?? null,
    limits: concurrency > 0 ? { ...limits, concurrency } : limits,
  };
}
