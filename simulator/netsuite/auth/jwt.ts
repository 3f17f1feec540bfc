import { constants, createPublicKey, verify } from 'node:crypto';
import { type Data, isObject } from '../records/data';

/**
 * JSON Web Signatures (RFC 7515, 7518) of the algorithms that NetSuite accepts for client assertions. RSA with
 * PKCS#1 v1.5 padding (`RS256` …) is not among them. On Node's own crypto: the `jose` library is ESM only and
 * asynchronous, and a handler that awaits holds up all other calls of the system.
 */
const HASHES: Readonly<Record<string, 'sha256' | 'sha384' | 'sha512'>> = {
  PS256: 'sha256',
  PS384: 'sha384',
  PS512: 'sha512',
  ES256: 'sha256',
  ES384: 'sha384',
  ES512: 'sha512',
};

export interface Assertion {
  algorithm: string;
  keyId: string;
  claims: Data;
  signed: Buffer;
  signature: Buffer;
}

/** Takes an assertion apart; null when it is none, or not of an accepted algorithm. */
export function parseAssertion(token: string): Assertion | null {
  const parts = token.split('.');
  const [head = '', body = '', signature = ''] = parts;
  const header = jsonOf(head);
  const claims = jsonOf(body);
  if (parts.length !== 3 || !header || !claims) return null;
  const { alg, kid } = header;
  if (typeof alg !== 'string' || typeof kid !== 'string' || !(alg in HASHES)) return null;
  return {
    algorithm: alg,
    keyId: kid,
    claims,
    signed: Buffer.from(`${head}.${body}`),
    signature: Buffer.from(signature, 'base64url'),
  };
}

/** @param publicKey PEM of an RSA key for `PS…`, of an elliptic curve key for `ES…` */
export function hasValidSignature(assertion: Assertion, publicKey: string): boolean {
  const hash = HASHES[assertion.algorithm];
  const key = createPublicKey(publicKey);
  const isPss = assertion.algorithm.startsWith('PS');
  if (key.asymmetricKeyType !== (isPss ? 'rsa' : 'ec')) return false;
  const options = isPss
    ? { key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST }
    : { key, dsaEncoding: 'ieee-p1363' as const };
  return verify(hash, assertion.signed, options, assertion.signature);
}

function jsonOf(part: string): Data | null {
  try {
    const parsed: unknown = JSON.parse(Buffer.from(part, 'base64url').toString());
    return isObject(parsed) ? parsed : null;
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}
