import type { RequestHandler } from 'express';
import type { NodeAPI } from 'node-red';
import { observability } from '../../lib/observe';
import { engineOf, problem } from './answers';
import { connectionStates } from './connections';

/** Admin routes by which programs look at what happens. */
export function registerObserveRoutes({ httpAdmin }: NodeAPI, api: string, read: RequestHandler): void {
  httpAdmin.get(`${api}/metrics`, read, (request, response) => {
    const engine = engineOf(request, response);
    if (engine === null) return;
    observability.metrics(engine.store, connectionStates()).then(
      ({ contentType, text }) => response.type(contentType).send(text),
      (error: unknown) => problem(response, error),
    );
  });
}
