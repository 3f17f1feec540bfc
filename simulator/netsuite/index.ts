import type { SimulatedSystem } from '../kit/types';
import { expireAccessTokens, secretsOf } from './auth/keys';
import { controlTypes, create, patch } from './control';
import { settingsOf } from './env';
import { concurrencyLimitExceeded, failureOf } from './errors';
import { route } from './router';
import { indexedFields } from './schema';
import { seed } from './seed';

/**
 * A NetSuite OneWorld sandbox account: SuiteTalk REST record service, SuiteQL, asynchronous jobs, OAuth 2.0 with
 * certificate and token-based authentication. Features on: Projects, Advanced Billing, Charge-Based Billing,
 * Multiple Currencies, auto-generated numbers. Data of records is stored with references as plain internal ids and
 * sublists as arrays, which is how the control API shows it.
 */
export const system: SimulatedSystem = {
  id: 'netsuite',
  indexes: [
    ...indexedFields(),
    'customField.scriptId',
    'userEventScript.recordType',
    'oauthCertificate.certificateId',
    'asyncJob.idempotencyKey',
  ],
  seed,
  credentials: ({ db }) => {
    const { accountId } = settingsOf(db);
    const { clientId, certificateId, privateKey, consumerKey, consumerSecret, tokenId, tokenSecret } =
      secretsOf(db);
    return {
      'oauth2-certificate': { accountId, clientId, certificateId, privateKey },
      tba: { accountId, consumerKey, consumerSecret, tokenId, tokenSecret },
    };
  },
  handle: route,
  rateLimited: concurrencyLimitExceeded,
  failure: failureOf,
  expireTokens: ({ db }) => expireAccessTokens(db),
  control: { types: controlTypes, create, patch },
};
