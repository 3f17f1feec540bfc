import { generateKeyPairSync, verify } from 'node:crypto';
import { type FakeOrg, fakeOrg, page, refusal } from './fake-org';

const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
const pem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();

let org: FakeOrg;
afterEach(() => org.close());

const query = () => org.client.query('SELECT Id FROM Account');
const logins = () =>
  org.server.requests
    .filter(({ url }) => url === '/services/oauth2/token')
    .map(({ body }) => Object.fromEntries(new URLSearchParams(body)));

test('client credentials', async () => {
  org = await fakeOrg();
  org.answer = () => [200, page([])];
  await Promise.all([query(), query()]);
  expect(logins()).toEqual([
    { grant_type: 'client_credentials', client_id: 'key', client_secret: 'secret-value' },
  ]);
  expect(org.server.requests.at(-1)?.headers).toMatchObject({
    authorization: 'Bearer 00D!token-1',
    'sforce-call-options': 'client=quote-to-cash',
  });
});

test('JWT bearer: claims, audience and signature', async () => {
  org = await fakeOrg({ auth: 'jwt-bearer', values: { username: 'q2c@acme.example', privateKey: pem } });
  org.answer = () => [200, page([])];
  await query();
  const [form] = logins();
  expect(form?.grant_type).toBe('urn:ietf:params:oauth:grant-type:jwt-bearer');
  const [header = '', claims = '', signature = ''] = (form?.assertion ?? '').split('.');
  expect(JSON.parse(Buffer.from(header, 'base64url').toString())).toEqual({ alg: 'RS256' });
  const { exp, ...rest } = JSON.parse(Buffer.from(claims, 'base64url').toString());
  expect(rest).toEqual({ iss: 'key', sub: 'q2c@acme.example', aud: org.server.url });
  const ahead = exp - Date.now() / 1000;
  expect(ahead).toBeGreaterThan(60);
  expect(ahead).toBeLessThanOrEqual(180);
  expect(
    verify('sha256', Buffer.from(`${header}.${claims}`), publicKey, Buffer.from(signature, 'base64url')),
  ).toBe(true);
});

test('an expired session is renewed once for all calls that met it', async () => {
  org = await fakeOrg();
  let valid = 'Bearer 00D!token-1';
  org.answer = ({ headers }) =>
    headers.authorization === valid
      ? [200, page([])]
      : [401, refusal('INVALID_SESSION_ID', 'Session expired or invalid')];
  await query();
  valid = 'Bearer 00D!token-2';
  await Promise.all(Array.from({ length: 8 }, query));
  expect(logins()).toHaveLength(2);
});

test('a session that is refused again stays refused', async () => {
  org = await fakeOrg();
  org.answer = () => [
    401,
    refusal('INVALID_SESSION_ID', 'This session is not valid for use with the REST API'),
  ];
  await expect(query()).rejects.toMatchObject({ kind: 'auth', code: 'AUTH_EXPIRED' });
  expect(logins()).toHaveLength(2);
});

test.each([
  ['invalid_client', 'invalid client credentials'],
  ['invalid_grant', "user hasn't approved this consumer"],
])('a refused login (%s) says why and never repeats the secret', async (error, description) => {
  org = await fakeOrg();
  org.token = () => [400, { error, error_description: `${description} secret-value` }];
  const refused = await query().catch((reason: unknown) => reason);
  expect(refused).toMatchObject({ kind: 'auth', code: 'AUTH_EXPIRED', vendorCode: error });
  expect(String(refused)).toContain(description);
  expect(String(refused)).not.toContain('secret-value');
});

test('a login server that is down is a pause, not a wrong password', async () => {
  org = await fakeOrg();
  org.token = () => [503, { error: 'unavailable' }];
  await expect(query()).rejects.toMatchObject({ kind: 'transient' });
});

test('a login page instead of a token is a changed interface', async () => {
  org = await fakeOrg();
  org.token = () => [200, { nothing: true }];
  await expect(query()).rejects.toMatchObject({ code: 'SCHEMA_CHANGED' });
});

test('a token for another host is not used: it says which host to enter', async () => {
  org = await fakeOrg();
  org.token = () => [200, { access_token: 't', instance_url: 'https://acme.my.salesforce.com' }];
  await expect(query()).rejects.toThrow(/acme\.my\.salesforce\.com/);
  expect(org.calls()).toEqual([]);
});
