import { generateKeyPairSync, hash, randomBytes, timingSafeEqual, verify } from 'node:crypto';
import type { SimContext, SimRecord, SimRequest, SimResponse } from '../kit/types';
import { isUserActive } from './access';
import { invalidSession } from './errors';

/**
 * Logging in and sessions. The org has one External Client App, whose run-as user is the integration user; tokens
 * are opaque sessions that slide and are never refreshed.
 */

/** Consumer key of the app; not a secret. */
const CLIENT_ID = '3MVG9SimulatedOrg.q2c.ExternalClientApp';
export const INTEGRATION_USERNAME = 'integration@meridian-consulting.example';

const SECRET_KEY = 'identity.clientSecret';
const PRIVATE_KEY = 'identity.jwtPrivateKey';
const PUBLIC_KEY = 'identity.jwtPublicKey';
const GENERATION_KEY = 'session.generation';

const SESSION_MS = 2 * 60 * 60 * 1000;
/** A session is moved on at most this often, so that reading does not write at every request. */
const SLIDE_MS = 60 * 1000;
/** `exp` of an assertion may lie three minutes ahead; a few seconds more for clocks that differ. */
const ASSERTION_LIFE_S = 3 * 60 + 10;

const JWT_GRANT = 'urn:ietf:params:oauth:grant-type:jwt-bearer';

/** Makes secret and key pair unless the org has them from before a reset. */
export function createIdentity({ db }: SimContext): void {
  if (db.getValue(SECRET_KEY) !== null) return;
  const { privateKey, publicKey } = generateKeyPairSync('rsa', {
    modulusLength: 2048,
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
    publicKeyEncoding: { type: 'spki', format: 'pem' },
  });
  db.setValue(SECRET_KEY, randomBytes(32).toString('hex').toUpperCase());
  db.setValue(PRIVATE_KEY, privateKey);
  db.setValue(PUBLIC_KEY, publicKey);
}

/** By authentication scheme and field of a connection: how to log in, and how this org differs from most. */
export function credentials({ db, baseUrl }: SimContext): Record<string, Record<string, string>> {
  const value = (key: string) => db.getValue(key) ?? '';
  // The org has no country picklists and keeps the ISO codes that its people entered.
  const common = { host: baseUrl, clientId: CLIENT_ID, countryFormat: 'code' };
  return {
    'client-credentials': { ...common, clientSecret: value(SECRET_KEY) },
    'jwt-bearer': {
      ...common,
      username: INTEGRATION_USERNAME,
      privateKey: value(PRIVATE_KEY),
    },
  };
}

/** Ends every session: the next call of each gets 401. */
export function endAllSessions({ db }: SimContext): void {
  db.setValue(GENERATION_KEY, String(generation(db) + 1));
}

/** `POST /services/oauth2/token` */
export function token(request: SimRequest, context: SimContext): SimResponse {
  if (request.method !== 'POST') return refusal('invalid_request', 'must use HTTP POST');
  const form = new URLSearchParams(request.body);
  switch (form.get('grant_type')) {
    case 'client_credentials':
      return clientCredentials(form, request, context);
    case JWT_GRANT:
      return jwtBearer(form, context);
    default:
      return refusal('unsupported_grant_type', 'grant type not supported');
  }
}

/** `POST /services/oauth2/revoke` with form field `token`. */
export function revoke(request: SimRequest, { db }: SimContext): SimResponse {
  const revoked = new URLSearchParams(request.body).get('token') ?? request.query.get('token');
  const key = sessionKey(revoked ?? '');
  if (db.getValue(key) === null) return refusal('unsupported_token_type', 'this token type is not supported');
  db.setValue(key, null);
  return { status: 200 };
}

/** `POST /services/oauth2/introspect`: whether a token is alive. */
export function introspect(request: SimRequest, context: SimContext): SimResponse {
  const session = liveSession(new URLSearchParams(request.body).get('token') ?? '', context);
  if (!session) return { status: 200, body: { active: false } };
  const exp = Math.floor(session.expiresAt / 1000);
  return {
    status: 200,
    body: {
      active: true,
      scope: 'api',
      client_id: CLIENT_ID,
      username: INTEGRATION_USERNAME,
      token_type: 'access_token',
      exp,
    },
  };
}

/** `GET /services/oauth2/userinfo` and the identity URL. */
export function userInfo(context: SimContext, userId: string): SimResponse {
  const user = context.db.get('User', userId);
  const name = `${user?.data.FirstName} ${user?.data.LastName}`;
  return {
    status: 200,
    body: {
      sub: identityUrl(context, userId),
      user_id: userId,
      organization_id: organisation(context).id,
      preferred_username: user?.data.Username,
      nickname: user?.data.Username,
      name,
      email: user?.data.Email,
      email_verified: true,
      given_name: user?.data.FirstName,
      family_name: user?.data.LastName,
      zoneinfo: user?.data.TimeZoneSidKey,
      active: user?.data.IsActive,
      user_type: 'STANDARD',
      language: 'en_US',
      locale: 'en_US',
      utcOffset: 0,
      updated_at: user ? new Date(user.modified).toISOString() : null,
      urls: {
        rest: `${context.baseUrl}/services/data/v{version}/`,
        sobjects: `${context.baseUrl}/services/data/v{version}/sobjects/`,
      },
    },
  };
}

/**
 * Id of the user whose session the request carries; the session lives two hours from its last use.
 * @throws ApiError 401 `INVALID_SESSION_ID`
 */
export function authenticate(request: SimRequest, context: SimContext): string {
  const bearer = /^(?:Bearer|OAuth) (.+)$/i.exec(request.headers.authorization ?? '')?.[1];
  const session = bearer === undefined ? null : liveSession(bearer, context);
  if (!bearer || !session) throw invalidSession();
  const expiresAt = context.now() + SESSION_MS;
  if (expiresAt - session.expiresAt > SLIDE_MS) {
    context.db.setValue(sessionKey(bearer), JSON.stringify({ ...session, expiresAt }));
  }
  return session.userId;
}

interface Session {
  userId: string;
  expiresAt: number;
  generation: number;
}

function liveSession(bearer: string, { db, now }: SimContext): Session | null {
  const stored = db.getValue(sessionKey(bearer));
  if (stored === null) return null;
  const session: Session = JSON.parse(stored);
  return session.expiresAt > now() && session.generation === generation(db) ? session : null;
}

function clientCredentials(form: URLSearchParams, request: SimRequest, context: SimContext): SimResponse {
  const basic = basicCredentials(request.headers.authorization);
  const id = form.get('client_id') ?? basic?.id;
  const secret = form.get('client_secret') ?? basic?.secret ?? '';
  if (id !== CLIENT_ID) return refusal('invalid_client_id', 'client identifier invalid');
  if (!isSame(secret, context.db.getValue(SECRET_KEY) ?? ''))
    return refusal('invalid_client', 'invalid client credentials');
  return grantSession(context);
}

function jwtBearer(form: URLSearchParams, context: SimContext): SimResponse {
  const jwt = verifiedAssertion(form.get('assertion') ?? '', context.db.getValue(PUBLIC_KEY) ?? '');
  if (!jwt) return refusal('invalid_grant', 'invalid assertion');
  if (jwt.iss !== CLIENT_ID) return refusal('invalid_client_id', 'client identifier invalid');
  // External Client Apps know no sandbox audience since Spring '26.
  if (jwt.aud === 'https://test.salesforce.com')
    return refusal('app_not_found', 'External client app not found');
  if (jwt.aud !== context.baseUrl && jwt.aud !== 'https://login.salesforce.com') {
    return refusal('invalid_grant', 'audience is invalid');
  }
  const seconds = context.now() / 1000;
  if (typeof jwt.exp !== 'number' || jwt.exp <= seconds || jwt.exp > seconds + ASSERTION_LIFE_S) {
    return refusal('invalid_grant', 'assertion is expired or its lifetime is too long');
  }
  if (jwt.sub !== INTEGRATION_USERNAME) return refusal('invalid_grant', "user hasn't approved this consumer");
  return grantSession(context);
}

/** The claims of an assertion signed by the app's key with RS256, else null. */
function verifiedAssertion(assertion: string, publicKey: string): Record<string, unknown> | null {
  const [header, claims, signature, ...rest] = assertion.split('.');
  if (!header || !claims || !signature || rest.length > 0) return null;
  if (decodedJson(header)?.alg !== 'RS256') return null;
  const signed = Buffer.from(`${header}.${claims}`);
  const isGenuine = verify('RSA-SHA256', signed, publicKey, Buffer.from(signature, 'base64url'));
  return isGenuine ? decodedJson(claims) : null;
}

function decodedJson(part: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(Buffer.from(part, 'base64url').toString('utf8'));
    return typeof value === 'object' && value !== null ? Object.fromEntries(Object.entries(value)) : null;
  } catch {
    return null; // not JSON: no assertion, which the caller refuses
  }
}

function grantSession(context: SimContext): SimResponse {
  if (!isUserActive(context)) return refusal('inactive_user', 'user inactive');
  const { db, now, baseUrl } = context;
  const user = integrationUser(context);
  const organisationId = organisation(context).id;
  const accessToken = `${organisationId.slice(0, 15)}!AQ${randomBytes(48).toString('base64url')}`;
  const session: Session = { userId: user.id, expiresAt: now() + SESSION_MS, generation: generation(db) };
  db.setValue(sessionKey(accessToken), JSON.stringify(session));
  const id = identityUrl(context, user.id);
  const issuedAt = String(now());
  const signature = hash('sha256', `${id}${issuedAt}`, 'base64');
  return {
    status: 200,
    headers: { 'Cache-Control': 'no-cache, no-store' },
    body: {
      access_token: accessToken,
      signature,
      token_format: 'opaque',
      scope: 'api',
      instance_url: baseUrl,
      id,
      token_type: 'Bearer',
      issued_at: issuedAt,
      api_instance_url: 'https://api.salesforce.com',
    },
  };
}

export function integrationUser({ db }: SimContext): SimRecord {
  const [user] = db.findBy('User', 'Username', INTEGRATION_USERNAME);
  if (!user) throw new Error('The org has no integration user');
  return user;
}

export function organisation({ db }: SimContext): SimRecord {
  const [organisation] = db.list('Organization');
  if (!organisation) throw new Error('The org has no organization record');
  return organisation;
}

function identityUrl(context: SimContext, userId: string): string {
  return `${context.baseUrl}/id/${organisation(context).id}/${userId}`;
}

function generation(db: SimContext['db']): number {
  return Number(db.getValue(GENERATION_KEY) ?? '0');
}

/** Tokens are kept as digests only. */
function sessionKey(accessToken: string): string {
  return `session.${hash('sha256', accessToken, 'base64')}`;
}

function basicCredentials(header: string | undefined): { id: string; secret: string } | null {
  const encoded = /^Basic (.+)$/i.exec(header ?? '')?.[1];
  if (encoded === undefined) return null;
  const text = Buffer.from(encoded, 'base64').toString('utf8');
  const colon = text.indexOf(':');
  return colon < 0
    ? null
    : { id: decodeURIComponent(text.slice(0, colon)), secret: decodeURIComponent(text.slice(colon + 1)) };
}

function isSame(a: string, b: string): boolean {
  const digest = (text: string) => hash('sha256', text, 'buffer');
  return timingSafeEqual(digest(a), digest(b));
}

/** OAuth errors are objects, unlike those of the REST API. */
function refusal(error: string, description: string): SimResponse {
  return { status: 400, body: { error, error_description: description } };
}
