/**
 * `npm start`: builds and packs the pack, installs it into a Node-RED user directory as a user would, starts the
 * simulated vendors and a real Node-RED with the template flow, and closes deals so that something can be seen.
 */
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { copyFile, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import type { Page } from '../lib/api/paging.ts';
import type { RunReport, RunSummary } from '../lib/api/reports.ts';
import type { CaseLine } from '../lib/governance/index.ts';
import { installPack, packTarball } from './start/pack.ts';
import { Program } from './start/processes.ts';
import { formatCases, formatRun } from './start/report.ts';

const root = join(import.meta.dirname, '..');
const FLOW = '1 Closed won to project/Closed won to project.json';
const SIMULATOR_PORT = 4600;

const USAGE = `Usage: npm start -- [options]
  --once            close deals, wait for their runs to end, print what happened, and exit
  --deals N         how many deals to close (default 1)
  --port N          port of Node-RED (default 1880; with --once any free one)
  --user-dir DIR    Node-RED user directory (default .q2c/node-red; with --once a temporary one)
  --timeout N       seconds to wait for the runs with --once (default 120)
  --help            this text`;

interface Options {
  once: boolean;
  deals: number;
  port: number;
  userDir: string | undefined;
  timeoutMs: number;
}

const programs: Program[] = [];

async function main(options: Options): Promise<number> {
  const temporary = options.once && options.userDir === undefined;
  const userDir =
    options.userDir !== undefined
      ? resolve(process.env.INIT_CWD ?? process.cwd(), options.userDir)
      : temporary
        ? await mkdtemp(join(tmpdir(), 'q2c-once-'))
        : join(root, '.q2c/node-red');
  const port = options.once && options.port === 0 ? await freePort() : options.port || 1880;
  try {
    if (!(await isFree(port))) {
      throw new Error(`Port ${port} is in use. Choose another one: npm start -- --port ${port + 1}`);
    }
    await prepare(userDir, port);
    const simulator = await startSimulator(userDir);
    const host = await startNodeRed(userDir, port, simulator);
    const deals = await closeDeals(simulator, options.deals);
    if (options.once) return await reportOnce(port, deals.length, options.timeoutMs);
    await stay(port, simulator, deals, host);
    return 0;
  } finally {
    for (const program of programs.reverse()) await program.stop();
    if (temporary) await rm(userDir, { recursive: true, force: true });
  }
}

// -------------------------------------------------------------------- preparing

async function prepare(userDir: string, port: number): Promise<void> {
  say('Building the pack and installing it into', userDir);
  await mkdir(userDir, { recursive: true });
  const { folder, file } = await packTarball();
  try {
    await installPack(file, userDir);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  const flows = join(userDir, 'flows.json');
  if (!existsSync(flows)) await copyFile(join(root, 'flows', FLOW), flows);
  await writeSettings(join(userDir, 'settings.js'), port);
}

/** Settings of a local Node-RED: loopback only, no telemetry. The credential secret is made once per directory. */
async function writeSettings(file: string, port: number): Promise<void> {
  if (existsSync(file)) return;
  const settings = {
    uiHost: '127.0.0.1',
    flowFile: 'flows.json',
    credentialSecret: randomBytes(24).toString('hex'),
    telemetry: { enabled: false, updateNotification: false },
    editorTheme: { tours: false },
    logging: { console: { level: 'info', metrics: false, audit: false } },
  };
  const text = JSON.stringify(settings, null, 2);
  await writeFile(
    file,
    `// Written by npm start; yours to change. The port is given on the command line (${port}).\nmodule.exports = ${text};\n`,
    {
      mode: 0o600,
    },
  );
}

// -------------------------------------------------------------------- programs

async function startSimulator(userDir: string): Promise<string> {
  const port = (await isFree(SIMULATOR_PORT)) ? SIMULATOR_PORT : await freePort();
  const state = join(userDir, 'quote-to-cash', 'simulator');
  await mkdir(state, { recursive: true });
  const args = [join(root, 'dist/simulator-main.js'), '--port', String(port), '--state', state];
  const simulator = new Program('The simulator', args);
  programs.push(simulator);
  const ready = JSON.parse(await simulator.line(/^\{"ready":true/, 30_000)) as { url: string };
  return ready.url;
}

async function startNodeRed(userDir: string, port: number, simulator: string): Promise<Program> {
  const red = join(root, 'node_modules/node-red/red.js');
  const host = new Program('Node-RED', [red, '--userDir', userDir, '--port', String(port)], {
    Q2C_SIMULATOR_URL: simulator,
  });
  programs.push(host);
  await Promise.all([host.line(/Started flows/, 60_000), host.line(/Server now running/, 60_000)]);
  return host;
}

// -------------------------------------------------------------------- deals

interface ClosedDeal {
  key: string;
  opportunityId: string;
  name: string;
}

async function closeDeals(simulator: string, count: number): Promise<ClosedDeal[]> {
  if (count === 0) return [];
  const response = await fetch(`${simulator}/_control/deals/close`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ count }),
  });
  const body = (await response.json()) as ClosedDeal[] & { message?: string };
  if (!response.ok)
    throw new Error(`The simulator could not close a deal: ${body.message ?? response.status}`);
  for (const deal of body) say('Closed in Salesforce:', `${deal.name} (${deal.opportunityId})`);
  return body;
}

/** Waits until as many runs have ended as deals were closed, and prints them. @returns the exit code */
async function reportOnce(port: number, count: number, timeoutMs: number): Promise<number> {
  const deadline = Date.now() + timeoutMs;
  const api = `http://127.0.0.1:${port}/q2c/api/v1`;
  let runs: RunSummary[] = [];
  do {
    await new Promise((done) => setTimeout(done, 100));
    runs = (await get<Page<RunSummary>>(`${api}/runs?order=oldest&limit=500`)).items;
  } while (runs.filter(hasEnded).length < count && Date.now() < deadline);

  for (const { id } of runs) console.log(formatRun(await get<RunReport>(`${api}/runs/${id}`)));
  const failed = runs.filter(({ state }) => state !== 'completed');
  if (runs.length < count || runs.some((run) => !hasEnded(run))) {
    console.error(
      `\n${runs.filter(hasEnded).length} of ${count} deals came to an end within ${timeoutMs / 1000} s.`,
    );
    return 1;
  }
  if (failed.length > 0) {
    console.error(`\n${failed.length} of ${count} deals wait for somebody; see the cases above.`);
    return 1;
  }
  console.log(`\n${count} ${count === 1 ? 'deal' : 'deals'} provisioned.`);
  return 0;
}

/** A run that waits for its next automatic attempt has not ended. */
function hasEnded({ state, retryAt }: RunSummary): boolean {
  return state !== 'queued' && state !== 'running' && retryAt === null;
}

async function stay(port: number, simulator: string, deals: ClosedDeal[], host: Program): Promise<void> {
  const editor = `http://127.0.0.1:${port}/`;
  console.log(`
Node-RED is running.

  Editor      ${editor}
  Console     ${editor}q2c/
  Simulators  ${simulator}  (Salesforce, NetSuite, Kantata; see ${simulator}/_control/systems)

What to do next
  1. Open the editor. The flow "Closed won to project" is there and deployed.
     ${deals.length} ${deals.length === 1 ? 'deal was' : 'deals were'} just won: watch the numbers below the nodes, and the debug sidebar.
  2. Win another deal:   curl -X POST ${simulator}/_control/deals/close
  3. Open the console: every deal, every run, and what is stuck, with its owner.
  4. To use your own systems, open a connection and choose Sandbox or Production.

Ctrl+C stops everything; started again, unfinished deals go on.`);
  const watching = new CaseWatch(`${editor}q2c/api/v1`);
  const interrupted = new Promise<void>((done) => {
    process.once('SIGINT', () => done());
    process.once('SIGTERM', () => done());
  });
  await Promise.race([interrupted, host.ended()]);
  watching.stop();
}

/** Prints new open cases while Node-RED runs. */
class CaseWatch {
  private readonly known = new Set<string>();
  private readonly timer: NodeJS.Timeout;
  private readonly api: string;

  constructor(api: string) {
    this.api = api;
    this.timer = setInterval(() => {
      // The host may be restarting its flows: the next look comes soon.
      this.look().catch(() => undefined);
    }, 2_000);
  }

  stop(): void {
    clearInterval(this.timer);
  }

  private async look(): Promise<void> {
    const cases = (await get<Page<CaseLine>>(`${this.api}/cases?limit=500`)).items;
    const fresh = cases.filter(({ id, occurrences }) => !this.known.has(`${id} ${occurrences}`));
    for (const { id, occurrences } of fresh) this.known.add(`${id} ${occurrences}`);
    if (fresh.length > 0) console.log(formatCases(fresh));
  }
}

// -------------------------------------------------------------------- small parts

async function get<T>(url: string): Promise<T> {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`GET ${url}: ${response.status} ${await response.text()}`);
  return (await response.json()) as T;
}

function isFree(port: number): Promise<boolean> {
  return new Promise((done) => {
    const server = createServer()
      .once('error', () => done(false))
      .listen(port, '127.0.0.1', () => server.close(() => done(true)));
  });
}

function freePort(): Promise<number> {
  return new Promise((done, fail) => {
    const server = createServer()
      .once('error', fail)
      .listen(0, '127.0.0.1', () => {
        const address = server.address();
        server.close(() => done(typeof address === 'object' && address !== null ? address.port : 0));
      });
  });
}

function say(what: string, value: string): void {
  console.log(`${what} ${value}`);
}

function readOptions(): Options | null {
  const { values } = parseArgs({
    options: {
      once: { type: 'boolean', default: false },
      deals: { type: 'string', default: '1' },
      port: { type: 'string', default: '0' },
      'user-dir': { type: 'string' },
      timeout: { type: 'string', default: '120' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return null;
  return {
    once: values.once,
    deals: wholeNumber(values.deals, '--deals', 0, 10_000),
    port: wholeNumber(values.port, '--port', 0, 65_535),
    userDir: values['user-dir'],
    timeoutMs: wholeNumber(values.timeout, '--timeout', 1, 86_400) * 1000,
  };
}

function wholeNumber(text: string, name: string, least: number, most: number): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && value >= least && value <= most) return value;
  throw new Error(`${name} must be a whole number from ${least} to ${most}, not "${text}".\n${USAGE}`);
}

try {
  const options = readOptions();
  if (options === null) console.log(USAGE);
  else process.exitCode = await main(options);
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
