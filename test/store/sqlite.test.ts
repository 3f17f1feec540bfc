import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { CompiledQuery, type KyselyPlugin } from 'kysely';
import { listRuns } from '../../lib/api/reports';
import { openCases } from '../../lib/engine/cases';
import { externalId } from '../../lib/engine/identity';
import { admit, catchUp } from '../../lib/engine/order';
import { claimRuns, lostOneOffs, RESUMED, requeueAbandoned, requeueDue } from '../../lib/engine/runs';
import { settleWaits } from '../../lib/engine/suspensions';
import { ActiveRun } from '../../lib/engine/tracker';
import { fireAccepted, Waits } from '../../lib/engine/waiting';
import { newId } from '../../lib/model';
import { accept, register } from '../support/work';
import '../../lib/observe';
import { openSqliteStore, type Store } from '../../lib/store';
import { performCall } from '../../lib/store/procedure';
import { startEngine, until } from '../support/engine';

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

test('a second host on the same file is refused, naming the first, until that one is gone', async () => {
  const path = join(folder, 'deep', 'q2c.db');
  await expect(openSqliteStore(path)).rejects.toMatchObject({
    code: 'STORE_IN_USE',
    message: expect.stringContaining(`process ${process.pid}`),
  });
  await store.close();
  store = await openSqliteStore(path);
});

test('a file is free again when its host is killed', async () => {
  const path = join(folder, 'killed.db');
  const holder = spawn(process.execPath, [
    '-e',
    `const { DatabaseSync } = require('node:sqlite');
     const lock = new DatabaseSync(process.argv[1]);
     lock.exec('create table holder (pid, host, since); begin immediate');
     console.log('held');
     setInterval(() => lock, 1000);`,
    `${path}-lock`,
  ]);
  const ended = once(holder, 'exit');
  try {
    await once(holder.stdout, 'data');
    await expect(openSqliteStore(path)).rejects.toMatchObject({ code: 'STORE_IN_USE' });
  } finally {
    holder.kill('SIGKILL');
    await ended;
  }
  await (await openSqliteStore(path)).close();
});

test('what was acknowledged is in the file for others to read', async () => {
  await store.write((tx) =>
    tx.insertInto('cursor').values({ source: 'a', value: '1', updated_at: at }).execute(),
  );
  const other = new DatabaseSync(join(folder, 'deep', 'q2c.db'), { readOnly: true });
  expect(other.prepare('select source from cursor').all()).toMatchObject([{ source: 'a' }]);
  other.close();
});

test('writes happen in the order in which they were asked for', async () => {
  const numbers = Array.from({ length: 120 }, (_, index) => index);
  await Promise.all(
    numbers.map((index) =>
      store.write(
        (tx) =>
          tx
            .insertInto('audit')
            .values({
              at,
              actor: 'a',
              subject: 's',
              run_id: null,
              detail: '{}',
              prev_hash: '',
              hash: '',
              action: String(index),
            })
            .execute(),
        index % 2 === 0 ? 'flushed' : 'committed',
      ),
    ),
  );
  const rows = await store.db.selectFrom('audit').select('action').orderBy('seq').execute();
  expect(rows.map(({ action }) => Number(action))).toEqual(numbers);
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

  const arrival = {
    seq: 1,
    subject: run.correlationId,
    orderingKey: run.correlationId,
    correlationId: run.correlationId,
    event: {
      id: 'e1',
      type: 'q2c.opportunity.won.v1',
      time: at,
      stamp: at,
      subject: { entity: 'opportunity' as const, type: 'Opportunity', id: 'A' },
      title: 'Deal',
      data: {},
    },
  };
  const batch = {
    sourceNode: 'source',
    system: 'crm',
    instance: 'org',
    source: 'crm',
    cursor: null,
    events: [],
  };

  /** The waits of an engine that has a node, working in this transaction. */
  function waitsOn(tx: Store['db']): Waits {
    const write: Store['write'] = (job) => job(tx);
    const waits = new Waits({ store: { ...store, write }, now: () => at, onReady: () => undefined });
    waits.register('wait', () => undefined);
    return waits;
  }

  const counted = { zones: { firm: 'UTC', legalEntities: {} }, from: null, at };

  /** Of states that few runs are in, by arrival. */
  const listIndexes = {
    queued: 'run_queued',
    running: 'run_running',
    waiting: 'run_waits',
    parked: 'run_parks',
    failed: 'run_failed',
  };

  test.each<[string, (tx: Store['db']) => Promise<unknown>, string[]]>([
    [
      'claims',
      (tx) => claimRuns(tx, 'source', 8, { owner: 'me', until: at }, at),
      [
        'run USING INDEX run_claim (source_node=?)',
        'other USING INDEX run_active (ordering_key=?)',
        'waiting USING INDEX run_waiting (ordering_key=?)',
        'record_correction USING INDEX record_correction_deal (correlation_id=? AND ended_at=?)',
      ],
    ],
    [
      'runs that had waited',
      (tx) => claimRuns(tx, RESUMED, 8, { owner: 'me', until: at }, at),
      [
        'run USING INDEX run_resume (resume=?)',
        'other USING INDEX run_active (ordering_key=?)',
        'waiting USING INDEX run_waiting (ordering_key=?)',
        'record_correction USING INDEX record_correction_deal (correlation_id=? AND ended_at=?)',
      ],
    ],
    [
      'messages that an event lets go on',
      (tx) => fireAccepted(tx, 'crm', arrival, ['wait'], at),
      ['suspension USING INDEX suspension_match (event=? AND match_key=?)'],
    ],
    [
      'what waited too long',
      (tx) => waitsOn(tx).sweep(),
      [
        'suspension USING INDEX suspension_due (deadline<?)',
        'run USING INDEX sqlite_autoindex_run_1 (id=?)',
        'run USING INDEX sqlite_autoindex_run_1 (id=?)',
        'SCAN suspension USING INDEX suspension_fired',
        'run USING COVERING INDEX run_resume (resume=?)',
      ],
    ],
    [
      'waiting runs whose node is gone',
      (tx) => waitsOn(tx).review(),
      [
        'SCAN suspension USING COVERING INDEX suspension_kept',
        'exception_case USING INDEX case_node_missing (node_id=?)',
        'run USING INDEX sqlite_autoindex_run_1 (id=?)',
        'signal USING INTEGER PRIMARY KEY (rowid=?)',
        'signal USING COVERING INDEX signal_age (received_at<?)',
      ],
    ],
    [
      'what a run still waits for',
      (tx) => settleWaits(tx, new ActiveRun(run, true)),
      ['suspension USING INDEX suspension_run (run_id=?)'],
    ],
    [
      'gaps',
      (tx) => catchUp(tx, at),
      ['SCAN run USING INDEX run_parks', 'event USING INTEGER PRIMARY KEY (rowid=?)'],
    ],
    [
      'the newest state of a record',
      (tx) => admit(tx, batch, arrival.event, arrival.subject, at),
      ['run USING INDEX run_correlation (correlation_id=?)', 'event USING INTEGER PRIMARY KEY (rowid=?)'],
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
        'exception_case USING INDEX case_deal (correlation_id=?)',
        'run USING INDEX run_correlation (correlation_id=?)',
        'step USING INDEX sqlite_autoindex_step_1 (key=?) LEFT-JOIN',
      ],
    ],
    [
      'runs that a dead host has left',
      (tx) => requeueAbandoned(tx, at),
      ['SCAN run USING INDEX run_running'],
    ],
    ['messages that a dead host has lost', (tx) => lostOneOffs(tx, at), ['SCAN run USING INDEX run_running']],
    ...(['queued', 'running', 'waiting', 'parked', 'failed'] as const).map(
      (state): [string, (tx: Store['db']) => Promise<unknown>, string[]] => [
        `lists of ${state} runs`,
        (tx) => listRuns({ ...store, db: tx }, { states: [state] }, { limit: 50, cursor: undefined }),
        [`SCAN run USING INDEX ${listIndexes[state]}`],
      ],
    ),
    [
      'runs that figures are to be counted of',
      (tx) => performCall(tx, { name: 'kpi.endedRuns', args: counted }),
      [
        'cursor USING INDEX sqlite_autoindex_cursor_1 (source=?)',
        'run USING INDEX run_ended (ended_at>?)',
        'kpi_source USING PRIMARY KEY (id=?) LEFT-JOIN',
      ],
    ],
    [
      'runs whose figures are not settled',
      (tx) => performCall(tx, { name: 'kpi.undecidedRuns', args: counted }),
      [
        'kpi_source USING COVERING INDEX kpi_source_undecided (id>?)',
        'run USING INDEX sqlite_autoindex_run_1 (id=?)',
      ],
    ],
    [
      'cross-references',
      (tx) => externalId(tx, newId('customer'), 'erp', 'main', 'customer'),
      ['xref USING INDEX sqlite_autoindex_xref_2 (canonical_id=? AND system=? AND instance=? AND type=?)'],
    ],
  ])('%s search by their index, no table is read through', async (_, work, searches) => {
    const plans = await plansOf(work);
    // An index that holds only what is unfinished may be read through.
    expect(plans.filter((plan) => /^(SEARCH|SCAN) /.test(plan))).toEqual(
      searches.map((search) => (search.startsWith('SCAN ') ? search : `SEARCH ${search}`)),
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

test('what every run does is planned once, and gives no rows back that nobody wants', async () => {
  const prepare = jest.spyOn(DatabaseSync.prototype, 'prepare');
  try {
    const planned = await startEngine({ store: await openSqliteStore(join(folder, 'planned.db'), null, '') });
    const leave = register(planned.engine, 4);
    await accept(planned.engine, 0);
    const queued = planned.store.db.selectFrom('run').select('id').where('state', '!=', 'completed');
    await until('all runs to end', async () => (await queued.execute()).length === 0, 30_000, 20);
    leave();
    await planned.stop();
    const texts = prepare.mock.calls.map(([text]) => text.trim());
    const beginning = (pattern: RegExp) => texts.filter((text) => pattern.test(text));
    const limited = beginning(
      /from "run" where "state" = 'queued' and "source_node"|^select "hash" from "audit"/,
    );
    expect(limited).toHaveLength(2);
    // SQLite looks into a bare limit for its plan, and plans anew at each run.
    for (const text of limited) expect(text).not.toMatch(/limit \?/);
    const written = beginning(/^(insert into|update) "(step|xref)"/);
    expect(written).toHaveLength(3);
    for (const text of written) expect(text).not.toContain('returning');
  } finally {
    prepare.mockRestore();
  }
}, 60_000);
