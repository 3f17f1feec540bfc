import type { Request, Response } from 'express';
import type { NodeAPI } from 'node-red';
import { countRuns, listCases, listRuns, runReport } from '../../lib/api/reports';
import { Q2cError } from '../../lib/model';
import type { RunState } from '../../lib/store';
import { answer, problem, text, userOf } from './answers';
import type { ConnectionTestReply, Testable } from './connection-test';
import { registerConsole } from './console-page';
import { registerRepairRoutes } from './repair-routes';

const MAX_LIMIT = 500;
const RUN_STATES: RunState[] = [
  'parked',
  'queued',
  'running',
  'waiting',
  'completed',
  'failed',
  'superseded',
  'cancelling',
  'cancelled',
];

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
  registerRepairRoutes(RED, api, write);
  registerConsole(RED.httpAdmin);
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

async function testConnection(RED: NodeAPI, id: string): Promise<ConnectionTestReply> {
  const node = RED.nodes.getNode(id) as Partial<Testable> | null;
  if (node?.test === undefined) {
    throw new Q2cError('CONFIG_MISSING', 'Deploy the connection first, then test it.');
  }
  return { checks: await node.test() };
}

function limitOf(request: Request): number {
  const limit = Number(text(request, 'limit') ?? 100);
  return Number.isInteger(limit) && limit > 0 ? Math.min(limit, MAX_LIMIT) : 100;
}

function stateOf(request: Request): RunState | undefined {
  const state = text(request, 'state');
  return RUN_STATES.find((known) => known === state);
}

function optional<K extends string, V>(key: K, value: V | undefined): Partial<Record<K, V>> {
  return (value === undefined ? {} : { [key]: value }) as Partial<Record<K, V>>;
}
