import type { Node, NodeAPI, NodeDef } from 'node-red';
import { isCorrectable, type NewCase } from '../../lib/engine';
import { exceptionMessage, ownerRole, personNames } from '../../lib/model';
import { checkReadiness, type Firm, type Issue, type NaturalKeyClaim } from '../../lib/rules';
import { amountAtRisk } from '../_shared/amount-at-risk';
import { caseFacts } from '../_shared/case-facts';
import { requireFirm } from '../_shared/firm-node';
import { type InputContext, onInput } from '../_shared/input';
import type { NodeTypes } from '../_shared/node-types';
import type { CheckProperties } from './types';

/** Lets a deal pass only when everything the ERP and the PSA need is there; each gap becomes a case. */
export default function nodeTypes(RED: NodeAPI): NodeTypes {
  function Check(this: Node, config: NodeDef & CheckProperties) {
    RED.nodes.createNode(this, config);

    onInput(this, {
      RED,
      store: config.store,
      label: 'Readiness check',
      handle: async (context) => {
        const firm = requireFirm(RED, config.firm);
        const { engine, runId, deal: read } = context;
        const deal = await engine.withCorrections(runId, read);
        const readiness = checkReadiness(deal, firm);
        const issues = readiness.ready ? await duplicates(context, readiness.claims) : readiness.issues;
        if (!readiness.ready || issues.length > 0) {
          return engine.fail(runId, casesOf({ ...context, deal }, issues, firm), read);
        }
        context.msg.payload = readiness.deal;
        return context.msg;
      },
    });
  }

  return { 'q2c-check': Check };
}

/** What two records with the same natural key have in common, in people's words. */
const LIKENESS: Record<NaturalKeyClaim['entity'], string> = {
  customer: 'same tax registration, or same name and postal code',
  contact: 'same e-mail address',
};

/** Fields that natural keys are made of (guides §2). */
const KEY_FIELDS: Record<NaturalKeyClaim['entity'], string[]> = {
  customer: ['taxProfile.registrationNumber', 'legalName', 'billingAddress.postalCode'],
  contact: ['email'],
};

/** Natural keys that another record of the store holds already. */
async function duplicates({ engine, runId }: InputContext, claims: NaturalKeyClaim[]): Promise<Issue[]> {
  const holders = await engine.claimNaturalKeys(claims, runId);
  return claims.flatMap(({ entity, id, name }, index): Issue[] => {
    const holder = holders[index];
    if (holder === undefined || holder.id === id) return [];
    const params = { customer: name, candidate: holder.name, score: LIKENESS[entity] };
    return [{ code: 'DUPLICATE_SUSPECTED', entity, subject: id, params, fields: KEY_FIELDS[entity] }];
  });
}

/** One case for each record and code, which says all that is wrong there: a second one would replace its message. */
function casesOf({ node, deal }: InputContext, issues: readonly Issue[], firm: Firm): NewCase[] {
  const groups = Map.groupBy(issues, ({ code, subject }) => `${code}|${subject}`);
  return [...groups.values()].flatMap((group) => {
    const [first] = group;
    if (first === undefined) return [];
    const { code, subject, entity, params } = first;
    const fields = group.flatMap((each) => each.fields ?? []).filter(isCorrectable);
    return {
      node,
      code,
      subject,
      ...(fields.length > 0 && { fields: [...new Set(fields)] }),
      message: group.map((each) => exceptionMessage(code, each.params)).join(' '),
      about: {
        params,
        ownerRole: ownerRole(code, entity),
        ...amountAtRisk(deal),
        ...caseFacts(deal, firm, { entity }),
        personal: () => [...personNames(deal), ...(entity === 'contact' ? whoIn(group) : [])],
      },
    };
  });
}

/** Of a possible duplicate: the other person, of another deal perhaps, is named too. */
const whoIn = (issues: readonly Issue[]): string[] =>
  issues.flatMap(({ params }) => [params.customer ?? '', params.candidate ?? '']);
