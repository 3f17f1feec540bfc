import type { Request, Response } from 'express';
import type { NodeAPI } from 'node-red';
import { countRuns, listCases, listRuns, runReport } from '../../lib/api/reports';
import type { Engine } from '../../lib/engine';
import { Q2cError } from '../../lib/model';
import type { RunState } from '../../lib/store';
import type { ConnectionTestReply, Testable } from './connection-test';
import { host } from './host';

const MAX_LIMIT = 500;
const RUN_STATES: RunState[] = ['queued', 'running', 'completed', 'failed', 'superseded', 'cancelled'];

let registered = false;

/** Admin routes of the pack, below `<admin root>/q2c/`. Registered once per process: express never forgets a route. */
export function registerRoutes(RED: NodeAPI): void {
  if (registered) return;
  registered = true;
  const read = RED.auth.needsPermission('q2c.read');
  const write = RED.auth.needsPermission('q2c.write');
  const api = '/q2c/api/v1';

  RED.httpAdmin.get(
    `${api}/runs`,
    read,
    answer((request, engine) =>
      listRuns(engine.store, {
        limit: limitOf(request),
        ...optional('after', text(request, 'after')),
        ...optional('state', stateOf(request)),
        ...optional('correlationId', text(request, 'correlationId')),
      }),
    ),
  );
  RED.httpAdmin.get(
    `${api}/runs/counts`,
    read,
    answer((_, engine) => countRuns(engine.store)),
  );
  RED.httpAdmin.get(
    `${api}/runs/:id`,
    read,
    answer((request, engine) => runReport(engine.store, String(request.params.id))),
  );
  RED.httpAdmin.post(
    `${api}/runs/:id/retry`,
    write,
    answer(async (request, engine) => {
      await engine.retryRun(String(request.params.id), userOf(request));
      return {};
    }),
  );
  RED.httpAdmin.get(
    `${api}/cases`,
    read,
    answer((request, engine) =>
      listCases(engine.store, {
        limit: limitOf(request),
        open: text(request, 'state') !== 'all',
        ...optional('after', text(request, 'after')),
      }),
    ),
  );
  RED.httpAdmin.post('/q2c/connections/:id/test', write, (request: Request, response: Response) => {
    testConnection(RED, String(request.params.id)).then(
      (body) => response.json(body),
      (error: unknown) => problem(response, error),
    );
  });
}

/** Answers with the JSON of a view on the chosen store; null is 404. Errors become problem documents. */
function answer(view: (request: Request, engine: Engine) => Promise<unknown>) {
  return (request: Request, response: Response): void => {
    const engine = host.engine(text(request, 'store'));
    if (engine === undefined) {
      response.status(404).json({ code: 'CONFIG_MISSING', title: 'No store is deployed.' });
      return;
    }
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

async function testConnection(RED: NodeAPI, id: string): Promise<ConnectionTestReply> {
  const node = RED.nodes.getNode(id) as Partial<Testable> | null;
  if (node?.test === undefined) {
    throw new Q2cError('CONFIG_MISSING', 'Deploy the connection first, then test it.');
  }
  return { checks: await node.test() };
}

function problem(response: Response, error: unknown): void {
  const known = error instanceof Q2cError;
  response
    .status(known ? 400 : 500)
    .type('application/problem+json')
    .json({
      code: known ? error.code : 'NODE_FAILED',
      title: error instanceof Error ? error.message : String(error),
    });
}

function text(request: Request, name: string): string | undefined {
  const value = request.query[name];
  return typeof value === 'string' && value !== '' ? value : undefined;
}

function limitOf(request: Request): number {
  const limit = Number(text(request, 'limit') ?? 100);
  return Number.isInteger(limit) && limit > 0 ? Math.min(limit, MAX_LIMIT) : 100;
}

function stateOf(request: Request): RunState | undefined {
  const state = text(request, 'state');
  return RUN_STATES.find((known) => known === state);
}

function userOf(request: Request): string {
  const { user } = request as Request & { user?: { username?: string } };
  return user?.username ?? 'anonymous';
}

function optional<K extends string, V>(key: K, value: V | undefined): Partial<Record<K, V>> {
  return (value === undefined ? {} : { [key]: value }) as Partial<Record<K, V>>;
}
