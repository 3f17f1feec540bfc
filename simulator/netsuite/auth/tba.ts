import { createHmac, timingSafeEqual } from 'node:crypto';
import type { RecordStore, SimContext, SimRequest } from '../../kit/types';
import { settingsOf } from '../env';
import { secretsOf } from './keys';

const MAX_SKEW_MS = 5 * 60_000;

/**
 * Verifies token-based authentication: OAuth 1.0a (RFC 5849) with HMAC-SHA256. Query parameters belong to the
 * signature base string, the JSON body does not, and the realm is the account id in capitals.
 */
export function isValidTba(header: string, request: SimRequest, context: SimContext): boolean {
  const parameters = headerParameters(header);
  const secrets = secretsOf(context.db);
  const timestamp = Number(parameters.get('oauth_timestamp'));
  const nonce = parameters.get('oauth_nonce') ?? '';
  return (
    parameters.get('realm') === settingsOf(context.db).accountId &&
    parameters.get('oauth_consumer_key') === secrets.consumerKey &&
    parameters.get('oauth_token') === secrets.tokenId &&
    parameters.get('oauth_signature_method') === 'HMAC-SHA256' &&
    (parameters.get('oauth_version') ?? '1.0') === '1.0' &&
    Number.isInteger(timestamp) &&
    Math.abs(timestamp * 1000 - context.now()) <= MAX_SKEW_MS &&
    nonce !== '' &&
    hasSignature(parameters, request, context.db) &&
    isFreshNonce(context.db, `${timestamp}.${nonce}`, context.now())
  );
}

function headerParameters(header: string): Map<string, string> {
  const parameters = new Map<string, string>();
  for (const [, name = '', value = ''] of header.matchAll(/([a-z_]+)="([^"]*)"/gi)) {
    parameters.set(name, decode(value));
  }
  return parameters;
}

/** A value that is not valid percent-encoding cannot match a signature; it is taken as it stands. */
function decode(value: string): string {
  return /%(?![0-9a-f]{2})/i.test(value) ? value : decodeURIComponent(value);
}

function hasSignature(
  parameters: ReadonlyMap<string, string>,
  request: SimRequest,
  db: RecordStore,
): boolean {
  const secrets = secretsOf(db);
  const key = `${encode(secrets.consumerSecret)}&${encode(secrets.tokenSecret)}`;
  const expected = createHmac('sha256', key).update(baseString(parameters, request)).digest();
  const given = Buffer.from(parameters.get('oauth_signature') ?? '', 'base64');
  return given.length === expected.length && timingSafeEqual(given, expected);
}

function baseString(parameters: ReadonlyMap<string, string>, request: SimRequest): string {
  const oauth = [...parameters].filter(([name]) => name !== 'realm' && name !== 'oauth_signature');
  const pairs = [...oauth, ...request.query.entries()].map(
    ([name, value]) => [encode(name), encode(value)] as const,
  );
  pairs.sort(([a, x], [b, y]) => compare(a, b) || compare(x, y));
  const normalised = pairs.map(([name, value]) => `${name}=${value}`).join('&');
  const url = `${request.url.protocol}//${request.url.host.toLowerCase()}${request.url.pathname}`;
  return [request.method.toUpperCase(), url, normalised].map(encode).join('&');
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** RFC 3986 encoding, stricter than `encodeURIComponent`. */
function encode(text: string): string {
  return encodeURIComponent(text).replace(
    /[!'()*]/g,
    (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

/**
 * Nonces of the last minutes, in memory: a timestamp older than the allowed skew is refused anyway, so two
 * windows of that length are enough.
 */
interface Nonces {
  windowEnds: number;
  current: Set<string>;
  previous: Set<string>;
}

const nonces = new WeakMap<RecordStore, Nonces>();

function isFreshNonce(db: RecordStore, nonce: string, now: number): boolean {
  let seen = nonces.get(db) ?? { windowEnds: 0, current: new Set<string>(), previous: new Set<string>() };
  if (now >= seen.windowEnds) {
    seen = { windowEnds: now + 2 * MAX_SKEW_MS, previous: seen.current, current: new Set() };
    nonces.set(db, seen);
  }
  if (seen.current.has(nonce) || seen.previous.has(nonce)) return false;
  seen.current.add(nonce);
  return true;
}
