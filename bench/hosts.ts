/**
 * `npm run bench:hosts`: durable steps per second on PostgreSQL, without any system behind them, by one host and by two in
 * processes of their own that take turns, and first on the embedded store. `-- --rounds 3` names the turns of each,
 * `--cores shared` leaves it to the machine who works where. The last line is one JSON object with all figures.
 *
 * Each host has a core of its own and the server all others, the same ones with one host as with two: else a single host
 * has a share of the machine that two cannot have each. The server is one of its own with its usual settings, unless
 * `Q2C_TEST_DATABASE_URL` names another.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { Engine } from '../lib/engine';
import { openPostgresStore, openSqliteStore, type Store, settingsOfUrl } from '../lib/store';
import { startPostgres } from '../test/support/postgres';
import { keepTo, processorMs } from './processor';
import { ServerWatch } from './server-watch';
import { accept, register, STEPS } from './work';

const RUNS = 2_000;
/** Runs that have ended before the clock starts. */
const WARM_UP = 600;
const PARALLEL = 32;
const MOST_HOSTS = 2;

type Place = { file: string } | { url: string; schema: string };

// ---------------------------------------------------------------- a host

/** Opens the store, accepts events, works and stops, each when it is told to; says when it is ready, and that runs end. */
async function host(): Promise<void> {
  const store = await open(await told<Place>());
  const observer = { ended: () => process.send?.('ended') };
  const engine = new Engine({ store, tenant: 'bench', log: () => undefined, graceMs: 1, observer });
  await engine.start();
  process.send?.('ready');
  for (let from = await told<number>(); from > 0; from -= 200) await accept(engine, from);
  process.send?.('ready');
  await told();
  register(engine, PARALLEL);
  await told();
  await engine.stop();
  await store.close();
  process.disconnect();
}

async function told<T>(): Promise<T> {
  const [message] = await once(process, 'message');
  return message as T;
}

function open(at: Place): Promise<Store> {
  if ('file' in at) return openSqliteStore(at.file);
  return openPostgresStore({ ...settingsOfUrl(at.url), schema: at.schema });
}

// ---------------------------------------------------------------- the bench

async function tell(child: ChildProcess, message: Place | number | 'work' | 'stop'): Promise<void> {
  child.send(message);
}

interface Figures {
  stepsPerSecond: number;
  /** Milliseconds of a processor per step: all hosts together, and the server. */
  hostCpuMs: number;
  serverCpuMs: number;
  transactionsPerStep: number;
  walBytesPerStep: number;
}

async function measure(place: Place, hosts: number, watch: ServerWatch | null): Promise<Figures> {
  const children = Array.from({ length: hosts }, () => fork(process.argv[1] ?? '', ['host']));
  const failed = Promise.race(
    children.map(async (child) => {
      const [code] = await once(child, 'exit');
      throw new Error(`A host has ended with ${code}`);
    }),
  );
  failed.catch(() => undefined);
  const all = (message: (index: number) => Place | number) =>
    Promise.race([
      failed,
      Promise.all(
        children.map((child, index) => {
          child.send(message(index));
          return once(child, 'message');
        }),
      ),
    ]);
  for (const [index, child] of children.entries()) if (PIN) keepTo(String(index), child.pid ?? 0);
  await all(() => place);
  const a0 = performance.now();
  await all((index) => (index === 0 ? RUNS + WARM_UP : 0));
  const acceptMs = performance.now() - a0;
  if (PIN) watch?.keepTo(`${MOST_HOSTS}-${cpus().length - 1}`);
  const hostMs = () => children.reduce((sum, { pid }) => sum + processorMs(pid ?? 0), 0);
  let ended = 0;
  const reached = (count: number) =>
    new Promise<void>((resolve) => {
      for (const child of children) child.on('message', () => ++ended === count && resolve());
    });
  // biome-ignore lint: scratch
  const warm = Promise.withResolvers<void>();
  const done = Promise.withResolvers<void>();
  for (const child of children)
    child.on('message', () => {
      ended++;
      if (ended === WARM_UP) warm.resolve();
      if (ended === WARM_UP + RUNS) done.resolve();
    });
  for (const child of children) child.send('work');
  await warm.promise;
  const sampler = watch && process.env.WAITS ? watch.sample() : null;
  const t0 = performance.now(), h0 = hostMs(), s0 = await watch?.read();
  await done.promise;
  const t1 = performance.now(), h1 = hostMs(), s1 = await watch?.read();
  if (sampler) console.log(await sampler.stop());
  for (const child of children) child.send('stop');
  await Promise.all(children.map((child) => child.exitCode === null ? once(child, 'exit') : 0));
  const s2 = await watch?.read();
  const steps = RUNS * STEPS;
  return {
    acceptMs,
    stepsPerSecond: Math.round(steps / ((t1 - t0) / 1000)),
    hostCpuMs: (h1 - h0) / steps,
    serverCpuMs: ((s1?.cpuMs ?? NaN) - (s0?.cpuMs ?? NaN)) / steps,
    hostCores: (h1 - h0) / (t1 - t0),
    serverCores: ((s1?.cpuMs ?? NaN) - (s0?.cpuMs ?? NaN)) / (t1 - t0),
    transactionsPerStep: ((s2?.transactions ?? NaN) - (s0?.transactions ?? NaN)) / steps,
    walBytesPerStep: ((s1?.walBytes ?? NaN) - (s0?.walBytes ?? NaN)) / steps,
  } as never;
}
const PIN = process.env.PIN !== '0';

async function main(): Promise<void> {
  const flags = (process.env.PGFLAGS ?? '').split(' ').filter(Boolean).flatMap((f) => ['-c', f]);
  const server = await startPostgres(flags);
  const url = server.url;
  const watch = await ServerWatch.open(url, true);
  if (process.env.STATEMENTS) await watch.setup();
  try {
    for (let round = 0; round < Number(process.env.ROUNDS ?? 2); round++)
      for (const hosts of (process.env.HOSTS ?? '1,2').split(',').map(Number)) {
        const schema = `bench_${round}_${hosts}`;
        const f = await measure({ url, schema }, hosts, watch);
        console.log(hosts, JSON.stringify(f, (k, v) => typeof v === 'number' ? Number(v.toPrecision(4)) : v));
        if (process.env.STATEMENTS) await watch.statements(RUNS * STEPS);
      }
  } finally {
    await watch.close();
    await server.stop();
  }
}

if (process.argv[2] === 'host') void host();
else void main();
