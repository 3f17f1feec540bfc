import { randomBytes, randomUUID } from 'node:crypto';
import { keepsTokens, obtainToken, type Store } from '../../lib/store';
import { Keyring } from '../../lib/store/keyring';
import { DEFAULT_RETENTION } from '../../lib/store/retention';
import { sweep } from '../../lib/store/sweep';
import type { AccessToken } from '../../lib/systems/kit/types';
import { until } from '../support/engine';
import { openTestStore, STORE_KINDS } from '../support/stores';

const SECRET = 'secret-token';
const place = { name: 'crm', credentials: 'digest' };
const always = (_: AccessToken) => true;

/** A vendor that counts logins; each gives a new token. */
class Vendor {
  logins = 0;
  expiresAt: string | null = null;
  /** While set, logins wait. */
  hold: Promise<void> | null = null;

  login = async (): Promise<AccessToken> => {
    const value = `${SECRET}-${++this.logins}`;
    await this.hold;
    return { value, expiresAt: this.expiresAt };
  };
}

const other = (stale: string) => (token: AccessToken) => token.value !== stale;

describe.each(STORE_KINDS)('on %s', (kind) => {
  let vendor: Vendor;
  let store: Store;

  beforeEach(async () => {
    vendor = new Vendor();
    store = await openTestStore(undefined, kind, new Keyring(randomBytes(32)));
  });
  afterEach(() => store.close());

  const obtain = (isUsable = always, where = place) => obtainToken(store, where, isUsable, vendor.login);

  test('a token is kept sealed and used again', async () => {
    expect(keepsTokens(store)).toBe(true);
    expect(await obtain()).toEqual({ value: `${SECRET}-1`, expiresAt: null });
    expect(await obtain()).toEqual({ value: `${SECRET}-1`, expiresAt: null });
    const rows = await store.db.selectFrom('token').selectAll().execute();
    expect(rows).toMatchObject([{ name: 'crm', login_owner: null, login_until: null }]);
    expect(JSON.stringify(rows)).not.toMatch(/secret|digest/);
  });

  test('a refused token is replaced once', async () => {
    const { value } = await obtain();
    expect(await obtain(other(value))).toMatchObject({ value: `${SECRET}-2` });
    expect(await obtain(other(value))).toMatchObject({ value: `${SECRET}-2` });
    expect(vendor.logins).toBe(2);
  });

  test('connections, and other credentials of one, have tokens of their own', async () => {
    await obtain();
    expect(await obtain(always, { ...place, name: 'erp' })).toMatchObject({ value: `${SECRET}-2` });
    expect(await obtain(always, { ...place, credentials: 'changed' })).toMatchObject({
      value: `${SECRET}-3`,
    });
    expect(await obtain(always, { ...place, name: 'erp' })).toMatchObject({ value: `${SECRET}-2` });
  });

  test('a value that somebody put there is none', async () => {
    await obtain();
    await obtain(always, { ...place, name: 'erp' });
    const foreign = store.db.selectFrom('token').select('value').where('name', '=', 'erp');
    await store.write((tx) =>
      tx.updateTable('token').set({ value: foreign }).where('name', '=', 'crm').execute(),
    );
    expect(await obtain()).toMatchObject({ value: `${SECRET}-3` });
  });

  test('a failed login is told, and the next one may try at once', async () => {
    const refused = () => Promise.reject(new Error('wrong password'));
    await expect(obtainToken(store, place, always, refused)).rejects.toThrow('wrong password');
    expect(await obtain()).toMatchObject({ value: `${SECRET}-1` });
  });

  test('the end of a token holds for hosts with other clocks', async () => {
    vendor.expiresAt = new Date(Date.now() + 600_000).toISOString();
    const token = await obtain();
    const minutes = (at: string | null, now: number) => Math.round((Date.parse(at ?? '') - now) / 60_000);
    expect(minutes(token.expiresAt, Date.now())).toBe(10);
    jest.spyOn(Date, 'now').mockReturnValue(Date.now() + 3_600_000);
    try {
      const late = await obtainToken(
        { ...store, now: () => new Date().toISOString() },
        place,
        always,
        vendor.login,
      );
      expect(minutes(late.expiresAt, Date.now())).toBe(10);
    } finally {
      jest.restoreAllMocks();
    }
    expect(vendor.logins).toBe(1);
  });

  test('those of connections that are gone are swept', async () => {
    await obtain();
    const later = (days: number) => new Date(Date.now() + days * 86_400_000).toISOString();
    await sweep(store, DEFAULT_RETENTION, { now: later(29) });
    expect(await store.db.selectFrom('token').selectAll().execute()).toHaveLength(1);
    await sweep(store, DEFAULT_RETENTION, { now: later(31) });
    expect(await store.db.selectFrom('token').selectAll().execute()).toEqual([]);
  });
});

test('a store without a key keeps no tokens', async () => {
  const store = await openTestStore();
  expect(keepsTokens(store)).toBe(false);
  await store.close();
});

describe('several hosts', () => {
  const keys = new Keyring(randomBytes(32));
  let hosts: Store[];
  let vendor: Vendor;

  beforeEach(async () => {
    vendor = new Vendor();
    const schema = randomUUID();
    hosts = [];
    for (let count = 0; count < 3; count++) hosts.push(await openTestStore(schema, 'postgres', keys));
  });
  afterEach(() => Promise.all(hosts.map((host) => host.close())));

  test('that need a token at the same time log in once', async () => {
    for (const stale of ['', `${SECRET}-1`, `${SECRET}-2`]) {
      const tokens = await Promise.all(
        hosts.map((host) => obtainToken(host, place, other(stale), vendor.login)),
      );
      expect(new Set(tokens.map(({ value }) => value))).toEqual(new Set([`${SECRET}-${vendor.logins}`]));
    }
    expect(vendor.logins).toBe(3);
  });

  test('wait for the one that logs in; when it fails the next one tries', async () => {
    const [one, two] = hosts as [Store, Store];
    let fail: () => void = () => undefined;
    const failing = obtainToken(
      one,
      place,
      always,
      () => new Promise((_, reject) => (fail = () => reject(new Error('down')))),
    );
    const failed = expect(failing).rejects.toThrow('down');
    const claims = () => two.db.selectFrom('token').select('login_owner').execute();
    await until('the first to log in', async () =>
      (await claims()).some(({ login_owner }) => login_owner !== null),
    );
    const waiting = obtainToken(two, place, always, vendor.login);
    expect(vendor.logins).toBe(0);
    fail();
    await failed;
    expect(await waiting).toMatchObject({ value: `${SECRET}-1` });
  });

  test('do not wait for ever for one that died', async () => {
    const [one, two] = hosts as [Store, Store];
    void obtainToken(one, place, always, () => new Promise(() => undefined));
    const claims = () => two.db.selectFrom('token').select('login_until').execute();
    await until('the first to log in', async () =>
      (await claims()).some(({ login_until }) => login_until !== null),
    );
    const later = { ...two, now: () => new Date(Date.parse(two.now()) + 61_000).toISOString() };
    expect(await obtainToken(later, place, always, vendor.login)).toMatchObject({ value: `${SECRET}-1` });
  });
});
