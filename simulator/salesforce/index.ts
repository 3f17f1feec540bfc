import type { SimContext, SimulatedSystem } from '../kit/types';
import { accessRoutes, forgetAccess } from './access';
import { createIdentity, credentials, endAllSessions } from './auth';
import { DEAL_INDEXES, dealRoutes, insertWorld } from './deals';
import { failure, requestLimitExceeded } from './errors';
import { createAsPerson, PERSON_TYPES, patchAsPerson, personOrg } from './person';
import { closeCursors } from './query';
import { handle } from './rest';
import { INDEXES } from './schema';
import { insertProducts, insertSetUp } from './set-up';

/**
 * A Salesforce Sales Cloud org: several currencies, revenue schedules, contracts, standard quotes and the custom
 * fields of docs/systems/salesforce.md.
 */
export const system: SimulatedSystem = {
  id: 'salesforce',
  indexes: [...INDEXES, ...DEAL_INDEXES],
  seed(context, world) {
    forgetAccess(context);
    createIdentity(context);
    insertSetUp(context);
    insertProducts(personOrg(context));
    insertWorld(context, world);
  },
  credentials,
  handle,
  rateLimited: () => requestLimitExceeded().toResponse(),
  failure,
  expireTokens: endAllSessions,
  control: {
    types: [...PERSON_TYPES],
    create: createAsPerson,
    patch: patchAsPerson,
    routes: [
      ...dealRoutes,
      ...accessRoutes,
      {
        method: 'POST',
        path: 'salesforce/cursors/close',
        handle: (_body, context: SimContext) => ({ closed: closeCursors(personOrg(context)) }),
      },
    ],
  },
};
