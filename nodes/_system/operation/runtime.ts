import type { Node, NodeAPI, NodeDef } from 'node-red';
import { Q2cError } from '../../../lib/model';
import type { Connected } from '../../../lib/remote/connect';
import type { Firm } from '../../../lib/rules';
import type { SystemId } from '../../../lib/systems';
import type { Operation, SystemManifest } from '../../../lib/systems/kit/types';
import { optionalFirm } from '../../_shared/firm-node';
import { onceFlowsStarted } from '../../_shared/flows-started';
import { type InputContext, onInput, requireConfig, type StoreNode } from '../../_shared/input';
import { mappingInUse } from '../../_shared/mapping-node';
import type { Q2cMessage } from '../../_shared/message';
import type { NodeConstructor } from '../../_shared/node-types';
import { runOperation } from '../../_shared/operation';
import { stableId } from '../../_shared/stable-id';
import { targetOf } from '../../_shared/target';
import { evaluateText, evaluateTypedInput } from '../../_shared/typed-input';
import type { ConnectionNode } from '../connection/runtime';
import { defaults, type OperationProperties } from './types';

type Settings = NodeDef & OperationProperties & Record<string, unknown>;

/** Node `q2c-<system>`: one operation of the system on the deal of each message. */
export function operationNode(RED: NodeAPI, id: SystemId, manifest: SystemManifest): NodeConstructor {
  function OperationNode(this: Node, config: Settings) {
    RED.nodes.createNode(this, config);
    const parametersOf = parameterReader(RED, this, manifest, config);
    const declared = manifest.entities[config.entity]?.operations[config.verb as Operation['verb']];

    const connect = async () =>
      requireConfig<ConnectionNode>(RED, config.connection, 'connection', `q2c-${id}-connection`).connect();
    let release: (() => void) | undefined;
    let closed = false;

    onInput(this, {
      RED,
      store: config.store,
      system: manifest.label,
      label: declared?.label ?? `${manifest.label} ${config.entity} ${config.verb}`,
      readInput: (msg) =>
        evaluateTypedInput(
          RED,
          this,
          config.input || defaults.input,
          config.inputType || defaults.inputType,
          msg,
        ),
      handle: async (context) => run(context, await connect(), optionalFirm(RED, config.firm)),
    });

    // From now on every node that a run could reach is there.
    const register = () => {
      const store = RED.nodes.getNode(config.store) as StoreNode | null;
      if (!store?.engine || closed) return;
      const target = targetOf(manifest, this.name || this.id, connect);
      store.engine().then(
        (engine) => {
          if (!closed) release = engine.repairs.registerTarget(stableId(this), target);
        },
        // The store says itself why it cannot be opened.
        () => undefined,
      );
    };
    const forget = onceFlowsStarted(RED, register);
    this.on('close', (done: () => void) => {
      closed = true;
      forget();
      release?.();
      done();
    });

    const run = async (context: InputContext, connected: Connected, firm: Firm | null) => {
      const operation = findOperation(connected, manifest, config);
      const { deal, rows } = await runOperation({
        ...context,
        manifest,
        client: connected.client,
        operation,
        firm,
        parameters: { ...(await parametersOf(context.msg)), ...waitingFor(context) },
        mapping: mappingInUse(RED, context.msg, firm),
      });
      context.msg.payload = deal;
      if (rows !== undefined) context.msg.result = rows;
      return context.msg;
    };
  }

  return OperationNode;
}

/** Who a deal waits for that comes from a Catch node: status texts may name it. */
const waitingFor = ({ msg: { q2c } }: InputContext): { waitingFor?: string } =>
  q2c?.waitingFor === undefined ? {} : { waitingFor: q2c.waitingFor };

function findOperation({ module }: Connected, manifest: SystemManifest, config: Settings): Operation {
  const found = module.operations.find(
    ({ entity, verb }) => entity === config.entity && verb === config.verb,
  );
  if (found !== undefined) return found;
  throw new Q2cError(
    'CONFIG_MISSING',
    `${manifest.label} has no operation "${config.entity}.${config.verb}". Choose entity and operation in the form.`,
  );
}

/** The parameters of the operation for a message. Texts are known beforehand, the rest is read from it. */
function parameterReader(
  RED: NodeAPI,
  node: Node,
  manifest: SystemManifest,
  config: Settings,
): (msg: Q2cMessage) => Promise<Record<string, string>> {
  const fields =
    manifest.entities[config.entity]?.operations[config.verb as Operation['verb']]?.parameters ?? [];
  const values = fields.map(({ id, label, default: preset }) => ({
    id,
    label,
    value: String(config[id] ?? preset ?? ''),
    type: String(config[`${id}Type`] ?? 'str'),
  }));
  return async (msg) => {
    const found: Record<string, string> = {};
    for (const { id, label, value, type } of values) {
      found[id] = type === 'str' ? value : await evaluateText(RED, node, value, type, msg, label);
    }
    return found;
  };
}
