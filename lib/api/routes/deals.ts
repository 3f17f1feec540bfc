import * as z from 'zod';
import { dealReport, listDeals } from '../deals';
import { defineRoute, listOf } from '../route';
import { paged, pageOf, runState } from '../schemas/common';
import { dealPage, dealReport as report } from '../schemas/deals';
import { refSummary } from '../schemas/runs';
import { concealStepsOf } from '../step-views';
import { listRefs } from '../xrefs';

const listDealsRoute = defineRoute({
  method: 'get',
  path: '/deals',
  id: 'listDeals',
  tag: 'Deals',
  summary: 'Deals, the latest first; searched by any id, name or number of any system',
  permission: 'q2c.read',
  query: z.strictObject({
    ...paged,
    q: z.string().trim().min(2).max(200).optional(),
    state: listOf(runState).optional().meta({ description: 'Of its latest run' }),
  }),
  reply: { kind: 'json', schema: dealPage },
  handle: async ({ query }, context) =>
    listDeals(context.engine.store, context.services.dealIndex, { q: query.q, states: query.state }, query),
});

const getDeal = defineRoute({
  method: 'get',
  path: '/deals/:id',
  id: 'getDeal',
  tag: 'Deals',
  summary:
    'One deal: its timeline, its records with links per system, their state, and what it waits for. By correlation id or the id of any of its runs',
  permission: 'q2c.read',
  reply: { kind: 'json', schema: report },
  hasPayload: true,
  handle: async ({ params }, context) => {
    const found = await dealReport(context.engine.store, params.id ?? '');
    if (found !== null) await concealStepsOf(context, ...found.runs.map(({ id }) => id));
    return found;
  },
});

const listRefsRoute = defineRoute({
  method: 'get',
  path: '/xrefs',
  id: 'listCrossReferences',
  tag: 'Deals',
  summary: "Cross-references between canonical ids and systems' own ids",
  permission: 'q2c.read',
  query: z.strictObject({
    ...paged,
    canonicalId: z.string().optional(),
    system: z.string().optional(),
    instance: z.string().optional(),
    type: z.string().optional(),
    externalId: z.string().optional(),
  }),
  reply: { kind: 'json', schema: pageOf(refSummary) },
  handle: async ({ query: { limit, cursor, ...filter } }, { engine }) =>
    listRefs(engine.store, filter, { limit, cursor }),
});

export const dealRoutes = [listDealsRoute, getDeal, listRefsRoute];
