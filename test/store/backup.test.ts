import {
  copyFileSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { appendAudit, openSqliteStore, type Store, verifyAudit } from '../../lib/store';
import { backupStore, inspectStore, restoreStore } from '../../lib/store/backup';
import { openStoreFile } from '../../lib/store/tool';

const at = '2026-01-05T10:00:00.000Z';
const later = '2026-02-05T10:00:00.000Z';

let folder: string;
let path: string;
let copy: string;
let store: Store;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'q2c-backup-'));
  path = join(folder, 'q2c.db');
  copy = join(folder, 'backup.db');
  store = await openSqliteStore(path);
  await note('before');
});
afterEach(async () => {
  await store.close();
  rmSync(folder, { recursive: true });
});

const note = (subject: string) =>
  store.write((tx) =>
    appendAudit(tx, { at, actor: 'engine', action: 'step.confirmed', subject, runId: null, detail: {} }),
  );

async function subjects(): Promise<string[]> {
  const lines = await store.db.selectFrom('audit').select(['subject', 'action']).orderBy('seq').execute();
  return lines.map(({ subject, action }) => (action === 'step.confirmed' ? subject : action));
}

/** Changes bytes in the middle of the pages that hold the audit, as a failing disk would. */
function damage(file: string): void {
  const bytes = readFileSync(file);
  const place = bytes.indexOf('step.confirmed');
  if (place < 0) throw new Error('nothing to damage');
  bytes.write('step.c0nfirmed', place);
  writeFileSync(file, bytes);
}

test('a backup beside an open store holds what was acknowledged, and is checked', async () => {
  expect(await backupStore(path, copy)).toEqual({
    schema: expect.stringMatching(/^\d{4}-/),
    keys: [],
    lines: 1,
    head: expect.stringMatching(/^[0-9a-f]{64}$/),
  });
  await note('after');
  expect(await verifyAudit(store)).toBeNull();
  expect((await inspectStore(copy)).lines).toBe(1);
  expect(readdirSync(folder).filter((name) => name.includes('.part'))).toEqual([]);
});

test('a backup never takes the place of another file, and leaves nothing when it fails', async () => {
  writeFileSync(copy, 'mine');
  await expect(backupStore(path, copy)).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
  expect(readFileSync(copy, 'utf8')).toBe('mine');
  await expect(backupStore(path, join(folder, 'no', 'backup.db'))).rejects.toMatchObject({
    code: 'STORE_UNAVAILABLE',
    message: expect.stringContaining('Check that the folder is writable and has space'),
  });
  await expect(backupStore(join(folder, 'typo.db'), join(folder, 'b.db'))).rejects.toMatchObject({
    code: 'STORE_UNAVAILABLE',
    message: expect.stringContaining('Check where it is'),
  });
  expect(existsSync(join(folder, 'typo.db'))).toBe(false);
  expect(existsSync(join(folder, 'b.db'))).toBe(false);
});

test('a store whose audit was changed is not backed up as if it were whole', async () => {
  await store.write((tx) => tx.updateTable('audit').set({ actor: 'mallory' }).execute());
  await expect(backupStore(path, copy)).rejects.toMatchObject({
    code: 'STORE_BACKUP_INVALID',
    message: expect.stringContaining('audit chain is broken at line 1'),
  });
  expect(existsSync(copy)).toBe(false);
});

test('a restored store is the backup; the replaced one is kept, and the audit tells', async () => {
  await backupStore(path, copy);
  await note('lost by the restore');
  await store.close();
  const { replaced, lines } = await restoreStore(copy, path, later);
  expect([replaced, lines]).toEqual([`${path}.replaced-2026-02-05T10-00-00.000Z`, 1]);

  store = await openSqliteStore(path);
  expect(await subjects()).toEqual(['before', 'store.restored']);
  expect(await verifyAudit(store)).toBeNull();
  expect(readdirSync(folder).filter((name) => name.includes('restoring'))).toEqual([]);

  await store.close();
  await restoreStore(replaced ?? '', path, '2026-02-06T10:00:00.000Z');
  store = await openSqliteStore(path);
  expect(await subjects()).toEqual(['before', 'lost by the restore', 'store.restored']);
});

test('a restore needs no store to be there', async () => {
  await backupStore(path, copy);
  const elsewhere = join(folder, 'elsewhere.db');
  expect(await restoreStore(copy, elsewhere, later)).toMatchObject({ replaced: null });
  const restored = await openSqliteStore(elsewhere);
  expect(await verifyAudit(restored)).toBeNull();
  await restored.close();
});

test('a store that a host has open is not replaced', async () => {
  await backupStore(path, copy);
  await note('after');
  await expect(restoreStore(copy, path, later)).rejects.toMatchObject({
    code: 'STORE_IN_USE',
    message: expect.stringContaining('Stop Node-RED first'),
  });
  await note('still open');
  expect(await subjects()).toEqual(['before', 'after', 'still open']);
  expect(readdirSync(folder).filter((name) => /restoring|replaced/.test(name))).toEqual([]);
});

test.each<[string, (file: string) => void, string]>([
  ['is of a newer version', (file) => newer(file), 'STORE_NEWER'],
  ['has a changed audit', damage, 'STORE_BACKUP_INVALID'],
  [
    'is cut off',
    (file) => writeFileSync(file, readFileSync(file).subarray(0, -4096)),
    'STORE_BACKUP_INVALID',
  ],
  ['is no store', (file) => writeFileSync(file, 'nothing of the kind'.repeat(100)), 'STORE_UNAVAILABLE'],
  ['is another database', (file) => otherDatabase(file), 'STORE_UNAVAILABLE'],
  ['is missing', (file) => rmSync(file), 'STORE_UNAVAILABLE'],
])('a backup that %s is not restored, and the store stays', async (_, spoil, code) => {
  await backupStore(path, copy);
  await store.close();
  const before = readFileSync(path);
  spoil(copy);
  await expect(restoreStore(copy, path, later)).rejects.toMatchObject({ code });
  expect(readFileSync(path).equals(before)).toBe(true);
  expect(readdirSync(folder).filter((name) => /restoring|replaced/.test(name))).toEqual([]);
  store = await openSqliteStore(path);
});

test('a damaged store is kept as it is when a backup takes its place', async () => {
  await backupStore(path, copy);
  await store.close();
  writeFileSync(path, 'garbage'.repeat(1000));
  writeFileSync(`${path}-wal`, 'log');
  const { replaced } = await restoreStore(copy, path, later);
  expect(readFileSync(replaced ?? '', 'utf8')).toBe('garbage'.repeat(1000));
  expect(readFileSync(`${replaced}-wal`, 'utf8')).toBe('log');
  store = await openSqliteStore(path);
  expect(await subjects()).toEqual(['before', 'store.restored']);
});

test('what another process adds to the audit stays one chain with what the host adds', async () => {
  const tool = await openStoreFile(path, { readOnly: false });
  for (let turn = 0; turn < 3; turn++) {
    await tool.write((tx) =>
      appendAudit(tx, { at, actor: 'tool', action: 'tool', subject: 'x', runId: null, detail: {} }),
    );
    await note(`turn ${turn}`);
  }
  await tool.close();
  expect(await verifyAudit(store)).toBeNull();
  expect(await subjects()).toHaveLength(7);
});

test('a store whose log was never moved in is backed up and restored with it', async () => {
  const live = join(folder, 'live.db');
  for (const end of ['', '-wal']) copyFileSync(path + end, live + end);
  expect((await backupStore(live, copy)).lines).toBe(1);
  rmSync(copy);
  const elsewhere = join(folder, 'elsewhere.db');
  expect((await restoreStore(live, elsewhere, later)).lines).toBe(1);
});

function newer(file: string): void {
  const database = new DatabaseSync(file);
  database.exec("insert into migration (name, timestamp) values ('9999-future', '2030')");
  database.close();
}

function otherDatabase(file: string): void {
  rmSync(file);
  const database = new DatabaseSync(file);
  database.exec('create table recipes (name text)');
  database.close();
}
