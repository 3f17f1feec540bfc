import { constants, generateKeyPairSync, type KeyObject, verify } from 'node:crypto';
import { oauth1Header, readPrivateKey, SystemError, signJwt } from '../../../../lib/systems/kit';
import { baseString } from '../../../../lib/systems/kit/oauth1';

const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' });

function decode(jwt: string) {
  const [header = '', claims = '', signature = ''] = jwt.split('.');
  const json = (text: string) => JSON.parse(Buffer.from(text, 'base64url').toString());
  return {
    header: json(header),
    claims: json(claims),
    signed: Buffer.from(`${header}.${claims}`),
    signature: Buffer.from(signature, 'base64url'),
  };
}

describe('JSON Web Tokens', () => {
  const cases: ['RS256' | 'PS256' | 'ES256', { privateKey: KeyObject; publicKey: KeyObject }, object][] = [
    ['RS256', rsa, { padding: constants.RSA_PKCS1_PADDING }],
    ['PS256', rsa, { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 32 }],
    ['ES256', ec, { dsaEncoding: 'ieee-p1363' }],
  ];

  test.each(cases)(
    '%s verifies with the public key and the parameters of RFC 7518',
    (algorithm, pair, options) => {
      const claims = { iss: 'me', exp: 1767348000 };
      const jwt = decode(signJwt({ algorithm, key: pair.privateKey, header: { kid: 'cert-1' }, claims }));
      expect(jwt.header).toEqual({ kid: 'cert-1', alg: algorithm });
      expect(jwt.claims).toEqual(claims);
      const check = (data: Buffer) =>
        verify('sha256', data, { key: pair.publicKey, ...options }, jwt.signature);
      expect(check(jwt.signed)).toBe(true);
      expect(check(Buffer.from(`${jwt.signed}x`))).toBe(false);
    },
  );
});

describe('private keys as people paste them', () => {
  const pkcs8 = rsa.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  const pkcs1 = rsa.privateKey.export({ type: 'pkcs1', format: 'pem' }).toString();

  test.each([
    ['PKCS#8', pkcs8],
    ['PKCS#1', pkcs1],
    ['line breaks as \\n', pkcs8.replaceAll('\n', '\\n')],
    ['line breaks lost to spaces', pkcs8.replaceAll('\n', ' ')],
    ['with Windows line breaks', pkcs8.replaceAll('\n', '\r\n')],
  ])('%s', (_name, pem) => {
    expect(readPrivateKey('acme', pem).equals(rsa.privateKey)).toBe(true);
  });

  test('a broken key is named but never shown', () => {
    const secret = pkcs8.slice(0, 200);
    const error = caught(() => readPrivateKey('acme', secret));
    expect(error).toBeInstanceOf(SystemError);
    expect(error).toMatchObject({ kind: 'auth', code: 'AUTH_EXPIRED', cause: undefined });
    expect(JSON.stringify([error, String(error)])).not.toContain(secret.slice(60, 100));
  });
});

describe('OAuth 1.0a', () => {
  test('base string of the example in RFC 5849 §3.4.1.1', () => {
    const url = new URL('http://EXAMPLE.COM:80/request?b5=%3D%253D&a3=a&c%40=&a2=r%20b&c2=&a3=2+q');
    const protocol: [string, string][] = [
      ['oauth_consumer_key', '9djdj82h48djs9d2'],
      ['oauth_token', 'kkk9d7dh3k39sjv7'],
      ['oauth_signature_method', 'HMAC-SHA1'],
      ['oauth_timestamp', '137131201'],
      ['oauth_nonce', '7d8f3e4a'],
    ];
    expect(baseString({ method: 'post', url }, protocol)).toBe(
      'POST&http%3A%2F%2Fexample.com%2Frequest&a2%3Dr%2520b%26a3%3D2%2520q%26a3%3Da%26b5%3D%253D%25253D%26c%2540%3D' +
        '%26c2%3D%26oauth_consumer_key%3D9djdj82h48djs9d2%26oauth_nonce%3D7d8f3e4a%26oauth_signature_method' +
        '%3DHMAC-SHA1%26oauth_timestamp%3D137131201%26oauth_token%3Dkkk9d7dh3k39sjv7',
    );
  });

  // Expected signature computed with: printf %s "$BASE_STRING" | openssl dgst -sha256 -hmac 'c%21s&t%2Fs' -binary | base64
  test('HMAC-SHA256 header as NetSuite wants it', () => {
    const header = oauth1Header(
      { realm: '1234567_SB1', consumerKey: 'ck', consumerSecret: 'c!s', token: 'tk', tokenSecret: 't/s' },
      {
        method: 'GET',
        url: new URL(
          'https://1234567-SB1.suitetalk.api.netsuite.com/services/rest/record/v1/customer?q=email%20IS%20%22a@b.c%22&limit=2',
        ),
      },
      'n0nce',
      1767348000,
    );
    expect(header).toBe(
      'OAuth realm="1234567_SB1", oauth_consumer_key="ck", oauth_token="tk", oauth_signature_method="HMAC-SHA256", ' +
        `oauth_timestamp="1767348000", oauth_nonce="n0nce", oauth_version="1.0", oauth_signature="${encodeURIComponent('dBpkR93UPCFjVpYUVmFPBjI9oD5UxxZJMfr7cQJ4XB8=')}"`,
    );
  });

  test('every call has its own nonce', () => {
    const credentials = { realm: 'r', consumerKey: 'a', consumerSecret: 'b', token: 'c', tokenSecret: 'd' };
    const request = { method: 'GET', url: new URL('https://x.example/') };
    expect(oauth1Header(credentials, request)).not.toBe(oauth1Header(credentials, request));
  });
});

function caught(work: () => unknown): unknown {
  try {
    work();
  } catch (error) {
    return error;
  }
  throw new Error('nothing was thrown');
}
