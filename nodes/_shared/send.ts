import { once } from 'node:events';
import type { Response } from 'express';
import { type Answer, refusal } from '../../lib/api';
import { Q2cError } from '../../lib/model';

/** Proxies close connections on which nothing moves for half a minute or more. */
const HEARTBEAT_MS = 15_000;

/** Sends an answer over the host's web server. @param onFault told of faults of this program */
export async function send(
  answer: Answer,
  response: Response,
  signal: AbortSignal,
  onFault: (error: unknown) => void,
): Promise<void> {
  const { body } = answer;
  if (body !== null && 'stream' in body) {
    await stream(answer, body.stream, response, signal, onFault);
    return;
  }
  response.status(answer.status).set(answer.headers);
  if (body === null) response.end();
  else if ('json' in body) response.send(Buffer.from(JSON.stringify(body.json)));
  else response.send(body.text);
}

/**
 * Sends what comes as it comes, and no faster than it is taken. A stream that fails before its first part is answered
 * with a problem document; after that the connection is broken off, for the status is out.
 */
async function stream(
  { status, headers }: Answer,
  parts: AsyncIterable<string>,
  response: Response,
  signal: AbortSignal,
  onFault: (error: unknown) => void,
): Promise<void> {
  const begin = () => response.status(status).set(headers).flushHeaders();
  const isLive = headers['content-type'] === 'text/event-stream';
  let heartbeat: NodeJS.Timeout | undefined;
  if (isLive) {
    begin();
    response.write(':\n\n');
    heartbeat = setInterval(() => response.write(':\n\n'), HEARTBEAT_MS);
  }
  try {
    for await (const part of parts) {
      if (!response.headersSent) begin();
      if (!response.write(part)) await once(response, 'drain', { signal });
      if (signal.aborted) break;
    }
    response.end();
  } catch (error) {
    if (signal.aborted) return;
    if (!(error instanceof Q2cError)) onFault(error);
    if (response.headersSent) response.destroy();
    else await send(refusal(error), response, signal, onFault);
  } finally {
    clearInterval(heartbeat);
  }
}
