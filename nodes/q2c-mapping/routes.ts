import type { Request } from 'express';
import type { NodeAPI } from 'node-red';
import { type DealDocument, Q2cError } from '../../lib/model';
import type { Firm } from '../../lib/rules';
import { mappingVersions } from '../../lib/store';
import type { FirmNode } from '../_shared/firm-node';
import { host } from '../_shared/host';
import { jsonOf } from '../_shared/routes';
import { mappingCatalogue } from './catalogue';
import { preview, previewRequest } from './preview';
import { dealOfRun, maskedDeal, recentDeals } from './recent-deals';
import { sampleDeal } from './sample-deal';

/** Longest list of deals or versions that a form is offered. */
const LIMIT = 50;

/** What the form of a mapping set asks the host. Called once per process: express never forgets a route. */
export function registerMappingRoutes(RED: NodeAPI): void {
  const read = RED.auth.needsPermission('q2c.read');
  const answered = (view: (request: Request) => Promise<unknown>) => jsonOf(RED, view);

  RED.httpAdmin.get(
    '/q2c/mapping/catalogue',
    read,
    answered(async () => mappingCatalogue()),
  );
  RED.httpAdmin.get(
    '/q2c/mapping/deals',
    read,
    answered(async () => {
      const engine = host.engine();
      return engine === undefined ? [] : recentDeals(engine.store, LIMIT);
    }),
  );
  RED.httpAdmin.get(
    '/q2c/mapping/versions',
    read,
    answered(async (request) => {
      const engine = host.engine();
      if (engine === undefined) return [];
      const rows = await mappingVersions(engine.store, String(request.query.set ?? ''), LIMIT);
      return rows.map(({ version, content, first_used_at }) => ({
        version,
        content,
        firstUsedAt: first_used_at,
      }));
    }),
  );
  RED.httpAdmin.post(
    '/q2c/mapping/preview',
    read,
    answered(async (request) => {
      const asked = previewRequest(request.body);
      const firm = firmOf(RED);
      return preview(asked, await dealFor(asked.run, firm), firm);
    }),
  );
}

async function dealFor(run: string | undefined, firm: Firm | null): Promise<DealDocument> {
  if (run === undefined) return sampleDeal();
  const engine = host.engine();
  const deal = engine === undefined ? null : await dealOfRun(engine.store, run, firm);
  if (deal === null) throw new Q2cError('RUN_UNKNOWN', `Run ${run} has not read a deal.`);
  return maskedDeal(deal);
}

/** The first set-up of a firm that is deployed and valid: the form of a mapping set names none. */
function firmOf(RED: NodeAPI): Firm | null {
  let found: Firm | null = null;
  RED.nodes.eachNode((config) => {
    if (config.type !== 'q2c-firm' || found !== null) return;
    const node = RED.nodes.getNode(config.id) as FirmNode | null;
    if (node !== null && !(node.firm instanceof Q2cError)) found = node.firm;
  });
  return found;
}
