import { createHash } from 'node:crypto';
import * as z from 'zod';
import {
  type AccessToken,
  type Authenticator,
  type ConnectionValues,
  createBearerAuthenticator,
  type HttpClient,
  parseReply,
  readPrivateKey,
  SystemError,
  signJwt,
  type TokenStore,
} from '../kit';

export const TOKEN_PATH = '/services/oauth2/token';

/** Salesforce refuses assertions that live longer than about three minutes. */
const ASSERTION_SECONDS = 120;

const tokenSchema = z.object({ access_token: z.string().min(1), instance_url: z.string().optional() });

export interface LoginOptions {
  http: HttpClient;
  /** `client-credentials` or `jwt-bearer`. */
  scheme: string;
  baseUrl: string;
  values: ConnectionValues;
  tokens: TokenStore;
  /** In a real org the token names the host to call; one that differs from the connection's is refused. */
  checkHost: boolean;
}

/**
 * Server-to-server login. Salesforce gives neither a life time nor a refresh token with either grant, so the token is
 * used until it is refused and a new login follows.
 */
export function createAuthenticator(options: LoginOptions): Authenticator {
  const { scheme, baseUrl, values, tokens } = options;
  // Another user or app must not find this one's token.
  const who = createHash('sha256').update(
    `${scheme}|${values.value('clientId')}|${values.value('username')}`,
  );
  return createBearerAuthenticator({
    key: `salesforce:${baseUrl}:${who.digest('hex').slice(0, 16)}`,
    tokens,
    login: () => login(options),
  });
}

/** @throws SystemError kind `auth` when it is refused. */
export async function login(options: LoginOptions, signal?: AbortSignal): Promise<AccessToken> {
  const { http, baseUrl, checkHost } = options;
  const form = options.scheme === 'jwt-bearer' ? assertionForm(options) : secretForm(options);
  const reply = await http.request({ method: 'POST', path: TOKEN_PATH, form, safe: true, signal });
  const token = parseReply(tokenSchema, reply, { system: 'salesforce', what: 'the login', write: false });
  const home = token.instance_url === undefined ? undefined : new URL(token.instance_url);
  if (checkHost && home !== undefined && home.host !== new URL(baseUrl).host) {
    throw new SystemError({
      system: 'salesforce',
      kind: 'auth',
      reason: `the org lives at ${home.host}; enter that as the My Domain host of the connection`,
    });
  }
  return { value: token.access_token, expiresAt: null };
}

function secretForm({ values }: LoginOptions): Record<string, string> {
  return {
    grant_type: 'client_credentials',
    client_id: values.value('clientId'),
    client_secret: values.value('clientSecret'),
  };
}

/** The audience is the org's own host: External Client Apps refuse test.salesforce.com since Spring 2026. */
function assertionForm({ values, baseUrl }: LoginOptions): Record<string, string> {
  const assertion = signJwt({
    algorithm: 'RS256',
    key: readPrivateKey('salesforce', values.value('privateKey')),
    claims: {
      iss: values.value('clientId'),
      sub: values.value('username'),
      aud: baseUrl,
      exp: Math.floor(Date.now() / 1000) + ASSERTION_SECONDS,
    },
  });
  return { grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer', assertion };
}
