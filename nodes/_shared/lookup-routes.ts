import type { Request as HttpRequest, Response } from 'express';
import type { NodeAPI } from 'node-red';
import {
  type Answer,
  answer,
  type Caller,
  LOOKUP_ROOT,
  type Lookup,
  lookups,
  refusal,
  requireToken,
} from '../../lib/api';
import type { Engine } from '../../lib/engine';
import { lookupsOf } from './open-lookups';
import { logFault, surroundings } from './routes';
import { send } from './send';

/** Lookups for other programs, on the root of Node-RED's HTTP nodes. Only stores that say so answer them. */

/** Called once per process: express never forgets a route. */
export function registerLookupRoutes(RED: NodeAPI): void {
  for (const lookup of lookups) {
    RED.httpNode.get(
      LOOKUP_ROOT + lookup.route.path,
      (request: HttpRequest, response: Response, next: () => void) => {
        const { store } = request.query;
        const engine = lookupsOf(typeof store === 'string' ? store : undefined);
        if (engine === undefined) {
          // As if it were not there.
          next();
          return;
        }
        const gone = new AbortController();
        response.on('close', () => gone.abort());
        void lookedUp(RED, engine, lookup, request, gone.signal).then((given) =>
          send(given, response, gone.signal, logFault(RED)),
        );
      },
    );
  }
}

async function lookedUp(
  RED: NodeAPI,
  engine: Engine,
  { route, scope }: Lookup,
  request: HttpRequest,
  signal: AbortSignal,
): Promise<Answer> {
  try {
    const token = await requireToken(engine.store, secretIn(request), scope);
    const caller: Caller = { name: `token ${token.name}`, isAnonymous: false, may: () => false };
    const { store: _, ...query } = request.query;
    const params = { id: String(request.params.id ?? '') };
    const asked = { params, query, body: undefined, header: (name: string) => request.header(name) };
    return await answer(route, asked, { ...surroundings(RED, engine), caller, signal }, logFault(RED));
  } catch (error) {
    return refusal(error);
  }
}

/** In a header of its own where the host's `httpNodeAuth` needs `Authorization`. */
function secretIn(request: HttpRequest): string {
  const bearer = /^Bearer (.+)$/i.exec(request.header('authorization') ?? '')?.[1];
  return request.header('x-q2c-token') ?? bearer ?? '';
}
