/**
 * `npm run bench:stores`: claims, the journal and look-ups in stores with 10 thousand, 100 thousand and a million runs of
 * eleven steps each, in turns; of each the median, and how far the largest is from the smallest.
 * `-- --sizes 10000,100000 --rounds 60 --store postgres` measures other sizes, longer, or on a PostgreSQL of its own. The
 * last line is one JSON object with all figures. A million runs take 14 GB below the folder for temporary files, and a
 * minute or two to make.
 */
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { sql } from 'kysely';
import { listRuns, runReport } from '../lib/api/reports';
import { claimNaturalKeys, identifyRecords } from '../lib/engine/identity';
import { beginStep } from '../lib/engine/journal';
import { confirmStep } from '../lib/engine/journal-outcomes';
import { claimRuns } from '../lib/engine/runs';
import type { JournalStep } from '../lib/engine/types';
import { newId, newUlid } from '../lib/model';
import { openPostgresStore, openSqliteStore, type Store, settingsOfUrl } from '../lib/store';
import { startPostgres } from '../test/support/postgres';
import { customerNumber, fillFile, fillServer, id, SOURCE, taxKey } from './fill';
import { median } from './median';

const { values } = parseArgs({
  options: {
    sizes: { type: 'string', default: '10000,100000,1000000' },
    rounds: { type: 'string', default: '30' },
    store: { type: 'string', default: 'sqlite' },
  },
});
const SIZES = values.sizes.split(',').map(Number);
const ROUNDS = Number(values.rounds);
/** Rounds before the clock starts. */
const WARM_UP = 5;
/**
 * Steps and look-ups that are under way at once, as many as deals in the target of the speed of steps. One at a time would
 * tell how the system places the threads: on one processor a look-up takes 0.06 ms, on two 0.15.
 */
const PARALLEL = 32;
/** How often look-ups are asked for in one measurement: they are short. */
const TURNS = 8;

interface Filled {
  runs: number;
  store: Store;
}

/** One kind of work. @returns how many times it was done */
type Work = (filled: Filled) => Promise<number>;

const at = () => new Date().toISOString();
const anyRun = ({ runs }: Filled) => 1 + Math.floor(Math.random() * runs);

async function each(count: number, once: () => Promise<unknown>): Promise<number> {
  for (let done = 0; done < count; done++) await once();
  return count;
}

async function atOnce(once: () => Promise<unknown>): Promise<number> {
  await Promise.all(Array.from({ length: PARALLEL }, once));
  return PARALLEL;
}

async function lookUps(once: () => Promise<unknown>): Promise<number> {
  await each(TURNS, () => atOnce(once));
  return TURNS * PARALLEL;
}

const lease = () => ({ owner: 'bench', until: new Date(Date.now() + 60_000).toISOString() });

const work: Record<string, Work> = {
  claim: ({ store }) =>
    each(10, () => store.write((tx) => claimRuns(tx, SOURCE, 8, lease(), at()), 'committed')),
  journal: ({ store }) => atOnce(() => journalStep(store)),
  crossReference: (filled) =>
    lookUps(() => {
      const references = [
        { entity: 'customer' as const, type: 'customer', id: `cus${customerNumber(anyRun(filled))}` },
      ];
      return filled.store.perform(
        identifyRecords,
        { system: 'erp', instance: 'main', references, at: at() },
        'committed',
      );
    }),
  naturalKey: (filled) =>
    lookUps(() => {
      const key = taxKey(anyRun(filled));
      const claims = [{ entity: 'customer' as const, key, id: newId('customer'), name: 'Somebody else' }];
      return filled.store.perform(claimNaturalKeys, { claims, at: at() }, 'committed');
    }),
  runsByState: ({ store }) =>
    each(5, () => listRuns(store, { states: ['failed'] }, { limit: 50, cursor: undefined })),
  runById: (filled) => each(10, () => runReport(filled.store, id('run', anyRun(filled)))),
};

/** What was claimed goes back into the queue. */
async function unclaim({ store }: Filled): Promise<void> {
  await store.write((tx) =>
    tx
      .updateTable('run')
      .set({ state: 'queued', lease_owner: null, lease_until: null, started_at: null })
      .where('state', '=', sql.lit('running'))
      .execute(),
  );
}

/** The intent and the outcome of a step of a new record. The disk is the same for all sizes, so it is not waited for. */
async function journalStep(store: Store): Promise<void> {
  const canonicalId = newId('task');
  const digest = newUlid().padStart(64, '0');
  const run = { id: `run_${newUlid()}`, attempt: 1 };
  const keys = { key: `${run.id}:${digest}`, fingerprint: digest, idempotencyKey: digest };
  const step: JournalStep = {
    node: { id: 'n1', name: 'Task' },
    ...{ system: 'erp', instance: 'main', operation: 'task.upsert', canonicalId },
    ...{ updates: true, readOnly: false, probeFirst: false, undo: 'call' },
  };
  const wire = JSON.stringify({ name: 'Task', memo: 'x'.repeat(200) });
  await store.perform(
    beginStep,
    { run, step, keys, wire, skip: false, host: 'bench', at: at() },
    'committed',
  );
  const externalId = `t-${canonicalId}`;
  const ref = { system: 'erp', instance: 'main', type: 'task', id: externalId, role: 'copy' as const };
  const refs = [{ id: canonicalId, entity: 'task' as const, ref }];
  await store.perform(
    confirmStep,
    {
      ...{ runId: run.id, step, keys, origin: 'call', refs, evidence: { id: externalId } },
      ...{ reply: 'null', result: JSON.stringify({ refs }), counts: { calls: 1, probes: 0 } },
      ...{ at: at(), durationMs: 100 },
    },
    'committed',
  );
}

interface Figure {
  /** Milliseconds of one, by size. */
  ms: Record<number, number>;
  /** The largest median by the smallest. */
  ratio: number;
}

/** Medians of rounds in which all sizes take their turns, so that whatever else the machine does meets all of them. */
async function measure(all: readonly Filled[]): Promise<Record<string, Figure>> {
  const figures: Record<string, Figure> = {};
  for (const [name, once] of Object.entries(work)) {
    const times = new Map<number, number[]>(all.map(({ runs }) => [runs, []]));
    for (let round = -WARM_UP; round < ROUNDS; round++) {
      for (const filled of round % 2 === 0 ? all : all.toReversed()) {
        const startedAt = performance.now();
        const count = await once(filled);
        const ms = (performance.now() - startedAt) / count;
        if (round >= 0) times.get(filled.runs)?.push(ms);
        if (name === 'claim') await unclaim(filled);
      }
    }
    const ms = Object.fromEntries([...times].map(([runs, found]) => [runs, round4(median(found))]));
    const medians = Object.values(ms);
    figures[name] = { ms, ratio: round2(Math.max(...medians) / Math.min(...medians)) };
    const shown = SIZES.map((runs) => `${ms[runs]?.toFixed(3)} ms`).join('  ');
    console.log(`  ${name.padEnd(16)}${shown}   ratio ${figures[name]?.ratio}`);
  }
  return figures;
}

const round2 = (value: number) => Math.round(value * 100) / 100;
const round4 = (value: number) => Math.round(value * 10_000) / 10_000;

async function onFiles(): Promise<Record<string, Figure>> {
  const folder = await mkdtemp(join(tmpdir(), 'q2c-stores-'));
  const program = join(process.cwd(), 'dist/store-thread.js');
  if (!existsSync(program)) throw new Error('Build the pack first: npm run build');
  const all: Filled[] = [];
  try {
    for (const runs of SIZES) {
      const file = join(folder, `${runs}.db`);
      await (await openSqliteStore(file)).close();
      fillFile(file, runs);
      all.push({ runs, store: await openSqliteStore(file, null, program) });
    }
    return await measure(all);
  } finally {
    for (const { store } of all) await store.close();
    await rm(folder, { recursive: true, force: true });
  }
}

async function onServer(): Promise<Record<string, Figure>> {
  const server = await startPostgres();
  const all: Filled[] = [];
  try {
    for (const runs of SIZES) {
      const store = await openPostgresStore({ ...settingsOfUrl(server.url), schema: `runs_${runs}` });
      all.push({ runs, store });
      await fillServer((text) => store.write((tx) => sql.raw(text).execute(tx), 'committed'), runs);
    }
    return await measure(all);
  } finally {
    for (const { store } of all) await store.close();
    await server.stop();
  }
}

async function main(): Promise<void> {
  console.log(`${values.store} with ${SIZES.join(', ')} runs, medians of ${ROUNDS} rounds`);
  const figures = await (values.store === 'postgres' ? onServer() : onFiles());
  console.log(JSON.stringify({ store: values.store, sizes: SIZES, rounds: ROUNDS, figures }));
}

main().catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
