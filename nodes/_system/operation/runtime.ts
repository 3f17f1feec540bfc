import type { Node, NodeAPI, NodeDef } from 'node-red';
import { Q2cError } from '../../../lib/model';
import type { Firm } from '../../../lib/rules';
import type { SystemId } from '../../../lib/systems';
import type { Operation, SystemManifest } from '../../../lib/systems/kit/types';
import { optionalFirm } from '../../_shared/firm-node';
import { type InputContext, onInput, requireConfig } from '../../_shared/input';
import { runOperation } from '../../_shared/operation';
import { evaluateTypedInput } from '../../_shared/typed-input';
import type { Connected, ConnectionNode } from '../connection/runtime';
import { defaults, type OperationProperties } from './types';

type Settings = NodeDef & OperationProperties & Record<string, unknown>;

/** Node `q2c-<system>`: one operation of the system on the deal of each message. */
export function registerOperation(RED: NodeAPI, id: SystemId, manifest: SystemManifest): void {
  function OperationNode(this: Node, config: Settings) {
    RED.nodes.createNode(this, config);
    const parameters = parametersOf(manifest, config);
    const declared = manifest.entities[config.entity]?.operations[config.verb as Operation['verb']];

    onInput(this, {
      RED,
      store: config.store,
      label: declared?.label ?? `${manifest.label} ${config.entity} ${config.verb}`,
      readInput: (msg) =>
        evaluateTypedInput(
          RED,
          this,
          config.input || defaults.input,
          config.inputType || defaults.inputType,
          msg,
        ),
      handle: async (context) => {
        const connection = requireConfig<ConnectionNode>(
          RED,
          config.connection,
          'connection',
          `q2c-${id}-connection`,
        );
        const connected = await connection.connect();
        return run(context, connected, optionalFirm(RED, config.firm));
      },
    });

    const run = async (context: InputContext, connected: Connected, firm: Firm | null) => {
      const operation = findOperation(connected, manifest, config);
      const { deal, rows } = await runOperation({
        ...context,
        manifest,
        client: connected.client,
        operation,
        firm,
        parameters,
      });
      context.msg.payload = deal;
      if (rows !== undefined) context.msg.result = rows;
      return context.msg;
    };
  }

  RED.nodes.registerType(`q2c-${id}`, OperationNode);
}

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

function parametersOf(manifest: SystemManifest, config: Settings): Record<string, string> {
  const fields =
    manifest.entities[config.entity]?.operations[config.verb as Operation['verb']]?.parameters ?? [];
  return Object.fromEntries(
    fields.map(({ id, default: preset }) => [id, String(config[id] ?? preset ?? '')]),
  );
}
