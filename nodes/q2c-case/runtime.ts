import type { Node, NodeAPI, NodeDef } from 'node-red';
import { isExceptionCode, newId, ownerRole, Q2cError } from '../../lib/model';
import { amountAtRisk } from '../_shared/amount-at-risk';
import { caseFacts } from '../_shared/case-facts';
import { onInput } from '../_shared/input';
import type { NodeTypes } from '../_shared/node-types';
import { evaluateTypedInput } from '../_shared/typed-input';
import type { CaseProperties } from './types';

/** Raises a case on purpose: the message stops here, its run waits for the owner. */
export default function nodeTypes(RED: NodeAPI): NodeTypes {
  function RaiseCase(this: Node, config: NodeDef & CaseProperties) {
    RED.nodes.createNode(this, config);

    onInput(this, {
      RED,
      store: config.store,
      label: 'Case',
      handle: async ({ msg, deal, engine, runId, node }) => {
        const { code } = config;
        if (!isExceptionCode(code))
          throw new Q2cError('CONFIG_MISSING', 'Choose the code of the case in the form.');
        const message = await evaluateTypedInput(RED, this, config.message, config.messageType, msg);
        return engine.fail(runId, [
          {
            node,
            code,
            ...(message ? { message: String(message) } : {}),
            severity: config.severity,
            subject: deal.opportunity?.id ?? msg.q2c?.correlationId ?? newId('opportunity'),
            about: {
              params: { customer: deal.customer?.legalName ?? deal.opportunity?.name ?? '', node: node.name },
              ownerRole: ownerRole(code),
              ...amountAtRisk(deal),
              ...caseFacts(deal, null),
            },
            ...(config.ownerRole ? { ownerRole: config.ownerRole } : {}),
          },
        ]);
      },
    });
  }

  return { 'q2c-case': RaiseCase };
}
