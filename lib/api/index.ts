import * as z from 'zod';
import { openApiDocument } from './openapi';
import { defineRoute, type Route } from './route';
import { caseRoutes } from './routes/cases';
import { dealRoutes } from './routes/deals';
import { figureRoutes } from './routes/figures';
import { operationRoutes } from './routes/operations';
import { runRoutes } from './routes/runs';
import { stepRoutes } from './routes/steps';

/** The programs' interface: one table of routes, whatever serves it. */

export { type Answer, answer, type Request, refusal, type Surroundings } from './answer';
export { type Lookup, lookups } from './lookups';
export { Masker } from './masking';
export { API_ROOT, LOOKUP_ROOT } from './roots';
export type { Caller, Connection, ConnectionCheck, HostView, Permission, Route } from './route';
export { endServices, type Services, servicesOf } from './services';
export { requireToken } from './tokens';

/** Made when it is first asked for: it takes 70 ms. */
let described: ReturnType<typeof describe> | undefined;

const openApi = defineRoute({
  method: 'get',
  path: '/openapi.json',
  id: 'getOpenApi',
  tag: 'Session',
  summary: 'This interface as an OpenAPI 3.1 document',
  permission: 'q2c.read',
  reply: { kind: 'json', schema: z.looseObject({ openapi: z.string() }) },
  handle: async (_, { host }) => {
    described ??= describe(host.version);
    return described;
  },
});

/** Fixed paths come before those with parameters that would take them. */
export const routes: readonly Route[] = [
  ...operationRoutes,
  ...dealRoutes,
  ...figureRoutes,
  ...runRoutes,
  ...stepRoutes,
  ...caseRoutes,
  openApi,
];

/** @param server root of the interface, as programs see it; the default is right for whoever got the document there */
export const describe = (version: string, server = '.') => openApiDocument(routes, version, server);
