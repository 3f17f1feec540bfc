import { generateKeyPairSync } from 'node:crypto';
import { TestAccount } from './support';

let account: TestAccount;
beforeEach(async () => {
  account = await TestAccount.start();
});
afterEach(() => account.close());

const LIMITS = '/system/v1/governanceLimits';

describe('token endpoint', () => {
  test('gives a bearer token without refresh token for a PS256 assertion', async () => {
    const { status, body } = await account.requestToken(account.assertion());
    expect(status).toBe(200);
    expect(body).toEqual({ access_token: expect.any(String), expires_in: '3600', token_type: 'bearer' });
  });

  test('accepts the audience under the real host of the account and a comma-separated scope', async () => {
    const aud = 'https://1234567-sb1.suitetalk.api.netsuite.com/services/rest/auth/oauth2/v1/token';
    const assertion = account.assertion({ claims: { aud, scope: 'restlets, rest_webservices' } });
    expect((await account.requestToken(assertion)).status).toBe(200);
  });

  test.each([
    ['an algorithm with PKCS#1 v1.5 padding', { alg: 'RS256' }, 400, 'invalid_grant'],
    ['an unknown certificate', { kid: 'unknown' }, 400, 'invalid_grant'],
    ['another audience', { claims: { aud: 'https://example.com/token' } }, 400, 'invalid_grant'],
    ['another client', { claims: { iss: 'somebody' } }, 401, 'invalid_client'],
    [
      'more than an hour of validity',
      { claims: { exp: Math.floor(Date.now() / 1000) + 3700 } },
      400,
      'invalid_grant',
    ],
    [
      'an assertion that is over',
      { claims: { iat: 1_700_000_000, exp: 1_700_000_300 } },
      400,
      'invalid_grant',
    ],
    ['a missing scope', { claims: { scope: 'restlets' } }, 400, 'invalid_scope'],
    ['an unknown scope', { claims: { scope: ['rest_webservices', 'all'] } }, 400, 'invalid_scope'],
  ])('refuses %s', async (_, override, status, error) => {
    const reply = await account.requestToken(account.assertion(override));
    expect(reply).toMatchObject({ status, body: { error } });
  });

  test('refuses a signature of another key', async () => {
    const { privateKey } = generateKeyPairSync('rsa', {
      modulusLength: 2048,
      publicKeyEncoding: { type: 'spki', format: 'pem' },
      privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
    });
    const reply = await account.requestToken(account.assertion({ key: privateKey }));
    expect(reply).toMatchObject({ status: 400, body: { error: 'invalid_grant' } });
  });

  test.each([
    ['grant_type', 'password', 'unsupported_grant_type'],
    ['client_assertion_type', 'other', 'invalid_request'],
    ['client_assertion', 'not.a.jwt', 'invalid_grant'],
  ])('refuses a wrong %s', async (field, value, error) => {
    const reply = await account.requestToken(account.assertion(), { [field]: value });
    expect(reply).toMatchObject({ status: 400, body: { error } });
  });

  test('accepts ES256 with a certificate that the administrator uploaded', async () => {
    const { publicKey, privateKey } = generateKeyPairSync('ec', {
      namedCurve: 'P-256',
      publicKeyEncoding: { type: 'spki', format: 'pem' },
      privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
    });
    const uploaded = await account.person('POST', 'oauthCertificate', { publicKey });
    const assertion = account.assertion({
      alg: 'ES256',
      kid: String(uploaded.data.certificateId),
      key: privateKey,
    });
    expect((await account.requestToken(assertion)).status).toBe(200);
  });
});

describe('bearer token', () => {
  test('opens the service, and no longer after an hour', async () => {
    expect((await account.call('GET', LIMITS)).status).toBe(200);
    account.clock.offset = 3601_000;
    expect((await account.call('GET', LIMITS)).status).toBe(401);
    await account.login();
    expect((await account.call('GET', LIMITS)).status).toBe(200);
  });

  test('is made invalid by the expire-token fault', async () => {
    await account.control('POST', 'faults', { kind: 'expire-token', times: 1 });
    const { status, body } = await account.call('GET', LIMITS);
    expect(status).toBe(401);
    expect(body).toMatchObject({
      title: 'Unauthorized',
      status: 401,
      'o:errorDetails': [
        { 'o:errorCode': 'INVALID_LOGIN', detail: expect.stringMatching(/^Invalid login attempt/) },
      ],
    });
    expect((await account.call('GET', LIMITS)).status).toBe(401);
    await account.login();
    expect((await account.call('GET', LIMITS)).status).toBe(200);
  });

  test.each([['Bearer forged.token'], ['Bearer e30.AAAA'], ['Basic dXNlcjpwYXNz'], ['']])(
    'refuses "%s"',
    async (authorization) => {
      expect((await account.call('GET', LIMITS, { headers: { authorization } })).status).toBe(401);
    },
  );

  test('survives a reset of the simulator, as do the credentials', async () => {
    await fetch(`${account.controlUrl.replace(/netsuite$/, 'reset')}`, { method: 'POST', body: '{}' });
    await account.login();
    expect((await account.call('GET', LIMITS)).status).toBe(200);
  });
});

describe('token-based authentication', () => {
  const signedGet = async (path: string, override?: Record<string, string>, sent = path): Promise<number> => {
    const url = `${account.url}/services/rest${path}`;
    const authorization = account.tbaHeader('GET', url, override);
    return (await account.call('GET', sent, { headers: { authorization } })).status;
  };

  test('accepts a signature over method, URL and query parameters', async () => {
    expect(
      await signedGet('/record/v1/customer?limit=2&offset=0&q=companyName%20CONTAIN%20%22a%26b%22'),
    ).toBe(200);
  });

  test('refuses query parameters that are not signed', async () => {
    expect(await signedGet('/record/v1/customer', {}, '/record/v1/customer?limit=2')).toBe(401);
  });

  test.each([
    ['the realm in the spelling of the host name', { realm: '1234567-sb1' }],
    ['the realm in lower case', { realm: '1234567_sb1' }],
    ['another consumer key', { oauth_consumer_key: 'other' }],
    ['another token', { oauth_token: 'other' }],
    ['HMAC-SHA1', { oauth_signature_method: 'HMAC-SHA1' }],
    ['a timestamp six minutes ago', { oauth_timestamp: String(Math.floor(Date.now() / 1000) - 360) }],
    ['a timestamp six minutes ahead', { oauth_timestamp: String(Math.floor(Date.now() / 1000) + 360) }],
  ])('refuses %s', async (_, override) => {
    expect(await signedGet(LIMITS, override)).toBe(401);
  });

  test('refuses a nonce that was used before', async () => {
    expect(await signedGet(LIMITS, { oauth_nonce: 'once' })).toBe(200);
    expect(await signedGet(LIMITS, { oauth_nonce: 'once' })).toBe(401);
  });

  test('does not sign the JSON body', async () => {
    const authorization = account.tbaHeader('POST', `${account.url}/services/rest/record/v1/department`);
    const reply = await account.record('POST', 'department', { name: 'Research' }, { authorization });
    expect(reply.status).toBe(204);
  });
});
