import { generateKeyPairSync, sign } from 'node:crypto';
import { TestOrg } from './org';

let org: TestOrg;
let now = Date.parse('2026-03-01T10:00:00Z');

beforeAll(async () => {
  org = await TestOrg.start({ clock: () => now });
});
afterAll(() => org.close());

const JWT_GRANT = 'urn:ietf:params:oauth:grant-type:jwt-bearer';

function assertion(
  changes: Record<string, unknown> = {},
  header: object = { alg: 'RS256' },
  key?: string,
): string {
  const { clientId, username, privateKey = '' } = org.credentials('jwt-bearer');
  const claims = {
    iss: clientId,
    sub: username,
    aud: org.url,
    exp: Math.floor(now / 1000) + 120,
    ...changes,
  };
  const signed = [header, claims]
    .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
    .join('.');
  return `${signed}.${sign('RSA-SHA256', Buffer.from(signed), key ?? privateKey).toString('base64url')}`;
}

describe('client credentials', () => {
  it('answers a session as the platform does', async () => {
    const { clientId = '', clientSecret = '' } = org.credentials('client-credentials');
    const { status, body } = await org.token({
      grant_type: 'client_credentials',
      client_id: clientId,
      client_secret: clientSecret,
    });
    expect(status).toBe(200);
    expect(body).toEqual({
      access_token: expect.stringMatching(/^00D\w{12}!AQ/),
      signature: expect.any(String),
      token_format: 'opaque',
      scope: 'api',
      instance_url: org.url,
      id: expect.stringMatching(/\/id\/00D\w{15}\/005\w{15}$/),
      token_type: 'Bearer',
      issued_at: String(now),
      api_instance_url: expect.any(String),
    });
  });

  it('takes the client from HTTP Basic', async () => {
    const { clientId, clientSecret } = org.credentials('client-credentials');
    const response = await fetch(`${org.url}/services/oauth2/token`, {
      method: 'POST',
      headers: { authorization: `Basic ${Buffer.from(`${clientId}:${clientSecret}`).toString('base64')}` },
      body: new URLSearchParams({ grant_type: 'client_credentials' }),
    });
    expect(response.status).toBe(200);
  });

  it.each([
    [{ grant_type: 'client_credentials', client_id: 'x', client_secret: 'y' }, 'invalid_client_id'],
    [{ grant_type: 'password' }, 'unsupported_grant_type'],
  ])('refuses %j', async (form, error) => {
    expect(await org.token(form)).toMatchObject({
      status: 400,
      body: { error, error_description: expect.any(String) },
    });
  });

  it('refuses a wrong secret', async () => {
    const { clientId = '' } = org.credentials('client-credentials');
    const form = { grant_type: 'client_credentials', client_id: clientId, client_secret: 'wrong' };
    expect(await org.token(form)).toMatchObject({ status: 400, body: { error: 'invalid_client' } });
  });
});

describe('JWT bearer', () => {
  it('answers a session to an assertion for the org or the login host', async () => {
    for (const aud of [org.url, 'https://login.salesforce.com']) {
      const { status } = await org.token({ grant_type: JWT_GRANT, assertion: assertion({ aud }) });
      expect(status).toBe(200);
    }
  });

  it.each([
    ['another key', () => assertion({}, undefined, otherKey()), 'invalid_grant', 'invalid assertion'],
    ['another algorithm', () => assertion({}, { alg: 'none' }), 'invalid_grant', 'invalid assertion'],
    ['no JWT', () => 'abc', 'invalid_grant', 'invalid assertion'],
    ['another consumer', () => assertion({ iss: 'x' }), 'invalid_client_id', 'client identifier invalid'],
    [
      'another audience',
      () => assertion({ aud: 'https://example.org' }),
      'invalid_grant',
      'audience is invalid',
    ],
    [
      'the sandbox audience',
      () => assertion({ aud: 'https://test.salesforce.com' }),
      'app_not_found',
      'not found',
    ],
    ['the past', () => assertion({ exp: now / 1000 - 1 }), 'invalid_grant', 'expired'],
    ['a long life', () => assertion({ exp: now / 1000 + 600 }), 'invalid_grant', 'lifetime'],
    [
      'a user not approved',
      () => assertion({ sub: 'x@y.example' }),
      'invalid_grant',
      "user hasn't approved this consumer",
    ],
  ])('refuses an assertion with %s', async (_what, make, error, description) => {
    const { status, body } = await org.token({ grant_type: JWT_GRANT, assertion: make() });
    expect(status).toBe(400);
    expect(body.error).toBe(error);
    expect(body.error_description).toContain(description);
  });
});

function otherKey(): string {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  return privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
}

describe('sessions', () => {
  const minutes = (n: number) => {
    now += n * 60_000;
  };

  it('answer 401 with an array body to a missing or unknown token', async () => {
    for (const authorization of ['', 'Bearer wrong']) {
      expect(await org.call('GET', '/limits', undefined, { authorization })).toMatchObject({
        status: 401,
        body: [{ errorCode: 'INVALID_SESSION_ID', message: expect.any(String) }],
      });
    }
  });

  it('slide while they are used and end two hours after the last use', async () => {
    await org.login();
    minutes(110);
    expect((await org.get('/limits')).status).toBe(200);
    minutes(110);
    expect((await org.get('/limits')).status).toBe(200);
    minutes(121);
    expect((await org.get('/limits')).status).toBe(401);
  });

  it('end when the tokens are expired by a fault, and by revocation', async () => {
    await org.login();
    await org.control('salesforce/faults', 'POST', { kind: 'expire-token', times: 1 });
    expect((await org.get('/limits')).status).toBe(401);
    const token = await org.login();
    expect((await org.get('/limits')).status).toBe(200);
    const form = { method: 'POST', body: new URLSearchParams({ token }) };
    expect((await fetch(`${org.url}/services/oauth2/revoke`, form)).status).toBe(200);
    expect((await org.get('/limits')).status).toBe(401);
    const introspected = await fetch(`${org.url}/services/oauth2/introspect`, form);
    expect(await introspected.json()).toEqual({ active: false });
  });

  it('name their user', async () => {
    await org.login();
    const info = await org.call<Record<string, unknown>>('GET', '/services/oauth2/userinfo');
    expect(info.body).toMatchObject({
      user_id: expect.stringMatching(/^005/),
      organization_id: expect.stringMatching(/^00D/),
      preferred_username: org.credentials('jwt-bearer').username,
    });
  });

  it('keep credentials over a reset', async () => {
    const before = org.credentials('client-credentials').clientSecret;
    await org.control('reset', 'POST');
    const { body } = await org.control<{
      systems: { salesforce: { credentials: Record<string, Record<string, string>> } };
    }>('systems');
    expect(body.systems.salesforce.credentials['client-credentials']?.clientSecret).toBe(before);
    await org.login();
    expect((await org.get('/limits')).status).toBe(200);
  });
});
