import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { newId } from '../../lib/model';
import { openSqliteStore, seal } from '../../lib/store';
import { until } from '../support/engine';
import { Host } from '../support/host';
import { makeUserDir } from '../support/pack';

/** What an operator does with the store of an installed pack, beside the host that runs on it. */

const [first, second] = [1, 2].map(() => randomBytes(32).toString('base64')) as [string, string];
const STORE = { id: 'store', type: 'q2c-store', name: '', path: '', tenant: 'main' };
const SECRET = 'Geheimnis GmbH';

let userDir: string;
let file: string;
let host: Host | undefined;

beforeAll(async () => {
  userDir = await makeUserDir();
  file = join(userDir, 'quote-to-cash', 'q2c.db');
  await writeFile(join(userDir, 'flows.json'), JSON.stringify([STORE]));
  await addOldRun();
}, 180_000);
afterAll(async () => {
  await host?.stop();
  await rm(userDir, { recursive: true, force: true });
});

/** A run that ended long ago, in a store from before the first key was set. */
async function addOldRun(): Promise<void> {
  const store = await openSqliteStore(file);
  const at = '2020-01-05T10:00:00.000Z';
  const deal = newId('opportunity');
  await store.write(async (tx) => {
    const outbox = { event_id: 'kept' };
    await tx
      .insertInto('outbox')
      .values({
        ...outbox,
        type: 't',
        subject: deal,
        ordering_key: deal,
        envelope: seal(
          tx,
          'outbox',
          'envelope',
          outbox,
          JSON.stringify({ correlationid: deal, name: SECRET }),
        ),
        created_at: at,
      })
      .execute();
    await tx
      .insertInto('run')
      .values({
        ...{ id: 'run_old', source_node: 'gone', ordering_key: deal, correlation_id: deal, title: 'Old' },
        ...{ state: 'completed', attempt: 1, created_at: at, ended_at: at },
      })
      .execute();
  });
  await store.close();
}

async function start(env: Record<string, string>): Promise<Host> {
  await host?.stop();
  host = await Host.start({ userDir, env });
  return host;
}

/** Runs the command as it was installed with the pack. */
function command(
  args: string[],
  env: Record<string, string> = {},
): Promise<{ code: number; answer: Record<string, unknown> }> {
  const program = join(userDir, 'node_modules/.bin/q2c-store');
  const { promise, resolve, reject } = Promise.withResolvers<{
    code: number;
    answer: Record<string, unknown>;
  }>();
  execFile(
    program,
    args.includes('--store') ? [...args, '--json'] : [...args, '--store', file, '--json'],
    { env: { ...process.env, ...env } },
    (error, stdout, stderr) => {
      const code = typeof error?.code === 'number' ? error.code : 0;
      if (stdout === '') reject(new Error(`${args[0]} printed nothing: ${stderr}`));
      else resolve({ code, answer: JSON.parse(stdout) });
    },
  );
  return promise;
}

/** While a host opens the store, nobody else may read it for a moment. */
const openToRead = () => new DatabaseSync(file, { readOnly: true, timeout: 5_000 });

const actions = () => {
  const database = openToRead();
  const rows = database.prepare('select action from audit order by seq').all();
  database.close();
  return rows.map(({ action }) => action);
};

/** When a host last began to use a key. */
const keyInUse = () => {
  const database = openToRead();
  const row = database.prepare('select max(in_use_since) as since from encryption_key').get();
  database.close();
  return String(row?.since ?? '');
};

/** A host that has its store open; Node-RED says that it has started before that. */
async function startWithKey(env: Record<string, string>): Promise<void> {
  const before = keyInUse();
  await start(env);
  await until('the store is open', () => keyInUse() > before, 30_000, 50);
}

const envelope = () => {
  const database = openToRead();
  const row = database.prepare('select envelope from outbox').get();
  database.close();
  return String(row?.envelope);
};

test('a host removes what is old, soon after its start, and says so in the audit', async () => {
  await start({});
  await until('the sweep', () => actions().includes('retention.swept'), 30_000, 200);
  expect(envelope()).toContain(SECRET);
}, 120_000);

test('audit check and backup work beside the host; a restore waits for its end', async () => {
  expect(await command(['verify-audit'])).toMatchObject({ code: 0, answer: { intact: true, lines: 1 } });
  const backup = join(userDir, 'backup.db');
  expect(await command(['backup', '--to', backup])).toMatchObject({
    code: 0,
    answer: { file: backup, lines: 1 },
  });
  expect(await command(['restore', '--from', backup])).toMatchObject({
    code: 2,
    answer: { error: { code: 'STORE_IN_USE' } },
  });
  await host?.stop();
  expect(await command(['restore', '--from', backup])).toMatchObject({ code: 0, answer: { lines: 1 } });
  expect(actions()).toEqual(['retention.swept', 'store.restored']);
}, 120_000);

test('a key encrypts what was readable, can be changed, and is asked for', async () => {
  await startWithKey({ Q2C_ENCRYPTION_KEY: first });
  expect(await command(['rotate-key'], { Q2C_ENCRYPTION_KEY: first })).toMatchObject({
    code: 0,
    answer: { values: { outbox: 1 } },
  });
  expect(envelope()).not.toContain(SECRET);

  const both = { Q2C_ENCRYPTION_KEY: second, Q2C_ENCRYPTION_KEYS_OLD: first };
  expect(await command(['rotate-key'], both)).toMatchObject({
    code: 2,
    answer: { error: { code: 'STORE_KEY_WRONG', message: expect.stringContaining('Start the host') } },
  });
  await startWithKey(both);
  expect(await command(['rotate-key'], both)).toMatchObject({ code: 0 });

  await host?.stop();
  const withoutKey = await start({ Q2C_ENCRYPTION_KEY: first });
  await until(
    'the host names the missing key',
    () => withoutKey.output.includes('The store is encrypted with a key that is not set'),
    30_000,
    50,
  );
  await startWithKey({ Q2C_ENCRYPTION_KEY: second });
}, 120_000);

test('a changed line of the audit is named, with an exit code that scripts can read', async () => {
  await host?.stop();
  const database = new DatabaseSync(file);
  database.prepare('update audit set actor = ? where seq = 2').run('mallory');
  database.close();
  expect(await command(['verify-audit'])).toMatchObject({ code: 1, answer: { intact: false, brokenAt: 2 } });
});

test.each([
  [['backup']],
  [['rotate-key']],
  [['explode']],
  [['backup', '--two', 'x']],
  [['verify-audit', '--store', 'postgres://q2c:hidden@db/q2c']],
])('a command that is not complete says what is missing: %p', async (args) => {
  const { code, answer } = await command(args);
  expect([code, answer]).toMatchObject([2, { error: { code: 'USAGE' } }]);
  expect(JSON.stringify(answer)).not.toContain('hidden');
});
