import * as z from 'zod';
import { addDays, localDateSchema, todayIn } from '../../model';
import {
  countedUntil,
  countWork,
  evidenceHtml,
  evidenceOf,
  kpiGroups,
  kpiReport,
  openExceptions,
  workList,
  workLists,
} from '../../observe';
import { appendAudit } from '../../store';
import { cursorOf, given, placeOf } from '../paging';
import { component, defineRoute } from '../route';
import { instant, paged } from '../schemas/common';
import { openException, workListCount, workListPage } from '../schemas/figures';
import { concealDeal } from '../step-views';

/** Key figures, work lists, and the evidence of a deal (docs/observability.md). */

const DEFAULT_DAYS = 30;

const durations = component(
  'Durations',
  z.object({
    count: z.number(),
    meanMs: z.number().nullable(),
    medianMs: z.number().nullable(),
    p95Ms: z.number().nullable(),
  }),
);

const kpiFigures = component(
  'KeyFigures',
  z.object({
    group: z.string().nullable().meta({ description: 'What the group is of; null for all together' }),
    projectSetup: durations,
    writes: z.object({
      attempted: z.number(),
      confirmed: z.number(),
      success: z.number().nullable().meta({ description: 'Confirmed by attempted, 0 to 1' }),
      latency: durations,
    }),
    duplicatesPrevented: z
      .object({
        events: z.number(),
        lostReplies: z.number(),
        earlierRuns: z.number(),
        naturalKeys: z.number(),
      })
      .meta({ description: 'What would have become a second record or a second write' }),
    exceptions: z.object({ opened: z.number(), resolved: z.number(), timeToResolve: durations }),
  }),
);

const getKpis = defineRoute({
  method: 'get',
  path: '/kpis',
  id: 'getKeyFigures',
  tag: 'Key figures',
  summary: 'Key figures of a period, all together or told apart; the last 30 days unless told',
  permission: 'q2c.read',
  query: z.strictObject({
    from: localDateSchema.optional(),
    to: localDateSchema.optional(),
    by: z.enum(kpiGroups).optional(),
    legalEntity: z.string().optional(),
    tier: z.string().optional(),
    system: z.string().optional(),
  }),
  reply: {
    kind: 'json',
    schema: z.object({
      from: z.string(),
      to: z.string(),
      countedUntil: instant.nullable(),
      figures: z.array(kpiFigures),
    }),
  },
  handle: async ({ query: { by, to: last, from: first, ...filter } }, { engine: { store }, host }) => {
    const to = last ?? todayIn(host.zoneOf(null), store.now());
    const from = first ?? addDays(to, 1 - DEFAULT_DAYS);
    const figures = await kpiReport(store, { from, to, ...given(filter) }, by);
    return { from, to, countedUntil: await countedUntil(store), figures };
  },
});

const getOpenExceptions = defineRoute({
  method: 'get',
  path: '/kpis/open-exceptions',
  id: 'getOpenExceptions',
  tag: 'Key figures',
  summary: 'Open cases by process: what kind, in which system, and whose',
  permission: 'q2c.read',
  query: z.strictObject({ legalEntity: z.string().optional() }),
  reply: { kind: 'json', schema: z.array(openException) },
  handle: async ({ query }, { engine }) => openExceptions(engine.store, given(query)),
});

const countWorkLists = defineRoute({
  method: 'get',
  path: '/kpis/work-lists',
  id: 'countWorkLists',
  tag: 'Key figures',
  summary: 'Work lists, with the number of deals on each',
  permission: 'q2c.read',
  reply: { kind: 'json', schema: z.array(workListCount) },
  handle: async (_, { engine }) => countWork(engine.store),
});

const getWorkList = defineRoute({
  method: 'get',
  path: '/kpis/work-lists/:list',
  id: 'getWorkList',
  tag: 'Key figures',
  summary: `Deals that somebody should look after, the oldest first: ${workLists.join(', ')}`,
  permission: 'q2c.read',
  query: z.strictObject(paged),
  reply: { kind: 'json', schema: workListPage },
  handle: async ({ params, query: { limit, cursor } }, { engine }) => {
    const list = workLists.find((each) => each === params.list);
    if (list === undefined) return null;
    const place = placeOf(cursor, 2);
    const after = place && { since: String(place[0]), correlationId: String(place[1]) };
    const { next, ...found } = await workList(engine.store, list, limit, after);
    return { ...found, next: next && cursorOf([next.since, next.correlationId]) };
  },
});

/** Who takes evidence away leaves a line in the audit, after what it shows. */
const getEvidence = defineRoute({
  method: 'get',
  path: '/deals/:id/evidence',
  id: 'getEvidence',
  tag: 'Audit',
  summary: 'All that shows how a deal went, for an auditor, as JSON or as a page to read. It is audited',
  permission: 'q2c.read',
  query: z.strictObject({ format: z.enum(['json', 'html']).default('json') }),
  reply: { kind: 'text', types: ['application/json', 'text/html'] },
  hasPayload: true,
  handle: async ({ params, query }, context) => {
    const { store } = context.engine;
    const id = params.id ?? '';
    const actor = context.caller.name;
    const at = store.now();
    await concealDeal(context, id);
    const pack = await evidenceOf(store, id, { actor, at, redact: context.redact });
    if (pack === null) return null;
    const line = { at, actor, action: 'evidence.exported', subject: id, runId: null };
    await store.write((tx) => appendAudit(tx, { ...line, detail: { digest: pack.digest } }));
    return query.format === 'html'
      ? { type: 'text/html', text: evidenceHtml(pack) }
      : { type: 'application/json', text: JSON.stringify(pack), fileName: `evidence-${id}.json` };
  },
});

export const figureRoutes = [getKpis, getOpenExceptions, countWorkLists, getWorkList, getEvidence];
