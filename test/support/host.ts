import { type ChildProcess, spawn } from 'node:child_process';
import { createDecipheriv, createHash } from 'node:crypto';
import { EventEmitter, once } from 'node:events';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { endWithUs } from './children';
import { freePort } from './free-port';
import { makeUserDir } from './pack';

const installedNodeRed = join(__dirname, '../../node_modules/node-red');

export interface HostOptions {
  /** A user directory that has the pack; without it a new one is made from the tarball. */
  userDir?: string;
  /** Node-RED settings beside those that every test host has. */
  settings?: Record<string, unknown>;
  env?: Record<string, string>;
  /** What it runs from its first start on; without it nothing, until something is deployed. */
  flow?: FlowNode[];
  /** Folder of the Node-RED that runs; without it the development dependency. */
  nodeRed?: string;
  /** Command that the process is started through, with its arguments, for example to take rights away from it. */
  through?: string[];
}

export type FlowNode = { id: string; type: string } & Record<string, unknown>;

const credentialSecret = 'test';

/** Longest time that a start, a deployment or a stop may take on a busy machine. */
const patienceMs = 60_000;

const flowsStarted = /Started (modified )?(flows|nodes)/;
/** Node-RED starts its flows while it does not listen yet; what is asked for in between is refused. */
const listening = /Server now running|headless mode/;
const flowsRefused = /Waiting for missing types|Flows stopped|Failed to start|Cannot find module/;

/** A real Node-RED in its own process, with the packed pack installed in its user directory. */
export class Host {
  private process: ChildProcess | undefined;
  private readonly lines = new EventEmitter();
  /** Everything that all processes of this host have printed. */
  output = '';
  /** How the latest process has ended: its exit code, or the signal that killed it. Null while it runs. */
  ending: number | NodeJS.Signals | null = null;

  private constructor(
    readonly userDir: string,
    private port: number,
    private readonly options: HostOptions,
  ) {}

  /** A host that has not been started yet. */
  static async prepare(options: HostOptions = {}): Promise<Host> {
    const host = new Host(options.userDir ?? (await makeUserDir()), await freePort(), options);
    await host.writeSettings();
    const { flow } = options;
    if (flow !== undefined) await writeFile(join(host.userDir, 'flows.json'), JSON.stringify(flow));
    return host;
  }

  static async start(options: HostOptions = {}): Promise<Host> {
    const host = await Host.prepare(options);
    await host.start();
    return host;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** Process id of the running host. */
  get pid(): number | undefined {
    return this.process?.pid;
  }

  private async writeSettings(): Promise<void> {
    const common = {
      uiHost: '127.0.0.1',
      uiPort: this.port,
      flowFile: 'flows.json',
      credentialSecret,
      telemetry: { enabled: false, updateNotification: false },
      editorTheme: { tours: false, palette: { editable: false } },
      logging: { console: { level: 'info', metrics: false, audit: false } },
    };
    const text = `module.exports = ${JSON.stringify({ ...common, ...this.options.settings }, null, 2)};\n`;
    await writeFile(join(this.userDir, 'settings.js'), text);
  }

  /**
   * Starts a process on the user directory and waits until it listens and its flows run, or for another line that it
   * prints.
   * @param env variables of this process alone
   * @throws when the process ends before that
   */
  async start(env: Record<string, string> = {}, started = flowsStarted): Promise<void> {
    const printed = this.output.length;
    try {
      await this.spawn(env, started);
    } catch (error) {
      if (!this.output.slice(printed).includes('Error: port in use')) throw error;
      // Somebody took the port while the host was down.
      this.port = await freePort();
      await this.writeSettings();
      await this.spawn(env, started);
    }
  }

  private async spawn(env: Record<string, string>, started: RegExp): Promise<void> {
    const { nodeRed = installedNodeRed, through = [] } = this.options;
    const command = [...through, process.execPath, join(nodeRed, 'red.js'), '--userDir', this.userDir];
    const child = endWithUs(
      spawn(command[0] ?? '', command.slice(1), {
        cwd: this.userDir,
        env: { ...process.env, ...this.options.env, ...env },
        stdio: ['ignore', 'pipe', 'pipe'],
      }),
    );
    for (const stream of [child.stdout, child.stderr]) {
      createInterface({ input: stream }).on('line', (line) => {
        this.output += `${line}\n`;
        this.lines.emit('line', line);
      });
    }
    this.ending = null;
    child.once('exit', (code, signal) => {
      this.ending = signal ?? code;
    });
    // Not at its exit: what it printed last, which says why it ended, is read after that.
    child.once('close', (code, signal) => this.lines.emit('ended', child, signal ?? code));
    this.process = child;
    await Promise.all([this.waitForLog(started), this.waitForLog(listening)]);
  }

  /** Replaces all flows and waits until they run. A node's `credentials` are stored as credentials. */
  async deploy(flows: FlowNode[], type: 'full' | 'nodes' | 'flows' = 'full'): Promise<void> {
    const started = this.waitForLog(flowsStarted);
    const headers = { 'Node-RED-API-Version': 'v2', 'Node-RED-Deployment-Type': type };
    await Promise.all([started, this.request('POST', '/flows', { flows }, headers)]);
  }

  async flows(): Promise<FlowNode[]> {
    return (await this.request('GET', '/flows')) as FlowNode[];
  }

  /** Credentials as they are stored on disk, by node id. */
  async credentials(): Promise<Record<string, Record<string, string>>> {
    const file = await readFile(join(this.userDir, 'flows_cred.json'), 'utf8');
    const encrypted: { $: string } = JSON.parse(file);
    const key = createHash('sha256').update(credentialSecret).digest();
    const decipher = createDecipheriv('aes-256-ctr', key, Buffer.from(encrypted.$.slice(0, 32), 'hex'));
    return JSON.parse(decipher.update(encrypted.$.slice(32), 'base64', 'utf8') + decipher.final('utf8'));
  }

  /**
   * Calls the admin API. Paths are below the root that the settings name, if they name one.
   * @throws with the answer when the status is not 2xx.
   */
  async request(
    method: string,
    path: string,
    body?: unknown,
    headers: Record<string, string> = {},
  ): Promise<unknown> {
    const response = await fetch(this.url + path, {
      method,
      headers: { 'Content-Type': 'application/json', ...headers },
      body: body === undefined ? undefined : JSON.stringify(body),
    }).catch((error: Error) => {
      const state = this.ending === null ? 'runs' : `ended with ${this.ending}`;
      throw new Error(`${method} ${path}: ${error.cause ?? error}; Node-RED ${state}\n${this.output}`);
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
    const type = response.headers.get('content-type') ?? '';
    if (type.includes('ndjson'))
      return text
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line));
    return type.includes('json') ? JSON.parse(text) : text;
  }

  /** The next printed line that matches; lines printed before the call do not count. */
  waitForLog(pattern: RegExp): Promise<string> {
    const { promise, resolve, reject } = Promise.withResolvers<string>();
    const fail = (reason: string) => reject(new Error(`${reason}; waited for ${pattern}\n${this.output}`));
    const onLine = (line: string) => {
      if (pattern.test(line)) resolve(line);
      // It listens whatever becomes of the flows, which may be before or after.
      else if (pattern !== listening && flowsRefused.test(line)) fail('Node-RED did not start the flows');
    };
    // One that was killed before may only now be through with its output.
    const awaited = this.process;
    const onEnd = (ended: ChildProcess, status: unknown) => {
      if (ended === awaited) fail(`Node-RED ended with ${status}`);
    };
    const timer = setTimeout(() => fail(`nothing after ${patienceMs} ms`), patienceMs);
    this.lines.on('line', onLine).on('ended', onEnd);
    return promise.finally(() => {
      clearTimeout(timer);
      this.lines.off('line', onLine).off('ended', onEnd);
    });
  }

  /** Ends the process as an operator does and waits until it is gone. */
  async stop(): Promise<void> {
    await this.end('SIGTERM');
  }

  /** `kill -9`: nothing in the process gets a chance to tidy up. */
  async kill(): Promise<void> {
    await this.end('SIGKILL');
  }

  private async end(signal: NodeJS.Signals): Promise<void> {
    const child = this.process;
    this.process = undefined;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit', { signal: AbortSignal.timeout(patienceMs) });
    child.kill(signal);
    await ended;
  }

  async restart(): Promise<void> {
    await this.stop();
    await this.start();
  }

  /** Stops and removes the user directory. */
  async dispose(): Promise<void> {
    await this.stop();
    await rm(this.userDir, { recursive: true, force: true });
  }
}
