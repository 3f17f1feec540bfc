import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { identify } from '../../lib/engine/identity';
import { isId } from '../../lib/model';
import {
  appendAudit,
  checkAudit,
  insertOnce,
  keyringFromEnv,
  open,
  type Store,
  seal,
  verifyAudit,
} from '../../lib/store';
import { openTestStore, STORE_KINDS } from '../support/stores';

const at = '2026-01-05T10:00:00.000Z';
const cursor = (source: string) => ({ source, value: '1', updated_at: at });

describe.each(STORE_KINDS)('on %s', (kind) => {
  let folder: string;
  let path: string;
  let store: Store;

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'q2c-store-'));
    path = join(folder, 'deep', 'q2c.db');
    store = await openTestStore(path, kind);
  });
  afterEach(async () => {
    await store.close();
    rmSync(folder, { recursive: true, force: true });
  });

  const write = (source: string) =>
    store.write((tx) => tx.insertInto('cursor').values(cursor(source)).execute());
  const sources = async () =>
    (await store.db.selectFrom('cursor').select('source').orderBy('source').execute()).map(
      ({ source }) => source,
    );

  test('writes of one moment are all kept, also when one of them fails', async () => {
    const outcomes = await Promise.allSettled(
      ['a', 'b', 'bad', 'c'].map((source) =>
        store.write(async (tx) => {
          await tx.insertInto('cursor').values(cursor(source)).execute();
          if (source === 'bad') throw new Error('no');
          return source;
        }),
      ),
    );
    expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'rejected', 'fulfilled']);
    expect(outcomes[2]).toMatchObject({ reason: { message: 'no' } });
    expect(await sources()).toEqual(['a', 'b', 'c']);
  });

  test('a constraint that one write breaks fails only that write', async () => {
    await write('a');
    const [first, second] = await Promise.allSettled([write('b'), write('a')]);
    expect([first?.status, second?.status]).toEqual(['fulfilled', 'rejected']);
    expect(await sources()).toEqual(['a', 'b']);
  });

  test('a write that goes on after a failed statement does not pass for committed', async () => {
    await write('a');
    const sly = store.write(async (tx) => {
      await tx.insertInto('cursor').values(cursor('b')).execute();
      await tx
        .insertInto('cursor')
        .values(cursor('a'))
        .execute()
        .catch(() => undefined);
      await tx.insertInto('cursor').values(cursor('c')).execute();
    });
    const [outcome] = await Promise.allSettled([sly]);
    expect(await sources()).toEqual(outcome?.status === 'fulfilled' ? ['a', 'b', 'c'] : ['a']);
  });

  test('what was acknowledged is there for the next opening', async () => {
    await write('a');
    await store.close();
    store = await openTestStore(path, kind);
    expect(await sources()).toEqual(['a']);
  });

  test('the audit chain holds over groups and fails at the line that was changed', async () => {
    const lines = Array.from({ length: 120 }, (_, index) => ({
      at,
      actor: 'engine',
      action: 'step.confirmed',
      subject: `s${index}`,
      runId: null,
      detail: { index },
    }));
    await Promise.all(lines.map((line) => store.write((tx) => appendAudit(tx, line))));
    expect(await verifyAudit(store)).toBeNull();
    await store.write(async (tx) => {
      await tx.updateTable('audit').set({ actor: 'mallory' }).where('seq', '=', 77).execute();
    });
    expect(await verifyAudit(store)).toBe(77);
  });

  test('lines that several connections append at once are one chain, whatever is in them', async () => {
    const other = kind === 'postgres' ? await openTestStore(path, kind) : store;
    const texts = ['plain', 'back\\slash', 'two\nlines', '“Zoë” 🜁', 'it\'s {a,"b"}', ''];
    const appended = texts.flatMap((actor) =>
      [store, other].map((host) =>
        host.write((tx) =>
          appendAudit(tx, { at, actor, action: 'a', subject: 's', runId: actor || null, detail: { actor } }),
        ),
      ),
    );
    await Promise.all(appended);
    if (other !== store) await other.close();
    expect(await checkAudit(store.db)).toMatchObject({ lines: appended.length, brokenAt: null });
    const rows = await store.db.selectFrom('audit').selectAll().execute();
    expect(rows.map(({ actor }) => actor).toSorted()).toEqual([...texts, ...texts].toSorted());
    expect(rows.every(({ actor, detail }) => detail === JSON.stringify({ actor }))).toBe(true);
  });

  test('of rows inserted at once, those that are there already are told from new ones', async () => {
    const insert = insertOnce<'cursor', { source: string; value: string; updated_at: string }>(
      'cursor',
      { source: 'text', value: 'text', updated_at: 'text' },
      ['source', 'value'],
    );
    const insertAll = (...rows: [source: string, value: string][]) =>
      Promise.all(
        rows.map(([source, value]) =>
          store.write((tx) => insert(tx, { source, value, updated_at: at }), 'flushed', {
            isIndependent: true,
          }),
        ),
      );
    expect(await insertAll(['a', '1'])).toEqual([true]);
    // Half of a pair of surrogates is no character: stores keep its replacement.
    expect(await insertAll(['a', '2'], ['b', '1'], ['b', '2'], ['c', '\ud83d'])).toEqual([
      false,
      true,
      false,
      true,
    ]);
    // The very same row twice: two may not both take it for theirs.
    expect(await insertAll(['d', '1'], ['d', '1'])).toEqual([true, false]);
    const kept = await store.db.selectFrom('cursor').select(['source', 'value']).orderBy('source').execute();
    expect(kept.map(({ source, value }) => source + value)).toEqual(['a1', 'b1', 'c\ufffd', 'd1']);
  });

  test('a store of a newer version is refused and left alone', async () => {
    await store.write(async (tx) => {
      await tx
        .withTables<{ migration: { name: string; timestamp: string } }>()
        .insertInto('migration')
        .values({ name: '9999-future', timestamp: '2030' })
        .execute();
    });
    await store.close();
    await expect(openTestStore(path, kind)).rejects.toMatchObject({ code: 'STORE_NEWER' });
    store = await openTestStore(undefined, kind);
  });

  test('a record seen by two at once gets one id', async () => {
    const references = [{ entity: 'customer' as const, type: 'Account', id: '001' }];
    const ids = await Promise.all(
      Array.from({ length: 8 }, () => store.write((tx) => identify(tx, 'crm', 'org', references, at))),
    );
    expect(new Set(ids.flat()).size).toBe(1);
    expect(isId(ids.flat()[0] ?? '', 'customer')).toBe(true);
  });

  test('payloads are sealed with a key, and without it nothing opens', async () => {
    const keys = keyringFromEnv({ Q2C_ENCRYPTION_KEY: 'ab'.repeat(32) });
    const sealed = join(folder, 'sealed.db');
    const secret = await openTestStore(sealed, kind, keys);
    const row = { case_id: 'exc_1', at, action: 'opened' } as const;
    await secret.write(async (tx) => {
      const detail = seal(tx, 'case_history', 'detail', row, 'Geheimnis GmbH');
      await tx
        .insertInto('case_history')
        .values({ ...row, actor: 'a', detail })
        .execute();
    });
    const read = await secret.db.selectFrom('case_history').selectAll().executeTakeFirstOrThrow();
    expect(String(read.detail)).not.toContain('Geheimnis');
    expect(open(secret.db, 'case_history', 'detail', read)).toBe('Geheimnis GmbH');
    await secret.close();
    await expect(openTestStore(sealed, kind)).rejects.toMatchObject({ code: 'STORE_KEY_WRONG' });
  });

  test('numbers come as numbers, also those the database counts', async () => {
    await Promise.all(['a', 'b'].map(write));
    const row = await store.db
      .selectFrom('cursor')
      .select((count) => count.fn.countAll<number>().as('count'))
      .executeTakeFirstOrThrow();
    expect(row.count).toBe(2);
  });

  test('the clock of the store goes with the time', () => {
    const before = Date.parse(store.now());
    // The server is on this machine.
    expect(Math.abs(before - Date.now())).toBeLessThan(1_000);
  });
});
