import type { Request, RequestHandler, Response } from 'express';
import type { NodeAPI } from 'node-red';
import {
  cancelRun,
  completeStep,
  correctStep,
  dryRun,
  retryRuns,
  settleUndo,
  skipStep,
  stepInput,
} from '../../lib/api/repairs';
import type { Engine, RetryProgress } from '../../lib/engine';
import { answer, engineOf, problem, userOf } from './answers';

/** Admin routes by which people repair and take back; each needs the right to write, also where it shows payloads. */
export function registerRepairRoutes({ httpAdmin }: NodeAPI, api: string, write: RequestHandler): void {
  const about =
    <T>(repair: (engine: Engine, key: string, body: unknown, actor: string) => Promise<T>) =>
    (request: Request, engine: Engine) =>
      repair(engine, String(request.params.key), request.body, userOf(request));

  httpAdmin.get(`${api}/steps/:key/input`, write, answer(about(stepInput)));
  httpAdmin.post(`${api}/steps/:key/correct`, write, answer(about(correctStep)));
  httpAdmin.post(`${api}/steps/:key/complete`, write, answer(about(completeStep)));
  httpAdmin.post(`${api}/steps/:key/skip`, write, answer(about(skipStep)));
  httpAdmin.post(`${api}/steps/:key/settle-undo`, write, answer(about(settleUndo)));
  httpAdmin.post(`${api}/runs/:key/cancel`, write, answer(about(cancelRun)));
  httpAdmin.post(
    `${api}/runs/:key/dry-run`,
    write,
    answer(about((engine, runId, _, actor) => dryRun(engine, runId, actor))),
  );
  httpAdmin.post(`${api}/runs/retry`, write, (request: Request, response: Response) => {
    const engine = engineOf(request, response);
    if (engine !== null) void retryMany(engine, request, response);
  });
}

/** One line of JSON per change of the progress. Whoever closes the connection ends it. */
async function retryMany(engine: Engine, request: Request, response: Response): Promise<void> {
  const cancelled = new AbortController();
  response.on('close', () => cancelled.abort());
  try {
    const progress = retryRuns(engine, request.body, userOf(request), cancelled.signal);
    for await (const each of progress) tell(response, each);
    response.end();
  } catch (error) {
    // Once lines are out, the status cannot say any more that something failed.
    if (response.headersSent) response.destroy();
    else problem(response, error);
  }
}

function tell(response: Response, progress: RetryProgress): void {
  if (!response.headersSent) response.type('application/x-ndjson');
  response.write(`${JSON.stringify(progress)}\n`);
}
