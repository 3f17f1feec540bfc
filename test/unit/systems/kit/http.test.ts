import { createServer } from 'node:net';
import type { JsonValue } from '../../../../lib/model';
import {
  type Authenticator,
  createHttpClient,
  type ErrorTable,
  type HttpClient,
  type HttpClientOptions,
  type HttpRequest,
  SystemError,
} from '../../../../lib/systems/kit';
import { sendJson, startTestServer, type TestServer } from './test-server';

const errors: ErrorTable = {
  rows: [
    { status: 400, code: 'LOCKED', kind: 'transient' },
    { status: 400, code: /^PERIOD_/, kind: 'rejected', as: 'PERIOD_CLOSED' },
    { status: 403, code: 'TOO_MANY', kind: 'rate_limited' },
  ],
  codeOf: (body) => text(body, 'code'),
  reasonOf: (body) => text(body, 'message'),
};

function text(body: JsonValue, key: string): string | null {
  const value = body !== null && typeof body === 'object' && !Array.isArray(body) ? body[key] : null;
  return typeof value === 'string' ? value : null;
}

let server: TestServer;
let clients: HttpClient[] = [];

beforeEach(async () => {
  server = await startTestServer((_request, response) => sendJson(response, 200, { ok: true }));
});

afterEach(async () => {
  await server.close();
  await Promise.all(clients.map((client) => client.close()));
  clients = [];
});

function clientOf(options: Partial<HttpClientOptions> = {}): HttpClient {
  const client = createHttpClient({
    system: 'acme',
    baseUrl: server.url,
    errors,
    limits: { concurrency: 4, timeoutMs: 5_000 },
    ...options,
  });
  clients.push(client);
  return client;
}

async function failureOf(work: Promise<unknown>): Promise<SystemError> {
  const error = await work.then(
    () => null,
    (reason: unknown) => reason,
  );
  if (!(error instanceof SystemError)) throw new Error(`expected a SystemError, got ${String(error)}`);
  return error;
}

const get = (path: string, more: Partial<HttpRequest> = {}): HttpRequest => ({
  method: 'GET',
  path,
  ...more,
});
const post = (path: string, more: Partial<HttpRequest> = {}): HttpRequest => ({
  method: 'POST',
  path,
  json: { a: 1 },
  ...more,
});

describe('requests', () => {
  test('JSON body, query and headers arrive as written', async () => {
    const client = clientOf({ baseUrl: `${server.url}/base/`, headers: { 'x-all': '1' } });
    await client.request(
      post('/things', {
        json: { name: 'Zoë 🚀' },
        query: { q: "a b+c='d'", none: undefined, n: 2 },
        headers: { 'x-one': '2' },
      }),
    );
    const [request] = server.requests;
    expect(request?.url).toBe('/base/things?q=a%20b%2Bc%3D%27d%27&n=2');
    expect(JSON.parse(request?.body ?? '')).toEqual({ name: 'Zoë 🚀' });
    expect(request?.headers).toMatchObject({
      'content-type': 'application/json',
      accept: 'application/json',
      'x-all': '1',
      'x-one': '2',
    });
  });

  test('forms are url-encoded, an empty 204 is null', async () => {
    server.reply = (_request, response) => sendJson(response, 204);
    const reply = await clientOf().request({ method: 'POST', path: '/token', form: { a: 'b c', d: '&' } });
    expect(reply).toMatchObject({ status: 204, body: null });
    expect(server.requests[0]?.body).toBe('a=b+c&d=%26');
  });

  test.each([
    [true, { kind: 'rejected', code: 'SCHEMA_CHANGED' }],
    [false, { kind: 'unknown', code: 'OUTCOME_UNKNOWN' }],
  ])('where 204 says that it is done, an empty 200 does not (safe to repeat: %s)', async (safe, expected) => {
    const change: HttpRequest = { method: 'PATCH', path: '/x', json: {}, noContent: true, safe };
    server.reply = (_request, response) => sendJson(response, 204);
    await expect(clientOf().request(change)).resolves.toMatchObject({ status: 204 });
    server.reply = (_request, response) => sendJson(response, 200);
    expect(await failureOf(clientOf().request(change))).toMatchObject({
      ...expected,
      reason: 'the answer to PATCH /x has status 200, not 204 as when it is done',
    });
  });

  test('numbers beyond a JS number arrive as text', async () => {
    server.reply = (_request, response) => {
      response.end('{"id":12345678901234567890,"n":1.5}');
    };
    const { body } = await clientOf().request(get('/x'));
    expect(body).toEqual({ id: '12345678901234567890', n: 1.5 });
  });

  test('sockets are kept and never exceed the concurrency', async () => {
    const client = clientOf({ limits: { concurrency: 3, timeoutMs: 5_000 } });
    await Promise.all(Array.from({ length: 30 }, () => client.request(get('/x'))));
    await client.request(get('/x'));
    expect(server.requests).toHaveLength(31);
    expect(server.connections()).toBeLessThanOrEqual(3);
  });

  test('statuses the caller handles are not errors', async () => {
    server.reply = (_request, response) => sendJson(response, 404, { message: 'no' });
    await expect(clientOf().request(get('/x', { accept: [404] }))).resolves.toMatchObject({ status: 404 });
    server.reply = (_request, response) => {
      response.writeHead(404);
      response.end('<html>');
    };
    const page = await clientOf().request(get('/x', { accept: [404] }));
    expect(page).toMatchObject({ status: 404, body: null });
  });
});

describe('next-page links', () => {
  test('a link on the same origin is followed verbatim', async () => {
    await clientOf({ baseUrl: `${server.url}/base` }).request(get(`${server.url}/base/next?a=1+2`));
    expect(server.requests[0]?.url).toBe('/base/next?a=1+2');
  });

  test('a path that contains the base path already is not doubled', async () => {
    await clientOf({ baseUrl: `${server.url}/base` }).request(get('/base/next'));
    expect(server.requests[0]?.url).toBe('/base/next');
  });

  test.each(['https://evil.example/x', 'HTTP://evil.example/x', 'http://127.0.0.1:1/x'])(
    '%s is refused before anything is sent',
    async (path) => {
      const error = await failureOf(clientOf().request(get(path)));
      expect(error).toMatchObject({ code: 'SCHEMA_CHANGED', kind: 'rejected' });
      expect(server.requests).toHaveLength(0);
    },
  );
});

test.each(['//evil.example/x', '@evil.example/x', '.evil.example/x'])(
  'the path %s stays on the host',
  async (path) => {
    await clientOf().request(get(path));
    expect(server.requests).toHaveLength(1);
  },
);

describe('answers that are errors', () => {
  const cases: [string, number, unknown, HttpRequest, Partial<SystemError>][] = [
    [
      'row by code',
      400,
      { code: 'LOCKED', message: 'locked' },
      post('/x'),
      { kind: 'transient', vendorCode: 'LOCKED' },
    ],
    [
      'row with domain code',
      400,
      { code: 'PERIOD_9', message: 'closed' },
      post('/x'),
      { kind: 'rejected', code: 'PERIOD_CLOSED' },
    ],
    [
      'vendor says 403, means slow down',
      403,
      { code: 'TOO_MANY' },
      get('/x'),
      { kind: 'rate_limited', code: 'RATE_LIMITED' },
    ],
    ['403 by default', 403, {}, get('/x'), { kind: 'rejected', code: 'TARGET_REJECTED' }],
    ['404', 404, {}, get('/x'), { kind: 'not_found' }],
    ['409', 409, {}, post('/x'), { kind: 'conflict' }],
    ['412', 412, {}, post('/x'), { kind: 'conflict' }],
    ['429', 429, {}, post('/x'), { kind: 'rate_limited' }],
    ['401 without authenticator', 401, {}, get('/x'), { kind: 'auth', code: 'AUTH_EXPIRED' }],
    ['500 after a write', 500, {}, post('/x'), { kind: 'unknown', code: 'OUTCOME_UNKNOWN' }],
    ['500 after a read', 500, {}, get('/x'), { kind: 'transient', code: 'TARGET_UNAVAILABLE' }],
    ['503 after a harmless write', 503, {}, post('/x', { safe: true }), { kind: 'transient' }],
    ['408 after a write', 408, {}, post('/x'), { kind: 'unknown' }],
    ['418', 418, {}, get('/x'), { kind: 'rejected' }],
    ['redirect', 302, {}, get('/x'), { kind: 'rejected' }],
  ];

  test.each(cases)('%s', async (_name, status, body, request, expected) => {
    server.reply = (_request, response) => sendJson(response, status, body);
    expect(await failureOf(clientOf().request(request))).toMatchObject({ ...expected, status });
  });

  test('a page of HTML gives a reason without markup', async () => {
    server.reply = (_request, response) => {
      response.writeHead(502, { 'content-type': 'text/html' });
      response.end('<html><h1>Bad gateway</h1></html>');
    };
    const error = await failureOf(clientOf().request(get('/x', { query: { secret: 's' } })));
    expect(error.reason).toBe('GET /x was answered with status 502');
  });

  test.each([
    ['120', 120_000],
    ['0.5', 500],
  ])('Retry-After %s', async (value, ms) => {
    server.reply = (_request, response) => sendJson(response, 429, {}, { 'retry-after': value });
    expect((await failureOf(clientOf().request(get('/x')))).retryAfterMs).toBe(ms);
  });

  test('Retry-After as a date', async () => {
    const date = new Date(Date.now() + 30_000).toUTCString();
    server.reply = (_request, response) => sendJson(response, 429, {}, { 'retry-after': date });
    const { retryAfterMs } = await failureOf(clientOf().request(get('/x')));
    expect(retryAfterMs).toBeGreaterThan(20_000);
    expect(retryAfterMs).toBeLessThanOrEqual(30_000);
  });

  test('credentials that a vendor echoes are hidden, long texts are cut', async () => {
    const token = 'tok-123456-short';
    const echo = `Session ${token} invalid, Bearer abc.def eyJhbGciOi.eyJzdWIi.c2ln ${'word '.repeat(200)}`;
    server.reply = (_request, response) => sendJson(response, 400, { message: echo });
    const authenticator = fixedToken(token);
    const error = await failureOf(clientOf({ authenticator }).request(get('/x')));
    expect(error.message).not.toContain(token);
    expect(error.message).not.toMatch(/abc\.def|eyJ/);
    expect(error.reason.length).toBeLessThanOrEqual(300);
  });
});

describe('answers that cannot be read', () => {
  test.each([
    ['not JSON', '<html>Log in</html>'],
    ['cut JSON', '{"id":"00'],
  ])('%s: a write is unknown, a read is a changed interface', async (_name, body) => {
    server.reply = (_request, response) => {
      response.end(body);
    };
    expect(await failureOf(clientOf().request(post('/x')))).toMatchObject({
      kind: 'unknown',
      code: 'OUTCOME_UNKNOWN',
    });
    expect(await failureOf(clientOf().request(get('/x')))).toMatchObject({
      kind: 'rejected',
      code: 'SCHEMA_CHANGED',
    });
  });

  test('an empty 200 to a read is a changed interface', async () => {
    server.reply = (_request, response) => {
      response.end();
    };
    expect(await failureOf(clientOf().request(get('/x')))).toMatchObject({ code: 'SCHEMA_CHANGED' });
  });
});

describe('no answer', () => {
  test('refused connection: nothing left, so transient also for writes', async () => {
    const closed = await closedPort();
    const error = await failureOf(clientOf({ baseUrl: `http://127.0.0.1:${closed}` }).request(post('/x')));
    expect(error).toMatchObject({ kind: 'transient', code: 'TARGET_UNAVAILABLE', status: null });
    expect(error.reason).toContain('refused');
  });

  test('unknown host name: transient', async () => {
    const error = await failureOf(clientOf({ baseUrl: 'http://does-not-exist.invalid' }).request(post('/x')));
    expect(error).toMatchObject({ kind: 'transient' });
  });

  test('TLS that cannot be set up: transient, the request never left', async () => {
    const error = await failureOf(
      clientOf({ baseUrl: server.url.replace('http:', 'https:') }).request(post('/x')),
    );
    expect(error).toMatchObject({ kind: 'transient' });
    expect(server.requests).toHaveLength(0);
  });

  test.each([
    ['reset before the answer', (socket: import('node:net').Socket) => socket.destroy()],
    [
      'answer cut in the middle',
      (socket: import('node:net').Socket) => {
        socket.end('HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{"id":');
      },
    ],
  ])('%s: unknown for writes, transient for reads', async (_name, act) => {
    server.reply = (_request, _response, incoming) => act(incoming.socket);
    expect(await failureOf(clientOf().request(post('/x')))).toMatchObject({
      kind: 'unknown',
      code: 'OUTCOME_UNKNOWN',
    });
    expect(await failureOf(clientOf().request(get('/x')))).toMatchObject({ kind: 'transient' });
    expect(await failureOf(clientOf().request(post('/x', { safe: true })))).toMatchObject({
      kind: 'transient',
    });
  });

  test('time-out after the request left: unknown for writes', async () => {
    server.reply = () => {};
    const error = await failureOf(clientOf().request(post('/x', { timeoutMs: 40 })));
    expect(error).toMatchObject({ kind: 'unknown' });
    expect(error.reason).toBe('no complete answer within 40 ms');
  });

  test('a body that never ends is bounded by the same time-out', async () => {
    server.reply = (_request, response) => {
      response.writeHead(200);
      response.write('{');
    };
    expect(await failureOf(clientOf().request(get('/x', { timeoutMs: 60 })))).toMatchObject({
      kind: 'transient',
    });
  });

  test('a cancelled call ends at once: unknown when it had left, transient when it still waited', async () => {
    server.reply = () => {};
    const client = clientOf({ limits: { concurrency: 1, timeoutMs: 5_000 } });
    const first = new AbortController();
    const second = new AbortController();
    const sent = failureOf(client.request(post('/sent', { signal: first.signal })));
    const queued = failureOf(client.request(post('/queued', { signal: second.signal })));
    await until(() => server.requests.length === 1);
    second.abort();
    expect(await queued).toMatchObject({ kind: 'transient' });
    first.abort();
    expect(await sent).toMatchObject({ kind: 'unknown' });
    expect(client.health()).toEqual({ breaker: 'closed', inFlight: 0, waiting: 0 });
    expect(server.requests.map(({ url }) => url)).toEqual(['/sent']);
  });
});

describe('credentials', () => {
  test('a refused token is renewed once and the call repeated', async () => {
    server.reply = (request, response) =>
      request.headers.authorization === 'Bearer new'
        ? sendJson(response, 200, { ok: true })
        : sendJson(response, 401, {});
    const authenticator = renewable(['old', 'new']);
    await expect(clientOf({ authenticator }).request(post('/x'))).resolves.toMatchObject({ status: 200 });
    expect(server.requests).toHaveLength(2);
  });

  test('a second refusal stands', async () => {
    server.reply = (_request, response) => sendJson(response, 401, { message: 'expired' });
    const authenticator = renewable(['old', 'new', 'newer']);
    expect(await failureOf(clientOf({ authenticator }).request(get('/x')))).toMatchObject({
      kind: 'auth',
      reason: 'expired',
    });
    expect(server.requests).toHaveLength(2);
  });
});

test('a credential that HTTP cannot carry is refused for good, not tried again', async () => {
  const error = await failureOf(clientOf({ authenticator: fixedToken('two\nlines') }).request(get('/x')));
  expect(error).toMatchObject({ kind: 'rejected', code: 'TARGET_REJECTED' });
  expect(error.message).not.toContain('two');
});

describe('breaker', () => {
  test('opens after failures in a row, fails fast with the time to wait, closes after a success', async () => {
    server.reply = (_request, response) => sendJson(response, 503, {});
    const client = clientOf({ breaker: { failures: 3, openMs: 50 } });
    for (let call = 0; call < 3; call += 1) await failureOf(client.request(get('/x')));
    const error = await failureOf(client.request(post('/x')));
    expect(error).toMatchObject({ kind: 'transient', code: 'TARGET_UNAVAILABLE' });
    expect(error.retryAfterMs).toBeLessThanOrEqual(50);
    expect(client.health().breaker).toBe('open');
    expect(server.requests).toHaveLength(3);

    server.reply = (_request, response) => sendJson(response, 200, {});
    await untilResolves(() => client.request(get('/x')));
    expect(client.health().breaker).toBe('closed');
  });

  test('refusals prove that the vendor works: they never open it and restart the count', async () => {
    const client = clientOf({ breaker: { failures: 3, openMs: 60_000 } });
    for (const status of [500, 500, 400, 500, 500, 429, 404, 401, 403, 409]) {
      server.reply = (_request, response) => sendJson(response, status, {});
      await failureOf(client.request(get('/x')));
    }
    expect(client.health().breaker).toBe('closed');
  });

  test('lost connections count, cancelled calls do not', async () => {
    const client = clientOf({ breaker: { failures: 2, openMs: 60_000 } });
    for (let call = 0; call < 3; call += 1) {
      const abort = new AbortController();
      server.reply = () => abort.abort();
      await failureOf(client.request(get('/x', { signal: abort.signal })));
    }
    expect(client.health().breaker).toBe('closed');
    server.reply = (_request, _response, incoming) => {
      incoming.socket.destroy();
    };
    await failureOf(client.request(get('/x')));
    await failureOf(client.request(get('/x')));
    expect(client.health().breaker).toBe('open');
  });
});

describe('budgets', () => {
  test('calls above the concurrency wait in order of arrival', async () => {
    const release: (() => void)[] = [];
    server.reply = (_request, response) => {
      release.push(() => sendJson(response, 200, {}));
    };
    const client = clientOf({ limits: { concurrency: 2, timeoutMs: 5_000 } });
    const calls = ['/1', '/2', '/3', '/4'].map((path) => client.request(get(path)));
    await until(() => release.length === 2);
    expect(client.health()).toMatchObject({ inFlight: 2, waiting: 2 });
    for (let done = 0; done < 4; done += 1) {
      await until(() => release.length > done);
      release[done]?.();
    }
    await Promise.all(calls);
    expect(server.requests.slice(2).map(({ url }) => url)).toEqual(['/3', '/4']);
  });

  test('the rate budget spreads calls over time', async () => {
    const client = clientOf({ limits: { concurrency: 10, requestsPerSecond: 10, timeoutMs: 5_000 } });
    const started = performance.now();
    await Promise.all(Array.from({ length: 11 }, () => client.request(get('/x'))));
    expect(performance.now() - started).toBeGreaterThanOrEqual(900);
  });

  test('a rate that several hosts share is asked for before each call', async () => {
    const asked: number[] = [];
    const client = clientOf({
      limits: { concurrency: 10, requestsPerSecond: 10, timeoutMs: 5_000 },
      reserveCall: async (perSecond) => {
        asked.push(perSecond);
        return asked.length === 1 ? 0 : 60;
      },
    });
    await client.request(get('/x'));
    const started = performance.now();
    await client.request(get('/x'));
    expect(performance.now() - started).toBeGreaterThanOrEqual(59);
    expect(asked).toEqual([10, 10]);
  });

  test('a call whose turn cannot be asked for has surely not left', async () => {
    const client = clientOf({
      limits: { concurrency: 10, requestsPerSecond: 10, timeoutMs: 5_000 },
      reserveCall: () => Promise.reject(new Error('the store is gone')),
    });
    expect(await failureOf(client.request(post('/x')))).toMatchObject({ kind: 'transient' });
    expect(server.requests).toEqual([]);
  });
});

test('onCall reports every attempt without query and body', async () => {
  const calls: { method: string; path: string; status: number | null }[] = [];
  const client = clientOf({ onCall: (call) => ({ ended: (status) => calls.push({ ...call, status }) }) });
  await client.request(get('/x', { query: { secret: 1 } }));
  server.reply = (_request, _response, incoming) => {
    incoming.socket.destroy();
  };
  await failureOf(client.request(post('/y')));
  expect(calls).toEqual([
    { method: 'GET', path: '/x', status: 200 },
    { method: 'POST', path: '/y', status: null },
  ]);
});

function fixedToken(token: string): Authenticator {
  return { headers: async () => ({ authorization: `Bearer ${token}` }), refresh: async () => false };
}

function renewable(tokens: string[]): Authenticator {
  let index = 0;
  return {
    headers: async () => ({ authorization: `Bearer ${tokens[index]}` }),
    refresh: async () => {
      index += 1;
      return true;
    },
  };
}

async function closedPort(): Promise<number> {
  const probe = createServer();
  await new Promise<void>((resolve) => probe.listen(0, '127.0.0.1', resolve));
  const address = probe.address();
  await new Promise((resolve) => probe.close(resolve));
  return typeof address === 'object' && address ? address.port : 0;
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setImmediate(resolve));
}

async function untilResolves(work: () => Promise<unknown>): Promise<void> {
  for (;;) {
    const done = await work().then(
      () => true,
      () => false,
    );
    if (done) return;
  }
}
