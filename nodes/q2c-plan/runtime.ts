import type { Node, NodeAPI, NodeDef } from 'node-red';
import { type ExceptionCode, isExceptionCode, ownerRole, Q2cError } from '../../lib/model';
import { type Firm, planDeal, type ReadyDeal } from '../../lib/rules';
import { amountAtRisk } from '../_shared/amount-at-risk';
import { caseFacts } from '../_shared/case-facts';
import { requireFirm } from '../_shared/firm-node';
import { type InputContext, onInput } from '../_shared/input';
import type { NodeTypes } from '../_shared/node-types';
import type { PlanProperties } from './types';

/** From contract to project, tasks, milestones and billing schedule. Pure: a repeated run plans the same records. */
export default function nodeTypes(RED: NodeAPI): NodeTypes {
  function Plan(this: Node, config: NodeDef & PlanProperties) {
    RED.nodes.createNode(this, config);

    onInput(this, {
      RED,
      store: config.store,
      label: 'Plan',
      handle: async (context) => {
        const firm = requireFirm(RED, config.firm);
        try {
          context.msg.payload = planDeal(requireReady(context), firm);
        } catch (error) {
          if (!(error instanceof Q2cError) || !isExceptionCode(error.code)) throw error;
          return waiting(context, firm, error.code, error.message);
        }
        return context.msg;
      },
    });
  }

  return { 'q2c-plan': Plan };
}

function requireReady({ deal }: InputContext): ReadyDeal {
  const missing = (['opportunity', 'customer', 'quote', 'contract'] as const).filter(
    (part) => deal[part] === undefined,
  );
  if (missing.length === 0 && deal.contract?.legalEntityId !== undefined) return deal as ReadyDeal;
  throw new Q2cError(
    'DEAL_DOCUMENT_INVALID',
    'Only a checked deal can be planned: wire this node behind a readiness check (q2c-check).',
  );
}

function waiting(
  { engine, runId, node, deal }: InputContext,
  firm: Firm,
  code: ExceptionCode,
  message: string,
): Promise<never> {
  return engine.fail(runId, [
    {
      node,
      code,
      message,
      subject: deal.contract?.id ?? '',
      about: {
        params: {},
        ownerRole: ownerRole(code, 'contract'),
        ...amountAtRisk(deal),
        ...caseFacts(deal, firm, { entity: 'contract' }),
      },
    },
  ]);
}
