import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { CompiledQuery, type KyselyPlugin } from 'kysely';
import { openCases } from '../../lib/engine/cases';
import { externalId } from '../../lib/engine/identity';
import { claimRuns, requeueDue } from '../../lib/engine/runs';
import { newId } from '../../lib/model';
import { appendAudit, openSqliteStore, type Store, verifyAudit } from '../../lib/store';

let folder: string;
let store: Store;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'q2c-store-'));
  store = await openSqliteStore(join(folder, 'deep', 'q2c.db'));
});
afterEach(async () => {
  await store.close();
  rmSync(folder, { recursive: true, force: true });
});

const at = '2026-01-05T10:00:00.000Z';
const cursor = (source: string) => ({ source, value: '1', updated_at: at });
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
  const write = (source: string) =>
    store.write((tx) => tx.insertInto('cursor').values(cursor(source)).execute());
  await write('a');
  const [first, second] = await Promise.allSettled([write('b'), write('a')]);
  expect([first?.status, second?.status]).toEqual(['fulfilled', 'rejected']);
  expect(await sources()).toEqual(['a', 'b']);
});

test('what was acknowledged is there for the next opening', async () => {
  await store.write((tx) => tx.insertInto('cursor').values(cursor('a')).execute());
  const other = new DatabaseSync(join(folder, 'deep', 'q2c.db'), { readOnly: true });
  expect(other.prepare('select source from cursor').all()).toMatchObject([{ source: 'a' }]);
  other.close();
  await store.close();
  store = await openSqliteStore(join(folder, 'deep', 'q2c.db'));
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

test('a store of a newer version is refused and left alone', async () => {
  await store.close();
  const path = join(folder, 'deep', 'q2c.db');
  const database = new DatabaseSync(path);
  database.exec("insert into migration (name, timestamp) values ('9999-future', '2030')");
  database.close();
  await expect(openSqliteStore(path)).rejects.toMatchObject({ code: 'STORE_NEWER' });
  store = await openSqliteStore(':memory:');
});

test('a path that cannot be a store says so', async () => {
  writeFileSync(join(folder, 'file'), 'x');
  await expect(openSqliteStore(join(folder, 'file', 'q2c.db'))).rejects.toMatchObject({
    code: 'STORE_UNAVAILABLE',
    message: expect.stringContaining('Check that the folder exists'),
  });
  writeFileSync(join(folder, 'garbage.db'), 'this is no database, whatever its name says'.repeat(50));
  await expect(openSqliteStore(join(folder, 'garbage.db'))).rejects.toMatchObject({
    code: 'STORE_UNAVAILABLE',
  });
});

describe('cost does not grow with what is done', () => {
  /** Plans of all queries that `work` makes. */
  async function plansOf(work: (tx: Store['db']) => Promise<unknown>): Promise<string[]> {
    const plans: string[] = [];
    const compiled: CompiledQuery[] = [];
    const executor = store.db.getExecutor();
    const capture: KyselyPlugin = {
      transformQuery({ node, queryId }) {
        compiled.push(executor.compileQuery(node, queryId));
        return node;
      },
      transformResult: async ({ result }) => result,
    };
    await work(store.db.withPlugin(capture));
    for (const { sql, parameters } of compiled) {
      // Stand-ins of prepared queries cannot be bound; null in their place finds no index that its value would need.
      const values = parameters.map((value) => (typeof value === 'object' ? null : value));
      const explained = CompiledQuery.raw(`explain query plan ${sql}`, values);
      const { rows } = await store.db.executeQuery<{ detail: string }>(explained);
      plans.push(...rows.map(({ detail }) => detail));
    }
    return plans;
  }

  const run = {
    id: 'run_1',
    attempt: 1,
    correlationId: newId('opportunity'),
    orderingKey: newId('opportunity'),
    sourceNode: 'source',
    title: 'Deal',
  };

  test.each<[string, (tx: Store['db']) => Promise<unknown>, string[]]>([
    [
      'claims',
      (tx) => claimRuns(tx, 'source', 8, { owner: 'me', until: at }, at),
      ['run USING INDEX run_claim (source_node=?)', 'other USING INDEX run_active (ordering_key=?)'],
    ],
    [
      'automatic retries',
      (tx) => requeueDue(tx, at),
      ['run USING INDEX run_retry (retry_at>? AND retry_at<?)'],
    ],
    [
      'open cases of a deal',
      (tx) => openCases(tx, run),
      [
        'exception_case USING INDEX case_open (correlation_id=?)',
        'run USING INDEX run_correlation (correlation_id=?)',
        'step USING INDEX sqlite_autoindex_step_1 (key=?) LEFT-JOIN',
      ],
    ],
    [
      'cross-references',
      (tx) => externalId(tx, newId('customer'), 'erp', 'main', 'customer'),
      ['xref USING INDEX sqlite_autoindex_xref_2 (canonical_id=? AND system=? AND instance=? AND type=?)'],
    ],
  ])('%s search by their index, no table is read through', async (_, work, searches) => {
    const plans = await plansOf(work);
    expect(plans.filter((plan) => /^(SEARCH|SCAN) /.test(plan))).toEqual(
      searches.map((search) => `SEARCH ${search}`),
    );
  });
});

test('an upgrade that breaks off in the middle leaves nothing behind, and goes through the next time', async () => {
  const path = join(folder, 'new.db');
  const file = new DatabaseSync(path);
  file.exec('create table audit (in_the_way)');
  await expect(openSqliteStore(path)).rejects.toMatchObject({ code: 'STORE_MIGRATION_FAILED' });
  expect(file.prepare("select name from sqlite_master where name = 'event'").all()).toEqual([]);
  file.exec('drop table audit');
  file.close();
  await (await openSqliteStore(path)).close();
});
