import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { CaseSummary, RunReport, RunSummary } from '../../lib/api/reports';
import type { Fault, SimRecord } from '../../simulator/kit/types';
import { until } from './engine';
import { type FlowNode, Host } from './host';

const root = join(__dirname, '../..');

/** The template flow; its source node polls fast enough for tests. */
export function templateFlow(change: (node: FlowNode) => void = () => undefined): FlowNode[] {
  const flow = JSON.parse(readFileSync(join(root, 'flows/closed-won-to-project.json'), 'utf8')) as FlowNode[];
  for (const node of flow) {
    if (node.type === 'q2c-salesforce-events') node.interval = '0.2';
    change(node);
  }
  return flow;
}

/** The simulated vendors in a process of their own, as `npm run simulator` starts them. */
export class Simulator {
  private constructor(
    readonly url: string,
    private readonly child: ChildProcess,
  ) {}

  static async start(args: string[] = []): Promise<Simulator> {
    const child = spawn(process.execPath, [join(root, 'dist/simulator-main.js'), '--port', '0', ...args], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [line] = (await once(createInterface({ input: child.stdout }), 'line')) as [string];
    return new Simulator((JSON.parse(line) as { url: string }).url, child);
  }

  async stop(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    this.child.kill('SIGKILL');
    await once(this.child, 'exit');
  }

  async control<T>(method: string, path: string, body?: unknown): Promise<T> {
    const response = await fetch(`${this.url}/_control/${path}`, {
      method,
      headers: { 'content-type': 'application/json' },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
    return (text === '' ? undefined : JSON.parse(text)) as T;
  }

  async records(system: string, type: string): Promise<SimRecord[]> {
    const { records } = await this.control<{ records: SimRecord[] }>(
      'GET',
      `${system}/records/${type}?limit=100000`,
    );
    return records;
  }

  patch(system: string, type: string, id: string, data: Record<string, unknown>): Promise<SimRecord> {
    return this.control('PATCH', `${system}/records/${type}/${id}`, data);
  }

  fault(system: string, fault: Omit<Fault, 'id'>): Promise<Fault> {
    return this.control('POST', `${system}/faults`, fault);
  }

  async closeDeals(count: number): Promise<ClosedDeal[]> {
    return this.control('POST', 'deals/close', { count });
  }

  /** Calls the vendors have answered so far. */
  async requestCount(): Promise<number> {
    const totals = await Promise.all(
      ['salesforce', 'netsuite', 'kantata'].map((system) =>
        this.control<{ total: number }>('GET', `${system}/requests?limit=0`),
      ),
    );
    return totals.reduce((sum, { total }) => sum + total, 0);
  }
}

export interface ClosedDeal {
  key: string;
  opportunityId: string;
  name: string;
}

/** A real Node-RED with the packed pack and the template flow, and simulated vendors beside it. */
export class World {
  private constructor(
    readonly simulator: Simulator,
    readonly host: Host,
  ) {}

  static async start(flow: FlowNode[] = templateFlow()): Promise<World> {
    const simulator = await Simulator.start();
    const host = await Host.start({ env: { Q2C_SIMULATOR_URL: simulator.url } });
    const world = new World(simulator, host);
    await host.deploy(flow);
    await world.listening();
    return world;
  }

  /** Resolves when the source has polled once: what is won from then on is seen. */
  private async listening(): Promise<void> {
    await until('the first poll', async () => (await this.simulator.requestCount()) > 1, 30_000);
  }

  async stop(): Promise<void> {
    await this.host.dispose();
    await this.simulator.stop();
  }

  runs(): Promise<RunSummary[]> {
    return this.host.request('GET', '/q2c/api/v1/runs?limit=500') as Promise<RunSummary[]>;
  }

  private counts(): Promise<Partial<Record<RunSummary['state'], number>>> {
    return this.host.request('GET', '/q2c/api/v1/runs/counts') as ReturnType<World['counts']>;
  }

  run(id: string): Promise<RunReport> {
    return this.host.request('GET', `/q2c/api/v1/runs/${id}`) as Promise<RunReport>;
  }

  cases(): Promise<CaseSummary[]> {
    return this.host.request('GET', '/q2c/api/v1/cases?limit=500') as Promise<CaseSummary[]>;
  }

  retry(id: string): Promise<unknown> {
    return this.host.request('POST', `/q2c/api/v1/runs/${id}/retry`);
  }

  /** Waits until this many runs have come to an end that nothing changes by itself. */
  async settled(count: number, timeoutMs = 60_000): Promise<RunSummary[]> {
    let runs: RunSummary[] = [];
    await until(
      `${count} runs to settle`,
      async () => {
        // Counting first: a list of hundreds of runs every few moments would be work of its own.
        const { queued = 0, running = 0, completed = 0, failed = 0 } = await this.counts();
        if (queued + running > 0 || completed + failed < count) return false;
        runs = await this.runs();
        return runs.every(isSettled);
      },
      timeoutMs,
      100,
    );
    return runs;
  }
}

const isSettled = ({ state, retryAt }: RunSummary): boolean =>
  state === 'completed' || state === 'cancelled' || (state === 'failed' && retryAt === null);
