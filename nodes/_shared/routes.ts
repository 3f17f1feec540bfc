import type { Request as HttpRequest, Response } from 'express';
import type { NodeAPI } from 'node-red';
import { type Answer, API_ROOT, answer, type Route, refusal, routes, servicesOf } from '../../lib/api';
import type { Engine } from '../../lib/engine';
import { governanceOf } from '../../lib/governance';
import { Q2cError } from '../../lib/model';
import { callerOf } from './caller';
import { registerConsole } from './console-page';
import { host } from './host';
import { hostView } from './host-view';
import { send } from './send';
import { registerSetupRoute } from './setup-route';
import { registerTestRoute } from './test-route';

export { endServices } from '../../lib/api';

/** Admin routes of the pack, below `<admin root>/q2c/`. Called once per process: express never forgets a route. */
export function registerRoutes(RED: NodeAPI): void {
  registerConsole(RED.httpAdmin);
  for (const route of routes) {
    const permitted = RED.auth.needsPermission(route.permission);
    RED.httpAdmin[route.method](
      API_ROOT + route.path,
      permitted,
      (request: HttpRequest, response: Response) => {
        const gone = new AbortController();
        response.on('close', () => gone.abort());
        void answered(RED, route, request, gone.signal).then((given) =>
          send(given, response, gone.signal, logFault(RED)),
        );
      },
    );
  }
  // Forms ask here: a store or broker can be tried although no store is open.
  const write = RED.auth.needsPermission('q2c.write');
  registerTestRoute(RED, write);
  registerSetupRoute(RED, RED.auth.needsPermission('q2c.read'));
}

/** For the routes of forms, which are not part of the programs' interface: the JSON of a view, or a problem document. */
export function jsonOf(RED: NodeAPI, view: (request: HttpRequest) => Promise<unknown>) {
  return (request: HttpRequest, response: Response): void => {
    view(request)
      .then(
        (json): Answer => ({ status: 200, headers: { 'content-type': 'application/json' }, body: { json } }),
        (error: unknown) => {
          if (!(error instanceof Q2cError)) logFault(RED)(error);
          return refusal(error);
        },
      )
      .then((given) => send(given, response, new AbortController().signal, logFault(RED)));
  };
}

async function answered(
  RED: NodeAPI,
  route: Route,
  request: HttpRequest,
  signal: AbortSignal,
): Promise<Answer> {
  // A token in the address, as some clients of Node-RED send it, is not for the route.
  const { store, access_token: _, ...query } = request.query;
  const engine = host.engine(typeof store === 'string' && store !== '' ? store : undefined);
  if (engine === undefined) return refusal(noStore());
  const params = Object.fromEntries(
    Object.entries(request.params).map(([name, value]) => [name, String(value)]),
  );
  const asked = {
    params,
    query,
    body: request.body as unknown,
    header: (name: string) => request.header(name),
  };
  return answer(
    route,
    asked,
    { ...surroundings(RED, engine), caller: callerOf(request), signal },
    logFault(RED),
  );
}

export const surroundings = (RED: NodeAPI, engine: Engine) => ({
  engine,
  governance: governanceOf(engine),
  host: hostView(RED),
  services: servicesOf(engine, logFault(RED)),
});

const noStore = () =>
  new Q2cError(
    'CONFIG_MISSING',
    'No store is deployed, or it is not open yet; its node in the editor says why.',
  );

export const logFault = (RED: NodeAPI) => (error: unknown) =>
  RED.log.error(
    `quote-to-cash: a request failed: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`,
  );
