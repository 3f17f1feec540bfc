import {
  type CheckStep,
  clockOutcome,
  connectionFindings,
  finding,
  judged,
  line,
  passed,
  runChecks,
  SystemError,
  unchecked,
} from '../../../../lib/systems/kit';
import { TransportFailure } from '../../../../lib/systems/kit/transport';

const step = (id: string, run: CheckStep['run'], more: Partial<CheckStep> = {}): CheckStep => ({
  id,
  line: line('object', { object: id }),
  run,
  ...more,
});

const refused = (more: Partial<ConstructorParameters<typeof SystemError>[0]> = {}) =>
  new SystemError({ system: 'acme', kind: 'auth', reason: 'wrong key.', status: 401, ...more });

const throwing = (error: unknown) => async () => {
  throw error;
};

test('every line answers with what it found and what to do', async () => {
  const checks = await runChecks([
    step('a', async () => passed()),
    step('b', async () => judged([finding('RIGHT_READ', { object: 'b', grant: 'Roles > B' })])),
    step('c', async () => unchecked(finding('LIMIT_UNTOLD'))),
  ]);
  expect(
    checks.map(({ id, label, state, ok, message, advice }) => [id, label, state, ok, message, advice]),
  ).toEqual([
    ['a', 'Rights on a', 'ok', true, '', ''],
    ['b', 'Rights on b', 'failed', false, 'The user may not read b.', 'Give the right to read: Roles > B.'],
    ['c', 'Rights on c', 'unchecked', false, 'The system does not tell this user its limits.', ''],
  ]);
});

test('after a blocking line the others are not tried, and say why', async () => {
  const tried: string[] = [];
  const checks = await runChecks([
    step('a', throwing(refused()), {
      blocking: true,
      explain: () => [finding('API_OFF', { reason: 'x', grant: 'y' })],
    }),
    step('b', async () => {
      tried.push('b');
      return passed();
    }),
  ]);
  expect(tried).toEqual([]);
  expect(checks.map(({ state, message }) => [state, message])).toEqual([
    ['failed', 'The API is not enabled for this user or account: x.'],
    ['unchecked', 'Not tried, because a line above has failed.'],
  ]);
});

test('without an explanation the vendor has the word, with one full stop', async () => {
  const [check] = await runChecks([step('a', throwing(refused()))]);
  expect(check).toMatchObject({ state: 'failed', message: 'The system answers: wrong key.', advice: '' });
});

test('a defect shows its kind, never its text', async () => {
  const [check] = await runChecks([step('a', throwing(new TypeError('cannot read s3cret')))]);
  expect(check).toMatchObject({ state: 'failed', message: 'The check itself failed (TypeError).' });
  expect(JSON.stringify(check)).not.toContain('s3cret');
});

test('a line that gets no answer ends at its time limit', async () => {
  const waiting = (signal: AbortSignal) =>
    new Promise<never>((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
  const checks = await runChecks([step('a', waiting), step('b', async () => passed())], { timeoutMs: 10 });
  expect(checks.map(({ state, findings }) => [state, findings[0]?.key])).toEqual([
    ['failed', 'TIMEOUT'],
    ['ok', undefined],
  ]);
});

test('the plan comes first, lines come one by one, and a cancel leaves the rest unchecked', async () => {
  const told: string[] = [];
  const stop = new AbortController();
  const checks = await runChecks(
    [
      step('a', async () => passed()),
      step('b', async () => {
        stop.abort();
        throw new Error('cancelled');
      }),
      step('c', async () => passed()),
    ],
    {
      signal: stop.signal,
      onPlan: (lines) => told.push(`plan ${lines.map(({ id }) => id).join()}`),
      onCheck: ({ id, state }) => told.push(`${id} ${state}`),
    },
  );
  expect(told).toEqual(['plan a,b,c', 'a ok', 'b unchecked', 'c unchecked']);
  expect(checks[1]?.findings).toEqual([finding('CANCELLED')]);
});

describe('why no answer came', () => {
  const lost = (code: string, details: { cancelled?: boolean } = {}) =>
    refused({
      kind: 'transient',
      status: null,
      reason: 'the connection failed',
      cause: new TransportFailure('x', {
        sent: false,
        ...details,
        cause: code === '' ? undefined : Object.assign(new Error(code), { code }),
      }),
    });
  const keys = (error: SystemError, environment: NodeJS.ProcessEnv = {}) =>
    connectionFindings(error, environment)?.map(({ key }) => key);

  test.each([
    ['ENOTFOUND', 'HOST_UNKNOWN'],
    ['EAI_AGAIN', 'DNS_FAILED'],
    ['ECONNREFUSED', 'HOST_REFUSED'],
    ['UND_ERR_CONNECT_TIMEOUT', 'NO_CONNECTION'],
    ['CERT_HAS_EXPIRED', 'TLS_EXPIRED'],
    ['SELF_SIGNED_CERT_IN_CHAIN', 'TLS_UNTRUSTED'],
    ['UNABLE_TO_GET_ISSUER_CERT_LOCALLY', 'TLS_UNTRUSTED'],
    ['ERR_TLS_CERT_ALTNAME_INVALID', 'TLS_NAME'],
    ['ERR_SSL_WRONG_VERSION_NUMBER', 'TLS_FAILED'],
    ['ECONNRESET', 'LOST'],
    ['UND_ERR_INVALID_ARG', 'CHARACTERS'],
    ['', 'SLOW'],
  ])('%s is told as %s', (code, key) => {
    expect(keys(lost(code))).toEqual([key]);
  });

  test('a proxy that is set but not used is named where the way out is closed', () => {
    const behindProxy = { HTTPS_PROXY: 'http://proxy:3128' };
    expect(keys(lost('ENOTFOUND'), behindProxy)).toEqual(['HOST_UNKNOWN', 'PROXY_UNUSED']);
    expect(keys(lost('CERT_HAS_EXPIRED'), behindProxy)).toEqual(['TLS_EXPIRED']);
  });

  test('answers of a proxy and of something else than the API', () => {
    expect(keys(refused({ kind: 'rejected', status: 407 }))).toEqual(['PROXY_LOGIN']);
    expect(keys(refused({ kind: 'rejected', status: 200, code: 'SCHEMA_CHANGED' }))).toEqual(['NOT_THE_API']);
    expect(keys(refused({ kind: 'rate_limited', status: 429 }))).toEqual(['RATE_LIMITED']);
    expect(connectionFindings(refused())).toBeNull();
  });
});

test.each([
  [0, 'ok'],
  [50, 'ok'],
  [-75, 'failed'],
  [600, 'failed'],
])('a clock that is %s seconds off is %s', (seconds, state) => {
  const now = Date.parse('2026-03-01T12:00:00Z');
  const headers = { date: new Date(now + seconds * 1000).toUTCString() };
  const outcome = clockOutcome({ status: 401, headers, body: null }, now);
  expect(outcome.state).toBe(state);
  if (state === 'failed')
    expect(outcome.findings).toEqual([finding('CLOCK', { seconds: String(Math.abs(seconds)) })]);
});

test('a system that does not tell the time leaves the clock unchecked', () => {
  expect(clockOutcome({ status: 200, headers: {}, body: null }).state).toBe('unchecked');
});
