import { createHmac, timingSafeEqual } from 'node:crypto';
import type { RecordStore, SimContext, SimRequest, SimResponse } from '../../kit/types';
import { ACCOUNT_ID } from '../env';
import { type Data, isObject, numberOf, textOf } from '../records/data';
import { hasValidSignature, parseAssertion } from './jwt';
import { type Secrets, secretsOf, tokenGeneration } from './keys';

export const TOKEN_PATH = '/services/rest/auth/oauth2/v1/token';

const TOKEN_SECONDS = 3600;
const MAX_ASSERTION_SECONDS = 3600;
const CLOCK_TOLERANCE_SECONDS = 300;
const ASSERTION_TYPE = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';
const NEEDED_SCOPE = 'rest_webservices';
const SCOPES = ['restlets', NEEDED_SCOPE, 'suite_analytics', 'mcp'];

type Refusal =
  | 'invalid_request'
  | 'unsupported_grant_type'
  | 'invalid_client'
  | 'invalid_grant'
  | 'invalid_scope';

/** `POST …/auth/oauth2/v1/token`: client credentials with a certificate. */
export function issueToken(request: SimRequest, context: SimContext): SimResponse {
  const refusal = refusalOf(request, context);
  if (refusal) return { status: refusal === 'invalid_client' ? 401 : 400, body: { error: refusal } };
  return {
    status: 200,
    headers: { 'cache-control': 'no-store' },
    body: { access_token: accessToken(context), expires_in: String(TOKEN_SECONDS), token_type: 'bearer' },
  };
}

function refusalOf(request: SimRequest, context: SimContext): Refusal | null {
  const isForm = request.headers['content-type']?.startsWith('application/x-www-form-urlencoded');
  if (request.method !== 'POST' || !isForm) return 'invalid_request';
  const form = new URLSearchParams(request.body);
  if (form.get('grant_type') !== 'client_credentials') return 'unsupported_grant_type';
  if (form.get('client_assertion_type') !== ASSERTION_TYPE) return 'invalid_request';
  const assertion = parseAssertion(form.get('client_assertion') ?? '');
  const publicKey = assertion && certificateOf(assertion.keyId, context.db);
  if (!assertion || !publicKey || !hasValidSignature(assertion, publicKey)) return 'invalid_grant';
  return refusalOfClaims(assertion.claims, request, context);
}

function refusalOfClaims(claims: Data, request: SimRequest, context: SimContext): Refusal | null {
  if (textOf(claims, 'iss') !== secretsOf(context.db).clientId) return 'invalid_client';
  const audience = Array.isArray(claims.aud) ? claims.aud : [claims.aud];
  if (!audiences(request, context).some((url) => audience.includes(url))) return 'invalid_grant';
  const now = context.now() / 1000;
  const [issued = Number.NaN, expires = Number.NaN] = [numberOf(claims, 'iat'), numberOf(claims, 'exp')];
  const isCurrent = expires > now && issued <= now + CLOCK_TOLERANCE_SECONDS;
  if (!isCurrent || !(expires - issued <= MAX_ASSERTION_SECONDS)) return 'invalid_grant';
  const { scope } = claims;
  const scopes = Array.isArray(scope) ? scope.map(String) : String(scope).split(/[\s,]+/);
  const isKnown = scopes.every((name) => SCOPES.includes(name));
  return isKnown && scopes.includes(NEEDED_SCOPE) ? null : 'invalid_scope';
}

/** Key of the certificate: the seeded one, or one uploaded since (control type `oauthCertificate`). */
function certificateOf(certificateId: string, db: RecordStore): string | undefined {
  const secrets = secretsOf(db);
  if (certificateId === secrets.certificateId) return secrets.publicKey;
  const uploaded = db.findBy('oauthCertificate', 'certificateId', certificateId)[0];
  return textOf(uploaded?.data ?? {}, 'publicKey');
}

/** The token URL as the caller reached it, or under the account's real host. */
function audiences(request: SimRequest, context: SimContext): string[] {
  const host = ACCOUNT_ID.toLowerCase().replace('_', '-');
  return [
    `${request.url.origin}${request.url.pathname}`,
    `${context.baseUrl}${TOKEN_PATH}`,
    `https://${host}.suitetalk.api.netsuite.com${TOKEN_PATH}`,
  ];
}

/** A signed statement of expiry and generation: nothing to store, and nothing to forge without the key. */
function accessToken(context: SimContext): string {
  const expires = Math.floor(context.now() / 1000) + TOKEN_SECONDS;
  const content = JSON.stringify({ expires, generation: tokenGeneration(context.db) });
  const claims = Buffer.from(content).toString('base64url');
  return `${claims}.${signature(claims, context.db)}`;
}

export function isValidAccessToken(token: string, context: SimContext): boolean {
  const claims = signedClaims(token, context.db);
  return (
    claims !== null &&
    Number(claims.expires) * 1000 > context.now() &&
    claims.generation === tokenGeneration(context.db)
  );
}

/** Claims of tokens whose signature is known to be right: a caller sends the same one for an hour. */
const verified = new WeakMap<Secrets, Map<string, Data>>();

/** What a token states; null when the account has not signed it. */
function signedClaims(token: string, db: RecordStore): Data | null {
  const secrets = secretsOf(db);
  const known = verified.get(secrets) ?? new Map<string, Data>();
  verified.set(secrets, known);
  const claims = known.get(token) ?? verifiedClaims(token, db);
  if (claims) known.set(token, claims);
  return claims;
}

function verifiedClaims(token: string, db: RecordStore): Data | null {
  const [claims = '', signed = ''] = token.split('.');
  const expected = Buffer.from(signature(claims, db));
  const given = Buffer.from(signed);
  if (expected.length !== given.length || !timingSafeEqual(expected, given)) return null;
  const content: unknown = JSON.parse(Buffer.from(claims, 'base64url').toString());
  return isObject(content) ? content : null;
}

function signature(claims: string, db: RecordStore): string {
  return createHmac('sha256', secretsOf(db).signingKey).update(claims).digest('base64url');
}
