import { randomBytes, randomUUID } from 'node:crypto';
import type { SimContext, SimRequest, SimResponse, SimulatedSystem } from '../kit/types';
import { Account, INDEXES } from './account';
import { control } from './control';
import { Refusal, systemFailure, tooManyRequests, unauthorized } from './errors';
import { route } from './routes';
import { seed } from './seed';

/**
 * A Kantata OX account (the API formerly called Mavenlink), written from the vendor's published contract and
 * developer pages. Where these are silent it takes the stricter of the plausible behaviours; docs and comments
 * say where.
 */
export const system: SimulatedSystem = {
  id: 'kantata',
  indexes: [...INDEXES],
  seed(context, world) {
    seed(context, world);
    context.db.setValue(TOKEN, randomBytes(32).toString('hex'));
  },
  credentials: ({ db, baseUrl }) => ({
    'access-token': { accessToken: db.getValue(TOKEN) ?? '', baseUrl: `${baseUrl}/api/v1` },
  }),
  handle: (request, context) => withRequestId(answer(request, context)),
  rateLimited: () => withRequestId(tooManyRequests().response),
  failure: (status) => withRequestId(systemFailure(status).response),
  /**
   * Tokens of this vendor never expire and there is no grant that would get a new one without a person, so that
   * a token revoked for good could never be replaced by the program under test. The fault is therefore one
   * answer: the next call is refused as with a revoked token, the one after it is served again.
   */
  expireTokens: ({ db }) => db.setValue(REFUSE_ONCE, 'yes'),
  control,
};

const TOKEN = 'token';
const REFUSE_ONCE = 'refuse-once';

function answer(request: SimRequest, context: SimContext): SimResponse {
  try {
    authenticate(request, context);
    return context.db.savepoint(() => route(request, new Account(context)));
  } catch (error) {
    if (error instanceof Refusal) return error.response;
    throw error;
  }
}

/** A bearer token is all there is: no scopes, no expiry. */
function authenticate(request: SimRequest, { db }: SimContext): void {
  const [scheme, token] = (request.headers.authorization ?? '').split(' ');
  const refuseOnce = db.getValue(REFUSE_ONCE) !== null;
  if (refuseOnce) db.setValue(REFUSE_ONCE, null);
  if (refuseOnce || scheme?.toLowerCase() !== 'bearer' || !token || token !== db.getValue(TOKEN)) {
    throw unauthorized();
  }
}

/** Every answer carries the id, also a refusal. */
const withRequestId = (response: SimResponse): SimResponse => ({
  ...response,
  headers: { ...response.headers, 'x-request-id': randomUUID() },
});
