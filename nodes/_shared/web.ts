import type { Express, NextFunction, Request, Response } from 'express';
import type { NodeAPI } from 'node-red';
import { LOOKUP_ROOT } from '../../lib/api/roots';
import type { Engine } from '../../lib/engine';
import { loadGently } from './load-gently';

/**
 * The pack's part of the host's web server: page, programs' interface and lookups are loaded with their first request, so
 * that a host that nobody looks at does not load them (docs/decisions/0024).
 */

let routes: typeof import('./routes') | null = null;

export function registerWeb(RED: NodeAPI): void {
  atFirstRequest(RED.httpAdmin, '/q2c', async () => {
    routes = await import('./routes');
    routes.registerRoutes(RED);
  });
  atFirstRequest(RED.httpNode, LOOKUP_ROOT, async () =>
    (await import('./lookup-routes')).registerLookupRoutes(RED),
  );
}

/** The store of the engine is being closed: whoever follows it is let go. */
export function endServices(engine: Engine): void {
  routes?.endServices(engine);
}

/** Paths that are waited for, which is so once per process: Express never forgets a route. */
const awaited = new Set<string>();

/**
 * Has routes registered when something below a path is asked for the first time. Express goes on with what has been
 * added meanwhile, so that the first request finds them too. When that fails, the next request tries again.
 * @param register adds routes to `app`, all or none
 */
export function atFirstRequest(app: Pick<Express, 'use'>, path: string, register: () => Promise<void>): void {
  if (awaited.has(path)) return;
  awaited.add(path);
  let ready: Promise<void> | null = null;
  app.use(path, (_request: Request, _response: Response, next: NextFunction) => {
    ready ??= loadGently().then(register);
    ready.then(
      () => next(),
      (error: unknown) => {
        ready = null;
        next(error);
      },
    );
  });
}
