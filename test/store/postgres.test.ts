import { sql } from 'kysely';
import {
  appendAudit,
  describePostgres,
  openPostgresStore,
  type PostgresSettings,
  type Store,
  settingsOfUrl,
  verifyAudit,
} from '../../lib/store';
import { until } from '../support/engine';
import { askDatabase, openTestPostgres, testDatabaseUrl, testSchema } from '../support/stores';
import { TcpProxy } from '../support/tcp-proxy';

const at = '2026-01-05T10:00:00.000Z';
const server = (): Partial<PostgresSettings> => settingsOfUrl(testDatabaseUrl());
const cursor = (source: string) => ({ source, value: '1', updated_at: at });
const sourcesOf = async (store: Store) =>
  (await store.db.selectFrom('cursor').select('source').orderBy('source').execute()).map(
    ({ source }) => source,
  );

describe('a server that cannot be used says why', () => {
  const refusal = async (settings: Partial<PostgresSettings>) => {
    const opened = openPostgresStore({ ...server(), ...settings }).then((store) => store.close());
    const error = await opened.then(
      () => null,
      (reason: Error) => reason,
    );
    expect(error?.message ?? '').not.toContain('wrong-secret');
    return error;
  };

  test('unreachable', async () => {
    const proxy = new TcpProxy({ host: '127.0.0.1', port: 1 });
    const port = await proxy.up();
    await proxy.down();
    expect(await refusal({ port })).toMatchObject({
      code: 'STORE_UNREACHABLE',
      message: expect.stringContaining(`127.0.0.1:${port}`),
    });
  });

  test('wrong password', async () => {
    expect(await refusal({ password: 'wrong-secret' })).toMatchObject({
      code: 'STORE_LOGIN_REFUSED',
      message: expect.stringContaining('Check user, password'),
    });
  });

  test('no such database', async () => {
    expect(await refusal({ database: 'nowhere' })).toMatchObject({ code: 'STORE_DATABASE_MISSING' });
  });

  test('no encryption', async () => {
    expect(await refusal({ tls: 'encrypt' })).toMatchObject({ code: 'STORE_TLS_FAILED' });
  });

  test('missing rights, with the statement that grants them', async () => {
    const user = `poor_${process.pid}`;
    await askDatabase(`create role ${user} login password 'poor'`);
    try {
      const schema = testSchema();
      expect(await refusal({ user, password: 'poor', schema })).toMatchObject({
        code: 'STORE_RIGHTS_MISSING',
        message: expect.stringContaining(`create schema ${schema} authorization "${user}"`),
      });
      await askDatabase(`create schema ${schema}`);
      expect(await refusal({ user, password: 'poor', schema })).toMatchObject({
        code: 'STORE_RIGHTS_MISSING',
      });
      await askDatabase(`drop schema ${schema}`, `create schema ${schema} authorization ${user}`);
      expect(await refusal({ user, password: 'poor', schema })).toBeNull();
      await askDatabase(`drop schema ${schema} cascade`);
    } finally {
      await askDatabase(`drop owned by ${user} cascade`, `drop role ${user}`);
    }
  });

  test('a schema that is no name', async () => {
    expect(await refusal({ schema: 'x; drop table run' })).toMatchObject({ code: 'STORE_SETTINGS_INVALID' });
  });

  test('a usable server says what it is', async () => {
    expect(await describePostgres(server())).toMatch(/^PostgreSQL \d+/);
  });
});

describe('connection strings', () => {
  test('give all settings', () => {
    expect(settingsOfUrl('postgresql://ann:p%40ss@db.example:6543/deals?sslmode=verify-full')).toEqual({
      host: 'db.example',
      port: 6543,
      database: 'deals',
      user: 'ann',
      password: 'p@ss',
      tls: 'verify',
    });
    expect(settingsOfUrl('postgres:///deals?host=/run/postgresql')).toEqual({
      host: '/run/postgresql',
      database: 'deals',
    });
  });

  test.each(['mysql://ann:secret@db/x', 'ann:secret', 'postgres://db/x?sslmode=secret-ish'])(
    'are refused without being repeated: %s',
    (url) => {
      expect(() => settingsOfUrl(url)).toThrow(expect.objectContaining({ code: 'STORE_SETTINGS_INVALID' }));
      expect(() => settingsOfUrl(url)).not.toThrow('ann:secret');
    },
  );
});

test('two hosts that start at once on an empty database both come up', async () => {
  const schema = testSchema();
  const stores = await Promise.all([1, 2, 3].map(() => openPostgresStore({ ...server(), schema })));
  await Promise.all(stores.map((store) => store.close()));
});

test('the audit chain of three hosts that write at once is one chain', async () => {
  const stores = await Promise.all(['audit', 'audit', 'audit'].map((name) => openTestPostgres(name)));
  const [first] = stores;
  if (first === undefined) throw new Error('no store');
  await Promise.all(
    stores.flatMap((store, host) =>
      Array.from({ length: 200 }, async (_, index) => {
        const detail = { host, index };
        const entry = { at, actor: 'engine', action: 'test', subject: 's', runId: null, detail };
        await store.write((tx) => appendAudit(tx, entry), index % 3 === 0 ? 'flushed' : 'committed');
      }),
    ),
  );
  expect(await verifyAudit(first)).toBeNull();
  const { count } = await first.db
    .selectFrom('audit')
    .select((lines) => lines.fn.countAll<number>().as('count'))
    .executeTakeFirstOrThrow();
  expect(count).toBe(600);
  await Promise.all(stores.map((store) => store.close()));
});

test('two hosts that lock the same rows in different order both get through', async () => {
  const [one, two] = await Promise.all(['locks', 'locks'].map((name) => openTestPostgres(name)));
  if (one === undefined || two === undefined) throw new Error('no store');
  await one.write((tx) =>
    tx
      .insertInto('cursor')
      .values([cursor('a'), cursor('b')])
      .execute(),
  );
  const touch = (store: Store, sources: string[], value: string, between: () => Promise<void>) =>
    store.write(async (tx) => {
      for (const source of sources) {
        await tx
          .updateTable('cursor')
          .set({ value: sql<string>`value || ${value}` })
          .where('source', '=', source)
          .execute();
        await between();
      }
    });
  // Both hold their first row before either asks for its second.
  let holders = 0;
  const meet = () => {
    holders++;
    return until('both to hold a row', () => holders >= 2);
  };
  await Promise.all([touch(one, ['a', 'b'], 'x', meet), touch(two, ['b', 'a'], 'y', meet)]);
  const rows = await one.db.selectFrom('cursor').select('value').execute();
  for (const { value } of rows) expect([...value].sort().join('')).toBe('1xy');
  await Promise.all([one.close(), two.close()]);
});

describe('a connection that breaks', () => {
  let proxy: TcpProxy;
  let store: Store;
  let schema: string;
  const open = (reconnectMs: number) =>
    proxy
      .up()
      .then((port) =>
        openPostgresStore({ ...server(), host: '127.0.0.1', port, schema, poolSize: 3 }, { reconnectMs }),
      );

  beforeEach(async () => {
    const { host = 'localhost', port = 5432 } = server();
    proxy = new TcpProxy({ host, port });
    schema = testSchema();
  });
  afterEach(async () => {
    await store.close();
    await proxy.down();
  });

  const isCommit = (piece: Buffer) => piece.includes('commit\0');
  const add = (source: string) =>
    store.write((tx) => tx.insertInto('cursor').values(cursor(source)).execute());

  test('before the commit arrives: the write is done again, and once', async () => {
    store = await open(10_000);
    let cuts = 0;
    proxy.fate = (piece) => (isCommit(piece) && cuts++ === 0 ? 'cut' : 'pass');
    await add('a');
    expect(cuts).toBeGreaterThan(1);
    expect(await sourcesOf(store)).toEqual(['a']);
  });

  test('after the commit was processed: the server is asked, and nothing is done again', async () => {
    store = await open(10_000);
    let commits = 0;
    let jobs = 0;
    proxy.fate = (piece) => (isCommit(piece) && commits++ === 0 ? 'cut after the reply' : 'pass');
    await store.write(async (tx) => {
      jobs++;
      await tx
        .insertInto('audit')
        .values({
          at,
          actor: 'a',
          action: 'b',
          subject: 's',
          run_id: null,
          detail: '{}',
          prev_hash: '',
          hash: '',
        })
        .execute();
    });
    expect([jobs, commits]).toEqual([1, 1]);
    expect(await store.db.selectFrom('audit').select('seq').execute()).toHaveLength(1);
  });

  test('for a while: reads and writes wait and go on when the server is back', async () => {
    store = await open(10_000);
    await add('a');
    await proxy.down();
    const write = add('b');
    const read = sourcesOf(store);
    await proxy.up();
    await write;
    expect(await read).toContain('a');
    expect(await sourcesOf(store)).toEqual(['a', 'b']);
  });

  test('for good: everybody is told in time, and later writes pass when it is back', async () => {
    store = await open(300);
    await proxy.down();
    const outcomes = await Promise.allSettled([add('a'), add('b'), sourcesOf(store)]);
    for (const outcome of outcomes) {
      expect(outcome).toMatchObject({ status: 'rejected', reason: { code: 'STORE_CONNECTION_LOST' } });
    }
    await proxy.up();
    await add('c');
    expect(await sourcesOf(store)).toEqual(['c']);
  });

  test('ended by an administrator: the next write takes another one', async () => {
    store = await open(10_000);
    await add('a');
    await askDatabase(
      `select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'quote-to-cash ${schema}'`,
    );
    await add('b');
    expect(await sourcesOf(store)).toEqual(['a', 'b']);
  });
});
