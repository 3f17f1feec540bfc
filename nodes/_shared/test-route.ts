import type { Request as HttpRequest, RequestHandler, Response } from 'express';
import type { NodeAPI } from 'node-red';
import { refusal } from '../../lib/api';
import { Q2cError } from '../../lib/model';
import { checkLine, type TestProgress } from './connection-test';
import { testNode } from './host-view';
import { logFault } from './routes';
import { send } from './send';

/**
 * "Test connection" of the forms. Each line is sent as soon as it is known; when the form goes away, or cancels, what is
 * left of the test is not done.
 */
export function registerTestRoute(RED: NodeAPI, permitted: RequestHandler): void {
  RED.httpAdmin.post(
    '/q2c/connections/:id/test',
    permitted,
    (request: HttpRequest, response: Response): void => {
      const gone = new AbortController();
      response.on('close', () => gone.abort());
      tested(RED, String(request.params.id), response, gone.signal).catch((error: unknown) => {
        if (!(error instanceof Q2cError)) logFault(RED)(error);
        // Once lines are out, the missing rest tells that the test broke off.
        if (response.headersSent) response.end();
        else send(refusal(error), response, gone.signal, logFault(RED));
      });
    },
  );
}

async function tested(RED: NodeAPI, nodeId: string, response: Response, signal: AbortSignal): Promise<void> {
  const told = new Set<string>();
  const tell = (progress: TestProgress): void => {
    if (!response.headersSent) {
      // Proxies that gather small answers would hold the lines back.
      response.writeHead(200, { 'content-type': 'application/x-ndjson', 'x-accel-buffering': 'no' });
    }
    if (!signal.aborted) response.write(`${JSON.stringify(progress)}\n`);
  };
  const checks = await testNode(RED, nodeId, {
    signal,
    onPlan: (plan) => tell({ plan: [...plan] }),
    onCheck: (check) => {
      told.add(check.id);
      tell({ check: checkLine(check) });
    },
  });
  for (const check of checks) if (!told.has(check.id)) tell({ check });
  response.end();
}
