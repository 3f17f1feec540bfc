/**
 * `npm run bench:hosts`: durable steps per second on the embedded store and on PostgreSQL, without any system behind
 * them, by one host and by several in processes of their own. The last line is one JSON object with all figures.
 * The server is one of its own with its usual settings, unless `Q2C_TEST_DATABASE_URL` names another.
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { Engine } from '../lib/engine';
import { openPostgresStore, openSqliteStore, type Store, settingsOfUrl } from '../lib/store';
import { startPostgres } from '../test/support/postgres';
import { accept, register, STEPS } from './work';

const RUNS = 2_000;
const PARALLEL = 32;

interface Job {
  store: { file: string } | { url: string; schema: string };
  /** Runs to accept; the others of the job's hosts only work. */
  accept: number;
  /** Ends the host when this many runs of the store have ended. */
  runs: number;
}

/** One host: accepts, works until all runs of the store have ended, and says how long it took. */
async function host(job: Job): Promise<number> {
  const store = await open(job.store);
  const engine = new Engine({ store, tenant: 'bench', log: () => undefined, graceMs: 1 });
  await engine.start();
  register(engine, PARALLEL);
  const startedAt = performance.now();
  for (let from = 0; from < job.accept; from += 200) await accept(engine, from);
  while ((await ended(store)) < job.runs) await new Promise((resolve) => setTimeout(resolve, 20));
  const took = performance.now() - startedAt;
  await engine.stop();
  await store.close();
  return took;
}

function open(at: Job['store']): Promise<Store> {
  if ('file' in at) return openSqliteStore(at.file);
  return openPostgresStore({ ...settingsOfUrl(at.url), schema: at.schema });
}

async function ended(store: Store): Promise<number> {
  const row = await store.db
    .selectFrom('run')
    .select((rows) => rows.fn.countAll<number>().as('count'))
    .where('state', '=', 'completed')
    .executeTakeFirstOrThrow();
  return row.count;
}

/** Steps per second of some hosts that share the work, each in a process of its own. */
async function measure(store: Job['store'], hosts: number): Promise<number> {
  const children = Array.from({ length: hosts }, () => fork(process.argv[1] ?? '', ['host']));
  const times = await Promise.all(
    children.map(async (child, index) => {
      child.send({ store, accept: index === 0 ? RUNS : 0, runs: RUNS } satisfies Job);
      const [took] = (await once(child, 'message')) as [number];
      await once(child, 'exit');
      return took;
    }),
  );
  return Math.round((RUNS * STEPS) / (Math.max(...times) / 1000));
}

async function main(): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'q2c-bench-'));
  const given = process.env.Q2C_TEST_DATABASE_URL;
  const server = given ? null : await startPostgres();
  const url = given ?? server?.url ?? '';
  const figures: Record<string, number> = { cpus: cpus().length };
  try {
    figures.sqliteStepsPerSecond = await measure({ file: join(folder, 'q2c.db') }, 1);
    for (const hosts of [1, 2]) {
      const schema = `bench_${process.pid}_${hosts}`;
      figures[`postgres${hosts}HostStepsPerSecond`] = await measure({ url, schema }, hosts);
    }
  } finally {
    await server?.stop();
    await rm(folder, { recursive: true, force: true });
  }
  console.log(JSON.stringify(figures));
}

if (process.argv[2] === 'host') {
  process.once('message', (job: Job) => {
    host(job).then((took) => {
      process.send?.(took);
      process.disconnect();
    });
  });
} else {
  void main();
}
