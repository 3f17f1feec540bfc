/**
 * `npm run bench:steps`: what one durable step adds to its call, at 32 runs at once, on embedded stores of growing size.
 * `-- --sizes 0,10000,100000` names the runs that are in the store before. The last line is one JSON object.
 */
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { Engine } from '../lib/engine';
import { openSqliteStore } from '../lib/store';
import { until } from '../test/support/until';
import { fillFile } from './fill';
import { accept, register } from './work';

const { values } = parseArgs({ options: { sizes: { type: 'string', default: '0,10000,100000' } } });
const PARALLEL = 32;
const RUNS = 1_200;
/** Runs before the clock starts. */
const WARM_UP = 400;

interface Figures {
  runsBefore: number;
  stepP50Ms: number;
  stepP99Ms: number;
  runsPerSecond: number;
  lookupMs: number;
}

async function measure(runsBefore: number): Promise<Figures> {
  const folder = await mkdtemp(join(tmpdir(), 'q2c-steps-'));
  const program = join(process.cwd(), 'dist/store-thread.js');
  if (!existsSync(program)) throw new Error('Build the pack first: npm run build');
  const file = join(folder, 'q2c.db');
  if (runsBefore > 0) {
    await (await openSqliteStore(file)).close();
    fillFile(file, runsBefore);
  }
  const store = await openSqliteStore(file, null, program);
  try {
    // Counted here: asking the store would hold up the steps that are measured.
    let ended = 0;
    const observer = { ended: () => void ended++ };
    const engine = new Engine({ store, tenant: 'bench', log: () => undefined, graceMs: 1, observer });
    await engine.start();
    const times: number[] = [];
    register(engine, PARALLEL, (ms) => times.push(ms));
    for (let from = 0; from < WARM_UP; from += 200) await accept(engine, from);
    await until('the runs to warm up', () => ended === WARM_UP, 60_000, 20);
    times.length = 0;
    const startedAt = performance.now();
    for (let from = WARM_UP; from < WARM_UP + RUNS; from += 200) await accept(engine, from);
    await until('all runs to end', () => ended === WARM_UP + RUNS, 120_000, 50);
    const seconds = (performance.now() - startedAt) / 1000;
    const lookupMs = await lookUp(store.db);
    await engine.stop();
    const sorted = times.toSorted((a, b) => a - b);
    const at = (share: number) => round(sorted[Math.floor(sorted.length * share)] ?? Number.NaN);
    const runsPerSecond = Math.round(RUNS / seconds);
    return { runsBefore, stepP50Ms: at(0.5), stepP99Ms: at(0.99), runsPerSecond, lookupMs };
  } finally {
    await store.close();
    await rm(folder, { recursive: true });
  }
}

/** Milliseconds of a look for the run that a reference belongs to: by the id of the record in its system. */
async function lookUp(db: Awaited<ReturnType<typeof openSqliteStore>>['db']): Promise<number> {
  const known = await db
    .selectFrom('xref')
    .select(['external_id', 'instance'])
    .where('system', '=', 'crm')
    .limit(200)
    .execute();
  const startedAt = performance.now();
  for (const { external_id, instance } of known) {
    await db
      .selectFrom('xref')
      .innerJoin('run', 'run.correlation_id', 'xref.canonical_id')
      .select('run.id')
      .where('xref.system', '=', 'crm')
      .where('xref.instance', '=', instance)
      .where('xref.type', '=', 'Opportunity')
      .where('xref.external_id', '=', external_id)
      .execute();
  }
  return round((performance.now() - startedAt) / known.length);
}

const round = (ms: number): number => Math.round(ms * 1000) / 1000;

async function main(): Promise<void> {
  const all: Figures[] = [];
  for (const size of values.sizes.split(',')) {
    const figures = await measure(Number(size));
    all.push(figures);
    const { runsBefore, stepP50Ms, stepP99Ms, runsPerSecond, lookupMs } = figures;
    console.log(
      `${runsBefore} runs before: step p50 ${stepP50Ms} ms, p99 ${stepP99Ms} ms; ${runsPerSecond} runs/s of 8 steps; lookup ${lookupMs} ms`,
    );
  }
  console.log(JSON.stringify({ parallel: PARALLEL, sizes: all }));
}

main().catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
