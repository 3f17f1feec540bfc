import type { RequestHandler } from 'express';
import type { NodeAPI } from 'node-red';
import { isProductionHost } from './production-host';
import { jsonOf } from './routes';
import type { SetupFacts, SurveyedStore } from './setup-facts';

/** What makes a set-up risky and is known to the host only; forms warn of it. */
export function registerSetupRoute(RED: NodeAPI, permitted: RequestHandler): void {
  RED.httpAdmin.get(
    '/q2c/setup',
    permitted,
    jsonOf(RED, () => setupFacts(RED)),
  );
}

async function setupFacts(RED: NodeAPI): Promise<SetupFacts> {
  const stores: SurveyedStore[] = [];
  RED.nodes.eachNode(({ id, type }) => {
    const node = type === 'q2c-store' ? RED.nodes.getNode(id) : null;
    if (node !== null && 'facts' in node) stores.push(node as SurveyedStore);
  });
  const facts = await Promise.all(stores.map(async (store) => [store.id, await store.facts()] as const));
  return { production: isProductionHost(), stores: Object.fromEntries(facts) };
}
