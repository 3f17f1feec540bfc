import type { Request, Response } from 'express';
import type { Engine } from '../../lib/engine';
import { Q2cError } from '../../lib/model';
import { host } from './host';

/** How admin routes of the pack find their store and answer. */

/** Answers with the JSON of a view on the chosen store; null is 404. Errors become problem documents. */
export function answer(view: (request: Request, engine: Engine) => Promise<unknown>) {
  return (request: Request, response: Response): void => {
    const engine = engineOf(request, response);
    if (engine === null) return;
    view(request, engine).then(
      (body) => {
        if (body === null)
          response.status(404).json({ code: 'RUN_UNKNOWN', title: 'There is no such record.' });
        else response.json(body);
      },
      (error: unknown) => problem(response, error),
    );
  };
}

/** The engine of the chosen store; null when there is none, which is answered. */
export function engineOf(request: Request, response: Response): Engine | null {
  const engine = host.engine(text(request, 'store'));
  if (engine !== undefined) return engine;
  response.status(404).json({ code: 'CONFIG_MISSING', title: 'No store is deployed.' });
  return null;
}

export function problem(response: Response, error: unknown): void {
  const known = error instanceof Q2cError;
  response
    .status(known ? 400 : 500)
    .type('application/problem+json')
    .json({
      code: known ? error.code : 'NODE_FAILED',
      title: error instanceof Error ? error.message : String(error),
    });
}

export function text(request: Request, name: string): string | undefined {
  const value = request.query[name];
  return typeof value === 'string' && value !== '' ? value : undefined;
}

export function userOf(request: Request): string {
  const { user } = request as Request & { user?: { username?: string } };
  return user?.username ?? 'anonymous';
}
