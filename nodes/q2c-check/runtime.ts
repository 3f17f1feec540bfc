import type { Node, NodeAPI, NodeDef } from 'node-red';
import type { NewCase } from '../../lib/engine';
import { ownerRole } from '../../lib/model';
import { checkReadiness, type Issue, type NaturalKeyClaim } from '../../lib/rules';
import { amountAtRisk } from '../_shared/amount-at-risk';
import { requireFirm } from '../_shared/firm-node';
import { type InputContext, onInput } from '../_shared/input';
import type { CheckProperties } from './types';

/** Lets a deal pass only when everything the ERP and the PSA need is there; each gap becomes a case. */
export default function register(RED: NodeAPI): void {
  function Check(this: Node, config: NodeDef & CheckProperties) {
    RED.nodes.createNode(this, config);

    onInput(this, {
      RED,
      store: config.store,
      label: 'Readiness check',
      handle: async (context) => {
        const readiness = checkReadiness(context.deal, requireFirm(RED, config.firm));
        const issues = readiness.ready ? await duplicates(context, readiness.claims) : readiness.issues;
        if (!readiness.ready || issues.length > 0) {
          return context.engine.fail(
            context.runId,
            issues.map((issue) => caseOf(context, issue)),
          );
        }
        context.msg.payload = readiness.deal;
        return context.msg;
      },
    });
  }

  RED.nodes.registerType('q2c-check', Check);
}

/** What two records with the same natural key have in common, in people's words. */
const LIKENESS: Record<NaturalKeyClaim['entity'], string> = {
  customer: 'same tax registration, or same name and postal code',
  contact: 'same e-mail address',
};

/** Natural keys that another record of the store holds already. */
async function duplicates({ engine, runId }: InputContext, claims: NaturalKeyClaim[]): Promise<Issue[]> {
  const holders = await engine.claimNaturalKeys(claims, runId);
  return claims.flatMap(({ entity, id, name }, index): Issue[] => {
    const holder = holders[index];
    if (holder === undefined || holder.id === id) return [];
    const params = { customer: name, candidate: holder.name, score: LIKENESS[entity] };
    return [{ code: 'DUPLICATE_SUSPECTED', entity, subject: id, params }];
  });
}

function caseOf({ node, deal }: InputContext, issue: Issue): NewCase {
  return {
    node,
    code: issue.code,
    subject: issue.subject,
    about: {
      params: issue.params,
      ownerRole: ownerRole(issue.code, issue.entity),
      ...amountAtRisk(deal),
    },
  };
}
