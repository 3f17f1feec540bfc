/**
 * `npm run bench:start-many`: a real Node-RED with the template flow starts with 10,000 unfinished runs in its store, half
 * of them queued, others failed with cases, waiting, or claimed by the host that was killed. Told from inside the host: how
 * long its event loop stood still in the first minute, and its memory for as long as it is kept busy. Fails when memory
 * still grows at the end. `-- --runs 10000 --seconds 300`; the last line is one JSON object.
 */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import type { FlowNode } from '../test/support/host';
import packOnce from '../test/support/pack';
import { until } from '../test/support/until';
import { templateFlow, World } from '../test/support/world';
import { type Pulse, pulseProgram, pulses } from './pulse';

const { values } = parseArgs({
  options: { runs: { type: 'string', default: '10000' }, seconds: { type: 'string', default: '300' } },
});
const RUNS = Number(values.runs);
const SECONDS = Number(values.seconds);
/** Deals are closed whenever fewer runs than this are queued: the host has as much to do at the end as at the start. */
const QUEUED = 1_500;
/** Memory of the last third of the time by that of the middle one, from which on it counts as growing. */
const LARGEST_GROWTH = 1.1;

const MINUTE_MS = 60_000;

const WAIT_NODE = 'bench-wait';

/**
 * The template flow, with a node that runs can wait at. So many deals pile up over days, while here all have changed in
 * the last few minutes: polls must not look back at them.
 * @param interval of polls in seconds
 */
function flow(concurrency: number, interval: string): FlowNode[] {
  const nodes = templateFlow((node) => {
    if (node.type === 'q2c-salesforce-events')
      Object.assign(node, { concurrency: String(concurrency), interval });
    if (node.type === 'q2c-salesforce-connection') node.pollOverlapMinutes = '0';
    if (node.type === 'debug') node.active = false;
  });
  const tab = nodes.find(({ type }) => type === 'tab')?.id ?? '';
  const store = nodes.find(({ type }) => type === 'q2c-store')?.id ?? '';
  const wait = {
    id: WAIT_NODE,
    type: 'q2c-wait',
    z: tab,
    name: 'Wait',
    store,
    x: 100,
    y: 900,
    wires: [[], []],
  };
  return [...nodes, wait];
}

/** Makes the runs as a host leaves them that is killed: real events of the simulated CRM, states set by hand. */
async function leaveUnfinished(world: World): Promise<void> {
  for (let closed = 0; closed < RUNS; closed += 500) {
    await world.simulator.closeDeals(Math.min(500, RUNS - closed));
  }
  const { file } = storeOf(world);
  await until(
    `${RUNS} runs to be accepted`,
    () => count(file, 'select count(*) as n from run') >= RUNS,
    600_000,
    500,
  );
  await world.host.kill();
  const database = new DatabaseSync(file);
  database.exec(`
    update run set state = case
      when seq % 10 < 5 then 'queued' when seq % 10 < 7 then 'failed' when seq % 10 < 8 then 'waiting' else 'running' end,
      lease_owner = case when seq % 10 >= 8 then 'host_dead' end,
      lease_until = case when seq % 10 >= 8 then '2026-01-01T00:00:00.000Z' end
    where state in ('queued', 'running');
    insert into exception_case (id, dedupe_key, code, message, owner_role, severity, state, correlation_id, subject, run_id,
        run_attempt, step_key, node_id, node_name, detail, occurrences, reopened, opened_at, updated_at)
      select 'exc_' || substr(id, 5), correlation_id || '|bench', 'TARGET_REJECTED', 'NetSuite refused ' || title,
        'finance_ops', 'high', 'open', correlation_id, correlation_id, id, 1, null, 'n', 'Node', '{}', 1, 0, created_at,
        created_at from run where state = 'failed';
    insert into suspension (place, run_id, node_id, node_name, event, match_key, parent, state, holds_order, on_timeout,
        about, message, created_at)
      select 'bench:' || id, id, '${WAIT_NODE}', 'Wait', 'contract.approved', id, 0, 'waiting', 0, 'send',
        '{"params":{},"ownerRole":"finance_ops"}', '{"payload":{}}', created_at from run where state = 'waiting';
  `);
  database.close();
}

const storeOf = (world: World) => ({ file: join(world.host.userDir, 'quote-to-cash/q2c.db') });

function count(file: string, query: string): number {
  const database = new DatabaseSync(file, { readOnly: true });
  try {
    return Number((database.prepare(query).get() as { n: number }).n);
  } finally {
    database.close();
  }
}

interface Figures extends MemoryFigures {
  readyMs: number;
  firstRunMs: number;
  /** Completed runs a second, over each ten seconds. */
  runsPerSecond: number[];
  /** Of the event loop, from the start of the flows on; and how long it was at work at most. */
  worstStallMs: number;
  worstWorkMs: number;
  /** Before that, in which Node-RED loads its modules and ours. */
  worstStallBeforeMs: number;
}

interface MemoryFigures {
  firstMb: number;
  /** The largest of each minute. */
  mbByMinute: number[];
  /** Of the heap of the main thread, without garbage, at the end of each minute. */
  keptMbByMinute: number[];
  /** The largest of the last third of the time by the largest of the middle one. */
  growth: number;
  keptGrowth: number;
}

async function start(world: World, folder: string): Promise<Figures> {
  const { file } = storeOf(world);
  const completed = () => count(file, "select count(*) as n from run where state = 'completed'");
  const queued = () => count(file, "select count(*) as n from run where state = 'queued'");
  const before = completed();
  const asked = await world.simulator.requestCount('netsuite');
  const probe = join(folder, 'pulse.cjs');
  const log = join(folder, 'pulse.log');
  await writeFile(probe, pulseProgram(log));
  const startedAt = performance.now();
  const began = Date.now();
  await world.host.start({ NODE_OPTIONS: `--require ${probe}` });
  const readyMs = performance.now() - startedAt;
  await until(
    'the first run to go on',
    async () => (await world.simulator.requestCount('netsuite')) > asked,
    60_000,
    20,
  );
  const firstRunMs = performance.now() - startedAt;
  const done = [before];
  for (let tens = 0; tens < SECONDS / 10; tens++) {
    if (queued() < QUEUED) await world.simulator.closeDeals(QUEUED);
    await pause(10_000);
    done.push(completed());
  }
  const all = pulses(await readFile(log, 'utf8')).filter(({ at }) => at <= began + readyMs + SECONDS * 1_000);
  const flowsAt = began + readyMs;
  // Flows start in one go, which may end a moment after the host has said that they are started.
  const after = all.filter(({ at, stallMs }) => at - stallMs > flowsAt);
  const firstMinute = after.filter(({ at }) => at <= flowsAt + MINUTE_MS);
  const loading = all.filter((each) => !after.includes(each));
  const worst = (some: readonly Pulse[], of: 'stallMs' | 'workMs' = 'stallMs') =>
    Math.round(Math.max(0, ...some.map((each) => each[of])));
  for (const { at, stallMs, workMs } of [...loading, ...firstMinute].filter((each) => each.stallMs > 30)) {
    console.log(
      `  ${Math.round(at - began)} ms after the start: stood still for ${Math.round(stallMs)} ms, ${Math.round(workMs)} ms of it at work`,
    );
  }
  return {
    readyMs: Math.round(readyMs),
    firstRunMs: Math.round(firstRunMs),
    runsPerSecond: done.slice(1).map((each, index) => Math.round((each - (done[index] ?? 0)) / 10)),
    worstStallMs: worst(firstMinute),
    worstWorkMs: worst(
      firstMinute.filter(({ stallMs }) => stallMs > 20),
      'workMs',
    ),
    worstStallBeforeMs: worst(loading),
    ...memory(after),
  };
}

const memory = (after: readonly Pulse[]): MemoryFigures => ({
  firstMb: after[0]?.mb ?? Number.NaN,
  mbByMinute: largestOfParts(after, 'mb', SECONDS / 60),
  keptMbByMinute: largestOfParts(after, 'keptMb', SECONDS / 60),
  growth: growth(after, 'mb'),
  keptGrowth: growth(after, 'keptMb'),
});

/** The time is cut into so many parts of equal length. @returns the largest value of each, NaN where none was told */
function largestOfParts(after: readonly Pulse[], of: 'mb' | 'keptMb', parts: number): number[] {
  const from = after[0]?.at ?? Number.NaN;
  return Array.from({ length: parts }, (_, part) => {
    const ends = (edge: number) => from + (edge * SECONDS * 1_000) / parts;
    const values = after.filter(({ at }) => at >= ends(part) && at < ends(part + 1)).map((each) => each[of]);
    const told = values.filter((value) => !Number.isNaN(value));
    return told.length === 0 ? Number.NaN : Math.max(...told);
  });
}

function growth(after: readonly Pulse[], of: 'mb' | 'keptMb'): number {
  const [, middle = Number.NaN, last = Number.NaN] = largestOfParts(after, of, 3);
  return Math.round((last / middle) * 100) / 100;
}

async function main(): Promise<void> {
  await packOnce();
  const folder = await mkdtemp(join(tmpdir(), 'q2c-start-many-'));
  const world = await World.start({ flow: flow(1, '0.2') });
  try {
    await leaveUnfinished(world);
    // The flow as it is started below: what it does beside is that of its node.
    await writeFile(join(world.host.userDir, 'flows.json'), JSON.stringify(flow(8, '5')));
    const figures = await start(world, folder);
    console.log(JSON.stringify({ runs: RUNS, ...figures }));
    if (!(Math.max(figures.growth, figures.keptGrowth) <= LARGEST_GROWTH)) {
      throw new Error('Memory still grows at the end; or too short a time was measured: see `growth`.');
    }
  } finally {
    await world.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

main().catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
