import { createHmac, randomBytes } from 'node:crypto';

export interface OAuth1Credentials {
  /** In the header only; it is not signed (RFC 5849 §3.4.1.3.1). */
  realm: string;
  consumerKey: string;
  consumerSecret: string;
  token: string;
  tokenSecret: string;
}

/**
 * `Authorization` header of OAuth 1.0a with HMAC-SHA256 (RFC 5849 §3.4; NetSuite's token-based authentication).
 * The query parameters of the URL are signed but not repeated in the header; a JSON body is not signed.
 * `nonce` and `timestamp` (epoch seconds) are given by tests only: every call needs new ones.
 */
export function oauth1Header(
  credentials: OAuth1Credentials,
  request: { method: string; url: URL },
  nonce: string = randomBytes(16).toString('hex'),
  timestamp: number = Math.floor(Date.now() / 1000),
): string {
  const protocol: [string, string][] = [
    ['oauth_consumer_key', credentials.consumerKey],
    ['oauth_token', credentials.token],
    ['oauth_signature_method', 'HMAC-SHA256'],
    ['oauth_timestamp', String(timestamp)],
    ['oauth_nonce', nonce],
    ['oauth_version', '1.0'],
  ];
  const key = `${encode(credentials.consumerSecret)}&${encode(credentials.tokenSecret)}`;
  const signature = createHmac('sha256', key).update(baseString(request, protocol)).digest('base64');
  const members = [['realm', credentials.realm], ...protocol, ['oauth_signature', signature]];
  return `OAuth ${members.map(([name, value]) => `${name}="${encode(value ?? '')}"`).join(', ')}`;
}

/** RFC 5849 §3.4.1: method, base URI and the sorted parameters, each percent-encoded. */
export function baseString(request: { method: string; url: URL }, protocol: [string, string][]): string {
  const { method, url } = request;
  const parameters = [...url.searchParams, ...protocol]
    .map(([name, value]) => [encode(name), encode(value)] as const)
    .sort(([nameA, valueA], [nameB, valueB]) => byteOrder(nameA, nameB) || byteOrder(valueA, valueB))
    .map(([name, value]) => `${name}=${value}`)
    .join('&');
  return [method.toUpperCase(), encode(url.origin + url.pathname), encode(parameters)].join('&');
}

function byteOrder(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}

/** RFC 3986 unreserved characters stay; `encodeURIComponent` leaves five more. */
function encode(text: string): string {
  return encodeURIComponent(text).replace(
    /[!'()*]/g,
    (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}
