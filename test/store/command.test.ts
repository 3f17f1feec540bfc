import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import {
  appendAudit,
  keyringFromEnv,
  obtainToken,
  openPostgresStore,
  type Store,
  settingsOfUrl,
} from '../../lib/store';
import { askDatabase, testDatabaseUrl, testSchema } from '../support/stores';

/** `q2c-store` on a PostgreSQL, beside the host that works on it. */

const url = testDatabaseUrl();
const root = join(__dirname, '../..');
const [first, second] = [1, 2].map(() => randomBytes(32).toString('base64')) as [string, string];
let schema: string;
let host: Store | null = null;

beforeEach(() => {
  schema = testSchema();
});
afterEach(stop);

async function stop(): Promise<void> {
  await host?.close();
  host = null;
}

async function start(env: Record<string, string> = {}): Promise<Store> {
  await stop();
  host = await openPostgresStore({ ...settingsOfUrl(url), schema }, { keys: keyringFromEnv(env) });
  return host;
}

const note = (store: Store, subject: string) =>
  store.write((tx) =>
    appendAudit(tx, {
      ...{ at: store.now(), actor: 'engine', action: 'step.confirmed', subject, runId: null, detail: {} },
    }),
  );

interface Ended {
  code: number;
  answer: Record<string, unknown>;
}

function command(args: string[], env: Record<string, string> = {}): Promise<Ended> {
  const program = [join(root, 'scripts/run.ts'), 'bin/q2c-store.ts', ...args, '--json'];
  return new Promise((resolve, reject) => {
    execFile(
      process.execPath,
      program,
      { cwd: root, env: { ...process.env, ...env } },
      (error, stdout, stderr) => {
        const code = typeof error?.code === 'number' ? error.code : 0;
        if (stdout === '') reject(new Error(`${args[0]} printed nothing: ${stderr}`));
        else resolve({ code, answer: JSON.parse(stdout) });
      },
    );
  });
}

const onServer = (name: string, env: Record<string, string> = {}) =>
  command([name, '--schema', schema], { Q2C_STORE: url, ...env });

test('verify-audit tells an intact chain from a changed one', async () => {
  const store = await start();
  for (const subject of ['one', 'two', 'three']) await note(store, subject);
  expect(await onServer('verify-audit')).toMatchObject({
    code: 0,
    answer: { ok: true, intact: true, lines: 3 },
  });
  await askDatabase(`update ${schema}.audit set actor = 'mallory' where seq = 2`);
  expect(await onServer('verify-audit')).toMatchObject({
    code: 1,
    answer: { intact: false, brokenAt: 2, lines: 1 },
  });
}, 30_000);

test('rotate-key puts what a host writes under the new key, and is refused before a host uses it', async () => {
  const before = await start({ Q2C_ENCRYPTION_KEY: first });
  const login = async () => ({ value: 'token', expiresAt: null });
  const place = { name: 'crm', credentials: 'c' };
  await obtainToken(before, place, () => true, login);
  const both = { Q2C_ENCRYPTION_KEY: second, Q2C_ENCRYPTION_KEYS_OLD: first };
  expect(await onServer('rotate-key', both)).toMatchObject({
    code: 2,
    answer: { error: { code: 'STORE_KEY_WRONG', message: expect.stringContaining('Start the host') } },
  });
  await start(both);
  expect(await onServer('rotate-key', both)).toMatchObject({ code: 0, answer: { values: { token: 1 } } });
  expect(await onServer('verify-audit')).toMatchObject({ code: 0, answer: { lines: 1 } });
  const after = await start({ Q2C_ENCRYPTION_KEY: second });
  expect(
    await obtainToken(
      after,
      place,
      () => true,
      () => Promise.reject(new Error('kept')),
    ),
  ).toMatchObject({
    value: 'token',
  });
}, 30_000);

test.each<[string, string[], object]>([
  ['a schema without a store', ['verify-audit', '--schema', 'nobody'], { code: 'STORE_UNAVAILABLE' }],
  ['a backup of a server', ['backup', '--to', 'x'], { code: 'USAGE' }],
  ['a restore to a server', ['restore', '--from', 'x'], { code: 'USAGE' }],
  ['a certificate that is not there', ['verify-audit', '--ca', '/nowhere'], { code: 'USAGE' }],
])('%s is refused', async (_, args, error) => {
  expect(await command(args, { Q2C_STORE: url })).toMatchObject({ code: 2, answer: { error } });
});

test('a store of a newer version is left alone', async () => {
  await start();
  await askDatabase(`insert into ${schema}.migration values ('9999-future', '2030-01-01')`);
  expect(await onServer('verify-audit')).toMatchObject({
    code: 2,
    answer: { error: { code: 'STORE_NEWER' } },
  });
});

test('a password on the command line is refused, one that is wrong is not repeated', async () => {
  const given = await command(['verify-audit', '--store', 'postgresql://q2c:hidden@127.0.0.1/q2c']);
  expect(given).toMatchObject({ code: 2, answer: { error: { code: 'USAGE' } } });
  const wrong = url.replace(/:[^:@]*@/, ':hidden@');
  const refused = await command(['verify-audit'], { Q2C_STORE: wrong });
  expect(refused).toMatchObject({ code: 2, answer: { error: { code: 'STORE_LOGIN_REFUSED' } } });
  expect(JSON.stringify([given, refused])).not.toContain('hidden');
});
