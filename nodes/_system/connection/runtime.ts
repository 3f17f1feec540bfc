import type { Node, NodeAPI, NodeDef } from 'node-red';
import { Q2cError } from '../../../lib/model';
import { observability } from '../../../lib/observe';
import type { Connected } from '../../../lib/remote/connect';
import type { SystemId } from '../../../lib/systems';
import type { ConnectionConfig, Environment, SystemManifest } from '../../../lib/systems/kit/types';
import type { Testable } from '../../_shared/connection-test';
import { connections } from '../../_shared/connections';
import { host } from '../../_shared/host';
import type { NodeConstructor } from '../../_shared/node-types';
import { isProductionHost } from '../../_shared/production-host';
import { simulatedEndpoint } from '../../_shared/simulator';
import { stableId } from '../../_shared/stable-id';
import { sharedTokens } from './tokens';
import type { ConnectionProperties } from './types';

/** A `q2c-<system>-connection` node as other nodes see it. */
export interface ConnectionNode extends Node, Testable {
  /** As deployed, with variables filled in. */
  environment: Environment;
  /** Connects on first use; all nodes of the connection share the client with its budgets and breaker. */
  connect(): Promise<Connected>;
}

type Settings = NodeDef & ConnectionProperties & Record<string, unknown>;

export function connectionNode(RED: NodeAPI, id: SystemId, manifest: SystemManifest): NodeConstructor {
  function Connection(this: ConnectionNode, config: Settings) {
    RED.nodes.createNode(this, config);
    this.environment = config.environment;
    let connected: Promise<Connected> | null = null;

    this.connect = () => {
      connected ??= connect(this, config).catch((error: unknown) => {
        connected = null;
        throw error;
      });
      return connected;
    };
    this.test = async (options) => (await this.connect()).client.test(options);

    this.on('close', (done: () => void) => {
      if (connected === null) {
        done();
        return;
      }
      connected
        .then(({ client }) => {
          connections.delete(this);
          return client.close();
        })
        .catch((error: Error) => this.error(error.message))
        .finally(done);
    });
  }

  async function connect(node: ConnectionNode, config: Settings): Promise<Connected> {
    const settings = await connectionConfig(RED, node, config, manifest);
    const { connectInThread } = await import('../../../lib/remote/connect');
    const { client, module } = await connectInThread(id, settings, {
      tokens: sharedTokens(stableId(node), settings),
      // With a store of its own a host shares its rates with nobody.
      ...(!host.engine()?.store.exclusive && {
        reserveCall: async (requestsPerSecond: number) =>
          (await host.engine()?.reserveCall(stableId(node), requestsPerSecond)) ?? null,
      }),
      log: (level, message) => (level === 'warn' ? node.warn(message) : node.debug(message)),
      observe: () => observability.callsOf(id),
    });
    if (settings.environment === 'simulator' && isProductionHost()) {
      node.warn(`This is a production host (NODE_ENV), but ${manifest.label} is the simulator.`);
    }
    connections.set(node, { id: stableId(node), system: id, client });
    return { client, module };
  }

  return Connection;
}

/**
 * Settings of the client, from the form, the credentials and, in Simulator mode, the simulator.
 * @throws Q2cError `CONNECTION_INVALID` naming the fields that are empty.
 */
async function connectionConfig(
  RED: NodeAPI,
  node: Node,
  config: Settings,
  manifest: SystemManifest,
): Promise<ConnectionConfig> {
  // Connections that were saved before there was a choice have none.
  const wanted = config.auth || manifest.auth[0]?.id;
  const scheme = manifest.auth.find(({ id }) => id === wanted);
  const unknown =
    scheme === undefined ? config.auth : config.environment in manifest.limits ? null : config.environment;
  if (unknown !== null) {
    throw new Q2cError(
      'CONNECTION_INVALID',
      `The connection to ${manifest.label} names "${unknown}", which is neither an environment nor a way to sign in. Choose one in the form, or set the variable that holds it.`,
    );
  }
  const values: Record<string, string> = {};
  const credentials = (node.credentials ?? {}) as Record<string, unknown>;
  const fields = [...manifest.settings, ...(scheme?.fields ?? [])];
  for (const field of fields) {
    const value = field.secret === true ? credentials[field.id] : config[field.id];
    const given = typeof value === 'string' ? value.trim() : '';
    const effective = given === '' ? (field.default ?? '') : given;
    if (effective !== '') values[field.id] = effective;
  }
  if (config.environment === 'simulator') {
    const { url, credentials: simulated } = await simulatedEndpoint(RED, manifest.id);
    Object.assign(values, { baseUrl: url }, simulated[scheme?.id ?? '']);
  }
  const missing = fields.filter(({ id, required }) => required === true && values[id] === undefined);
  if (missing.length > 0) {
    throw new Q2cError(
      'CONNECTION_INVALID',
      `The connection to ${manifest.label} lacks ${missing.map(({ label }) => label).join(', ')}. Fill in the form and deploy.`,
    );
  }
  const concurrency = Number(config.concurrency);
  return {
    environment: config.environment,
    auth: scheme?.id ?? '',
    values,
    ...(config.instance?.trim() ? { instance: config.instance.trim() } : {}),
    ...(Number.isInteger(concurrency) && concurrency > 0 ? { limits: { concurrency } } : {}),
  };
}
