import { constants, createPrivateKey, type KeyObject, sign } from 'node:crypto';
import type { JsonObject } from '../../model';
import { SystemError } from './errors';

export type JwtAlgorithm = 'RS256' | 'PS256' | 'ES256';

/** Signature parameters of RFC 7518 §3.3 (RS256), §3.4 (ES256) and §3.5 (PS256: salt as long as the hash). */
const SIGNATURE: Record<JwtAlgorithm, object> = {
  RS256: { padding: constants.RSA_PKCS1_PADDING },
  PS256: { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 32 },
  ES256: { dsaEncoding: 'ieee-p1363' },
};

/** A compact JSON Web Token (RFC 7519). `header` may add members such as `kid`; `alg` is set. */
export function signJwt(token: {
  algorithm: JwtAlgorithm;
  key: KeyObject;
  header?: JsonObject;
  claims: JsonObject;
}): string {
  const { algorithm, key, header, claims } = token;
  const signed = `${part({ ...header, alg: algorithm })}.${part(claims)}`;
  const signature = sign('sha256', Buffer.from(signed), { key, ...SIGNATURE[algorithm] });
  return `${signed}.${signature.toString('base64url')}`;
}

/**
 * A private key as people paste it: PKCS#8 or PKCS#1 PEM, line breaks possibly written as `\n` or lost to spaces.
 *
 * @throws SystemError kind `auth` that names the field but never shows the key.
 */
export function readPrivateKey(system: string, pem: string): KeyObject {
  try {
    return createPrivateKey(restoreLines(pem));
  } catch {
    // The parser's own error may quote the input: it is not passed on.
    throw new SystemError({
      system,
      kind: 'auth',
      reason: 'the private key is not a PEM key; paste it whole, from -----BEGIN to -----END',
    });
  }
}

function restoreLines(pem: string): string {
  const match = /(-----BEGIN [A-Z ]+-----)([\s\S]*?)(-----END [A-Z ]+-----)/.exec(
    pem.replaceAll('\\n', '\n'),
  );
  if (!match) return pem;
  const [, begin = '', body = '', end = ''] = match;
  return `${begin}\n${body.trim().replace(/\s+/g, '\n')}\n${end}\n`;
}

function part(json: JsonObject): string {
  return Buffer.from(JSON.stringify(json)).toString('base64url');
}
