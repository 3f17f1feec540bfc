import { createHmac, timingSafeEqual } from 'node:crypto';
import { decodeProtectedHeader, errors, importSPKI, type JWTPayload, jwtVerify } from 'jose';
import type { RecordStore, SimContext, SimRequest, SimResponse } from '../../kit/types';
import { ACCOUNT_ID } from '../env';
import { isObject, textOf } from '../records/data';
import { secretsOf, tokenGeneration } from './keys';

export const TOKEN_PATH = '/services/rest/auth/oauth2/v1/token';

const TOKEN_SECONDS = 3600;
const MAX_ASSERTION_SECONDS = 3600;
const CLOCK_TOLERANCE_SECONDS = 300;
const ASSERTION_TYPE = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';

/** RSA PKCS#1 v1.5 (`RS256` …) is refused by the vendor. */
const ALGORITHMS = ['PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512'];
const SCOPES = ['restlets', 'rest_webservices', 'suite_analytics', 'mcp'];

interface Refusal {
  status: 400 | 401;
  error: 'invalid_request' | 'unsupported_grant_type' | 'invalid_client' | 'invalid_grant' | 'invalid_scope';
}

/** `POST …/auth/oauth2/v1/token`: client credentials with a certificate. */
export async function issueToken(request: SimRequest, context: SimContext): Promise<SimResponse> {
  const form = new URLSearchParams(request.body);
  const refusal =
    request.method === 'POST' ? await refusalOf(form, request, context) : refuse('invalid_request');
  if (refusal) return { status: refusal.status, body: { error: refusal.error } };
  return {
    status: 200,
    headers: { 'cache-control': 'no-store' },
    body: { access_token: accessToken(context), expires_in: String(TOKEN_SECONDS), token_type: 'bearer' },
  };
}

async function refusalOf(
  form: URLSearchParams,
  request: SimRequest,
  context: SimContext,
): Promise<Refusal | null> {
  if (!request.headers['content-type']?.startsWith('application/x-www-form-urlencoded'))
    return refuse('invalid_request');
  if (form.get('grant_type') !== 'client_credentials') return refuse('unsupported_grant_type');
  const assertion = form.get('client_assertion');
  if (form.get('client_assertion_type') !== ASSERTION_TYPE || !assertion) return refuse('invalid_request');
  const certificate = certificateOf(assertion, context.db);
  if (!certificate) return refuse('invalid_grant');
  try {
    const key = await importSPKI(certificate.publicKey, certificate.algorithm);
    const { payload } = await jwtVerify(assertion, key, {
      algorithms: ALGORITHMS,
      audience: audiences(request, context),
      requiredClaims: ['iss', 'aud', 'iat', 'exp', 'scope'],
      clockTolerance: CLOCK_TOLERANCE_SECONDS,
      currentDate: new Date(context.now()),
    });
    if (payload.iss !== certificate.clientId) return refuse('invalid_client');
    return checkClaims(payload, context.now());
  } catch (error) {
    if (error instanceof errors.JOSEError || error instanceof TypeError || error instanceof DOMException) {
      return refuse('invalid_grant');
    }
    throw error;
  }
}

function refuse(error: Refusal['error']): Refusal {
  return { error, status: error === 'invalid_client' ? 401 : 400 };
}

function checkClaims(payload: JWTPayload, now: number): Refusal | null {
  const { iat = 0, exp = 0, scope } = payload;
  if (exp - iat > MAX_ASSERTION_SECONDS || iat * 1000 > now + CLOCK_TOLERANCE_SECONDS * 1000)
    return refuse('invalid_grant');
  if (exp * 1000 <= now) return refuse('invalid_grant');
  const scopes = Array.isArray(scope) ? scope.map(String) : String(scope).split(/[\s,]+/);
  if (scopes.some((name) => !SCOPES.includes(name)) || !scopes.includes('rest_webservices'))
    return refuse('invalid_scope');
  return null;
}

/** The certificate that the `kid` names: the seeded one, or one uploaded since (control type `oauthCertificate`). */
function certificateOf(
  assertion: string,
  db: RecordStore,
): { publicKey: string; clientId: string; algorithm: string } | undefined {
  let header: { alg?: string; kid?: string };
  try {
    header = decodeProtectedHeader(assertion);
  } catch (error) {
    if (error instanceof TypeError) return undefined;
    throw error;
  }
  const { kid, alg = '' } = header;
  if (kid === undefined || !ALGORITHMS.includes(alg)) return undefined;
  const secrets = secretsOf(db);
  if (kid === secrets.certificateId) return { ...secrets, algorithm: alg };
  const uploaded = db.findBy('oauthCertificate', 'certificateId', kid)[0];
  const publicKey = textOf(uploaded?.data ?? {}, 'publicKey');
  return publicKey === undefined ? undefined : { publicKey, clientId: secrets.clientId, algorithm: alg };
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
  const claims = Buffer.from(JSON.stringify({ expires, generation: tokenGeneration(context.db) })).toString(
    'base64url',
  );
  return `${claims}.${signature(claims, context.db)}`;
}

export function isValidAccessToken(token: string, context: SimContext): boolean {
  const [claims = '', signed = ''] = token.split('.');
  const expected = Buffer.from(signature(claims, context.db));
  const given = Buffer.from(signed);
  if (expected.length !== given.length || !timingSafeEqual(expected, given)) return false;
  const content: unknown = JSON.parse(Buffer.from(claims, 'base64url').toString());
  return (
    isObject(content) &&
    Number(content.expires) * 1000 > context.now() &&
    content.generation === tokenGeneration(context.db)
  );
}

function signature(claims: string, db: RecordStore): string {
  return createHmac('sha256', secretsOf(db).signingKey).update(claims).digest('base64url');
}
