import { copyFileSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { listCases, runReport } from '../../lib/api/reports';
import type { DispatchedRun, Engine } from '../../lib/engine';
import { openSqliteStore, type Store, verifyAudit } from '../../lib/store';
import { FakeVendor, startEngine, until } from '../support/engine';

const FIXTURES = join(__dirname, 'fixtures');
const saved = readdirSync(FIXTURES).filter((file) => file.endsWith('.db'));

test('there is a saved store of the first schema', () => {
  expect(saved).toContain('0001-initial.db');
});

/** Stores that released versions have written (fixtures/make.ts), opened with today's code. */
describe.each(saved)('%s', (file) => {
  let folder: string;
  let path: string;
  let before: Map<string, Record<string, unknown>[]>;
  let engine: Engine;
  let store: Store;
  let stop: () => Promise<void>;

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'q2c-migration-'));
    path = join(folder, 'q2c.db');
    copyFileSync(join(FIXTURES, file), path);
    before = tables(path);
    ({ engine, store, stop } = await startEngine({ store: await openSqliteStore(path) }));
  });
  afterEach(async () => {
    await stop();
    rmSync(folder, { recursive: true });
  });

  const runs = () => store.db.selectFrom('run').selectAll().orderBy('seq').execute();

  async function runOf(title: string) {
    const run = (await runs()).find((row) => row.title === title);
    if (run === undefined) throw new Error(`no run ${title}`);
    return run;
  }

  test('every row is there, with every value that its schema did not change', () => {
    const after = tables(path);
    for (const [table, rows] of before) {
      if (table.startsWith('migration')) continue;
      expect([table, after.get(table)?.length]).toEqual([table, rows.length]);
      for (const [index, row] of rows.entries()) {
        // 0008 gave keys of steps another form; 0003 says of events that no receiver waits for them.
        const { key: _key, step_key: _stepKey, sent_at: _sentAt, ...same } = row;
        expect(after.get(table)?.[index]).toMatchObject(same);
      }
    }
  });

  test('runs, cases, cursor and audit are read as before', async () => {
    expect((await runs()).map(({ title, state }) => [title, state])).toEqual([
      ['Deal through', 'completed'],
      ['Deal failed', 'failed'],
      ['Deal unknown', 'failed'],
    ]);
    const report = await runReport(store, (await runOf('Deal failed')).id);
    expect(report).toMatchObject({
      steps: [{ state: 'rejected', error: { code: 'TARGET_REJECTED', message: 'vendor said rejected' } }],
      cases: [{ code: 'TARGET_REJECTED', message: 'ERP refused customer ACME: vendor said rejected.' }],
    });
    expect(await engine.cursor('/q2c/test/crm')).toEqual({ after: '2026-01-05T10:00:00.000Z' });
    expect(await verifyAudit(store)).toBeNull();
  });

  test('the engine goes on with the failed runs, and finds what an unanswered call has done', async () => {
    const vendor = new FakeVendor();
    const customers = new Map<string, string>();
    for (const { run_id, canonical_id, state } of await store.db.selectFrom('step').selectAll().execute()) {
      customers.set(run_id, canonical_id);
      if (state === 'unknown') vendor.records.set(canonical_id, 'v-found');
    }
    async function send(run: DispatchedRun): Promise<void> {
      const active = engine.activeRun(run.id);
      if (active === undefined) throw new Error(`${run.id} is not under way`);
      engine.messageEntered(active);
      const canonicalId = customers.get(run.id);
      const updates = run.event.data.record !== 'unknown';
      await engine.step(run.id, vendor.step({ ...(canonicalId && { canonicalId }), updates }));
      engine.messageLeft(active);
    }
    engine.registerSource('source', 1, (run) => void send(run));
    for (const title of ['Deal failed', 'Deal unknown']) await engine.retryRun((await runOf(title)).id, 'jo');
    await until('both are through', async () => (await runs()).every(({ state }) => state === 'completed'));

    expect([vendor.calls, vendor.probes]).toEqual([1, 1]);
    const outcomes = await store.db.selectFrom('step').select(['state', 'origin']).orderBy('seq').execute();
    expect(outcomes).toEqual([
      { state: 'confirmed', origin: 'call' },
      { state: 'confirmed', origin: 'call' },
      { state: 'confirmed', origin: 'probe' },
    ]);
    expect(await listCases(store, { open: true, limit: 10 })).toEqual([]);
    expect(await verifyAudit(store)).toBeNull();
  });

  test('opened again, nothing is left to migrate', async () => {
    const migrated = tables(path);
    await stop();
    ({ engine, store, stop } = await startEngine({ store: await openSqliteStore(path) }));
    expect(tables(path)).toEqual(migrated);
  });
});

/** All rows of all tables, in their order. */
function tables(path: string): Map<string, Record<string, unknown>[]> {
  const database = new DatabaseSync(path, { readOnly: true });
  const names = database
    .prepare("select name from sqlite_schema where type = 'table' and name not like 'sqlite%' order by name")
    .all()
    .map(({ name }) => String(name));
  const found = new Map(
    names.map((name) => [
      name,
      database
        .prepare(`select * from ${name}`)
        .all()
        .map((row) => ({ ...row })),
    ]),
  );
  database.close();
  return found;
}
