import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeTemplate } from '../support/pack';
import { type Breakage, brokenTemplate } from './breakages';
import { type Options, readOptions, USAGE } from './options';
import { failure, progress, summary } from './report';
import { Runner } from './runner';
import { postgresStores, type Stores, sqliteStores } from './stores';

/**
 * `npm run test:crash`: seeds of deals, faults and crashes against real hosts, see docs/proof.md. Exit codes: 0 all
 * seeds passed (or what was broken on purpose was noticed), 1 not so, 2 wrong arguments.
 */

async function main(options: Options): Promise<boolean> {
  const folder = await mkdtemp(join(tmpdir(), 'q2c-crash-'));
  // Also what is broken on purpose needs it: the simulators are part of what it builds.
  const template = await makeTemplate();
  const stores = options.store === 'postgres' ? await postgresStores() : sqliteStores;
  try {
    if (options.breakages.length === 0) return await prove(options, stores, folder, template);
    let allNoticed = true;
    for (const breakage of options.breakages) {
      if (!(await isNoticed(breakage, options, stores, folder))) allNoticed = false;
    }
    await rm(folder, { recursive: true });
    return allNoticed;
  } finally {
    await stores.stop();
    await rm(template, { recursive: true });
  }
}

async function prove(options: Options, stores: Stores, folder: string, template: string): Promise<boolean> {
  const began = Date.now();
  const runner = new Runner(options, folder, template, stores, (played) => {
    console.log(progress(played));
    if (played.outcome.complaints.length > 0) console.log(failure(played, options));
  });
  await runner.run();
  console.log(summary(runner.played, Date.now() - began));
  if (runner.failed.length === 0) await rm(folder, { recursive: true });
  return runner.failed.length === 0;
}

/** Plays seeds until one of them fails, as it must. */
async function isNoticed(
  breakage: Breakage,
  options: Options,
  stores: Stores,
  folder: string,
): Promise<boolean> {
  const template = await brokenTemplate(breakage);
  const runner = new Runner(
    { ...options, untilFailure: true },
    join(folder, breakage.name),
    template,
    stores,
    () => undefined,
  );
  try {
    await runner.run();
  } finally {
    await rm(template, { recursive: true });
  }
  const [noticed] = runner.failed;
  const seeds = `${runner.played.length} ${runner.played.length === 1 ? 'seed' : 'seeds'}`;
  if (noticed === undefined) {
    console.log(`${breakage.name}: NOT NOTICED in ${seeds}`);
    return false;
  }
  console.log(`${breakage.name}: noticed, within ${seeds}, by seed ${noticed.plan.seed}`);
  for (const complaint of noticed.outcome.complaints.slice(0, 5)) console.log(`  - ${complaint}`);
  return true;
}

// Hosts and simulators end with this process, which a signal alone would not give a chance to end them.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));

let options: Options | null = null;
try {
  options = readOptions(process.argv.slice(2));
} catch (error) {
  console.error(`${error instanceof Error ? error.message : error}\n${USAGE}`);
  process.exit(2);
}
if (options === null) {
  console.log(USAGE);
} else {
  main(options).then(
    (good) => process.exit(good ? 0 : 1),
    (error: unknown) => {
      console.error(error);
      process.exit(1);
    },
  );
}
