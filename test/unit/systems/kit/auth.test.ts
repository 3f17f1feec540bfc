import { Q2cError } from '../../../../lib/model';
import {
  type AccessToken,
  createBearerAuthenticator,
  memoryTokens,
  SystemError,
  type TokenStore,
} from '../../../../lib/systems/kit';

const request = { method: 'GET', url: new URL('https://acme.example/') };

function logins(expiresAt: AccessToken['expiresAt'] = null) {
  const state = { count: 0 };
  const login = async () => {
    state.count += 1;
    await new Promise((resolve) => setImmediate(resolve));
    return { value: `token-${state.count}`, expiresAt };
  };
  return { state, login };
}

test('one login serves all calls, also those that come while it runs', async () => {
  const { state, login } = logins();
  const auth = createBearerAuthenticator({ key: 'k', tokens: memoryTokens(), login });
  const headers = await Promise.all(Array.from({ length: 10 }, () => auth.headers(request)));
  expect(new Set(headers.map(({ authorization }) => authorization))).toEqual(new Set(['Bearer token-1']));
  expect(state.count).toBe(1);
});

test('ten calls refused at once renew the token once', async () => {
  const { state, login } = logins();
  const auth = createBearerAuthenticator({ key: 'k', tokens: memoryTokens(), login });
  const first = await auth.headers(request);
  await Promise.all(Array.from({ length: 10 }, () => auth.refresh(first)));
  expect(await auth.headers(request)).toEqual({ authorization: 'Bearer token-2' });
  // A straggler that was refused with the old token must not drop the new one.
  await auth.refresh(first);
  expect(await auth.headers(request)).toEqual({ authorization: 'Bearer token-2' });
  expect(state.count).toBe(2);
});

test('the stored token outlives the process and is shared with another host', async () => {
  const tokens = memoryTokens();
  const { state, login } = logins();
  await createBearerAuthenticator({ key: 'k', tokens, login }).headers(request);
  const other = createBearerAuthenticator({ key: 'k', tokens, login });
  expect(await other.headers(request)).toEqual({ authorization: 'Bearer token-1' });
  expect(state.count).toBe(1);
});

test('a refused token is first replaced by the one another host has stored', async () => {
  const tokens = memoryTokens();
  const { state, login } = logins();
  const auth = createBearerAuthenticator({ key: 'k', tokens, login });
  const refused = await auth.headers(request);
  const elsewhere = { value: 'from-elsewhere', expiresAt: null };
  await tokens.obtain('k', 'token-1', async () => elsewhere);
  await auth.refresh(refused);
  expect(await auth.headers(request)).toEqual({ authorization: 'Bearer from-elsewhere' });
  expect(state.count).toBe(1);
});

test('a token about to expire is renewed before use', async () => {
  const { state, login } = logins(new Date(Date.now() + 30_000).toISOString());
  const auth = createBearerAuthenticator({ key: 'k', tokens: memoryTokens(), login });
  await auth.headers(request);
  await auth.headers(request);
  expect(state.count).toBe(2);
});

test.each([
  ['as they are', new SystemError({ system: 'crm', kind: 'auth', reason: 'wrong secret' }), 'SystemError'],
  ['as calls that have not left', new Q2cError('STORE_CONNECTION_LOST', 'gone'), 'TransportFailure'],
])('failures are told %s', async (_, error, name) => {
  const tokens: TokenStore = { obtain: () => Promise.reject(error) };
  const auth = createBearerAuthenticator({ key: 'k', tokens, login: logins().login });
  await expect(auth.headers(request)).rejects.toMatchObject({ name });
});

test('a failed login fails the calls that waited for it, and the next one tries again', async () => {
  let failures = 1;
  const auth = createBearerAuthenticator({
    key: 'k',
    tokens: memoryTokens(),
    login: async () => {
      if (failures-- > 0) throw new Error('down');
      return { value: 'late', expiresAt: null };
    },
  });
  const both = await Promise.allSettled([auth.headers(request), auth.headers(request)]);
  expect(both.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  expect(await auth.headers(request)).toEqual({ authorization: 'Bearer late' });
});
