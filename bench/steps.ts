/**
 * `npm run bench:steps`: what one durable step adds to its call, at 32 runs at once, on embedded stores of growing size
 * that take turns. `-- --sizes 0,10000,100000` names the runs that are in the store before, `--rounds 5` the turns of each.
 * The last line is one JSON object with the medians of the rounds.
 */
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { Engine } from '../lib/engine';
import { openSqliteStore, type Store } from '../lib/store';
import { until } from '../test/support/until';
import { accept, register } from '../test/support/work';
import { fillFile } from './fill';
import { median } from './median';

const { values } = parseArgs({
  options: {
    sizes: { type: 'string', default: '0,10000,100000' },
    rounds: { type: 'string', default: '5' },
    'call-ms': { type: 'string', default: '0' },
  },
});
const callMs = Number(values['call-ms']);
const PARALLEL = 32;
/** Runs of one round. */
const RUNS = 1_200;
/** Runs before the clock starts. */
const WARM_UP = 400;

interface Figures {
  stepP50Ms: number;
  stepP99Ms: number;
  runsPerSecond: number;
  lookupMs: number;
}

/** A store with so many runs in it, and an engine that works on more. */
class Filled {
  readonly rounds: Figures[] = [];
  private accepted = 0;
  private ended = 0;

  private constructor(
    readonly runsBefore: number,
    private readonly store: Store,
    private readonly engine: Engine,
  ) {}

  static async open(folder: string, runsBefore: number): Promise<Filled> {
    const program = join(process.cwd(), 'dist/store-thread.js');
    if (!existsSync(program)) throw new Error('Build the pack first: npm run build');
    const file = join(folder, `${runsBefore}.db`);
    if (runsBefore > 0) {
      await (await openSqliteStore(file)).close();
      fillFile(file, runsBefore);
    }
    const store = await openSqliteStore(file, null, program);
    // Counted here: asking the store would hold up the steps that are measured.
    const observer = { ended: () => void filled.ended++ };
    const engine = new Engine({ store, tenant: 'bench', log: () => undefined, graceMs: 1, observer });
    const filled = new Filled(runsBefore, store, engine);
    await engine.start();
    await filled.work(WARM_UP);
    return filled;
  }

  async measure(): Promise<void> {
    const { times, seconds } = await this.work(RUNS);
    const sorted = times.toSorted((a, b) => a - b);
    const at = (share: number) => round(sorted[Math.floor(sorted.length * share)] ?? Number.NaN);
    const runsPerSecond = Math.round(RUNS / seconds);
    const lookupMs = await lookUp(this.store.db);
    this.rounds.push({ stepP50Ms: at(0.5), stepP99Ms: at(0.99), runsPerSecond, lookupMs });
  }

  /** Runs are accepted before any is worked on: it is steps that are measured. */
  private async work(runs: number): Promise<{ times: number[]; seconds: number }> {
    const times: number[] = [];
    for (const until = this.accepted + runs; this.accepted < until; this.accepted += 200) {
      await accept(this.engine, this.accepted);
    }
    const startedAt = performance.now();
    const leave = register(this.engine, PARALLEL, { took: (ms) => times.push(ms), callMs });
    await until('all runs to end', () => this.ended === this.accepted, 120_000, 20);
    const seconds = (performance.now() - startedAt) / 1000;
    leave();
    return { times, seconds };
  }

  /** Medians of the rounds. */
  get figures(): Figures & { runsBefore: number } {
    const of = (name: keyof Figures) => median(this.rounds.map((each) => each[name]));
    return {
      runsBefore: this.runsBefore,
      stepP50Ms: of('stepP50Ms'),
      stepP99Ms: of('stepP99Ms'),
      runsPerSecond: of('runsPerSecond'),
      lookupMs: of('lookupMs'),
    };
  }

  async close(): Promise<void> {
    await this.engine.stop();
    await this.store.close();
  }
}

/** Milliseconds of a look for the run that a reference belongs to: by the id of the record in its system. */
async function lookUp(db: Store['db']): Promise<number> {
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
  const folder = await mkdtemp(join(tmpdir(), 'q2c-steps-'));
  const all: Filled[] = [];
  try {
    for (const size of values.sizes.split(',')) all.push(await Filled.open(folder, Number(size)));
    for (let turn = 0; turn < Number(values.rounds); turn++) {
      for (const filled of turn % 2 === 0 ? all : all.toReversed()) await filled.measure();
    }
    for (const { figures, rounds } of all) {
      const p99 = rounds.map(({ stepP99Ms }) => stepP99Ms.toFixed(1)).join(', ');
      console.log(
        `${figures.runsBefore} runs before: step p50 ${figures.stepP50Ms} ms, p99 ${figures.stepP99Ms} ms (${p99}); ${figures.runsPerSecond} runs/s of 8 steps; lookup ${figures.lookupMs} ms`,
      );
    }
    console.log(JSON.stringify({ parallel: PARALLEL, callMs, sizes: all.map(({ figures }) => figures) }));
  } finally {
    for (const filled of all) await filled.close();
    await rm(folder, { recursive: true });
  }
}

main().catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
