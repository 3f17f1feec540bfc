/**
 * `npm run bench:hosts`: durable steps per second on one PostgreSQL, without any system behind them, by one host and by
 * two, in processes of their own, in turns. `-- --rounds 5` names the turns of each, `--cores shared` leaves it to the
 * machine who works where. The last line is one JSON object with the medians of the rounds.
 *
 * `--flow-ms 0.2,0` names what a flow itself needs of its host's core for each step: with 0.2 as much as the template flow
 * (`bench/RESULTS.md`: 5.7 ms of the main thread for a deal of 23 calls, a sixth of it the engine), with 0 there is
 * nothing but the engine, and a host asks more of the server than any real one.
 *
 * Each host has a core of its own and the server all others, the same share with one host as with two: a single host
 * would else have help of cores that two have to do without. The server is one of its own with its usual settings,
 * unless `Q2C_TEST_DATABASE_URL` names another.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { Engine } from '../lib/engine';
import { openPostgresStore, settingsOfUrl } from '../lib/store';
import { startPostgres } from '../test/support/postgres';
import { accept, register, STEPS } from '../test/support/work';
import { median } from './median';
import { keepTo, processorMs } from './processor';
import { ServerWatch } from './server-watch';

const RUNS = 2_000;
/** Runs that have ended before the clock starts. */
const WARM_UP = 600;
const PARALLEL = 32;
const HOSTS = [1, 2] as const;
const CORES = availableParallelism();
/** Of the server: what the hosts leave. */
const SERVER_CORES = `${Math.max(...HOSTS)}-${CORES - 1}`;

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '3' },
    cores: { type: 'string', default: 'own' },
    'flow-ms': { type: 'string', default: '0.2,0' },
  },
  allowPositionals: true,
});
const isKept = values.cores !== 'shared';

// ---------------------------------------------------------------- a host

interface Store {
  url: string;
  schema: string;
  flowMs: number;
}

/** What a host is told, in this order; it answers each but the last two with `ready`, and says `ended` for each run. */
type Order = Store | { accept: number } | 'work' | 'stop';

async function host(): Promise<void> {
  const { url, schema, flowMs } = await told<Store>();
  const store = await openPostgresStore({ ...settingsOfUrl(url), schema });
  const observer = { ended: () => process.send?.('ended') };
  const engine = new Engine({ store, tenant: 'bench', log: () => undefined, graceMs: 1, observer });
  await engine.start();
  process.send?.('ready');
  const { accept: runs } = await told<{ accept: number }>();
  for (let from = 0; from < runs; from += 200) await accept(engine, from);
  process.send?.('ready');
  await told<'work'>();
  register(engine, PARALLEL, { flowMs });
  await told<'stop'>();
  await engine.stop();
  await store.close();
  process.disconnect();
}

async function told<O extends Order>(): Promise<O> {
  const [order] = (await once(process, 'message')) as [O];
  return order;
}

// ---------------------------------------------------------------- the bench

interface Figures {
  stepsPerSecond: number;
  /** Milliseconds of a processor per step: of all hosts together, and of the server. */
  hostCpuMs: number;
  serverCpuMs: number;
  /** Cores that were busy, on average. */
  hostCores: number;
  serverCores: number;
  walBytesPerStep: number;
  /** Sessions that waited in the middle of a transaction, on average: for their host, a lock, the disk. */
  waitForHost: number;
  waitForLock: number;
  waitForDisk: number;
}

/** Hosts that share the work on a store. Runs are accepted before any is worked on: it is steps that are measured. */
async function measure(store: Store, count: number, watch: ServerWatch): Promise<Figures> {
  const hosts = Array.from({ length: count }, () => fork(process.argv[1] ?? '', ['host']));
  if (isKept) for (const [core, { pid = 0 }] of hosts.entries()) keepTo(String(core), pid);
  await Promise.all(hosts.map((each) => ask(each, store)));
  await Promise.all(hosts.map((each, index) => ask(each, { accept: index === 0 ? WARM_UP + RUNS : 0 })));
  // Now, for each session of a host is one more process of the server.
  if (isKept) watch.keepTo(SERVER_CORES);

  const [warm, done] = milestones(hosts, [WARM_UP, WARM_UP + RUNS]);
  for (const each of hosts) each.send('work' satisfies Order);
  await warm;
  const before = await read(hosts, watch);
  const over = new AbortController();
  const sampling = watch.waits(over.signal);
  await done;
  const after = await read(hosts, watch);
  over.abort();
  const waits = await sampling;
  await Promise.all(hosts.map(stop));

  const steps = RUNS * STEPS;
  const ms = after.at - before.at;
  const hostMs = after.hostMs - before.hostMs;
  const serverMs = after.server.cpuMs - before.server.cpuMs;
  return {
    stepsPerSecond: Math.round((steps / ms) * 1000),
    hostCpuMs: rounded(hostMs / steps),
    serverCpuMs: rounded(serverMs / steps),
    hostCores: rounded(hostMs / ms),
    serverCores: rounded(serverMs / ms),
    walBytesPerStep: Math.round((after.server.walBytes - before.server.walBytes) / steps),
    waitForHost: rounded(waits.host),
    waitForLock: rounded(waits.lock),
    waitForDisk: rounded(waits.disk),
  };
}

async function read(hosts: readonly ChildProcess[], watch: ServerWatch) {
  const at = performance.now();
  const hostMs = hosts.reduce((sum, { pid = 0 }) => sum + processorMs(pid), 0);
  return { at, hostMs, server: await watch.read() };
}

async function ask(host: ChildProcess, order: Order): Promise<void> {
  host.send(order);
  await once(host, 'message');
}

async function stop(host: ChildProcess): Promise<void> {
  host.send('stop' satisfies Order);
  await once(host, 'exit');
}

/** One promise for each number of runs, which resolves when so many have ended in all hosts together. */
function milestones(hosts: readonly ChildProcess[], counts: readonly number[]): Promise<void>[] {
  let ended = 0;
  const waiting = counts.map((count) => ({ count, ...Promise.withResolvers<void>() }));
  for (const host of hosts) {
    host.on('message', () => {
      ended++;
      for (const { count, resolve } of waiting) if (ended === count) resolve();
    });
    // Before the end, none ends by itself.
    host.once('exit', () => {
      for (const { reject } of waiting) reject(new Error('A host has ended before its work was done.'));
    });
  }
  return waiting.map(({ promise }) => promise);
}

const rounded = (value: number): number => Number(value.toPrecision(3));

/** Of each figure the median. */
function medians(rounds: readonly Figures[]): Figures {
  const names = Object.keys(rounds[0] ?? {}) as (keyof Figures)[];
  const of = (name: keyof Figures) => median(rounds.map((each) => each[name]));
  return Object.fromEntries(names.map((name) => [name, of(name)])) as unknown as Figures;
}

interface Compared {
  flowMs: number;
  oneHost: Figures;
  twoHosts: Figures;
  ratios: number[];
  ratio: number;
}

async function compare(url: string, flowMs: number, watch: ServerWatch): Promise<Compared> {
  console.log(`with ${flowMs} ms of its host's core per step for the flow`);
  const figures = HOSTS.map((): Figures[] => []);
  for (let round = 0; round < Number(values.rounds); round++) {
    for (const [index, hosts] of HOSTS.entries()) {
      const schema = `bench_${process.pid}_${flowMs * 1000}_${round}_${hosts}`;
      const measured = await measure({ url, schema, flowMs }, hosts, watch);
      figures[index]?.push(measured);
      console.log(`${hosts === 1 ? 'one host' : 'two hosts'}: ${JSON.stringify(measured)}`);
    }
  }
  const [one = [], two = []] = figures;
  const ratios = one.map(({ stepsPerSecond }, round) =>
    rounded((two[round]?.stepsPerSecond ?? Number.NaN) / stepsPerSecond),
  );
  return { flowMs, oneHost: medians(one), twoHosts: medians(two), ratios, ratio: median(ratios) };
}

async function main(): Promise<void> {
  const given = process.env.Q2C_TEST_DATABASE_URL;
  const server = given ? null : await startPostgres();
  const url = given ?? server?.url ?? '';
  const watch = await ServerWatch.open(url, server !== null);
  const compared: Compared[] = [];
  try {
    console.log(
      isKept
        ? `${CORES} cores: one for each host, the server on ${SERVER_CORES}`
        : `${CORES} cores, shared by all`,
    );
    for (const flowMs of values['flow-ms'].split(',')) {
      compared.push(await compare(url, Number(flowMs), watch));
    }
  } finally {
    await watch.close();
    await server?.stop();
  }
  console.log(JSON.stringify({ cores: CORES, isKept, compared }));
}

if (process.argv[2] === 'host') {
  void host();
} else {
  main().catch((error: unknown) => {
    console.error(error);
    process.exitCode = 1;
  });
}
