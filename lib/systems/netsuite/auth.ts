import * as z from 'zod';
import {
  type AccessToken,
  type Authenticator,
  createBearerAuthenticator,
  type HttpClient,
  oauth1Header,
  parseReply,
  readPrivateKey,
  signJwt,
  type TokenStore,
} from '../kit';

export const TOKEN_PATH = '/services/rest/auth/oauth2/v1/token';

/** The assertion is used at once; NetSuite would accept up to 60 minutes. */
const ASSERTION_SECONDS = 300;

/** `expires_in` is documented as a number and seen as a string. */
const tokenReply = z.object({ access_token: z.string().min(1), expires_in: z.coerce.number().positive() });

export interface CertificateLogin {
  system: string;
  clientId: string;
  certificateId: string;
  /** PEM. */
  privateKey: string;
  /** Client without authenticator, for the token endpoint only. */
  http: HttpClient;
  /** Absolute URL of the token endpoint: the audience of the assertion. */
  tokenUrl: string;
  tokens: TokenStore;
  instance: string;
}

/**
 * OAuth 2.0 client credentials with a certificate: the assertion is a JWT signed with PS256 (RS256 is refused).
 * Source: Oracle help "POST Request to the Token Endpoint and the Access Token Response".
 *
 * @throws SystemError kind `auth` when the private key is no key, or the login is refused.
 */
export async function logIn(login: CertificateLogin, signal?: AbortSignal): Promise<AccessToken> {
  const reply = await login.http.request({
    method: 'POST',
    path: TOKEN_PATH,
    form: {
      grant_type: 'client_credentials',
      client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
      client_assertion: assertionOf(login),
    },
    safe: true,
    signal,
  });
  const about = { system: login.system, what: 'the login', write: false };
  const { access_token, expires_in } = parseReply(tokenReply, reply, about);
  return { value: access_token, expiresAt: new Date(Date.now() + expires_in * 1000).toISOString() };
}

function assertionOf({ system, clientId, certificateId, privateKey, tokenUrl }: CertificateLogin): string {
  const issuedAt = Math.floor(Date.now() / 1000);
  return signJwt({
    algorithm: 'PS256',
    key: readPrivateKey(system, privateKey),
    header: { typ: 'JWT', kid: certificateId },
    claims: {
      iss: clientId,
      scope: 'rest_webservices',
      aud: tokenUrl,
      iat: issuedAt,
      exp: issuedAt + ASSERTION_SECONDS,
    },
  });
}

/** A token that is kept and shared, and renewed by `logIn`. */
export function certificateAuthenticator(login: CertificateLogin): Authenticator {
  return createBearerAuthenticator({
    key: `netsuite/${login.instance}/${login.clientId}/${login.certificateId}`,
    tokens: login.tokens,
    login: () => logIn(login),
  });
}

export interface TokenLogin {
  realm: string;
  consumerKey: string;
  consumerSecret: string;
  tokenId: string;
  tokenSecret: string;
}

/** Token-based authentication: every call is signed anew, as nonce and timestamp are good for one call only. */
export function tokenAuthenticator({ tokenId, ...login }: TokenLogin): Authenticator {
  return {
    headers: async (request) => ({ authorization: oauth1Header({ ...login, token: tokenId }, request) }),
    // The token has no end and cannot be renewed: a refused one was revoked, or its role has changed.
    refresh: async () => false,
  };
}
