import { constants, generateKeyPairSync, verify } from 'node:crypto';
import { type ConnectionCheck, type ConnectionConfig, memoryTokens } from '../../../../lib/systems/kit';
import {
  baseUrlFor,
  createNetSuiteClient,
  type NetSuiteClient,
} from '../../../../lib/systems/netsuite/client';
import { type ReceivedRequest, sendJson, startTestServer, type TestServer } from '../kit/test-server';

const { privateKey, publicKey } = generateKeyPairSync('rsa', {
  modulusLength: 2048,
  publicKeyEncoding: { type: 'spki', format: 'pem' },
  privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
});

const TOKEN_PATH = '/services/rest/auth/oauth2/v1/token';
const emptyPage = { links: [], count: 0, hasMore: false, items: [], offset: 0, totalResults: 0 };

let server: TestServer;
let clients: NetSuiteClient[] = [];

beforeEach(async () => {
  server = await startTestServer((_request, response) => sendJson(response, 200, emptyPage));
});

afterEach(async () => {
  await Promise.all(clients.map((client) => client.close()));
  clients = [];
  await server.close();
});

/** Lines that failed, with what was found. */
const failed = (checks: readonly ConnectionCheck[]) =>
  checks
    .filter(({ state }) => state === 'failed')
    .map(({ id, findings }) => [id, ...findings.map(({ key }) => key)]);

const TBA = { consumerKey: 'ck', consumerSecret: 'cs', tokenId: 'ti', tokenSecret: 'ts' };

function connect(config: Partial<ConnectionConfig> = {}, tokens = memoryTokens()): NetSuiteClient {
  const client = createNetSuiteClient(
    {
      environment: 'simulator',
      auth: 'tba',
      ...config,
      values: { accountId: '1234567-sb1', baseUrl: server.url, ...TBA, ...config.values },
    },
    { tokens, log: () => {} },
  );
  clients.push(client);
  return client;
}

/** Header and claims of a token that the certificate's key signed with PS256. */
function verified(jwt: string): { header: Record<string, unknown>; claims: Record<string, unknown> } {
  const [header = '', claims = '', signature = ''] = jwt.split('.');
  const key = { key: publicKey, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 32 };
  const signed = Buffer.from(`${header}.${claims}`);
  if (!verify('sha256', signed, key, Buffer.from(signature, 'base64url'))) throw new Error('wrong signature');
  const decode = (part: string) => JSON.parse(Buffer.from(part, 'base64url').toString('utf8'));
  return { header: decode(header), claims: decode(claims) };
}

const authorization = ({ headers }: ReceivedRequest) => headers.authorization ?? '';

describe('connection', () => {
  test('is named by the realm of the account, unless the user names it', () => {
    expect(connect().instance).toBe('1234567_SB1');
    expect(connect({ instance: 'acquired' }).instance).toBe('acquired');
  });

  test('takes a base URL of its own in Simulator mode only', () => {
    const values = { baseUrl: 'http://127.0.0.1:4600/netsuite/' };
    const baseUrl = (environment: ConnectionConfig['environment']) =>
      baseUrlFor({ environment, auth: 'tba', values }, '1234567_SB1');
    expect(baseUrl('simulator')).toBe('http://127.0.0.1:4600/netsuite');
    expect(baseUrl('sandbox')).toBe('https://1234567-sb1.suitetalk.api.netsuite.com');
    expect(baseUrl('production')).toBe('https://1234567-sb1.suitetalk.api.netsuite.com');
  });

  test.each([[{ accountId: 'https://1234567.app.netsuite.com' }], [{ consumerSecret: '' }]])(
    'is refused with %j',
    (values) => expect(() => connect({ values })).toThrow(/The connection to NetSuite/),
  );

  test('TBA signs every attempt anew, with the realm in capitals', async () => {
    const client = connect();
    await client.query('SELECT id FROM subsidiary');
    await client.query('SELECT id FROM subsidiary');
    const headers = server.requests.map(authorization);
    expect(headers[0]).toContain('realm="1234567_SB1"');
    expect(headers[0]).not.toContain('limit=');
    expect(new Set(headers.map((header) => /oauth_nonce="(\w+)"/.exec(header)?.[1])).size).toBe(2);
  });

  test('TBA does not repeat what was refused', async () => {
    server.reply = (_request, response) =>
      sendJson(response, 401, {
        'o:errorDetails': [{ detail: 'Invalid login attempt.', 'o:errorCode': 'INVALID_LOGIN' }],
      });
    await expect(connect().query('SELECT 1')).rejects.toMatchObject({ kind: 'auth', code: 'AUTH_EXPIRED' });
    expect(server.requests).toHaveLength(1);
  });

  test('a certificate logs in once with a PS256 assertion, and again when the token is refused', async () => {
    let issued = 0;
    server.reply = (request, response) => {
      if (request.url === TOKEN_PATH) {
        issued += 1;
        sendJson(response, 200, {
          access_token: `token-${issued}`,
          expires_in: '3600',
          token_type: 'bearer',
        });
      } else if (authorization(request) === 'Bearer token-1' && issued === 1 && server.requests.length > 3) {
        sendJson(response, 401, {
          'o:errorDetails': [{ detail: 'expired', 'o:errorCode': 'INVALID_LOGIN' }],
        });
      } else sendJson(response, 200, emptyPage);
    };
    const values = { clientId: 'client', certificateId: 'cert-1', privateKey };
    const client = connect({ auth: 'oauth2-certificate', values });
    await Promise.all([client.query('SELECT 1'), client.query('SELECT 2')]);
    expect(issued).toBe(1);
    await client.query('SELECT 3');
    expect(issued).toBe(2);

    const form = new URLSearchParams(server.requests.find(({ url }) => url === TOKEN_PATH)?.body);
    const assertion = form.get('client_assertion') ?? '';
    expect(form.get('grant_type')).toBe('client_credentials');
    const { header, claims } = verified(assertion);
    expect(header).toEqual({ typ: 'JWT', alg: 'PS256', kid: 'cert-1' });
    expect(claims).toMatchObject({ iss: 'client', aud: server.url + TOKEN_PATH, scope: 'rest_webservices' });
    expect(Number(claims.exp) - Number(claims.iat)).toBe(300);
  });

  test('a certificate that is refused is told as such, without the assertion', async () => {
    server.reply = (_request, response) => sendJson(response, 400, { error: 'invalid_grant' });
    const values = { clientId: 'client', certificateId: 'cert-1', privateKey };
    const checks = await connect({ auth: 'oauth2-certificate', values }).test();
    expect(failed(checks)).toEqual([['login', 'KEY_WRONG']]);
    expect(JSON.stringify(checks)).toContain('invalid_grant');
    expect(JSON.stringify(checks)).not.toContain('eyJ');
  });

  test('a private key that is no key is told as such', async () => {
    const values = { clientId: 'client', certificateId: 'cert-1', privateKey: 'not a key' };
    const checks = await connect({ auth: 'oauth2-certificate', values }).test();
    expect(failed(checks)).toEqual([['login', 'KEY_UNREADABLE']]);
  });
});

describe('concurrency of the account', () => {
  /** Answers nothing until told; counts what is in flight. */
  function gate() {
    const waiting: (() => void)[] = [];
    let most = 0;
    server.reply = (_request, response) => {
      waiting.push(() => sendJson(response, 200, emptyPage));
      most = Math.max(most, waiting.length);
    };
    return {
      most: () => most,
      /** Answers all calls, always as soon as `together` of them wait. */
      async open(total: number, together: number) {
        for (let left = total; left > 0; ) {
          if (waiting.length >= Math.min(left, together)) {
            const ready = waiting.splice(0);
            left -= ready.length;
            for (const answer of ready) answer();
          } else await new Promise((resolve) => setImmediate(resolve));
        }
      },
    };
  }

  test('two connections of one account share its slots, whatever their credentials', async () => {
    const { most, open } = gate();
    const first = connect({ limits: { concurrency: 3 } });
    const second = connect({
      limits: { concurrency: 3 },
      values: { accountId: '1234567_SB1', tokenId: 'other' },
    });
    const calls = Array.from({ length: 12 }, (_, index) => (index % 2 ? first : second).query('SELECT 1'));
    expect(first.health()).toMatchObject({ inFlight: 3, waiting: 9 });
    expect(second.health()).toMatchObject({ inFlight: 3, waiting: 9 });
    await Promise.all([...calls, open(12, 3)]);
    expect(most()).toBe(3);
  });

  test('another account has slots of its own', async () => {
    const { most, open } = gate();
    const first = connect({ limits: { concurrency: 1 } });
    const second = connect({ limits: { concurrency: 1 }, values: { accountId: '7654321' } });
    await Promise.all([first.query('SELECT 1'), second.query('SELECT 1'), open(2, 2)]);
    expect(most()).toBe(2);
  });

  test('a connection that cannot be made takes no part', async () => {
    const broken = () => connect({ limits: { concurrency: 1 }, values: { accountId: 'no account!' } });
    expect(broken).toThrow(/not an account ID/);
    const { most, open } = gate();
    const client = connect({ limits: { concurrency: 2 } });
    await Promise.all([client.query('SELECT 1'), client.query('SELECT 2'), open(2, 2)]);
    expect(most()).toBe(2);
  });

  test('the slots end with the last connection', async () => {
    await connect({ limits: { concurrency: 1 } }).close();
    clients = [];
    const { most, open } = gate();
    const client = connect({ limits: { concurrency: 2 } });
    await Promise.all([client.query('SELECT 1'), client.query('SELECT 2'), open(2, 2)]);
    expect(most()).toBe(2);
  });
});
