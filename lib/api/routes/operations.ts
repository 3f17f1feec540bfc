import * as z from 'zod';
import { searchAudit } from '../../observe';
import { checkAudit } from '../../store';
import { bulkRequest } from '../bulk';
import { connectionViews } from '../connections';
import { changes } from '../live';
import { refuseMasked } from '../masking';
import { cursorOf, given, placeOf } from '../paging';
import { personOf } from '../person';
import { type ApiContext, defineRoute, requireActor, requirePermission, rolesOf } from '../route';
import { instant, paged, pageOf } from '../schemas/common';
import {
  auditCheck,
  auditLine,
  type BulkJob,
  bulkJob,
  change,
  connectionChecks,
  connectionView,
  session,
  tokenSummary,
} from '../schemas/operations';
import { concealCases } from '../step-views';
import { createToken, deleteToken, listTokens, tokenScopes } from '../tokens';

const getSession = defineRoute({
  method: 'get',
  path: '/session',
  id: 'getSession',
  tag: 'Session',
  summary: 'Who asks, and what they may',
  permission: 'q2c.read',
  reply: { kind: 'json', schema: session },
  handle: async (_, { caller, host }) => ({
    user: caller.name,
    isAnonymous: caller.isAnonymous,
    permissions: {
      read: caller.may('q2c.read'),
      write: caller.may('q2c.write'),
      approve: caller.may('q2c.approve'),
      unmask: !caller.isAnonymous && caller.may('q2c.unmask'),
    },
    roles: rolesOf(caller) === 'all' ? ['all'] : rolesOf(caller),
    version: host.version,
  }),
});

const listConnections = defineRoute({
  method: 'get',
  path: '/systems',
  id: 'listSystems',
  tag: 'Systems',
  summary: 'Connections of the flows: health, breaker, budgets, last errors',
  permission: 'q2c.read',
  reply: { kind: 'json', schema: z.array(connectionView) },
  handle: async (_, { engine, host }) => connectionViews(engine.store, await host.connections()),
});

const testConnection = defineRoute({
  method: 'post',
  path: '/systems/:id/test',
  id: 'testSystem',
  tag: 'Systems',
  summary: 'Tries a connection now, by the id of its node',
  permission: 'q2c.write',
  reply: { kind: 'json', schema: connectionChecks },
  handle: async ({ params }, { host }) => ({ checks: await host.test(params.id ?? '') }),
});

const listAudit = defineRoute({
  method: 'get',
  path: '/audit',
  id: 'listAudit',
  tag: 'Audit',
  summary: 'Lines of the audit, newest first',
  permission: 'q2c.read',
  query: z.strictObject({
    ...paged,
    subject: z.string().optional(),
    runId: z.string().optional(),
    actor: z.string().optional(),
    action: z.string().optional().meta({ description: 'All of it, or its beginning up to a point: `case.`' }),
    since: instant.optional(),
    before: instant.optional(),
  }),
  reply: { kind: 'json', schema: pageOf(auditLine) },
  hasPayload: true,
  handle: async ({ query: { limit, cursor, ...filter } }, { engine }) => {
    const place = placeOf(cursor, 1);
    const found = await searchAudit(engine.store, given(filter), {
      limit,
      ...(place !== null && { after: Number(place[0]) }),
    });
    return { items: found.lines, next: found.next === null ? null : cursorOf([found.next]) };
  },
});

const metrics = defineRoute({
  method: 'get',
  path: '/metrics',
  id: 'getMetrics',
  tag: 'Systems',
  summary: "Metrics in Prometheus' text format",
  permission: 'q2c.read',
  reply: { kind: 'text', types: ['text/plain'] },
  handle: async (_, { engine, host }) => {
    const { contentType, text } = await host.metrics(engine.store);
    return { type: contentType, text };
  },
});

const verifyAudit = defineRoute({
  method: 'post',
  path: '/audit/verify',
  id: 'verifyAudit',
  tag: 'Audit',
  summary: 'Recomputes the chain of the audit from its first line',
  permission: 'q2c.read',
  reply: { kind: 'json', schema: auditCheck },
  handle: async (_, { engine }) => checkAudit(engine.store.db),
});

/** Why one has failed may quote what was sent. */
async function shown(context: ApiContext, ...jobs: BulkJob[]): Promise<BulkJob[]> {
  await concealCases(context, ...jobs.flatMap(({ lastError }) => lastError?.id ?? []));
  return jobs;
}

const listBulk = defineRoute({
  method: 'get',
  path: '/bulk',
  id: 'listBulk',
  tag: 'Bulk',
  summary: 'Work on many records at once: what is under way, and what lately ended',
  permission: 'q2c.read',
  reply: { kind: 'json', schema: z.array(bulkJob) },
  handle: async (_, context) => shown(context, ...(await context.services.bulk.list())),
});

const startBulk = defineRoute({
  method: 'post',
  path: '/bulk',
  id: 'startBulk',
  tag: 'Bulk',
  summary: 'Does the same with many failed runs or cases, a few at a time',
  permission: 'q2c.read',
  body: bulkRequest,
  reply: { kind: 'json', schema: bulkJob, status: 202 },
  handle: async ({ body }, { governance, services, caller }) => {
    if (body.action === 'retry_runs') requirePermission(caller, 'q2c.write');
    else requireActor(caller);
    refuseMasked(body);
    return services.bulk.start(body, governance, personOf(caller));
  },
});

const getBulk = defineRoute({
  method: 'get',
  path: '/bulk/:id',
  id: 'getBulk',
  tag: 'Bulk',
  summary: 'How far it is',
  permission: 'q2c.read',
  reply: { kind: 'json', schema: bulkJob },
  handle: async ({ params }, context) => {
    const job = await context.services.bulk.get(params.id ?? '');
    return (await shown(context, job))[0];
  },
});

const cancelBulk = defineRoute({
  method: 'post',
  path: '/bulk/:id/cancel',
  id: 'cancelBulk',
  tag: 'Bulk',
  summary: 'Ends it before its next record. For whoever began it, or may write',
  permission: 'q2c.read',
  reply: { kind: 'json', schema: bulkJob },
  handle: async ({ params }, { services, caller }) => {
    const job = await services.bulk.get(params.id ?? '');
    if (job.actor !== caller.name) requirePermission(caller, 'q2c.write');
    return services.bulk.cancel(job.id, caller.name);
  },
});

const liveChanges = defineRoute({
  method: 'get',
  path: '/events',
  id: 'watchChanges',
  tag: 'Live',
  summary:
    'Changes as they happen, as server-sent events named `change`; `Last-Event-ID` goes on from there. `reset` = too much was missed, load anew',
  permission: 'q2c.read',
  reply: { kind: 'stream', type: 'text/event-stream', schema: change },
  handle: async (_, { services, lastEventId, signal }) => changes(services.feed, lastEventId, signal),
});

const listTokensRoute = defineRoute({
  method: 'get',
  path: '/tokens',
  id: 'listTokens',
  tag: 'Tokens',
  summary: 'Tokens with which other programs look things up',
  permission: 'q2c.write',
  reply: { kind: 'json', schema: z.array(tokenSummary) },
  handle: async (_, { engine }) => listTokens(engine.store),
});

const createTokenRoute = defineRoute({
  method: 'post',
  path: '/tokens',
  id: 'createToken',
  tag: 'Tokens',
  summary: 'Makes a token. Its secret is told only now',
  permission: 'q2c.write',
  body: z.strictObject({
    name: z.string().trim().min(1).max(100),
    scopes: z.array(z.enum(tokenScopes)).min(1),
    expiresAt: instant.nullable().default(null),
  }),
  reply: { kind: 'json', schema: tokenSummary.extend({ secret: z.string() }), status: 201 },
  isReplyKept: false,
  handle: async ({ body }, { engine, caller }) => createToken(engine.store, body, caller.name),
});

const deleteTokenRoute = defineRoute({
  method: 'delete',
  path: '/tokens/:id',
  id: 'deleteToken',
  tag: 'Tokens',
  summary: 'Takes a token out of use at once',
  permission: 'q2c.write',
  reply: { kind: 'json', schema: tokenSummary },
  handle: async ({ params }, { engine, caller }) => deleteToken(engine.store, params.id ?? '', caller.name),
});

export const operationRoutes = [
  getSession,
  listConnections,
  testConnection,
  listAudit,
  verifyAudit,
  metrics,
  listBulk,
  startBulk,
  getBulk,
  cancelBulk,
  liveChanges,
  listTokensRoute,
  createTokenRoute,
  deleteTokenRoute,
];
