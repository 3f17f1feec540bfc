import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from 'esbuild';
import { type Keyring, keyringFromEnv, open, openSqliteStore, type Store } from '../../lib/store';
import { addNote, endThread, whereAmI } from '../support/store-thread';
import { until } from '../support/until';

/** The embedded store's own thread (docs/decisions/0018). */

const program = join(mkdtempSync(join(tmpdir(), 'q2c-thread-')), 'store-thread.js');
let folder: string;
let store: Store;

beforeAll(() =>
  build({
    entryPoints: [join(__dirname, '../support/store-thread.ts')],
    outfile: program,
    bundle: true,
    format: 'cjs',
    platform: 'node',
    logLevel: 'warning',
  }),
);
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'q2c-store-'));
});
afterEach(async () => {
  await store.close();
  rmSync(folder, { recursive: true });
});

async function openWithThread(keys: Keyring | null = null): Promise<void> {
  store = await openSqliteStore(join(folder, 'q2c.db'), keys, program);
  await until('the thread is ready', async () => (await store.perform(whereAmI, undefined)) === 'thread');
}

const notes = () => store.db.selectFrom('rejected_event').selectAll().orderBy('seq').execute();

test('calls are done by the host until the thread is ready, and by the thread from then on', async () => {
  store = await openSqliteStore(join(folder, 'q2c.db'), null, program);
  expect(await store.perform(addNote, 'early')).toBe(1);
  await until('the thread is ready', async () => (await store.perform(whereAmI, undefined)) === 'thread');
  expect(await store.perform(addNote, 'late')).toBe(2);
  expect((await notes()).map(({ reason }) => reason)).toEqual(['host', 'thread']);
});

test('without a program everything is done by the host', async () => {
  store = await openSqliteStore(join(folder, 'q2c.db'), null, join(folder, 'nowhere.js'));
  expect(await store.perform(whereAmI, undefined)).toBe('host');
  expect(await store.perform(addNote, 'a')).toBe(1);
});

test('calls and jobs of the host are committed in the order in which they were asked for', async () => {
  await openWithThread();
  const counts = await Promise.all(
    Array.from({ length: 200 }, (_, index) =>
      index % 3 === 1
        ? store.write((tx) => addNote.perform(tx, `n${index}`), 'committed')
        : store.perform(addNote, `n${index}`, index % 2 === 0 ? 'flushed' : 'committed'),
    ),
  );
  expect(counts).toEqual(Array.from({ length: 200 }, (_, index) => index + 1));
  const rows = await notes();
  expect(rows.map(({ digest }) => digest)).toEqual(counts.map((count) => `n${count - 1}`));
  expect(rows.map(({ reason }) => reason)).toEqual(
    counts.map((count) => ((count - 1) % 3 === 1 ? 'host' : 'thread')),
  );
});

test('a call that fails takes no other with it', async () => {
  await openWithThread();
  const results = await Promise.allSettled(['a', 'b', 'a', 'c'].map((name) => store.perform(addNote, name)));
  expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'rejected', 'fulfilled']);
  expect(results[2]).toMatchObject({ reason: { message: expect.stringContaining('UNIQUE') } });
  expect((await notes()).map(({ digest }) => digest)).toEqual(['a', 'b', 'c']);
});

test('a call that cannot be copied to the thread fails, and the next one is done there', async () => {
  await openWithThread();
  const odd = store.perform(addNote, (() => 'no data') as never);
  await expect(odd).rejects.toMatchObject({ code: 'STORE_WRITE_FAILED' });
  expect(await store.perform(whereAmI, undefined)).toBe('thread');
  expect(await notes()).toEqual([]);
});

test('when the thread ends, its calls fail, and the host does those that follow', async () => {
  await openWithThread();
  const lost = store.perform(endThread, undefined);
  await expect(lost).rejects.toMatchObject({ code: 'STORE_WRITE_FAILED' });
  expect(await store.perform(whereAmI, undefined)).toBe('host');
  expect(await store.perform(addNote, 'after')).toBe(1);
});

test('closing waits for calls under way', async () => {
  await openWithThread();
  const calls = Promise.all(['a', 'b', 'c'].map((name) => store.perform(addNote, name)));
  await store.close();
  expect(await calls).toEqual([1, 2, 3]);
  store = await openSqliteStore(join(folder, 'q2c.db'), null, program);
  expect(await notes()).toHaveLength(3);
});

test('what the thread seals, the host opens, under a new key too', async () => {
  const [first, second] = [randomBytes(32).toString('base64'), randomBytes(32).toString('base64')];
  await openWithThread(keyringFromEnv({ Q2C_ENCRYPTION_KEY: first }));
  await store.perform(addNote, 'old');
  await store.close();
  await openWithThread(keyringFromEnv({ Q2C_ENCRYPTION_KEY: second, Q2C_ENCRYPTION_KEYS_OLD: first }));
  await store.perform(addNote, 'new');
  const rows = await notes();
  expect(rows.map(({ reason }) => reason)).toEqual(['thread', 'thread']);
  expect(JSON.stringify(rows)).not.toContain('payload of');
  expect(rows.map((row) => open(store.db, 'rejected_event', 'payload', row))).toEqual([
    'payload of old',
    'payload of new',
  ]);
});
